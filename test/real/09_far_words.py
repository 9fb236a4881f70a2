# Claim: what a host says before encryption, or after it has failed, bounces no message of sendmail; mail reaches every host that sendmail can reach (statements 36 and 37)
from kit import xcrypt
from kit.mailer import DROP, SENT, FakeMailer

from host import two_hosts
from words import MESSAGE

STRAIGHT = {"b.example": "blackpony:[192.0.2.25]"}
MUST = b"530 5.7.0 Must encrypt first"
BOB = ["bob@b.example"]


def waits_and_goes(w, why, calls=1, **script):
    """A host that requires encryption and, once, fails to encrypt."""
    machine, a, _, _ = two_hosts(w, for_a={"table": STRAIGHT})
    far = w.keep(FakeMailer("192.0.2.25", 25, **script))
    far.script.answers["MAIL"] = lambda session, line: None if session.suite else MUST
    a.send(MESSAGE, BOB)
    assert a.queued() == BOB and a.mailbox() == [], far.commands
    machine.logged(r"bob@b.example,.* stat=Deferred: 430 4\.7\.0 Must encrypt first")
    assert machine.connections("blackpony", calls)[-1]["why"] == why
    for verb in ("XCRYPT", "STARTTLS"):
        far.script.answers.pop(verb, None)
    far.script.xcrypt = [xcrypt.CHACHA]
    a.run_queue()
    assert a.queued() == [] and a.mailbox() == []
    assert far.messages[0].encrypted == xcrypt.CHACHA


def test_refused(w):
    waits_and_goes(w, "refused", xcrypt=[xcrypt.CHACHA], answers={"XCRYPT": b"454 4.7.0 XCRYPT FAIL not now"})


def test_broken(w):
    waits_and_goes(w, "called-again", calls=2, xcrypt=[xcrypt.CHACHA], answers={"XCRYPT": DROP})


def test_sendmails_own_starttls(w):
    waits_and_goes(w, "not-offered", keywords=(b"STARTTLS",),
                   answers={"STARTTLS": b"454 4.7.0 TLS not available"})


def bounces(w, **script):
    machine, a, _, _ = two_hosts(w, for_a={"table": STRAIGHT})
    w.keep(FakeMailer("192.0.2.25", 25, answers={"RCPT": b"550 5.1.1 Who?"}, **script))
    a.send(MESSAGE, BOB)
    bounce, = a.mailbox(1)
    assert b"550 5.1.1 Who?" in bounce.body and a.queued() == []


def test_a_refusal_in_the_clear_bounces(w):
    """Without XCRYPT no attempt has failed."""
    bounces(w)


def test_a_refusal_inside_bounces(w):
    bounces(w, xcrypt=[xcrypt.CHACHA])


def no_sender(session, line):
    return b"503 5.5.1 Need MAIL before RCPT"


def test_a_refusal_of_the_sender(w):
    """It is known when the first recipient has been sent: a temporary one bounces nobody, a permanent one everybody, with its text."""
    both = ["bob@b.example", "carol@b.example"]
    _, a, _, _ = two_hosts(w, for_a={"table": STRAIGHT})
    for bounced, offered in enumerate(([], [xcrypt.CHACHA])):
        far = w.keep(FakeMailer("192.0.2.25", 25, xcrypt=offered, keywords=(b"PIPELINING",)))
        for answer in (b"451 4.3.0 Not now", b"421 4.7.0 Enough", b"354 Go on", b"What?", DROP):
            far.script.answers = {"MAIL": answer, "RCPT": no_sender, "DATA": no_sender}
            a.send(MESSAGE, both)
            assert a.queued() == both and len(a.mailbox()) == bounced, (answer, far.commands)
            far.script.answers = {}
            a.run_queue()
            assert a.queued() == [] and len(far.messages) == 1, (answer, far.commands)
            assert len(far.messages[0].recipients) == 2
            far.sessions.clear()
        far.script.answers = {"MAIL": b"552 5.3.4 Too big", "RCPT": no_sender, "DATA": no_sender}
        a.send(MESSAGE, both)
        bounce = a.mailbox(bounced + 1)[-1]
        assert all(name.encode() in bounce.body for name in both) and b"552 5.3.4 Too big" in bounce.body
        assert b"503" not in bounce.body and a.queued() == []
        far.close()


LIST = {"b.example": "blackpony:[192.0.2.25]:2526:[192.0.2.25]"}


def test_the_next_of_several(w):
    """One host refuses at the moment: sendmail gets the reply of the next one, in the same attempt."""
    _, a, _, _ = two_hosts(w, for_a={"table": LIST})
    first = w.keep(FakeMailer("192.0.2.25", 2526))
    second = w.keep(FakeMailer("192.0.2.25", 25, xcrypt=[xcrypt.CHACHA]))
    for count, answer in enumerate((b"451 4.3.0 Not now", DROP, b"421 4.3.2 Bye"), 1):
        first.script.answers["EHLO"] = answer
        a.send(MESSAGE, BOB)
        assert a.queued() == [] and len(second.messages) == count and len(first.sessions) == count
    second.script.answers["EHLO"] = b"452 4.3.1 Full"
    a.send(MESSAGE, BOB)
    assert a.queued() == BOB and a.mailbox() == []


def test_words_in_the_clear(w):
    """554 and 550 under `must`: sendmail keeps the message."""
    machine, a, _, _ = two_hosts(w, for_a={"table": STRAIGHT, "settings": {"policy": "must"}})
    far = w.keep(FakeMailer("192.0.2.25", 25))
    for count, answers in enumerate(({"greeting": b"554 5.7.1 No"}, {"EHLO": b"550 5.7.1 No", "HELO": b"550 5.7.1 No"}), 1):
        far.script.answers = answers
        a.send(MESSAGE, BOB)
        assert a.queued() == BOB * count and a.mailbox() == [], far.commands


def test_odd_replies(w):
    """A host to which sendmail itself delivers gets its mail through blackpony as well."""
    odd = {"greeting": b"Welcome\r\n\r\n220-mx.b.example\r\n250 ESMTP",
           ".": lambda s, line: s.conn.send(b"\r\nqueued\r\n250 2.0.0 ok\r\n") or SENT,
           "EHLO": b"250-mx.b.example\r\n\r\nno code\r\n220 8BITMIME"}
    _, a, _, _ = two_hosts(w, for_a={"table": STRAIGHT})
    far = w.keep(FakeMailer("192.0.2.25", 25, answers=odd, keywords=(b"8BITMIME",)))
    for count, mailer in enumerate(("esmtp", "blackpony"), 1):
        a.make_map("mailertable", "b.example\t%s:[192.0.2.25]\n" % mailer)
        a.send(MESSAGE, BOB)
        assert a.queued() == [] and a.mailbox() == [] and len(far.messages) == count, mailer
