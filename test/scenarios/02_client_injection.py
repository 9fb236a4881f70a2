# Claim: if octets follow the server's 250 XCRYPT OK, the client closes and the message waits (statements 2 and 7)
from kit import xcrypt
from kit.mailer import SENT
from kit.run import taken

SUITES = [xcrypt.CHACHA, xcrypt.AES]
INJECTED = (b"250 2.0.0 injected\r\n", b"X", b"\n", b"\0", b"250-injected\r\n250 STARTTLS\r\n")


def waits(mailer, result):
    assert result.status == 75, result
    assert not mailer.messages
    assert len(mailer.sessions) == 1, "called again"
    assert not [c for c in mailer.commands if b"MAIL" in c], mailer.commands


def test_recipients_in_arguments(w):
    for injected in INJECTED:
        mailer = w.mailer(xcrypt=SUITES, behind={"XCRYPT OK": injected})
        waits(mailer, w.send(mailer, ["bob@b.example"]))


def test_old_generation(w):
    mailer = w.mailer(xcrypt=[xcrypt.ARSYFOR], behind={"XCRYPT OK": b"250 injected\r\n"})
    waits(mailer, w.send(mailer, ["bob@b.example"], settings={"suites": xcrypt.ARSYFOR}))


def in_two(cut):
    def answer(session, line):
        good = session.hs.ok(server=True) + b"\r\n"
        session.conn.send(good[:cut])
        taken(session.conn.reader)
        session.conn.send(good[cut:] + b"250 injected\r\n")
        return SENT
    return answer


def test_in_any_packets(w):
    for cut in (1, 4, 13, 20, -2, -1):
        mailer = w.mailer(xcrypt=SUITES, answers={"XCRYPT OK": in_two(cut)})
        waits(mailer, w.send(mailer, ["bob@b.example"]))


def test_a_record_after_the_confirmation(w):
    """Even a record that would decrypt: the server must not send first."""
    def answer(session, line):
        sealer, _ = session.hs.directions(server=True)
        session.conn.send(session.hs.ok(server=True) + b"\r\n" + sealer.seal(b"250 injected\r\n"))
        return SENT
    mailer = w.mailer(xcrypt=SUITES, answers={"XCRYPT OK": answer})
    waits(mailer, w.send(mailer, ["bob@b.example"]))


def test_smtp_on_pipes(w):
    mailer = w.mailer(xcrypt=SUITES, behind={"XCRYPT OK": b"250-injected\r\n250 injected\r\n"})
    pipe = w.pipe(mailer)
    pipe.greet()
    reply = pipe.command("EHLO mail.a.example")
    assert reply.code == 421, reply
    assert b"njected" not in reply.text
    result = pipe.wait()
    assert b"njected" not in result.out
    assert len(mailer.sessions) == 1 and not mailer.messages


def test_octets_after_the_answer(w):
    """Octets after the answer: the message goes in the clear, or waits."""
    mailer = w.mailer(xcrypt=SUITES, behind={"XCRYPT": b"250 XCRYPT OK\r\n"})
    result = w.send(mailer, ["bob@b.example"])
    assert result.status in (0, 75), result
    assert len(mailer.messages) == (1 if result.status == 0 else 0)
    for session in mailer.sessions:
        assert all(c.startswith(b"EHLO") for c in session.inside[:1]), session.commands
