# Claim: the hosts of a list are tried in order: dead and refusing ones are skipped, and those after a good one are not called (statement 25)
import socket

from kit import xcrypt
from kit.conn import SLOW
from kit.mailer import DROP, RESET, STALL, FakeMailer, dead_port
from kit.run import Skip


def host_list(*ends):
    return ":".join("[127.0.0.1]:%d" % getattr(end, "port", end) for end in ends)


def dead(w):
    sock, port = dead_port()
    w.keep(sock)
    return port


def test_a_dead_host_first(w):
    good = w.mailer(xcrypt=[xcrypt.CHACHA])
    result = w.send(host_list(dead(w), good), ["bob@b.example"])
    assert result.status == 0, result
    assert good.messages[0].encrypted == xcrypt.CHACHA
    pipe = w.pipe(host_list(dead(w), dead(w), good))
    pipe.greet()
    pipe.ehlo()
    pipe.message(b"x\r\n.\r\n")
    pipe.command("QUIT")
    pipe.wait()
    assert len(good.messages) == 2


def test_greetings_that_refuse(w):
    for greeting in (b"421 4.3.2 busy", b"450 no", b"554 5.7.1 no", DROP, RESET, b"9" * 13000):
        bad, good = w.mailer(answers={"greeting": greeting}), w.mailer()
        result = w.send(host_list(bad, good), ["bob@b.example"])
        assert result.status == 0, (greeting, result)
        assert len(good.messages) == 1 and not bad.messages
        pipe = w.pipe(host_list(bad, good))
        pipe.greet()
        pipe.ehlo()
        pipe.message(b"x\r\n.\r\n")
        pipe.command("QUIT")
        pipe.wait()
        assert len(good.messages) == 2


def test_a_host_that_does_not_speak_smtp(w):
    """Lines without a code are skipped, so such a host gets only half of the time."""
    bad, good = w.mailer(answers={"greeting": b"SSH-2.0-x"}), w.mailer()
    result = w.send(host_list(bad, good), ["bob@b.example"], settings={"dial-timeout": "%ds" % (4 * SLOW)})
    assert result.status == 0 and len(good.messages) == 1, result


def test_the_last_ones_text(w):
    first, last = (w.mailer(answers={"greeting": b"554 5.7.1 from the %s" % name})
                   for name in (b"first", b"last"))
    pipe = w.pipe(host_list(first, last))
    assert pipe.reply().text == b"554 5.7.1 from the last"
    pipe.wait()


def test_the_first_good_one(w):
    first, second = w.mailer(), w.mailer()
    assert w.send(host_list(first, second), ["bob@b.example"]).status == 0
    assert len(first.messages) == 1 and not second.sessions


def test_a_refusal_later_is_not_passed_over(w):
    """A 5yz reply to the recipient is the server's decision."""
    first, second = w.mailer(answers={"RCPT": b"550 5.1.1 no"}), w.mailer()
    assert w.send(host_list(first, second), ["bob@b.example"]).status == 67
    assert not second.sessions


def both_ways(w, bad, good, name, pipes=True):
    """The first host is left, and the second gets the message."""
    result = w.send(host_list(bad, good), ["bob@b.example"])
    assert result.status == 0 and len(good.messages) == 1 and not bad.messages, (name, result)
    if not pipes:
        return
    pipe = w.pipe(host_list(bad, good))
    pipe.greet()
    pipe.ehlo()
    pipe.message(b"x\r\n.\r\n")
    pipe.command("QUIT")
    pipe.wait()
    assert len(good.messages) == 2 and not bad.messages, name


def test_a_host_that_refuses_ehlo(w):
    for name, answers in (("421", {"EHLO": b"421 4.3.2 busy"}), ("451", {"EHLO": b"451-4.3.0 a\r\n451 4.3.0 b"}),
                          ("gone", {"EHLO": DROP}), ("reset", {"EHLO": RESET}),
                          ("HELO", {"EHLO": b"502 What?", "HELO": b"450 4.7.1 no"}),
                          ("HELO gone", {"EHLO": b"502 What?", "HELO": DROP})):
        bad, good = w.mailer(answers=answers), w.mailer(xcrypt=[xcrypt.CHACHA])
        both_ways(w, bad, good, name, pipes=not name.startswith("HELO"))
        assert good.messages[-1].encrypted
        bad.close()
        good.close()


def test_a_host_that_refuses_inside(w):
    """4yz to the EHLO inside, which is the first reply that a local MTA would see."""
    for answer in b"421 4.3.2 busy", b"450 4.3.2 no":
        bad = w.mailer(xcrypt=[xcrypt.CHACHA], answers={"EHLO": lambda s, line: answer if s.suite else None})
        both_ways(w, bad, w.mailer(), answer)


def test_a_host_that_refuses_helo(w):
    """The local MTA says HELO after EHLO; 5yz to that is the same as a 5yz greeting."""
    for answer, text in ((b"450 4.7.1 no", b"450 4.7.1 no"), (b"550 5.7.1 no", b"550 5.7.1 no")):
        bad = w.mailer(answers={"EHLO": b"502 What?", "HELO": answer})
        good = w.mailer()
        pipe = w.pipe(host_list(bad, good))
        pipe.greet()
        assert pipe.command("EHLO mail.a.example").code == 502
        assert pipe.command("HELO mail.a.example").code == 250
        pipe.message(b"x\r\n.\r\n")
        pipe.wait()
        assert len(good.messages) == 1
        pipe = w.pipe(host_list(bad, bad))
        pipe.greet()
        assert pipe.command("EHLO mail.a.example").code == 502
        assert pipe.command("HELO mail.a.example").text == text
        pipe.wait()


def test_a_host_that_takes_no_envelope(w):
    """With recipients as arguments, until the message is on its way, in the clear and inside."""
    def second(session, line):
        return b"450 4.2.1 full" if len(session.recipients) == 1 else None

    for suites in ([], [xcrypt.CHACHA]):
        for verb, answer in (("MAIL", b"451 4.7.1 grey"), ("MAIL", b"421 4.3.2 bye"), ("MAIL", DROP),
                             ("RCPT", b"450 4.7.1 grey"), ("RCPT", RESET), ("RCPT", DROP), ("RCPT", second),
                             ("DATA", b"451 4.3.0 no"), ("DATA", DROP), ("RCPT", b"what")):
            bad, good = w.mailer(xcrypt=suites, answers={verb: answer}), w.mailer(xcrypt=suites)
            result = w.send(host_list(bad, good), ["bob@b.example", "carol@b.example"])
            assert result.status == 0, (verb, answer, result)
            assert len(good.messages) == 1 and not bad.messages, (verb, answer, result)
            assert len(good.messages[0].recipients) == 2
            bad.close()
            good.close()


def test_a_message_on_its_way_is_not_passed_over(w):
    """The first host may have accepted it."""
    for verb, answer in ((".", b"451 4.3.0 no"), (".", DROP), (".", RESET)):
        bad, good = w.mailer(answers={verb: answer}), w.mailer()
        result = w.send(host_list(bad, good), ["bob@b.example"])
        assert result.status == 75 and not good.sessions, (verb, answer, result)


def test_some_refused_for_good_are_not_passed_over(w):
    """One of two recipients is refused: that is the server's decision, and nothing is sent."""
    first = w.mailer(answers={"RCPT": lambda s, line: b"550 5.1.1 no" if b"bob" in line else None})
    second = w.mailer()
    result = w.send(host_list(first, second), ["bob@b.example", "carol@b.example"])
    assert result.status == 75 and not second.sessions, result


def test_a_refusal_after_a_failure_is_passed_over(w):
    """A 5yz that is temporary because encryption failed there (statement 37)."""
    bad = w.mailer(xcrypt=[xcrypt.CHACHA], answers={"XCRYPT": DROP, "MAIL": b"530 5.7.0 Must encrypt"})
    good = w.mailer(xcrypt=[xcrypt.CHACHA])
    both_ways(w, bad, good, "530", pipes=False)


def test_the_host_that_is_named(w):
    """The error names the last host that said something, not the last one that was called."""
    speaks = w.mailer(answers={"greeting": b"421 4.3.2 too busy here"})
    mute = w.mailer(answers={"greeting": DROP})
    operand = "[127.0.0.1]:%d:[localhost]:%d:[localhost]:%d" % (speaks.port, mute.port, dead(w))
    result = w.send(operand, ["bob@b.example"])
    assert result.status == 75 and result.out == b"4.3.2 127.0.0.1 said: 421 4.3.2 too busy here\n", result
    pipe = w.pipe(operand)
    assert pipe.reply().text == b"421 4.3.2 too busy here"
    pipe.wait()
    speaks.script.answers["greeting"] = b"554 5.7.1 not here"
    pipe = w.pipe(operand)
    assert pipe.reply().text == b"421 4.3.2 blackpony: 127.0.0.1 said 554 5.7.1 not here"
    pipe.wait()
    speaks.script.answers = {"RCPT": b"450 4.2.1 full"}
    result = w.send(operand, ["bob@b.example"])
    assert result.status == 75 and result.out == b"4.2.1 450 4.2.1 full\n", result


def test_a_silent_host(w):
    """It leaves time for the next host, at the greeting and at EHLO."""
    for verb in "greeting", "EHLO":
        silent, good = w.mailer(answers={verb: STALL}), w.mailer()
        result = w.send(host_list(silent, good), ["bob@b.example"], settings={"dial-timeout": "%ds" % (4 * SLOW)})
        assert result.status == 0 and len(good.messages) == 1, (verb, result)
        good.close()


def test_all_dead(w):
    assert w.send(host_list(dead(w), dead(w)), ["bob@b.example"]).status == 75


def test_tampering_is_not_passed_over(w):
    """A wrong confirmation makes the message wait, whatever hosts follow in the list."""
    bad = w.mailer(xcrypt=[xcrypt.CHACHA], answers={"XCRYPT": lambda s, line: s.hs.answer(confirm=bytes(16))})
    good = w.mailer()
    assert w.send(host_list(bad, good), ["bob@b.example"]).status == 75
    assert not good.messages


def test_again_is_the_same_host(w):
    odd = w.mailer(xcrypt=[xcrypt.CHACHA], answers={"XCRYPT": DROP})
    other = w.mailer()
    assert w.send(host_list(odd, other), ["bob@b.example"]).status == 0
    assert len(odd.messages) == 1 and not other.sessions


def test_ipv6(w):
    try:
        mailer = w.keep(FakeMailer("::1", xcrypt=[xcrypt.AES]))
    except OSError:
        raise Skip("no IPv6 here")
    for host in ("[ipv6:::1]", "[IPv6:::1]"):
        result = w.send("%s:%d" % (host, mailer.port), ["bob@b.example"])
        assert result.status == 0, result
    result = w.send("[127.0.0.1]:%d:[ipv6:::1]:%d" % (dead(w), mailer.port), ["bob@b.example"])
    assert result.status == 0, result
    assert [m.encrypted for m in mailer.messages] == [xcrypt.AES] * 3


def test_ipv6_at_the_server(w):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        raise Skip("no IPv6 here")
    mailer = w.mailer()
    server = w.daemon(backend=mailer, address="::1")
    result = w.send("[ipv6:::1]:%d" % server.port, ["bob@b.example"])
    assert result.status == 0, result
    assert b"([IPv6:::1])" in mailer.messages[0].data, mailer.messages[0].data


def test_a_name_in_brackets(w):
    mailer = w.mailer()
    for host in ("[localhost]", "[localhost.]", "[LOCALHOST]"):
        result = w.send("%s:%d" % (host, mailer.port), ["bob@b.example"])
        assert result.status == 0, (host, result)


def test_both_families_of_a_name(w):
    """localhost may be ::1 first, where nobody listens."""
    mailer = w.mailer()
    assert w.send("[localhost]:%d" % mailer.port, ["bob@b.example"]).status == 0
