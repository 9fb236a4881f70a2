# Claim: the message waits if other octets than records follow the answer (statements 2 and 7)
from kit import xcrypt
from kit.conn import SLOW
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
    """In 2.0 all octets after the answer are taken for records, and these do not verify."""
    for injected in INJECTED:
        mailer = w.mailer(xcrypt=SUITES, behind={"XCRYPT": injected})
        waits(mailer, w.send(mailer, ["bob@b.example"]))


def test_old_generation(w):
    mailer = w.mailer(xcrypt=[xcrypt.ARSYFOR], behind={"XCRYPT OK": b"250 injected\r\n"})
    waits(mailer, w.send(mailer, ["bob@b.example"], settings={"suites": xcrypt.ARSYFOR}))


def in_two(cut, line_of):
    def answer(session, line):
        good = line_of(session) + b"\r\n"
        session.conn.send(good[:cut])
        taken(session.conn.reader)
        session.conn.send(good[cut:] + b"250 injected\r\n")
        return SENT
    return answer


def test_in_any_packets(w):
    for cut in (1, 4, 13, 20, -2, -1):
        mailer = w.mailer(xcrypt=SUITES, answers={"XCRYPT": in_two(cut, lambda s: s.hs.whole_answer)})
        waits(mailer, w.send(mailer, ["bob@b.example"]))


def test_old_generation_in_any_packets(w):
    for cut in (1, 4, 13, -2, -1):
        mailer = w.mailer(xcrypt=[xcrypt.ARSYFOR],
                          answers={"XCRYPT OK": in_two(cut, lambda s: s.hs.ok(server=True))})
        waits(mailer, w.send(mailer, ["bob@b.example"], settings={"suites": xcrypt.ARSYFOR}))


def test_what_would_decrypt_behind_an_old_one(w):
    """Before 2.0 the server sends nothing before the client's first encrypted octet."""
    def answer(session, line):
        sealer, _ = session.hs.directions(server=True)
        session.conn.send(session.hs.ok(server=True) + b"\r\n" + sealer.seal(b"250 injected\r\n"))
        return SENT
    mailer = w.mailer(xcrypt=[xcrypt.ARSYFOR], answers={"XCRYPT OK": answer})
    waits(mailer, w.send(mailer, ["bob@b.example"], settings={"suites": xcrypt.ARSYFOR}))


def test_a_record_of_another_session(w):
    """A record that was valid on the previous connection."""
    seen = []

    def answer(session, line):
        seen.append(session.hs.directions(server=True)[0].seal(b"250 injected\r\n"))
        if len(seen) == 1:
            return None
        session.conn.send(session.hs.whole_answer + b"\r\n" + seen[0])
        return SENT
    mailer = w.mailer(xcrypt=SUITES, answers={"XCRYPT": answer})
    assert w.send(mailer, ["bob@b.example"]).status == 0
    result = w.send(mailer, ["bob@b.example"])
    assert result.status == 75 and len(mailer.messages) == 1 and len(mailer.sessions) == 2, result


def test_smtp_on_pipes(w):
    mailer = w.mailer(xcrypt=SUITES, behind={"XCRYPT": b"250-injected\r\n250 injected\r\n"})
    pipe = w.pipe(mailer)
    pipe.greet()
    reply = pipe.command("EHLO mail.a.example")
    assert reply.code == 421, reply
    assert b"njected" not in reply.text
    result = pipe.wait()
    assert b"njected" not in result.out
    assert len(mailer.sessions) == 1 and not mailer.messages


def test_behind_the_answer_of_an_old_one(w):
    """The message is sent in the clear, or waits."""
    mailer = w.mailer(xcrypt=[xcrypt.ARSYFOR], behind={"XCRYPT": b"250 XCRYPT OK\r\n"})
    result = w.send(mailer, ["bob@b.example"],
                    settings={"suites": xcrypt.ARSYFOR, "handshake-timeout": "%ds" % (2 * SLOW)})
    assert result.status in (0, 75), result
    assert len(mailer.messages) == (1 if result.status == 0 else 0)
    for session in mailer.sessions:
        assert all(c.startswith(b"EHLO") for c in session.inside[:1]), session.commands


def test_behind_a_refusal(w):
    """Two replies to one command: the second is not taken for a reply to the next command."""
    for reply in (b"454 4.7.0 XCRYPT FAIL no", b"450 4.7.0 XCRYPT FAIL no"):
        mailer = w.mailer(xcrypt=SUITES, answers={"XCRYPT": reply}, behind={"XCRYPT": b"250 2.1.0 injected\r\n"})
        result = w.send(mailer, ["bob@b.example"])
        assert result.status in (0, 75), result
        assert len(mailer.messages) == (1 if result.status == 0 else 0)
