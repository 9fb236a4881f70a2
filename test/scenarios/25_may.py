# Claim: `may` always delivers, and only once, whatever happens to XCRYPT, unless there are signs of tampering (statement 25)
import time

from kit import xcrypt
from kit.conn import SLOW
from kit.mailer import DROP, RESET, STALL

ONE = [xcrypt.CHACHA]


def delivered(mailer, sessions):
    assert [m.data for m in mailer.messages] == [b"Subject: x\r\n\r\nwords\r\n"], mailer.commands
    assert mailer.messages[0].encrypted is None
    assert len(mailer.sessions) == sessions, len(mailer.sessions)
    last = mailer.finished()[-1]
    if sessions > 1:
        assert not [c for c in last.commands if c.startswith(b"XCRYPT")], last.commands
        assert b"MAIL FROM:<alice@a.example>" not in mailer.sessions[0].commands


def arguments(w, settings=None, calls=1, **script):
    mailer = w.mailer(**script)
    result = w.send(mailer, ["bob@b.example"], settings=settings)
    assert result.status == 0, result
    delivered(mailer, calls)
    assert result.entries[-1]["crypt"] == "none" and "why" in result.entries[-1], result
    mailer.close()


def pipes(w, settings=None, calls=1, **script):
    mailer = w.mailer(**script)
    pipe = w.pipe(mailer, settings)
    pipe.greet()
    reply = pipe.ehlo()
    assert b"XCRYPT" not in reply.text
    pipe.message(b"Subject: x\r\n\r\nwords\r\n.\r\n")
    assert pipe.command("QUIT").code == 221
    pipe.wait()
    delivered(mailer, calls)
    mailer.close()


def both(w, **how):
    arguments(w, **how)
    pipes(w, **how)


def test_no_offer(w):
    both(w)
    both(w, xcrypt=["new_3.0"])
    both(w, keywords=(b"XXXXXX", b"SIZE 100000"))


def test_policy_never(w):
    both(w, xcrypt=ONE, settings={"policy": "never"})
    both(w, xcrypt=ONE, settings={"suites": ""})


def test_clean_fail_goes_on(w):
    """The session continues on the same connection."""
    for reply in (b"454 4.7.0 XCRYPT FAIL no", b"501 5.5.4 XCRYPT FAIL", b"500 what", b"502 no",
                  b"504 5.5.4 XCRYPT FAIL",
                  b"554 no", b"450 later"):
        both(w, xcrypt=ONE, answers={"XCRYPT": reply})


def test_unintelligible_calls_again(w):
    """The same host is called once more, without XCRYPT."""
    for reply in (b"421 4.3.2 bye", b"220 hello", b"354 go", b"250 2.0.0 ok", b"250-a\r\n250 b",
                  b"454-a\r\n454 b",
                  b"what is this", b"", b"\xff\xfe\0", b"9" * 5000):
        arguments(w, xcrypt=ONE, answers={"XCRYPT": reply}, calls=2)
    pipes(w, xcrypt=ONE, answers={"XCRYPT": b"250 2.0.0 ok"}, calls=2)
    pipes(w, xcrypt=ONE, answers={"XCRYPT": b"421 4.3.2 bye"}, calls=2)


def test_broken_calls_again(w):
    for how in (DROP, RESET):
        both(w, xcrypt=ONE, answers={"XCRYPT": how}, calls=2)


def test_silence_calls_again(w):
    both(w, xcrypt=ONE, answers={"XCRYPT": STALL}, calls=2, settings={"handshake-timeout": "1s"})


def test_end_behind_the_answer_calls_again(w):
    """The connection ends before the server's first record; command-timeout applies."""
    for how in (DROP, RESET):
        both(w, xcrypt=ONE, answers={"pushed": how}, calls=2)
    both(w, xcrypt=ONE, answers={"pushed": STALL}, calls=2, settings={"command-timeout": "%ds" % SLOW})


def test_end_behind_the_first_record_waits(w):
    """Half of the pushed reply has verified: the end is that of an encrypted session."""
    def half(session, line):
        session.conn.send(b"250-mailer.example\r\n")
        return DROP
    mailer = w.mailer(xcrypt=ONE, answers={"pushed": half})
    result = w.send(mailer, ["bob@b.example"])
    assert result.status == 75 and len(mailer.sessions) == 1 and not mailer.messages, result


def test_old_generation_calls_again(w):
    for reply in (b"454 4.7.0 XCRYPT FAIL", b"500 what", b"250 2.0.0 ok", b"250 XCRYPT OK x"):
        both(w, xcrypt=[xcrypt.ARSYFOR], answers={"XCRYPT OK": reply}, calls=2,
             settings={"suites": xcrypt.ARSYFOR})


def test_wrong_confirmation_waits(w):
    for policy in ("may", "must"):
        for fields in ({"confirm": bytes(16)}, {"short": xcrypt.Pair20().public}, {"ct": bytes(1088)}):
            mailer = w.mailer(xcrypt=ONE, answers={"XCRYPT": lambda s, line: s.hs.answer(**fields)})
            result = w.send(mailer, ["bob@b.example"], settings={"policy": policy})
            assert result.status == 75 and len(mailer.sessions) == 1, result
            assert not mailer.messages
            pipe = w.pipe(mailer, {"policy": policy})
            pipe.greet()
            assert pipe.command("EHLO mail.a.example").code == 421
            pipe.wait()
            assert len(mailer.sessions) == 2 and not mailer.messages


def test_masked_by_a_firewall(w):
    """As a Cisco firewall does: it masks the offer, or the commands if the offer got through."""
    behind = w.mailer()
    server = w.daemon(backend=behind)
    tap = w.wiretap(server.port, down=lambda line: b"250 XXXXXX\r\n" if b"XCRYPT" in line else line)
    assert w.send(tap, ["bob@b.example"]).status == 0
    tap = w.wiretap(server.port, up=lambda line: b"XXXXXX" + line[6:]
                    if line.startswith(b"XCRYPT") else line)
    assert w.send(tap, ["bob@b.example"]).status == 0
    assert len(behind.messages) == 2


def test_calls_again_in_time_only(w):
    """There is no second call after dial-timeout, and the message waits."""
    mailer = w.mailer(xcrypt=ONE, answers={"XCRYPT": STALL})
    began = time.monotonic()
    result = w.send(mailer, ["bob@b.example"], settings={"handshake-timeout": "2s",
                                                         "dial-timeout": "1s"})
    assert result.status in (0, 75), result
    assert len(mailer.sessions) == (1 if result.status == 75 else 2)
    assert time.monotonic() - began < 8 * SLOW


def test_server_goes_on_in_the_clear(w):
    """blackponyd with clients that try XCRYPT and fail, or never try."""
    mailer = w.mailer()
    server = w.daemon(backend=mailer)
    for attempt in ((), ("XCRYPT",), ("XCRYPT bad_1.0 0 0",),
                    ("XCRYPT", "XCRYPT x", "XCRYPT OK", "XCRYPT FAIL")):
        client = w.session(server)
        for line in attempt:
            assert client.command(line).code // 100 in (4, 5)
        client.message(b"x\r\n.\r\n")
        client.quit()
    assert len(mailer.messages) == 4


FAILURES = {
    "refused": {"xcrypt": ONE, "answers": {"XCRYPT": b"454 4.7.0 XCRYPT FAIL not now"}},
    "broken": {"xcrypt": ONE, "answers": {"XCRYPT": DROP}},
    "called again": {"xcrypt": ONE, "answers": {"XCRYPT": b"250 2.0.0 ok"}},
}
REFUSALS = {"MAIL": b"530 5.7.0 Must use XCRYPT first", "RCPT": b"550-5.1.1 Who\r\n550 5.1.1 is that?",
            "DATA": b"554 5.7.0 No", ".": b"554 5.7.1 Not that"}


def test_a_refusal_after_a_failure_waits(w):
    """With both ways to send, a 5yz in the clear is not final then (statement 37)."""
    for name, script in FAILURES.items():
        for verb, words in REFUSALS.items():
            mailer = w.mailer(xcrypt=script["xcrypt"], answers={**script["answers"], verb: words})
            result = w.send(mailer, ["bob@b.example"])
            assert result.status == 75, (name, verb, result)
            assert result.out.startswith(b"4.5.0 encryption failed there, deferred: 5"), result
            pipe = w.pipe(mailer)
            pipe.greet()
            pipe.ehlo()
            for line, answer in (("MAIL FROM:<alice@a.example>", "MAIL"), ("RCPT TO:<bob@b.example>", "RCPT"),
                                 ("DATA", "DATA"), ("x\r\n.", ".")):
                reply = pipe.command(line)
                if answer == verb:
                    break
            soft = words.replace(b"55", b"45").replace(b"530", b"430").replace(b" 5.", b" 4.") \
                .replace(b"-5.", b"-4.")
            assert b"\r\n".join(reply.lines) == soft, (name, verb, reply)
            pipe.command("QUIT")
            pipe.wait()
            mailer.close()


def test_a_refusal_without_a_failure_is_one(w):
    """The host has no XCRYPT, or no suite that is enabled here, or encryption works."""
    for suites in ([], ["new_3.0"], ONE):
        mailer = w.mailer(xcrypt=suites, answers={"RCPT": b"550 5.1.1 Who?"})
        assert w.send(mailer, ["bob@b.example"]).status == 67
        mailer.close()


def test_a_greeting_after_a_failure_waits(w):
    """The second call gets a 554 greeting because of the first."""
    mailer = w.mailer(xcrypt=ONE, answers={"XCRYPT": DROP})
    mailer.script.answers["greeting"] = lambda session, line: \
        b"554 5.7.1 Go away" if len(mailer.sessions) > 1 else None
    pipe = w.pipe(mailer)
    pipe.greet()
    reply = pipe.command("EHLO mail.a.example")
    assert reply.code == 421 and b"554 5.7.1 Go away" in reply.text, reply
    pipe.wait()
