# Claim: with recipients as arguments, all or none get the message, and only the server can refuse it permanently (exit codes 0, 67, 68, 69, 75; statements 24 and 27)
import re
import subprocess
import threading
import time

from kit import xcrypt
from kit.conn import PATIENCE, SLOW
from kit.mailer import DROP, RESET, STALL, dead_port

EITHER = ((), (xcrypt.CHACHA,))


def tried(w, status, recipients=("bob@b.example",), answers=None, said=None, **how):
    """The result is the same in the clear and inside."""
    for offered in EITHER:
        mailer = w.mailer(xcrypt=offered, answers=answers)
        result = w.send(mailer, list(recipients), **how)
        allowed = status if isinstance(status, tuple) else (status,)
        assert result.status in allowed, (answers, result)
        assert len(mailer.messages) == (result.status == 0), "messages"
        assert re.fullmatch(rb"[245]\.\d{1,3}\.\d{1,3} [^\n]*\n", result.out), result.out
        assert result.out[:1] == {0: b"2", 75: b"4"}.get(result.status, b"5"), result.out
        if said:
            assert said in result.out, result.out
        mailer.close()
    return result


def by_name(**codes):
    """Replies to RCPT, by the recipient's local part."""
    def answer(session, line):
        return codes.get(re.search(rb"<(\w+)@", line).group(1).decode())
    return {"RCPT": answer}


def test_sent(w):
    tried(w, 0)
    tried(w, 0, ["a@b.example", "b@b.example", "c@b.example"])
    tried(w, 0, answers={".": b"250 2.6.0 kept as 4711"}, said=b"kept as 4711")
    tried(w, 0, answers={".": b"250 no enhanced code"})


def test_envelope(w):
    mailer = w.mailer()
    assert w.send(mailer, ["a@b.example", "b@c.example"]).status == 0
    message = mailer.messages[0]
    assert message.sender.split(b" ")[:2] == [b"MAIL", b"FROM:<alice@a.example>"], message.sender
    assert message.recipients == [b"RCPT TO:<a@b.example>", b"RCPT TO:<b@c.example>"]


def test_null_sender(w):
    for sender in ("", "<>"):
        mailer = w.mailer()
        assert w.send(mailer, ["bob@b.example"], sender=sender).status == 0
        assert mailer.messages[0].sender.startswith(b"MAIL FROM:<>")


def test_every_recipient_refused_for_good(w):
    tried(w, 67, answers={"RCPT": b"550 5.1.1 no such user"}, said=b"no such user")
    tried(w, 68, answers={"RCPT": b"550 5.1.2 no such host"})
    tried(w, 69, answers={"RCPT": b"554 5.7.1 go away"}, said=b"go away")
    tried(w, 67, answers={"RCPT": b"550 no such user"})
    tried(w, 69, answers={"RCPT": b"550 5.1.8 the sender's host is not known"})
    tried(w, (67, 69), ["a@b.example", "b@b.example"], by_name(a=b"550 5.1.1 no a",
                                                               b=b"554 5.7.1 no b"))


def test_some_recipients_refused(w):
    """Nothing is sent, so there are no duplicates and no partial deliveries."""
    tried(w, 75, ["a@b.example", "b@b.example"], by_name(b=b"550 5.1.1 no b"))
    tried(w, 75, ["a@b.example", "b@b.example"], by_name(a=b"550 5.1.1 no a"))
    tried(w, 75, ["a@b.example", "b@b.example"], by_name(a=b"450 4.2.1 later"))
    tried(w, 75, ["a@b.example", "b@b.example"], by_name(a=b"450 4.2.1 later", b=b"550 5.1.1 no b"))


def test_no_data_where_a_recipient_was_refused(w):
    for keywords in ((), (b"PIPELINING",)):
        mailer = w.mailer(keywords=keywords, answers=by_name(b=b"550 5.1.1 no"))
        w.send(mailer, ["a@b.example", "b@b.example", "c@b.example"])
        assert b"DATA" not in mailer.commands, mailer.commands
        assert mailer.commands[-1] == b"QUIT"


def test_message_refused(w):
    tried(w, 69, answers={"MAIL": b"550 5.7.1 not you"})
    for reply in (b"550 not you", b"553 not so", b"550 5.1.0 unknown user", b"550 5.1.8 unknown host"):
        for verb in "MAIL", "DATA", ".":
            tried(w, 69, answers={verb: reply})
    tried(w, 69, answers={"DATA": b"554 5.0.0 no"})
    tried(w, 69, answers={".": b"554 5.6.0 not this"}, said=b"not this")
    tried(w, 69, answers={".": b"552-5.3.4 too\r\n552 5.3.4 big"})
    tried(w, 75, answers={"MAIL": b"451 4.3.0 later"})
    tried(w, 75, answers={"DATA": b"451 4.3.0 later"})
    tried(w, 75, answers={".": b"451 4.3.0 later"})


def test_the_session_refused(w):
    tried(w, 75, answers={"greeting": b"421 4.3.2 busy"})
    tried(w, 75, answers={"greeting": b"450 4.3.2 busy"})
    tried(w, (69, 75), answers={"greeting": b"554 5.7.1 go away"})
    tried(w, 75, answers={"EHLO": b"421 4.3.2 busy"})
    tried(w, (69, 75), answers={"EHLO": b"550 no", "HELO": b"550 no"})
    for verb in ("MAIL", "RCPT", "DATA", "."):
        tried(w, 75, answers={verb: b"421 4.3.2 going down"})


def test_broken_connections(w):
    for verb in ("greeting", "EHLO", "MAIL", "RCPT", "DATA", "."):
        for how in (DROP, RESET):
            tried(w, 75, answers={verb: how})


def test_silence(w):
    for verb, name in (("greeting", "command-timeout"), ("MAIL", "command-timeout"),
                       ("DATA", "command-timeout"),
                       (".", "final-timeout")):
        tried(w, 75, answers={verb: STALL}, settings={name: "1s"})


def test_slow(w):
    """Each reply comes in time, but all of them together do not: the local MTA has a limit of its own."""
    def late(_session, _line):
        time.sleep(.7)
    tried(w, 75, answers=dict.fromkeys(("EHLO", "MAIL", "RCPT", "DATA", "."), late), settings={"message-timeout": "2s"})
    tried(w, 0, answers=dict.fromkeys(("EHLO", "MAIL", "RCPT", "DATA", "."), late))


def written(w, mailer, pieces, pause_s, settings):
    """What comes of a message on a pipe whose writer pauses before each piece, and says no more after the last."""
    log = w.log_file("blackpony")
    child = w.spawn(w.sending(mailer, ["bob@b.example"], settings), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                    stderr=log, bufsize=0)
    try:
        for piece in pieces:
            time.sleep(pause_s)
            child.stdin.write(piece)
        if pieces:
            child.stdin.close()
    except BrokenPipeError:
        pass
    return child.wait(PATIENCE), child.stdout.read()


def test_a_message_without_an_end(w):
    """Its writer stalls, or writes octet after octet: we wait no longer than the one who started us."""
    mailer = w.mailer()
    for pieces in ((), [b"x"] * 600):
        status, out = written(w, mailer, pieces, .1, {"message-timeout": "2s"})
        assert status == 75 and out == b"4.3.0 standard input did not end within message-timeout\n", (status, out)
    assert not mailer.sessions


def test_a_message_that_takes_its_time(w):
    """It is written while nobody is called yet: that is not part of dial-timeout."""
    mailer = w.mailer()
    status, out = written(w, mailer, (b"Subject: x\n\n", b"words\n"), 1.5 * SLOW, {"dial-timeout": "%ds" % (2 * SLOW)})
    assert status == 0 and len(mailer.messages) == 1, (status, out)


def test_nonsense(w):
    """Inside it ends the session; in the clear such lines are skipped, as other clients do."""
    short = {"command-timeout": "1s", "final-timeout": "1s"}
    for verb in ("greeting", "EHLO", "MAIL", "RCPT", "DATA", "."):
        tried(w, 75, answers={verb: b"hello"}, settings=short)
    for reply in (b"", b"\0\0\0", b"999 what", b"100 what", b"2500 x", b"\xff" * 600):
        tried(w, 75, answers={"greeting": reply}, settings=short)
        for verb in ("MAIL", "RCPT", "DATA", "."):
            result = w.send(w.mailer(xcrypt=[xcrypt.CHACHA], answers={verb: reply}), ["bob@b.example"])
            assert result.status == 75 and result.entries[-1]["end"] == "bad-reply", (verb, reply, result)
    tried(w, 75, answers={"DATA": b"250 ok"})
    tried(w, 75, answers={".": b"354 more"})


def test_an_answer_inside_the_message(w):
    """Whatever the reply says, the server has not seen the whole message."""
    for early in (b"250 2.0.0 taken\r\n", b"354 go on\r\n", b"451 4.3.0 later\r\n"):
        mailer = w.mailer(behind={"DATA": early})
        result = w.send(mailer, ["bob@b.example"], b"x" * 3000000)
        assert result.status == 75 and result.out.startswith(b"4."), result
        assert not mailer.messages


def test_success_of_quit_does_not_matter(w):
    for how in (DROP, RESET, b"500 what", b"421 bye"):
        tried(w, 0, answers={"QUIT": how})
    tried(w, 0, answers={"QUIT": STALL}, settings={"command-timeout": "1s"})
    # and where it comes before the final reply: the reply counts, and a 221 is none
    for how in (DROP, RESET, b"500 what", b"421 bye"):
        tried(w, 75, answers={"QUIT": how, ".": b"451 4.3.0 no"})
    tried(w, 75, answers={".": b"221 2.0.0 Bye"})


def test_the_verdict_does_not_wait_for_quit(w):
    """blackpony ends while the server still holds back its reply to QUIT."""
    for keywords in ((), (b"PIPELINING",)):
        ended = threading.Event()
        mailer = w.mailer(keywords=keywords, answers={"QUIT": lambda s, line: ended.wait(PATIENCE) and None})
        assert w.send(mailer, ["bob@b.example"]).status == 0
        ended.set()
        assert mailer.session().commands[-1] == b"QUIT" and len(mailer.messages) == 1


def test_nobody_there(w):
    sock, port = dead_port()
    w.keep(sock)
    result = w.send(port, ["bob@b.example"])
    assert result.status == 75 and result.out.startswith(b"4."), result


def test_own_faults(w):
    for host in ("", ":", "[127.0.0.1", "[]", "[127.0.0.1]:0", "[127.0.0.1]:99999", "[127.0.0.1]:",
                 "a b", "..", "x" * 300,
                 "\n", "b\r\nexample"):
        result = w.send(host, ["bob@b.example"])
        assert result.status in (68, 75), (host, result)
    mailer = w.mailer()
    assert w.send(mailer, ["bob@b.example"], settings={"policy": "perhaps"}).status == 75
    assert not mailer.sessions


def test_impossible_recipients(w):
    """Such a recipient never becomes a command of its own."""
    for recipient in ("bob@b.example>\r\nRCPT TO:<injected@b.example", "bob\n@b.example",
                      "bob\r@b.example",
                      "b\0b@b.example"[:1] + "\x7f\x01@b.example", "", "bob@b.example>",
                      "<bob@b.example",
                      "bob@b.example> NOTIFY=NEVER", "b ob@b.example", "x" * 3000 + "@b.example"):
        mailer = w.mailer()
        result = w.send(mailer, [recipient])
        lines = [c for c in mailer.commands if not re.fullmatch(
            rb"(EHLO|HELO|QUIT|RSET|DATA|MAIL FROM:<alice@a\.example>|"
            rb"RCPT TO:<[^<>\x00-\x1f]*>)[^\r\n<>]*", c)]
        assert not lines, (recipient, lines)
        assert not [c for c in mailer.commands if b"injected" in c
                    or b"NEVER" in c], mailer.commands
        assert result.status in (0, 67, 75), result


def test_addresses_without_their_quotes(w):
    """They are quoted, or wait if that could make a different address; they are never refused here."""
    for given, said in (("john doe@b.example", b'"john doe"@b.example'), ("a@b@b.example", b'"a@b"@b.example'),
                        ('"john doe"@b.example', b'"john doe"@b.example'), ("a..b@b.example", b"a..b@b.example")):
        mailer = w.mailer()
        assert w.send(mailer, [given], sender=given).status == 0
        message, = mailer.messages
        assert message.recipients == [b"RCPT TO:<%s>" % said] and b"FROM:<%s>" % said in message.sender, message.sender
    for given in ('"a"b@b.example', 'a"b@b.example', "<a@b.example>", "a\\@b@b.example", "a@b.example,c@b.example",
                  "@a.example:a@b.example", "a@b.example "):
        mailer = w.mailer()
        for how in ({"recipients": [given]}, {"recipients": ["bob@b.example", given]},
                    {"recipients": ["bob@b.example"], "sender": given}):
            result = w.send(mailer, **how)
            assert result.status == 75 and b"is ambiguous" in result.out, result
        assert not mailer.sessions
