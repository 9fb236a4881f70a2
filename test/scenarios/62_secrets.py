# Claim: however a session ends, its memory holds no key, neither the host's nor its own, and nothing of what passed through it (statement 23)
import base64
import hashlib
import os
import smtplib
import subprocess

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from kit import xcrypt
from kit.mailer import DROP
from kit.certificate import certificate, context
from kit.run import BIN, DAEMON, SENDER, Skip, eventually, need_own, need_root, operand

INJECT = os.path.join(BIN, "faults", "inject")
WORDS = b"thimblerigger", b"borborygmus", b"snollygoster"
SUBJECT, SENDER_NAME, BODY = WORDS
MESSAGE = b"Subject: " + SUBJECT + b"\n\n" + (BODY + b"\n") * 3000
SUITES = xcrypt.CHACHA, xcrypt.AES, xcrypt.ARSYFOR
RANK = {"2.0": 20, "1.0": 10}
ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551     # of P-256


def need_inject():
    need_root()     # a process in the jail is not dumpable
    need_own("memory")
    if not os.access(INJECT, os.X_OK):
        raise Skip("inject is not built (it is for x86-64)")
    if subprocess.run([INJECT, "/bin/true"], check=False).returncode != 0:
        raise Skip("ptrace(2) is not allowed")


def cdb(path):
    """[(key, value)] of a constant database."""
    with open(path, "rb") as f:
        octets = f.read()
    end, at, found = min(int.from_bytes(octets[i:i + 4], "little") for i in range(0, 2048, 8)), 2048, []
    while at < end:
        key_len, len_ = (int.from_bytes(octets[at + i:at + i + 4], "little") for i in (0, 4))
        found.append((octets[at + 8:at + 8 + key_len],
                      octets[at + 8 + key_len:at + 8 + key_len + len_]))
        at += 8 + key_len + len_
    return found


def private_key(folder, generation):
    """This host's key pair in its key cache: check (8), time (8), public key, private key."""
    public_len = {"2.0": 32, "1.0": 96}[generation]
    value, = [value for key, value in cdb(os.path.join(folder, "keys.cdb"))
              if key == bytes((ord("P"), RANK[generation]))]
    return value[16 + public_len:]


def secrets(handshake, folder):
    """name -> octets: the secrets that this host shares with its peer, and its own.

    A client of 2.0 has no pair except those of the connection, so it has no folder.
    """
    keys, generation, found = handshake.keys, handshake.generation, {}
    if folder:
        found["private key"] = private_key(folder, generation)
    if generation == "2.0":
        for name in ("key_ab", "key_ba", "iv_ab", "iv_ba"):
            found[name] = getattr(keys, name)
        found.update(handshake.secrets)
        if folder and not handshake.met:
            public = xcrypt.Pair20(found["private key"]).public
            assert public == handshake.peer_short, "not the keys of this session"
        return found
    pair = xcrypt.Pair10(found["private key"])
    found.update(key_ab=keys.key_ab, key_ba=keys.key_ba)
    found["Z"] = pair.agree(handshake.pair.public)
    assert found["Z"] == handshake.pair.agree(pair.public), "not the keys of this session"
    return found


def pieces(secret):
    """Looks for every word of a secret; a big number may be stored with its limbs reversed."""
    size = min(8, len(secret))
    for order in (secret, secret[::-1]):
        for at in range(0, len(secret) - size + 1, 4):
            yield order[at:at + size]


def assert_clean(memory, known):
    with open(memory, "rb") as f:
        octets = f.read()
    assert b"mx.b.example" in octets, "not its memory"      # not a secret
    left = [name for name, secret in known.items() if any(piece in octets for piece in pieces(secret))]
    left += [word.decode() for word in WORDS if word in octets]
    assert not left, "still in memory: %s" % ", ".join(left)


# how a session with blackponyd ends

def quits(client):
    client.quit()


def is_cut(client):
    client.close()


def is_reset(client):
    client.command("MAIL FROM:<%s@a.example>" % SENDER_NAME.decode())
    client.abort()


def is_forged(client):
    client.send_raw(b"\x17\x03\x03\x01\x00" + b"x" * 256)
    client.rest()
    client.close()


def stops_inside(client):
    for line in ("MAIL FROM:<%s@a.example>" % SENDER_NAME.decode(), "RCPT TO:<bob@b.example>", "DATA"):
        client.command(line)
    client.send(MESSAGE.replace(b"\n", b"\r\n"))
    client.finish()
    client.rest()
    client.close()


def blackponyd(w, suite, how):
    memory = w.path("memory")
    server = w.daemon({"suites": suite}, backend=w.mailer())
    server.argv = [INJECT, "-m", memory] + server.argv
    client = w.session(server, suite)
    client.message(MESSAGE.replace(b"\n", b"\r\n") + b".\r\n", sender=SENDER_NAME.decode() + "@a.example")
    handshake = client.hs
    how(client)
    server.finish()
    assert_clean(memory, secrets(handshake, w.cache))


def test_blackponyd(w):
    need_inject()
    for suite in SUITES:
        blackponyd(w, suite, quits)


def test_blackponyd_however_it_ends(w):
    need_inject()
    for how in (is_cut, is_reset, is_forged, stops_inside):
        blackponyd(w, xcrypt.CHACHA, how)


def test_blackponyd_with_what_it_knew(w):
    """R from the cache, and in 1.0 Z."""
    need_inject()
    for suite in xcrypt.CHACHA, xcrypt.ARSYFOR:
        pair, kept = None if suite == xcrypt.CHACHA else xcrypt.Pair10(), None
        for _ in range(2):
            memory = w.path("memory")
            server = w.daemon({"suites": suite}, backend=w.mailer())
            server.argv = [INJECT, "-m", memory] + server.argv
            client = w.session(server)
            client.xcrypt(suite, pair=pair, kept=kept)
            client.ehlo()
            handshake, kept = client.hs, client.kept
            client.quit()
            entry = server.finish().entries[0]
            assert_clean(memory, secrets(handshake, w.cache))
        assert entry["cache"] == "hit"


def test_blackponyd_in_the_handshake(w):
    """Handshakes that are abandoned, wrongly confirmed, or end before R can be stored."""
    need_inject()
    for last in (None, b"", bytes(300), b"\x17\x03\x03\x01\x10" + bytes(100)):
        memory = w.path("memory")
        server = w.daemon(backend=w.mailer())
        server.argv = [INJECT, "-m", memory] + server.argv
        client = w.session(server)
        client.ask()
        if last is not None:
            client.switch()
            client.take_pushed()
            client.send_raw(last)
            client.shut()
            client.rest()
        handshake = client.hs
        client.close()
        server.finish()
        assert_clean(memory, secrets(handshake, w.cache))


def host_keys(w):
    """Their private keys, as numbers and as written in their files."""
    found = {}
    for name in "host.key", "host.next":
        if os.path.exists(w.path(name)):
            with open(w.path(name), "rb") as file:
                found[name + " in base64"] = file.read().split()[1]
            found[name] = base64.b64decode(found[name + " in base64"])
    return found


def signing_number(private, signature, text):
    """The k of ECDSA, which together with the signature reveals the key."""
    r, s = (int.from_bytes(base64.b64decode(signature)[at:at + 32], "big") for at in (0, 32))
    digest = int.from_bytes(hashlib.sha256(text).digest(), "big")
    k = pow(s, -1, ORDER) * (digest + r * int.from_bytes(private, "big")) % ORDER
    point = ec.derive_private_key(k, ec.SECP256R1()).public_key().public_numbers()
    assert point.x % ORDER == r, "not signed by this key"
    return k.to_bytes(32, "big")


def of_statements(w, reply):
    """The secrets that arose when host.key signed the statements in this reply."""
    private, short = host_keys(w)["host.key"], xcrypt.Pair20(private_key(w.cache, "2.0")).public
    said = {words[0]: words[1:] for words in (line.split() for line in reply.keywords())}
    _, until, for_this = said[b"XCRYPT-ID"]
    following, until_too, for_next = said[b"XCRYPT-NEXT"]
    assert until == until_too
    return {"k of XCRYPT-ID": signing_number(private, for_this, b"XCRYPT ID\0" + short + b"\0" + until),
            "k of XCRYPT-NEXT": signing_number(private, for_next,
                                               b"XCRYPT NEXT\0" + short + b"\0" + until + b"\0" +
                                               base64.b64decode(following))}


def tool(w, *words, **settings):
    """Leaves nothing of the host keys in memory, neither the old one nor the new one."""
    memory, known = w.path("memory"), host_keys(w)
    result = w.run([INJECT, "-m", memory, DAEMON] + w.options(settings) + list(words))
    assert result.status == 0, result
    known.update(host_keys(w))
    assert len(known) >= 2, "no key"
    assert_clean(memory, known)


def test_host_keys_when_made_and_shown(w):
    need_inject()
    for command in "new", "next", "show", "change", "next":
        tool(w, "-k", command)
    mailer = w.mailer(answers={"RCPT": b"550 5.7.1 Relaying denied"})
    tool(w, "-t", **{"backend": "127.0.0.1:%d" % mailer.port, "client-address": "none"})


def session(w):
    memory = w.path("memory")
    server = w.daemon(backend=w.mailer())
    server.argv = [INJECT, "-m", memory] + server.argv
    client = w.session(server, xcrypt.CHACHA)
    client.quit()
    server.finish()
    assert_clean(memory, {**host_keys(w), **of_statements(w, client.ehlo_reply)})


def test_host_keys_in_a_session(w):
    """A session that signs, one that finds the signature, and one after a rotation."""
    need_inject()
    for command in "new", "next":
        assert w.run([DAEMON] + w.options({}) + ["-k", command]).status == 0
    session(w)
    session(w)
    os.remove(w.path("cache/keys.cdb"))
    session(w)


def memory_of(pid):
    """All the memory that the process could read itself."""
    with open("/proc/%d/maps" % pid) as maps, open("/proc/%d/mem" % pid, "rb", 0) as file:
        for line in maps:
            place, rights = line.split()[:2]
            if "r" not in rights or line.rstrip().endswith(("[vvar]", "[vsyscall]", "[vvar_vclock]")):
                continue
            begin, end = (int(number, 16) for number in place.split("-"))
            file.seek(begin)
            yield file.read(end - begin)


def assert_gone(pid, known):
    """None of these is in memory, and no file is open that contains them."""
    octets = b"\0".join(memory_of(pid))
    assert b"mx.b.example" in octets, "not its memory"
    folder = "/proc/%d/fd/" % pid
    files = [os.readlink(folder + name) for name in os.listdir(folder)]
    assert not [name for name in files if "keys." in name or "host." in name], files
    left = [name for name, secret in known.items() if any(piece in octets for piece in pieces(secret))]
    assert not left, "still in memory: %s" % ", ".join(left)


def assert_unknown(pid, handshake, folder):
    """Of our secrets, only the keys of this connection are in memory."""
    known = {name: octets for name, octets in secrets(handshake, folder).items() if name[:3] not in ("key", "iv_")}
    assert len(known) >= 2
    assert_gone(pid, known)


def need_memory():
    need_root()
    need_own("memory")


def keys_of(w):
    found = host_keys(w)
    found["pair"] = private_key(w.cache, "2.0")
    return found


def test_settled_in_the_clear(w):
    """Statement 38: after MAIL, a refused XCRYPT, or a pipe, no process has a key any more."""
    need_memory()
    for command in "new", "next":
        assert w.run([DAEMON] + w.options({}) + ["-k", command]).status == 0
    ends = ((None, ["MAIL FROM:<a@a.example>"]), ([b"STARTTLS"], ["STARTTLS"]), (None, ["XCRYPT nothing_2.0 0 0", "MAIL FROM:<a@a.example>"]))
    for keywords, commands in ends:
        server = w.daemon(backend=w.mailer(keywords=keywords or (), answers={"STARTTLS": b"220 2.0.0 Go ahead"}))
        client = w.session(server)
        client.ehlo()
        for command in commands:
            assert client.command(command), command
        assert_gone(server.child().pid, keys_of(w))
        client.close()
        server.finish()


def test_settled_after_a_rotation(w):
    """A connection made before a rotation uses its pair, and then wipes it and the host key."""
    need_memory()
    for command in "new", "next":
        assert w.run([DAEMON] + w.options({}) + ["-k", command]).status == 0
    server = w.daemon(backend=w.mailer())
    w.session(server, xcrypt.CHACHA).quit()
    server.finish()
    before = keys_of(w)
    waiting = w.session(server)
    waiting.ehlo()
    process = server.child(1)
    os.remove(w.path("cache/keys.cdb"))
    w.session(server, xcrypt.CHACHA).quit()
    assert keys_of(w)["pair"] != before["pair"]
    waiting.xcrypt()
    assert waiting.command("NOOP").code == 250
    assert_gone(process.pid, {**keys_of(w), "pair before": before["pair"]})
    waiting.quit()
    server.finish(1)


def test_settled_sessions_know_no_key(w):
    """Statement 38: after the handshake no private key and no shared secret is left."""
    need_memory()
    for suite in SUITES:
        server = w.daemon({"suites": suite}, backend=w.mailer())
        client = w.session(server, suite)
        client.ehlo()
        assert_unknown(server.child().pid, client.hs, w.cache)
        client.quit()
        server.finish()


def test_a_settled_caller_knows_no_key(w):
    """Statement 38, in blackpony."""
    need_memory()
    for suite in SUITES:
        child, seen = [], []

        def answer(session, line):
            eventually(lambda: child, "the process")
            assert_unknown(child[0].pid, session.hs, own_cache(session.hs, w))
            seen.append(line)
        # after the reply to its first record it has nothing left to store
        mailer = w.mailer(xcrypt=[suite], answers={"RCPT": answer}, keywords=())
        child.append(w.spawn([SENDER] + w.options({"suites": suite}) + ["-f", "a@a.example", "--", operand(mailer),
                                                                       "bob@b.example"],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=w.log_file("blackpony")))
        child[0].communicate(MESSAGE, timeout=60)
        assert child[0].returncode == 0 and seen, "not sent"


def test_a_caller_never_has_the_two_hour_key(w):
    """Only servers use it; blackpony does not hold it even before its handshake."""
    need_memory()
    child, seen = [], []

    def answer(session, line):
        eventually(lambda: child, "the process")
        octets = b"\0".join(memory_of(child[0].pid))
        assert b"mx.b.example" in octets, "not its memory"
        assert not any(piece in octets for piece in pieces(private_key(w.cache, "2.0")))
        seen.append(line)
    mailer = w.mailer(xcrypt=[xcrypt.CHACHA], answers={"EHLO": answer}, keywords=())
    child.append(w.spawn([SENDER] + w.options({}) + ["-f", "a@a.example", "--", operand(mailer), "bob@b.example"],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=w.log_file("blackpony")))
    child[0].communicate(MESSAGE, timeout=60)
    assert child[0].returncode == 0 and seen, "not sent"


def own_cache(handshake, w):
    """The folder of blackpony's key pair, if the version gives it one."""
    return None if handshake.generation == "2.0" else w.cache


def blackpony(w, suite, by_pipe, **script):
    memory = w.path("memory")
    mailer = w.mailer(xcrypt=[suite], **script)
    argv = [INJECT, "-m", memory, SENDER] + w.options({"suites": suite}) + \
        ["-f", "alice@a.example", "--", operand(mailer)]    # its arguments are not secret
    stdin = MESSAGE
    if by_pipe:
        stdin = b"EHLO here\r\nMAIL FROM:<%s@a>\r\nRCPT TO:<b@b>\r\nDATA\r\n%s.\r\nQUIT\r\n" % (
            SENDER_NAME, MESSAGE.replace(b"\n", b"\r\n"))
    w.run(argv + ([] if by_pipe else ["bob@b.example"]), stdin)
    session = mailer.session()
    assert_clean(memory, secrets(session.hs, own_cache(session.hs, w)))
    return session


def test_blackpony(w):
    need_inject()
    for suite in SUITES:
        for by_pipe in (False, True):
            assert blackpony(w, suite, by_pipe).messages, "not sent"


def test_blackpony_however_it_ends(w):
    need_inject()
    for by_pipe in (False, True):
        for verb in ("pushed", "MAIL", ".", "QUIT"):
            blackpony(w, xcrypt.AES, by_pipe, answers={verb: DROP})
        blackpony(w, xcrypt.AES, by_pipe, answers={"XCRYPT": lambda s, line: s.hs.answer(confirm=bytes(16))})


def test_blackpony_with_what_it_knew(w):
    """R from the cache, of the called host; also after the id was refused."""
    need_inject()
    memory, mailer = w.path("memory"), w.mailer(xcrypt=[xcrypt.CHACHA])
    argv = [INJECT, "-m", memory, SENDER] + w.options({}) + ["-f", "alice@a.example", "--", operand(mailer), "bob@b.example"]
    first = None
    for number, met in enumerate((False, True, False)):
        if number == 2:
            mailer.script.memory.clear()
        result = w.run(argv, MESSAGE)
        assert result.status == 0, result
        session = mailer.session(number)
        assert session.hs.met == met and session.unknown == (number == 2)
        first = first or session.hs
        assert_clean(memory, {**secrets(session.hs, None), "R before": first.secrets["R"]})


def private_number(path):
    """What is secret of an EC key or an RSA key in a file of PEM."""
    with open(path, "rb") as file:
        pem = file.read()
    numbers = serialization.load_pem_private_key(pem, None).private_numbers()
    parts = {name: getattr(numbers, name) for name in ("private_value", "p", "q", "d", "dmp1", "dmq1") if hasattr(numbers, name)}
    found = {name: n.to_bytes((n.bit_length() + 7) // 8, "big") for name, n in parts.items()}
    # of a line of the file, what belongs to the private part only
    found["PEM"] = pem.splitlines()[1 if "private_value" in parts else -4][8:52]
    return found


def certificates(w):
    """(settings, secrets): of ECDSA, of RSA, and of the host key."""
    for tag, key in (("ec", ec.generate_private_key(ec.SECP256R1())), ("rsa", rsa.generate_private_key(65537, 2048))):
        settings = certificate(w.folder, key=key, tag=tag)
        yield settings, private_number(settings["certificate-key"])
    assert w.run([DAEMON] + w.options({}) + ["-k", "new"]).status == 0
    yield {"starttls": "own"}, host_keys(w)


def ends_in_a_pipe(client):
    client.docmd("MAIL FROM:<a@a.example>")


def ends_in_tls(client):
    client.starttls(context=context())
    client.ehlo("c.example")


def ends_in_the_clear(client):
    client.docmd("NOOP")


def test_key_of_the_certificate(w):
    """Statement 42: it is not in memory once the session is TLS or a pipe, and in no form at the end."""
    need_inject()
    for settings, secret in certificates(w):
        for how in (ends_in_tls, ends_in_a_pipe, ends_in_the_clear):
            memory, mailer = w.path("memory"), w.mailer()
            server = w.daemon(settings, backend=mailer)
            server.argv = [INJECT, "-m", memory] + server.argv
            client = smtplib.SMTP("127.0.0.1", server.port, "a.example", 60)
            client.ehlo()
            how(client)
            client.quit()
            assert server.finish().status == 0
            assert_clean(memory, secret)
            server = w.daemon(settings, backend=mailer)
            client = smtplib.SMTP("127.0.0.1", server.port, "a.example", 60)
            client.ehlo()
            how(client)
            octets = b"\0".join(memory_of(server.child().pid))
            left = [name for name, secret in secret.items() if any(piece in octets for piece in pieces(secret))]
            assert bool(left) == (how == ends_in_the_clear), (settings, how, left)
            client.quit()
            server.finish()


def test_the_search_finds_words(w):
    """The method finds words in the memory of a program that does not wipe them."""
    need_inject()
    memory = w.path("memory")
    w.run([INJECT, "-m", memory, "/bin/sh", "-c", "read heard"], BODY + b"\n")
    with open(memory, "rb") as f:
        assert BODY in f.read()
