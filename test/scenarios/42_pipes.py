# Claim: with SMTP on standard input, greeting and replies are passed on, and our own failures are a 421 greeting or a 421 reply to EHLO (statements 24, 25 and 27)
import threading

from kit import xcrypt
from kit.conn import PATIENCE
from kit.mailer import DROP, RESET, SENT, STALL, dead_port
from kit.run import SENDER


def test_greeting_passes(w):
    mailer = w.mailer(answers={"greeting": b"220-mailer.example ESMTP\r\n220 hello you"})
    pipe = w.pipe(mailer)
    assert pipe.reply().lines == [b"220-mailer.example ESMTP", b"220 hello you"]
    assert pipe.command("QUIT").code == 221
    assert pipe.wait().status == 0


def test_all_passes(w):
    """Replies to each recipient, DSN, SIZE and the server's other extensions pass through."""
    for offered in ((), (xcrypt.CHACHA,)):
        mailer = w.mailer(xcrypt=offered, keywords=(b"DSN", b"SIZE 5", b"PIPELINING"), answers={
            "RCPT": lambda s, line: b"550 5.1.1 no" if b"<no@" in line else None,
            ".": b"250 2.0.0 kept as 17"})
        pipe = w.pipe(mailer)
        pipe.greet()
        reply = pipe.ehlo("mail.a.example")
        assert reply.lines[0] == b"250-mailer.example"
        assert reply.keywords() == [b"DSN", b"SIZE 5", b"PIPELINING"]
        assert pipe.command("MAIL FROM:<alice@a.example> SIZE=5 RET=HDRS").code == 250
        pipe.send(b"RCPT TO:<yes@b.example> NOTIFY=NEVER\r\nRCPT TO:<no@b.example>\r\nDATA\r\n")
        assert [pipe.reply().code for _ in range(3)] == [250, 550, 354]
        pipe.send(b"x\r\n.\r\n")
        assert pipe.reply().text == b"250 2.0.0 kept as 17"
        assert pipe.command("RSET").code == 250
        assert pipe.command("QUIT").code == 221
        assert pipe.wait().status == 0
        assert mailer.messages[0].sender == b"MAIL FROM:<alice@a.example> SIZE=5 RET=HDRS"
        assert mailer.messages[0].recipients == [b"RCPT TO:<yes@b.example> NOTIFY=NEVER"]


def test_standard_error_is_the_same_pipe(w):
    """As under sendmail: nothing but SMTP is written, with -v or without."""
    mailer = w.mailer(xcrypt=[xcrypt.AES])
    pipe = w.pipe(mailer, stderr="stdout")
    pipe.greet()
    pipe.ehlo()
    pipe.message(b"x\r\n.\r\n")
    pipe.command("QUIT")
    assert pipe.rest() == b""
    sock, port = dead_port()
    w.keep(sock)
    pipe = w.pipe(port, stderr="stdout")
    assert pipe.command("EHLO x").code == 421
    said = pipe.rest()
    assert said.count(b"\n") == said.count(b"421 "), said


def test_nobody_reached(w):
    sock, port = dead_port()
    w.keep(sock)
    pipe = w.pipe(port)
    assert pipe.reply().text.startswith(b"421 4.4.1")
    pipe.wait()


def test_bad_settings(w):
    for settings in ({"policy": "perhaps"}, {"nonsense": "1"}, {"suites": "x"}):
        pipe = w.pipe(w.mailer(), settings)
        assert pipe.reply().text.startswith(b"421 4.3.5")
        pipe.wait()
    pipe = w.pipe("[127.0.0.1")
    assert pipe.reply().code == 421
    pipe.wait()


def test_bad_flags(w):
    result = w.run([SENDER, "-Z", "--", "[127.0.0.1]:9"], b"EHLO x\r\n")
    assert result.status == 75, result


def test_refusing_greeting_passes(w):
    for greeting in (b"421 4.3.2 too busy", b"554 5.7.1 go away", b"450 4.3.2 later"):
        pipe = w.pipe(w.mailer(answers={"greeting": greeting}))
        reply = pipe.reply()
        assert reply.text[4:] == greeting[4:], reply
        assert reply.code in ((554,) if greeting[:1] == b"5" else (421, 450)), reply
        pipe.wait()


def test_never_5yz_of_our_own(w):
    """Whatever the server does before its first reply that counts."""
    for verb, answer in (("greeting", DROP), ("greeting", b"what"), ("greeting", b""),
                         ("EHLO", DROP), ("EHLO", b"what")):
        pipe = w.pipe(w.mailer(answers={verb: answer}), {"command-timeout": "1s"})
        reply = pipe.reply()
        if reply.code == 220:
            reply = pipe.command("EHLO x")
        assert reply.code == 421, (verb, answer, reply)
        pipe.wait()


def test_silence(w):
    pipe = w.pipe(w.mailer(answers={"greeting": STALL}), {"command-timeout": "1s"})
    assert pipe.reply().code == 421
    pipe.wait()


def test_helo_of_the_mailer(w):
    """We say EHLO for it, and pass on one line of the reply."""
    for offered in ((), (xcrypt.CHACHA,)):
        mailer = w.mailer(xcrypt=offered)
        pipe = w.pipe(mailer)
        pipe.greet()
        reply = pipe.command("HELO mail.a.example")
        assert reply.code == 250 and len(reply.lines) == 1, reply
        pipe.message(b"x\r\n.\r\n")
        pipe.command("QUIT")
        pipe.wait()
        assert mailer.commands[0] == b"EHLO mail.a.example"
        assert mailer.messages[0].encrypted == (offered[0] if offered else None)


def test_helo_where_ehlo_is_refused(w):
    mailer = w.mailer(answers={"EHLO": b"500 what"})
    pipe = w.pipe(mailer)
    pipe.greet()
    assert pipe.command("HELO mail.a.example").text == b"250 mailer.example"
    pipe.message(b"x\r\n.\r\n")
    pipe.command("QUIT")
    pipe.wait()
    assert [c for c in mailer.commands if c[:4] in (b"EHLO", b"HELO")][-1] == b"HELO mail.a.example"
    assert len(mailer.messages) == 1


def test_ehlo_refused(w):
    """The refusal is passed on, and sendmail itself continues with HELO."""
    mailer = w.mailer(answers={"EHLO": b"500 5.5.1 what"})
    pipe = w.pipe(mailer)
    pipe.greet()
    reply = pipe.command("EHLO mail.a.example")
    if reply.code != 250:
        assert reply.text == b"500 5.5.1 what"
        assert pipe.command("HELO mail.a.example").code == 250
    pipe.message(b"x\r\n.\r\n")
    pipe.command("QUIT")
    pipe.wait()
    assert len(mailer.messages) == 1


def test_mailer_gone_before_a_word(w):
    mailer = w.mailer()
    pipe = w.pipe(mailer)
    pipe.greet()
    pipe.wait()
    assert mailer.session().commands in ([], [b"QUIT"])


def test_quit_is_answered_at_once(w):
    """When all is answered; the server gets QUIT, and what it replies does not matter."""
    for offered in ((), (xcrypt.CHACHA,)):
        for how in (None, DROP, RESET, b"500 what"):
            released = threading.Event()

            def answer(session, line):
                released.wait(PATIENCE)
                return how
            mailer = w.mailer(xcrypt=offered, answers={"QUIT": answer})
            pipe = w.pipe(mailer)
            pipe.greet()
            pipe.ehlo()
            pipe.message(b"QUIT\r\n.\r\n")
            assert pipe.command("QUIT").text == b"221 2.0.0 Bye"
            assert pipe.wait().status == 0
            released.set()
            session = mailer.session()
            assert session.commands[-1] == b"QUIT" and session.messages[0].data == b"QUIT\r\n", session.commands


def test_quit_waits_for_the_replies_before_it(w):
    """A QUIT sent with the final dot is answered after the reply to the message."""
    for text in b"250 2.0.0 Taken", b"451 4.3.0 not now":
        mailer = w.mailer(answers={".": text})
        pipe = w.pipe(mailer)
        pipe.greet()
        pipe.ehlo()
        pipe.send(b"MAIL FROM:<alice@a.example>\r\nRCPT TO:<bob@b.example>\r\nDATA\r\n")
        assert [pipe.reply().code for _ in range(3)] == [250, 250, 354]
        pipe.send(b"x\r\n.\r\nQUIT\r\n")
        assert [pipe.reply().text for _ in range(2)] == [text, b"221 2.0.0 Bye"]
        assert pipe.wait().status == 0


PIPELINING = b"PIPELINING", b"8BITMIME"
ENVELOPE = "MAIL FROM:<alice@a.example>", "RCPT TO:<bob@b.example>", "DATA"


def greeted(w, mailer):
    pipe = w.pipe(mailer)
    pipe.greet()
    pipe.ehlo()
    return pipe


def test_mail_goes_with_its_recipient(w):
    """Where the server takes several commands at once, MAIL is answered here; the server sees it with the next command."""
    for offered in ((), (xcrypt.CHACHA,)):
        mailer = w.mailer(xcrypt=offered, keywords=PIPELINING)
        pipe = greeted(w, mailer)
        assert pipe.command(ENVELOPE[0]).text == b"250 2.1.0 Ok"
        assert not any(c[:4] == b"MAIL" for c in mailer.sessions[-1].commands)
        assert [pipe.command(word).code for word in ENVELOPE[1:]] == [250, 354]
        pipe.send(b"x\r\n.\r\n")
        assert pipe.reply().code == 250
        # one without a recipient is not sent
        assert pipe.command("MAIL FROM:<carol@a.example>").code == 250
        assert pipe.command("QUIT").code == 221
        assert pipe.wait().status == 0
        assert [c for c in mailer.session().commands if c[:4] == b"MAIL"] == [b"MAIL FROM:<alice@a.example>"]
        assert len(mailer.messages) == 1
        # without PIPELINING the server answers
        mailer = w.mailer(xcrypt=offered, keywords=(), answers={"MAIL": b"250 2.1.0 it is me"})
        assert greeted(w, mailer).command(ENVELOPE[0]).text == b"250 2.1.0 it is me"


def test_a_refusal_of_mail(w):
    """It is the reply to the recipients and to DATA, until the next transaction; nothing permanent comes of a temporary one."""
    def after(session, line):
        mail = [c for c in session.commands if c[:4] == b"MAIL"]
        return b"503 5.5.1 No sender" if b"alice" in mail[-1] else None
    for refusal in b"451 4.3.0 not now", b"552 5.3.4 too big", b"421 4.7.0 enough":
        mailer = w.mailer(keywords=PIPELINING, answers={
            "MAIL": lambda s, line: refusal if b"alice" in line else None, "RCPT": after, "DATA": after})
        pipe = greeted(w, mailer)
        pipe.send("".join(word + "\r\n" for word in ENVELOPE).encode())
        assert [pipe.reply().text for _ in range(3)] == [b"250 2.1.0 Ok", refusal, refusal]
        if refusal[:3] != b"421":
            assert pipe.command(ENVELOPE[1]).text == refusal
            assert pipe.command("RSET").code == 250
            pipe.message(b"x\r\n.\r\n", sender="carol@a.example")
        pipe.command("QUIT")
        assert pipe.wait().status == 0
        assert len(mailer.messages) == (refusal[:3] != b"421"), refusal


def test_data_after_a_refusal_of_mail(w):
    """A server that wants the message all the same is left without one."""
    mailer = w.mailer(keywords=PIPELINING, answers={
        "MAIL": b"451 4.3.0 not now", "RCPT": b"250 2.1.5 well", "DATA": b"354 go on"})
    pipe = greeted(w, mailer)
    pipe.send("".join(word + "\r\n" for word in ENVELOPE).encode())
    assert [pipe.reply().code for _ in range(3)] == [250, 451, 451]
    assert pipe.reply() is None
    assert "end=bad-reply" in pipe.wait().log
    assert not mailer.messages and b"RSET" not in mailer.session().commands


def test_pipelined_after_ehlo(w):
    """The local MTA does not wait: its commands are sent after the second EHLO, in their order."""
    mailer = w.mailer(xcrypt=[xcrypt.CHACHA])
    pipe = w.pipe(mailer)
    pipe.greet()
    pipe.send(b"EHLO mail.a.example\r\nMAIL FROM:<alice@a.example>\r\n"
              b"RCPT TO:<bob@b.example>\r\nDATA\r\n")
    codes = [pipe.reply().code for _ in range(4)]
    if codes[0] != 421:
        assert codes == [250, 250, 250, 354], codes
        pipe.send(b"x\r\n.\r\nQUIT\r\n")
        assert [pipe.reply().code for _ in range(2)] == [250, 221]
        assert mailer.messages[0].encrypted == xcrypt.CHACHA
    pipe.wait()


def sent(text):
    """A reply that means success to the local MTA."""
    return lambda session, line: session.conn.send(text + b"\r\n") or SENT


# Malformed replies that sendmail and Postfix accept
ODD = {
    "text before the greeting": {"greeting": b"Welcome\r\n\r\n220 mailer.example ESMTP"},
    "two codes in a greeting": {"greeting": b"220-mailer.example\r\n250 ESMTP"},
    "text in EHLO": {"EHLO": b"250-mailer.example\r\n\r\nno code\r\n250-8BITMIME\r\n25\r\n250 SIZE 1000"},
    "two codes in EHLO": {"EHLO": b"250-mailer.example\r\n220 8BITMIME"},
    "220 to EHLO": {"EHLO": b"220 mailer.example"},
    "220 to HELO": {"EHLO": b"502 What?", "HELO": b"\r\n220 mailer.example"},
}
ODD_LATER = {
    "text at MAIL": {"MAIL": b"\r\n250 ok"}, "text at RCPT": {"RCPT": b"hello\r\n250-ok\r\n251 ok"},
    "text at DATA": {"DATA": b"go\r\n354 go"}, "text at the dot": {".": b"\r\nqueued\r\n250 ok"},
}


def test_odd_replies_in_the_clear(w):
    for name, answers in list(ODD.items()) + list(ODD_LATER.items()):
        mailer = w.mailer(answers={verb: sent(text) if name in ODD_LATER else text for verb, text in answers.items()},
                          keywords=(b"8BITMIME",))
        result = w.send(mailer, ["bob@b.example"])
        assert result.status == 0 and len(mailer.messages) == 1, (name, result)
        if name in ODD:
            pipe = w.pipe(mailer)
            assert pipe.reply().code // 100 == 2, name
            reply = pipe.command("EHLO mail.a.example")
            reply = pipe.command("HELO mail.a.example") if reply.code == 502 else reply
            assert reply.code // 100 == 2 and b"no code" not in reply.text, (name, reply)
            pipe.message(b"x\r\n.\r\n")
            pipe.command("QUIT")
            pipe.wait()
            assert len(mailer.messages) == 2, name
        mailer.close()


def test_odd_replies_inside(w):
    """Inside, replies must be well-formed."""
    for name, answer in {**ODD, **ODD_LATER}.items():
        verb, text = list(answer.items())[0]
        if verb == "greeting" or b"502" in text:
            continue
        mailer = w.mailer(xcrypt=[xcrypt.CHACHA], keywords=(b"8BITMIME",), answers={
            verb: lambda s, line: text if s.suite else None} if verb != "." else {verb: text})
        result = w.send(mailer, ["bob@b.example"], settings={"policy": "must", "handshake-timeout": "2s"})
        assert result.status == 75, (name, result)
        mailer.close()
