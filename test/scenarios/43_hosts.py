# Claim: a list of hosts is tried in order, dead and refusing ones are passed over, and the ones behind a good one are left alone (statement 25)
import socket

from kit import xcrypt
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
    for greeting in (b"421 4.3.2 busy", b"450 no", b"554 5.7.1 no", DROP, RESET, b"what"):
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
    """5yz to the recipient is the far end's word."""
    first, second = w.mailer(answers={"RCPT": b"550 5.1.1 no"}), w.mailer()
    assert w.send(host_list(first, second), ["bob@b.example"]).status == 67
    assert not second.sessions


def test_a_silent_host(w):
    silent, good = w.mailer(answers={"greeting": STALL}), w.mailer()
    result = w.send(host_list(silent, good), ["bob@b.example"], settings={"command-timeout": "1s"})
    assert result.status in (0, 75), result
    assert len(good.messages) == (result.status == 0)


def test_all_dead(w):
    assert w.send(host_list(dead(w), dead(w)), ["bob@b.example"]).status == 75


def test_tampering_is_not_passed_over(w):
    """A wrong confirmation makes the message wait, whoever stands behind in the list."""
    bad = w.mailer(xcrypt=[xcrypt.CHACHA], answers={"XCRYPT OK": b"454 4.7.0 XCRYPT FAIL"})
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
