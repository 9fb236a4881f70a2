# Claim: no reply to the repeated EHLO loses mail or makes XCRYPT fail (statements 3, 24 and 27)
import os

from kit import xcrypt
from kit.conn import SLOW
from kit.known import DAY, Site, remember
from kit.mailer import DROP, RESET, STALL

SHORT = {"command-timeout": "%ds" % SLOW}


def second(answer):
    """Answers the second EHLO with `answer`; the first one, in the clear, is accepted."""
    return {"EHLO": lambda session, line: answer if session.commands.count(line) > 1 else None}


def inside(w, answer, settings=None):
    """A client that is inside and has not read the pushed reply."""
    mailer = w.mailer(answers=second(answer))
    client = w.session(w.daemon(settings, backend=mailer))
    assert client.ask().code == 250 and client.confirmed
    client.switch()
    return mailer, client


def test_a_refusal_is_passed_on(w):
    """The refusal is in the first record, which has its usual size; the session continues."""
    for words in (b"550 5.7.1 Go away", b"451 4.3.0 Later", b"502 5.5.1 What?", b"550-5.7.1 Go\r\n550 5.7.1 away"):
        _, client = inside(w, words)
        reply = client.reply()
        assert reply.text == words.replace(b"\r\n", b"\n"), reply
        assert client.opener.lengths[0] == 1040, client.opener.lengths
        client.command("QUIT")
        client.rest()
        assert client.opener.ended and not client.broken
        client.close()


def test_a_refusal_does_not_show_a_host_key(w):
    """The record of a refusal has the same length with and without a host key."""
    for lines in (1, 7, 12, 20):
        lengths = set()
        for keys in (0, 1, 2):
            site = Site(w, "keys-%d-%d" % (lines, keys))
            if keys == 2:
                site.keys("next")
            elif keys == 0:
                os.unlink(site.folder + "/host.key")
            words = b"".join(b"550-5.7.1 %s\r\n" % (b"x" * 70) for _ in range(lines)) + b"550 5.7.1 no"
            site.mailer.script.answers.update(second(words))
            client = w.session(site)
            assert client.ask().code == 250 and client.confirmed
            client.switch()
            assert client.reply().code == 550
            lengths.add(client.opener.lengths[0])
            client.close()
            site.mailer.close()
        assert len(lengths) == 1, (lines, lengths)


def test_a_421_ends_it(w):
    mailer, client = inside(w, b"421 4.3.2 busy")
    assert client.reply().text == b"421 4.3.2 busy"
    assert client.rest() == b""
    assert client.opener.ended, "no close_notify"


def test_a_mailer_that_goes(w):
    """The backend closes: blackponyd itself sends 421."""
    for how in (DROP, RESET):
        mailer, client = inside(w, how)
        reply = client.reply()
        assert reply.code == 421 and len(reply.lines) == 1, reply
        assert client.opener.lengths[0] == 1040, client.opener.lengths
        assert client.rest() == b""
        assert client.opener.ended, "no close_notify"


def test_a_mailer_that_is_silent(w):
    """command-timeout applies, and inside every end has a close_notify."""
    mailer, client = inside(w, STALL, SHORT)
    said = client.rest()
    assert said == b"" or said.startswith(b"421 "), said
    assert client.opener.ended, "no close_notify"


def test_a_mailer_that_talks_nonsense(w):
    for words in (b"what now", b"999 why", b"250-one\r\n450 two", b"\xff\xfe\0"):
        mailer, client = inside(w, words, SHORT)
        said = client.rest()
        assert not said or said.startswith((b"421 ", words)), said
        client.close()


ANSWERS = {"421": b"421 4.3.2 busy", "451": b"451 4.3.0 Later", "550": b"550 5.7.1 Go away", "closes": DROP, "resets": RESET,
           "silent": STALL, "nonsense": b"what now"}


def test_both_programs(w):
    """XCRYPT has worked, so under any policy the message is sent inside or waits."""
    for name, answer in ANSWERS.items():
        for policy in ("may", "must"):
            mailer = w.mailer(answers=second(answer))
            server = w.daemon(SHORT, backend=mailer)
            tap = w.wiretap(server.port)
            result = w.send(tap, ["bob@b.example"], settings={"policy": policy})
            assert result.status != 0 or mailer.messages, (name, result)
            assert result.status in (0, 75) or name == "550", (name, result)
            assert tap.calls == 1, (name, policy, result)
            assert b"MAIL FROM" not in tap.seen(), (name, result)
            assert all(m.data.startswith(b"Received: ") for m in mailer.messages), "not inside"
            for thing in (tap, server, mailer):
                thing.close()


def test_both_programs_on_pipes(w):
    for name, answer in ANSWERS.items():
        mailer = w.mailer(answers=second(answer))
        server = w.daemon(SHORT, backend=mailer)
        tap = w.wiretap(server.port)
        pipe = w.pipe(tap)
        pipe.greet()
        reply = pipe.command("EHLO mail.a.example")
        assert reply is None or reply.code // 100 in (4, 5), (name, reply)
        pipe.command("QUIT")
        pipe.wait()
        assert tap.calls == 1 and not mailer.messages, name
        for thing in (tap, server, mailer):
            thing.close()


def test_no_bounce_where_the_host_binds(w):
    """A refusal has no host key: where one is required, the message waits, with no bounce."""
    for number, (name, answer) in enumerate(ANSWERS.items()):
        site = Site(w, "site%d" % number, settings=SHORT)
        folder = w.path("known-%d" % number)
        remember(w, 2 * DAY, site.key, folder=folder)
        result = w.send(site, ["bob@b.example"], settings={"policy": "known", "known": folder})
        assert result.status == 0, result
        site.mailer.script.answers.update(second(answer))
        tap = w.wiretap(site.port)
        result = w.send(tap, ["bob@b.example"], settings={"policy": "known", "known": folder})
        assert result.status == 75 and result.out.startswith(b"4."), (name, result)
        assert tap.calls == 1 and len(site.mailer.messages) == 1, (name, result)
        assert b"MAIL FROM" not in tap.seen()
        site.mailer.close()


def test_a_far_end_of_that_kind(w):
    """The same from a server that encrypts itself, also with a pre-shared secret."""
    for met in (False, True):
        for name in ("421", "451", "550"):
            mailer = w.mailer(xcrypt=[xcrypt.CHACHA])
            if met:
                assert w.send(mailer, ["bob@b.example"]).status == 0
            mailer.script.answers["pushed"] = ANSWERS[name]
            result = w.send(mailer, ["bob@b.example"])
            assert len(mailer.sessions) == 1 + met, (name, result)
            assert result.status in (0, 75) or name == "550", (name, result)
            assert not [m for m in mailer.messages if not m.encrypted]
            mailer.close()
