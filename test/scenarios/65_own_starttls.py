# Claim: blackponyd's own STARTTLS encrypts with any client, whatever the certificate's files are and whatever an attacker injects (statements 1, 3, 4, 24, 27 and 42)
import datetime
import os
import re
import smtplib
import socket
import ssl
import subprocess

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from kit import xcrypt
from kit.certificate import certificate as make, context
from kit.conn import PATIENCE
from kit.run import DAEMON, Skip, eventually, need_root

NAME = "mx.b.example"
MESSAGE = b"Subject: words\r\n\r\n..dots\r\nwords\r\n"
DAY = datetime.timedelta(1)


def client(w, server):
    made = smtplib.SMTP("127.0.0.1", server.port, "a.example", PATIENCE)
    w.keep(made)
    made.ehlo()
    return made


def begin(made, how, name=NAME):
    """STARTTLS, and EHLO inside."""
    made._host = name
    assert made.starttls(context=how)[0] == 220
    made.ehlo("c.example")
    return made


def delivers(w, settings, how=None, **more):
    """A message through it; returns the log's entry, the client and what arrived."""
    mailer = w.mailer()
    server = w.daemon(dict(settings, **more), backend=mailer)
    made = begin(client(w, server), how or context())
    made.sendmail("alice@a.example", ["bob@b.example"], MESSAGE)
    made.quit()
    result = server.finish()
    assert result.status == 0, result
    return result.entries[0], mailer.messages[0].data


def test_a_verified_client(w):
    """The certificate verifies by name; the message arrives with a trace line and otherwise unchanged."""
    made = make(w.folder)
    entry, arrived = delivers(w, made, context(made["certificate"]))
    assert entry["crypt"] == "starttls" and entry["messages"] == "1" and entry["end"] == "done", entry
    assert entry["tls"].startswith("TLSv1.") and entry["resumed"] == "no", entry
    first, second, rest = arrived.split(b"\r\n", 2)
    assert first == b"Received: from c.example ([127.0.0.1]) by mx.b.example", arrived
    assert re.match(rb"    with ESMTPS \(TLSv1\.\d [A-Z0-9-]+\); ", second), arrived
    assert rest == MESSAGE.replace(b"\r\n.", b"\r\n.."), arrived


def test_kinds_of_keys(w):
    """RSA and ECDSA, and both in one file."""
    for tag, key in (("rsa", rsa.generate_private_key(65537, 2048)), ("ec", ec.generate_private_key(ec.SECP384R1()))):
        made = make(w.folder, key=key, tag=tag)
        delivers(w, made, context(made["certificate"]))
    made = make(w.folder, together=True, tag="both")
    delivers(w, made, context(made["certificate"]))


def test_resumption_in_another_process(w):
    made = make(w.folder)
    mailer = w.mailer()
    server = w.daemon(made, backend=mailer)
    how = context(maximum_version=ssl.TLSVersion.TLSv1_2)
    session = None
    for number, expected in enumerate(("no", "yes", "yes")):
        sock = socket.create_connection(("127.0.0.1", server.port), PATIENCE)
        stream = sock.makefile("rwb")
        stream.readline()
        stream.write(b"EHLO a.example\r\n")
        stream.flush()
        while stream.readline()[3:4] == b"-":
            pass
        stream.write(b"STARTTLS\r\n")
        stream.flush()
        assert stream.readline().startswith(b"220")
        inside = how.wrap_socket(sock, session=session)
        session = inside.session
        assert inside.session_reused == (expected == "yes"), number
        inside.sendall(b"EHLO a.example\r\nQUIT\r\n"[:16])
        assert inside.recv(4096).startswith(b"250")
        inside.sendall(b"QUIT\r\n")
        assert inside.recv(4096).startswith(b"221")
        inside.close()
        sock.close()
        assert server.finish(number).entries[0]["resumed"] == expected


def test_no_tickets_without_a_cache(w):
    made = make(w.folder)
    entry, _ = delivers(w, made, context(), cache="off")
    assert entry["resumed"] == "no"


def offered(w, settings, **more):
    """The keywords that a client is offered, and what the session left."""
    server = w.daemon(dict(settings, **more), backend=w.mailer(keywords=(b"PIPELINING", b"STARTTLS")))
    made = w.call(server)
    made.greet()
    keywords = made.ehlo().keywords()
    made.command(b"QUIT")
    return keywords, server.finish()


def test_who_answers(w):
    """own and auto: ours; mailer: the backend's; no: nobody's."""
    made = make(w.folder)
    for who, count in (("own", 1), ("auto", 1), ("mailer", 1), ("no", 0)):
        keywords, _ = offered(w, made, starttls=who)
        assert keywords.count(b"STARTTLS") == count, (who, keywords)
        assert keywords[-1].startswith(b"XCRYPT "), keywords
    server = w.daemon(dict(made, starttls="mailer"), backend=w.mailer(keywords=(b"STARTTLS",),
                                                                     answers={"STARTTLS": b"454 the backend's"}))
    made = w.session(server)
    assert made.command(b"STARTTLS").code == 454


def unusable(w):
    """(what is wrong, the settings that name it, a word of the reason)"""
    foreign = make(w.folder, tag="foreign")
    good = make(w.folder, tag="good")
    wide = make(w.folder, tag="wide")
    os.chmod(wide["certificate-key"], 0o604)
    empty = w.path("empty.pem")
    open(empty, "w").close()
    yield "missing", dict(good, certificate=w.path("none.pem")), "No such file"
    yield "missing key", dict(good, **{"certificate-key": w.path("none.key")}), "No such file"
    yield "a directory", dict(good, **{"certificate": w.folder}), "not a file"
    yield "world-readable", wide, "others may read"
    yield "empty", dict(good, **{"certificate": empty}), "not a certificate"
    yield "key is empty", dict(good, **{"certificate-key": empty}), "others may read"
    yield "swapped", {"certificate": good["certificate-key"], "certificate-key": good["certificate"]}, "not a certificate"
    yield "encrypted", make(w.folder, passphrase=b"words", tag="hidden"), "key"
    yield "another's key", dict(good, **{"certificate-key": foreign["certificate-key"]}), "another certificate"
    yield "short", make(w.folder, key=rsa.generate_private_key(65537, 1024), tag="short"), "2048"
    yield "expired", make(w.folder, begins=-9, ends=-1, tag="old"), "expired"
    yield "not yet valid", make(w.folder, begins=1, ends=9, tag="new"), "not valid yet"


def test_unusable_files(w):
    """auto leaves STARTTLS to the backend, own refuses with 421; the log says why, auto once a day."""
    for what, settings, word in unusable(w):
        keywords, result = offered(w, settings, starttls="auto")
        assert keywords.count(b"STARTTLS") == 1 and word in result.log, (what, result)
        _, result = offered(w, settings, starttls="auto")
        assert "no STARTTLS" not in result.log, (what, result)
        server = w.daemon(dict(settings, starttls="own"), backend=w.mailer())
        reply = w.call(server).reply()
        assert reply.code == 421 and word not in reply.text.decode(), (what, reply)
        result = server.finish()
        assert word in result.log and result.status == 1, (what, result)


def test_a_certificate_that_becomes_valid(w):
    """What was noted about it counts no longer than it is not valid yet."""
    settings = dict(make(w.folder, begins=3 / 86400), starttls="own")
    server = w.daemon(settings, backend=w.mailer())
    assert w.call(server).reply().code == 421
    eventually(lambda: w.call(server).reply().code == 220, "its validity")


def test_own_without_any(w):
    server = w.daemon({"starttls": "own"}, backend=w.mailer())
    assert w.call(server).reply().code == 421
    assert "-k new" in server.finish().log


def test_unreadable_by_the_user(w):
    """A key of root's is read by a session that root has started; a user cannot start one with it."""
    need_root()
    made = make(w.folder)
    os.chmod(w.folder, 0o755)
    os.chown(w.cache, 65534, 65534)
    keywords, result = offered(w, made, user="nobody", starttls="own")
    assert b"STARTTLS" in keywords, result


def test_renewed_files_are_used_at_once(w):
    made = make(w.folder)
    server = w.daemon(made, backend=w.mailer())
    for _ in range(2):
        begin(client(w, server), context(made["certificate"])).quit()
        make(w.folder)


def test_expires_soon(w):
    """A warning under 14 days, once a day."""
    for days, warns in ((13, True), (15, False)):
        made = make(w.folder, ends=days, tag=str(days))
        _, first = offered(w, made)
        _, second = offered(w, made)
        assert ("expires in" in first.log) == warns and "expires in" not in second.log, (first, second)
    made = make(w.folder, name="other.example", tag="other")
    assert "not for mx.b.example" in offered(w, made)[1].log


def test_injection(w):
    """Statements 1 and 42: octets that follow STARTTLS, in one packet or cut anywhere."""
    made = make(w.folder)
    mailer = w.mailer()
    server = w.daemon(made, backend=mailer)
    for behind in (b"MAIL FROM:<evil@x.example>\r\n", b"\x16\x03\x01\x00\x05", b"x"):
        sess = w.session(server)
        sess.send(b"STARTTLS\r\n" + behind)
        assert sess.reply().code == 503
        assert sess.rest() == b""
    assert not [c for c in mailer.commands if c.startswith((b"MAIL", b"STARTTLS"))]


def test_nothing_of_the_clear_counts(w):
    """Statement 3: inside, EHLO comes first, and the backend's last one is that."""
    made = make(w.folder)
    mailer = w.mailer()
    server = w.daemon(made, backend=mailer)
    inner = client(w, server)
    assert inner.starttls(context=context())[0] == 220
    assert inner.docmd("MAIL FROM:<a@a.example>")[0] == 503
    assert inner.docmd("XCRYPT x")[0] == 503
    code, words = inner.docmd("EHLO", "c.example")
    assert code == 250 and b"STARTTLS" not in words and b"XCRYPT" not in words, words
    assert inner.docmd("STARTTLS")[0] == 503
    assert inner.docmd("MAIL FROM:<a@a.example>")[0] == 250
    inner.quit()


def test_required(w):
    """Statement 24: under must, mail is accepted inside only, by either way."""
    made = make(w.folder)
    mailer = w.mailer()
    server = w.daemon(dict(made, policy="must"), backend=mailer)
    outer = client(w, server)
    assert outer.docmd("MAIL FROM:<a@a.example>") == (530, b"5.7.0 Must use XCRYPT or STARTTLS first")
    begin(outer, context())
    assert outer.docmd("MAIL FROM:<a@a.example>")[0] == 250
    outer.quit()
    inside = w.session(server, xcrypt.CHACHA)
    assert inside.command(b"MAIL FROM:<a@a.example>").code == 250


def tls_octets(w, server):
    """A connection just after the reply to STARTTLS."""
    sess = w.session(server)
    assert sess.command(b"STARTTLS").code == 220
    return sess


HELLOS = {
    "SSLv2": bytes.fromhex("802e0100020015000000100100800300800600400400800200800000050000ff0000000000000000000000000000000000"),
    "SMTP": b"EHLO c.example\r\nMAIL FROM:<a@a.example>\r\n",
    "alert": bytes.fromhex("15030100020228"),
    "no handshake": bytes.fromhex("170303000568656c6c6f"),
    "too long": bytes.fromhex("160301ffff") + bytes(100),
    "empty": bytes.fromhex("160301000401000000"),
    "16 KB": bytes.fromhex("1603013ffb") + b"\x01" + (0x3ffb - 4).to_bytes(3, "big") + bytes(0x3ffb - 4),
}


def test_not_a_handshake(w):
    """The session ends with an alert or nothing, and the backend hears of no command."""
    made = make(w.folder)
    mailer = w.mailer()
    server = w.daemon(made, backend=mailer)
    for number, (what, octets) in enumerate(HELLOS.items()):
        sess = tls_octets(w, server)
        sess.send(octets)
        rest = sess.rest()
        assert rest == b"" or rest[0] == 21, (what, rest)
        entry = server.finish(number).entries[0]
        assert entry["end"] == "tls-failed" and entry["why"] == "tls-failed", (what, entry)
    assert not [c for c in mailer.commands if c.startswith(b"MAIL")]


def test_stalls_and_truncates(w):
    made = make(w.folder)
    server = w.daemon(dict(made, **{"handshake-timeout": "1s"}), backend=w.mailer())
    stalled = tls_octets(w, server)
    stalled.send(bytes.fromhex("16030100c8010000c4"))
    assert stalled.rest() == b""
    assert server.finish(0).entries[0]["end"] == "timeout"
    cut = tls_octets(w, server)
    cut.send(bytes.fromhex("16030100c8010000c4"))
    cut.close()
    assert server.finish(1).entries[0]["end"] in ("far-end-gone", "connection-broken")


def test_old_versions(w):
    """Statement 42: TLS 1.2 at least; the client gets an alert."""
    made = make(w.folder)
    server = w.daemon(made, backend=w.mailer())
    for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        how = context(minimum_version=version, maximum_version=version)
        how.set_ciphers("ALL:@SECLEVEL=0")
        outer = client(w, server)
        try:
            outer.starttls(context=how)
            raise AssertionError("%s was accepted" % version)
        except (ssl.SSLError, smtplib.SMTPException) as error:
            assert "ALERT" in str(error).upper() or "VERSION" in str(error).upper(), error


def test_early_close_is_no_clean_end(w):
    """Statement 21: an end of file inside, without close_notify, is truncation."""
    made = make(w.folder)
    server = w.daemon(made, backend=w.mailer())
    inner = begin(client(w, server), context())
    inner.docmd("MAIL FROM:<a@a.example>")
    raw = socket.socket(fileno=os.dup(inner.sock.fileno()))
    raw.shutdown(socket.SHUT_WR)
    entry = server.finish().entries[0]
    assert entry["end"] == "truncated", entry
    raw.close()


def own_key(w, *words, **settings):
    result = w.run([DAEMON] + w.options(settings) + ["-k"] + list(words))
    assert result.status == 0, result
    return result.out.decode()


def test_certificate_of_the_host_key(w):
    """-k new makes it; its key is that of the TLSA record that -k show prints."""
    own_key(w, "new")
    data = re.search(r"^_25\._tcp\.mx\.b\.example\. IN TLSA 3 1 1 ([0-9a-f]{64})$", own_key(w, "show"), re.M)
    assert data
    with open(w.path("host.cert"), "rb") as pem:
        made = x509.load_pem_x509_certificate(pem.read())
    assert made.subject.rfc4514_string() == "CN=mx.b.example"
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["mx.b.example"]
    assert not made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert made.not_valid_after - datetime.datetime.utcnow() > 3600 * DAY
    digest = hashes.Hash(hashes.SHA256())
    digest.update(made.public_key().public_bytes(serialization.Encoding.DER,
                                                 serialization.PublicFormat.SubjectPublicKeyInfo))
    assert digest.finalize().hex() == data.group(1)
    delivers(w, {"starttls": "auto"}, context(w.path("host.cert")))


def by_tlsa(port, data):
    """OpenSSL's client, which accepts the certificate by this TLSA record only (RFC 7672, section 3.1.1); whether it did."""
    done = subprocess.run(["openssl", "s_client", "-starttls", "smtp", "-connect", "127.0.0.1:%d" % port, "-servername", NAME,
                           "-dane_tlsa_domain", NAME, "-dane_tlsa_rrdata", data, "-dane_ee_no_namechecks", "-verify_return_error", "-brief"],
                          input=b"QUIT\r\n", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=3 * PATIENCE, check=False)
    return done.returncode == 0 and b"Verification: OK" in done.stdout


def test_verified_by_its_tlsa_record(w):
    """The record that -k show prints, and no other, before and after the certificate is renewed."""
    own_key(w, "new")
    server = w.daemon({"starttls": "own"}, backend=w.mailer())
    data = re.search("TLSA (3 1 1 .*)", own_key(w, "show")).group(1)
    assert by_tlsa(server.port, data)
    assert w.run([DAEMON] + w.options(None, hostname="mx2.b.example") + ["-x"]).status == 0
    assert by_tlsa(server.port, data)
    wrong = data[:-1] + ("0" if data[-1] != "0" else "1")
    assert not by_tlsa(server.port, wrong)


def test_the_timer_renews(w):
    """When the host's name has changed; the key stays, and so does the TLSA record."""
    own_key(w, "new")
    before, tlsa = open(w.path("host.cert")).read(), own_key(w, "show")
    for name, same in ((NAME, True), ("mx2.b.example", False)):
        assert w.run([DAEMON] + w.options(None, hostname=name) + ["-x"]).status == 0
        assert (open(w.path("host.cert")).read() == before) == same
    assert own_key(w, "show") == tlsa
    assert os.stat(w.path("host.cert")).st_mode & 0o777 == 0o600


def test_change_of_the_key(w):
    own_key(w, "new")
    own_key(w, "next")
    both = own_key(w, "show")
    own_key(w, "change")
    after = re.search("TLSA (.*)", own_key(w, "show")).group(1)
    assert "next _25._tcp.mx.b.example. IN TLSA " + after in both
    delivers(w, {"starttls": "auto"}, context(w.path("host.cert")))


def test_a_key_without_a_certificate(w):
    """-k new adds it; without it nothing is offered, and -k show says that no record may be published."""
    key = own_key(w, "new")
    os.unlink(w.path("host.cert"))
    assert "; no TLSA record" in own_key(w, "show")
    assert b"STARTTLS" not in offered_by_us(w)
    assert own_key(w, "new") == key
    assert b"STARTTLS" in offered_by_us(w)


def offered_by_us(w):
    server = w.daemon({"starttls": "auto"}, backend=w.mailer())
    sess = w.call(server)
    sess.greet()
    return sess.ehlo().keywords()


def test_report(w):
    """-t says what a client would get, and fails where the settings want what there is not."""
    made = make(w.folder, tag="t")
    late = make(w.folder, ends=13, name="other.example", tag="late")
    old = make(w.folder, begins=-9, ends=-1, tag="old")
    mailer = w.mailer(answers={"RCPT": b"550 5.7.1 no"})
    base = {"backend": "127.0.0.1:%d" % mailer.port, "client-address": "none"}
    for settings, status, words in (
            (made, 0, (b"for mx.b.example,", b"issued by CN=mx.b.example", b" days left")),
            (late, 0, (b"WARNING: the certificate expires", b"WARNING: the certificate is not for mx.b.example")),
            (old, 1, (b"expired",)),
            ({}, 0, (b"left to the mail server",)),
            ({"starttls": "own"}, 1, (b"no client is served",)),
            ({"starttls": "mailer"}, 0, (b"left to the mail server",)),
            ({"starttls": "no"}, 0, (b"not offered",))):
        result = w.run([DAEMON] + w.options(dict(base, **settings)) + ["-t"])
        assert result.status == status, (settings, result)
        for word in words:
            assert word in result.out, (settings, word, result)


def test_other_libraries(w):
    """GnuTLS's and OpenSSL's clients."""
    made = make(w.folder)
    server = w.daemon(made, backend=w.mailer())
    tools = {"openssl": ["openssl", "s_client", "-starttls", "smtp", "-connect", "127.0.0.1:%d" % server.port,
                         "-CAfile", made["certificate"], "-verify_return_error", "-quiet", "-no_ign_eof"],
             "gnutls-cli": ["gnutls-cli", "--starttls-proto=smtp", "--port=%d" % server.port, "--x509cafile",
                            made["certificate"], "--verify-hostname=" + NAME, "127.0.0.1"]}
    ran = 0
    for tool, argv in tools.items():
        try:
            child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        except FileNotFoundError:
            continue
        child.stdin.write(b"QUIT\r\n")
        child.stdin.flush()
        out = child.communicate(timeout=3 * PATIENCE)[0]
        entry = server.finish(ran).entries[0]
        assert entry["crypt"] == "starttls", (tool, out, entry)
        ran += 1
    if not ran:
        raise Skip("neither openssl nor gnutls-cli is here")
