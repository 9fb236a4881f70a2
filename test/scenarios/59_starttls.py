# Claim: if an attacker injects into STARTTLS, removes or breaks it, `must` sends nothing and `may` sends in the clear over a new connection; octets after the 220 make the message wait; messages arrive complete (statements 2, 6, 8, 24, 25, 26 and 42)
import os
import re
import socket
import ssl
import subprocess
import time

from cryptography.hazmat.primitives.asymmetric import rsa

from kit import dns, xcrypt
from kit.certificate import certificate
from kit.conn import Conn, PATIENCE
from kit.run import SENDER, need_own, need_root, operand
from kit.middle import Middle, TlsMiddle, make_certificate

VERSION = subprocess.run([SENDER, "-V"], stdout=subprocess.PIPE, check=True).stdout.decode().splitlines()[0]
MAIL = b"MAIL FROM:<alice@a.example>"
GO = b"220 2.0.0 Go\r\n"
# of a record of 16384 octets
HEADER = b"\x16\x03\x03\x40\x00"
# outcomes: in TLS; in the clear, over the same connection or a new one; not at all
TLS, CLEAR, ANEW, LATER = "tls", "clear", "anew", "later"


class Meddler(Middle):
    """
    Adds STARTTLS to what the server offers, and answers it itself.

    answer   a function of (self, conn, socket) that returns a socket with TLS, or None to close
    offer    a function of the reply to EHLO, as octets
    """

    def __init__(self, port, folder, answer=None, offer=None):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(make_certificate(folder + "/meddler.pem"))
        self.answer, self.offer = answer or Meddler.shake, offer
        self.said, self.inside = [], 0
        super().__init__(port)

    def reach(self):
        far = super().reach()
        far.reader.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        return far

    def shake(self, conn, near):
        conn.send(GO)
        near.settimeout(PATIENCE)
        near = self.context.wrap_socket(near, server_side=True)
        self.inside += 1
        return near

    def handle(self, near):
        conn, far = Conn(near), self.reach()
        conn.send(far.greet().text + b"\r\n")
        while True:
            line = conn.line()
            self.said.append(line)
            if line.startswith(b"EHLO "):
                words = [x[4:] for x in far.command(line).lines] + [b"STARTTLS"]
                text = b"".join(b"250-%s\r\n" % x for x in words[:-1]) + b"250 %s\r\n" % words[-1]
                conn.send(self.offer(text) if self.offer else text)
            elif line.startswith(b"XCRYPT "):
                conn.send(far.command(line).text + b"\r\n")
            elif line == b"STARTTLS":
                near = self.answer(self, conn, near)
                break
            else:
                far.send(line + b"\r\n" + conn.got)
                near.settimeout(PATIENCE)
                break
        if near is None:
            conn.close()
            far.close()
        else:
            TlsMiddle.carry(near, far, bytearray())


def says(octets):
    """Replies with these octets, and continues in the clear."""
    def answer(_self, conn, near):
        conn.send(octets)
        near.settimeout(PATIENCE)
        return near
    return answer


def ends(*pieces):
    """Sends these, waits for what the client sends, and closes."""
    def answer(_self, conn, _near):
        for piece in pieces:
            conn.send(piece)
            if piece != pieces[-1]:
                conn.fill(time.monotonic() + PATIENCE)
    return answer


def stalls(*pieces):
    def answer(self, conn, near):
        ends(*pieces)(self, conn, near)
        conn.rest(patience=2 * PATIENCE)
    return answer


def dribbles(_self, conn, _near):
    conn.send(GO)
    for octet in HEADER + bytes(1000):
        conn.send(bytes((octet,)))
        if conn.broken:
            break
        time.sleep(0.1)


def resets(_self, conn, _near):
    conn.abort()


def goes_inside(self, conn, near):
    """A good handshake, after which nothing more comes."""
    self.shake(conn, near).close()


# (policy, on pipes); without recipients, under `may`, STARTTLS is not ours to use
WAYS = (("may", False), ("must", False), ("must", True))


def one(w, middle, policy, pipes, settings):
    operand = w.wiretap(middle.port)
    settings = {"policy": policy, **settings}
    if not pipes:
        result = w.send(operand, ["bob@b.example"], settings=settings)
        return operand, result, result.status == 0
    client = w.pipe(operand, settings)
    client.greet()
    reply = client.command("EHLO mail.a.example")
    if reply.code == 250:
        assert not [x for x in reply.keywords() if x.startswith((b"STARTTLS", b"XCRYPT"))], reply
        client.message(b"Subject: x\r\n\r\nwords\r\n.\r\n")
        client.command("QUIT")
    else:
        assert reply.text.startswith(b"421 4.7.5 "), reply
    return operand, client.wait(), reply.code == 250


def check(w, name, outcome, why=None, mailer=None, ways=WAYS, settings=None, **how):
    mailer = mailer or w.mailer()
    for policy, pipes in ways:
        wanted = outcome if policy == "may" or outcome == TLS else LATER
        before = len(mailer.messages)
        middle = w.keep(Meddler(mailer.port, w.folder, **how))
        tap, result, sent = one(w, middle, policy, pipes, settings or {})
        case = "%s, %s%s, %s: %r" % (name, policy, " on pipes" if pipes else "", wanted, result)
        assert sent == (wanted != LATER) and len(mailer.messages) == before + sent, case
        assert tap.calls == (2 if wanted == ANEW else 1), case
        assert (MAIL in tap.octets["up"]) == (wanted in (CLEAR, ANEW)), case
        assert (b"words" in tap.octets["up"]) == (wanted in (CLEAR, ANEW)), case
        assert wanted != TLS or result.entries[-1]["crypt"] == "starttls", case
        assert why is None or why in (result.entries[0]["why"], result.entries[0]["end"]), case
        assert not middle.failed, middle.failed


def test_as_it_should_be(w):
    check(w, "good", TLS, "not-offered")


def test_octets_after_the_220(w):
    """In the same packet: a sign of an attack, so the host is not called again (statement 2)."""
    for behind in (b"250 2.0.0 injected\r\n", b"X", b"\n", b"\0", HEADER, b"220 2.0.0 Go\r\n",
                   b"250-injected\r\n250 PIPELINING\r\n250 Ok\r\n250 Ok\r\n354 Go\r\n250 Ok\r\n"):
        check(w, "injected %r" % behind, LATER, "injected", answer=ends(GO + behind))


def test_octets_in_another_packet(w):
    """They are not TLS, whenever they come, and never a reply inside."""
    check(w, "late", ANEW, "tls-failed", answer=ends(GO, b"250 2.0.0 injected\r\n"))
    for policy in "may", "must":
        first = iter([GO])
        middle = w.keep(Meddler(w.mailer().port, w.folder, answer=ends(GO),
                                offer=lambda text: text + next(first, b"")))
        tap, result, sent = one(w, middle, policy, False, {})
        assert sent == (policy == "may") == (MAIL in tap.octets["up"]) == (tap.calls == 2), result
    alert = b"\x15\x03\x03\x00\x02\x02\x28"
    check(w, "alert", ANEW, "tls-failed", answer=ends(GO, alert))


def test_taken_away(w):
    check(w, "stripped", CLEAR, "not-offered", offer=lambda text: text.replace(b"STARTTLS", b"HELP"))
    check(w, "masked", CLEAR, "masked-on-the-way",
          offer=lambda text: text.replace(b"STARTTLS", b"XXXXXXXA"))


def test_refused(w):
    """A 4yz or 5yz is a refusal; what is not a reply is not (statement 6)."""
    for text in (b"454 4.7.0 TLS not available\r\n", b"502 5.5.1 What?\r\n", b"454-4.7.0 No\r\n454 No\r\n"):
        check(w, "%r" % text, CLEAR, answer=says(text))
    for text in (b"250 2.0.0 Ok\r\n", b"354 Go ahead\r\n", b"334 VXNlcm5hbWU6\r\n",
                 b"421 4.3.2 Not now\r\n", b"Go\r\n", b"\x16\x03\x03\0\0\r\n"):
        check(w, "%r" % text, ANEW, answer=ends(text))


def test_a_refusal_after_a_failure_waits(w):
    """5yz to MAIL in the clear, where TLS was offered and failed (statement 37)."""
    for name, how in (("refused", {"answer": says(b"454 4.7.0 TLS not available\r\n")}),
                      ("broken", {"answer": ends(GO, HEADER)})):
        mailer = w.mailer(answers={"MAIL": b"530 5.7.0 Must issue STARTTLS first"})
        result = w.send(w.keep(Meddler(mailer.port, w.folder, **how)), ["bob@b.example"])
        assert result.status == 75 and b"530 5.7.0" in result.out, (name, result)


def test_gone(w):
    check(w, "closed", ANEW, answer=ends(b""))
    check(w, "reset", ANEW, answer=resets)
    check(w, "closed behind 220", ANEW, answer=ends(GO))
    check(w, "closed in the handshake", ANEW, answer=ends(GO, HEADER))
    check(w, "closed inside", ANEW, answer=goes_inside)


def test_stalled(w):
    """handshake-timeout covers all of it (statement 26)."""
    for name, answer, ways in (("behind 220", stalls(GO), WAYS), ("silent", stalls(b""), WAYS[:1]),
                               ("dribbling", dribbles, WAYS[:1])):
        began = time.monotonic()
        check(w, name, ANEW, answer=answer, ways=ways, settings={"handshake-timeout": "1s"})
        assert time.monotonic() - began < PATIENCE, name


def with_context(folder, tag, ciphers=None, key=None, low=None, high=None):
    """Answers with these limits: a function for Meddler."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    settings = certificate(folder, key=key, tag=tag, together=True)
    made.load_cert_chain(settings["certificate"])
    made.minimum_version = low or ssl.TLSVersion.TLSv1_2
    made.maximum_version = high or ssl.TLSVersion.TLSv1_2
    made.set_ciphers((ciphers or "ALL") + ":@SECLEVEL=0")
    # as OpenSSL has it: with an order of its own it would sign with RSA-PSS, which mbedTLS 3.6.6 refuses in TLS 1.2
    made.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE

    def answer(self, conn, near):
        self.context = made
        try:
            return self.shake(conn, near)
        except ssl.SSLError:
            return None
    return answer


def test_weak_tls(w):
    """Statement 42: must wants TLS 1.2, (EC)DHE and an AEAD; may takes what it gets, and the log says which."""
    old, older = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    own = rsa.generate_private_key(65537, 2048)
    for tag, word, how in (("1.0", "TLSv1.0", {"low": old, "high": old}), ("1.1", "TLSv1.1", {"low": old, "high": older}),
                           ("kRSA", "WITH-AES", {"ciphers": "AES128-GCM-SHA256", "key": own}),
                           ("CBC", "CBC", {"ciphers": "ECDHE-ECDSA-AES128-SHA"})):
        answer = with_context(w.folder, tag, **how)
        for policy, wanted in (("must", False), ("may", True)):
            middle = w.keep(Meddler(w.mailer().port, w.folder, answer=answer))
            _, result, sent = one(w, middle, policy, False, {})
            first = result.entries[0]
            if tag.startswith("1.") and "mbedTLS 2" not in VERSION:
                assert first["why"] == "tls-failed", result
                continue
            assert sent == wanted, (tag, policy, result)
            if wanted:
                assert first["crypt"] == "starttls" and word in first["tls"], (tag, result)
            else:
                assert first["why"] == "tls-failed", (tag, result)
    strong = with_context(w.folder, "strong", ciphers="DHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256", key=own)
    middle = w.keep(Meddler(w.mailer().port, w.folder, answer=strong))
    assert one(w, middle, "must", False, {})[2]


def test_only_tls_1_3(w):
    """Where the mbedTLS inside has no TLS 1.3, the log and -t say that it is that."""
    newest = ssl.TLSVersion.TLSv1_3
    middle = w.keep(Meddler(w.mailer().port, w.folder, answer=with_context(w.folder, "1.3", low=newest, high=newest)))
    _, result, sent = one(w, middle, "must", False, {})
    told = w.run([SENDER] + w.options({"policy": "must"}, hostname="mail.a.example", cache=w.callers) +
                 ["-t", "--", operand(middle)])
    if "mbedTLS 2" in VERSION:
        assert not sent and result.entries[0]["fault"] == "tls-1.3-only", result
        assert b"\ntls=tls-1.3-only (mbedTLS 2." in told.out, told
    else:
        assert sent and "TLSv1.3" in result.entries[0]["tls"] and b"\ntls=TLSv1.3" in told.out, (result, told)


def test_after_xcrypt(w):
    """A server that refuses XCRYPT properly may still be used with STARTTLS; inside XCRYPT it is not."""
    mailer = w.mailer(xcrypt=[xcrypt.CHACHA], answers={"XCRYPT": b"454 4.7.0 XCRYPT FAIL not now"})
    check(w, "refused", TLS, "refused", mailer=mailer)
    mailer = w.mailer(xcrypt=[xcrypt.CHACHA])
    check(w, "inside", TLS, "not-offered", mailer=mailer,
          offer=lambda text: text.replace(b"XCRYPT", b"XCLEAR"))
    assert not [x for x in mailer.commands if x.startswith(b"XCRYPT")]


def test_no_octet_is_lost(w):
    """A large message goes through small buffers, again and again, and none of it is lost (statement 8)."""
    def small_buffers():
        with open("/proc/sys/net/ipv4/tcp_wmem", "w") as out:
            out.write("4096 16384 16384")
    dns.enter(w, small_buffers)
    text = b"".join(b"%07d %s\n" % (i, b"x" * (i * 7919 % 71)) for i in range(60000))
    mailer = w.mailer()
    middle = w.keep(Meddler(mailer.port, w.folder))
    result = w.send(middle, ["bob@b.example"], b"Subject: x\n\n" + text, {"policy": "must"})
    assert result.status == 0, result
    got = mailer.messages[0].data
    assert got == b"Subject: x\r\n\r\n" + text.replace(b"\n", b"\r\n"), len(got)


def calls(pid, port):
    try:
        with open("/proc/%s/cmdline" % pid, "rb") as file:
            return operand(port).encode() in file.read().split(b"\0")
    except OSError:
        return False


def test_memory_is_limited_and_enough(w):
    """Statement 39: TLS and the system's certificates need less than half of a session's memory limit."""
    sizes = []

    def answer(session, line):
        pid, = [int(pid) for pid in os.listdir("/proc") if pid.isdigit() and calls(pid, meddler.port)]
        with open("/proc/%d/status" % pid) as table:
            sizes.append(int(re.search(r"^VmData:\s+(\d+) kB", table.read(), re.M).group(1)) << 10)
        with open("/proc/%d/limits" % pid) as table:
            sizes.append(int(re.search(r"^Max data size +(\d+)", table.read(), re.M).group(1)))
    need_root()
    need_own("memory")
    mailer = w.mailer(answers={"MAIL": answer})
    meddler = w.keep(Meddler(mailer.port, w.folder))
    result = w.send(meddler.port, ["bob@b.example"], settings={"policy": "may"}, message=b"x" * 100 + b"\n")
    assert result.status == 0 and meddler.inside == 1, result
    assert 0 < 2 * sizes[0] < sizes[1], sizes
