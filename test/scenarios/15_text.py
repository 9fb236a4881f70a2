# Claim: text from the wire goes into logs and headers without control characters and cut to length; long lines do no harm (statement 15)
import re

from kit import xcrypt

NASTY = (b"a\x01b\x1b[31m\x7f", b"\xff\xfe\xe9", b"x\rReceived: by evil", b"x\ny", b'a"b\\c',
         b"crypt=evil why=none",
         b"%n%s%x", b"x" * 400, b"\xe2\x80\xae")


def only_text(log):
    assert re.fullmatch(r"[\x20-\x7e\n\t]*", log), [line for line in log.splitlines()
                                                    if not re.fullmatch(r"[\x20-\x7e\t]*", line)]
    assert all(len(line) < 2200 for line in log.splitlines())


def test_names_in_the_log(w):
    for name in NASTY:
        server = w.daemon(backend=w.mailer(answers={"EHLO": b"250 mailer.example"}))
        client = w.call(server)
        client.greet()
        client.command(b"EHLO " + name)
        client.command("QUIT")
        client.close()
        result = server.finish()
        only_text(result.log)
        assert len(result.entries) == 1, result
        assert result.entries[0]["crypt"] == "none"


def test_names_in_the_trace_line(w):
    for name in NASTY:
        mailer = w.mailer()
        client = w.session(w.daemon(backend=mailer))
        client.xcrypt()
        reply = client.command(b"EHLO " + name)
        if reply.code != 250:
            continue
        client.message(b"x\r\n.\r\n")
        client.quit()
        message = mailer.messages[0]
        assert message.body() == b"x\r\n", message.data
        trace = message.data[:-3]
        assert re.fullmatch(rb"[\x20-\x7e]+\r\n[ \t][\x20-\x7e]+\r\n", trace), trace
        assert all(len(line) < 998 for line in trace.split(b"\r\n")), trace


def test_replies_in_the_log(w):
    """The server's replies in blackpony's log."""
    for text in (b"550 5.1.1 \x1b[31m\x07evil\xff", b"550 5.1.1 a\rb", b"550 5.1.1 " + b"x" * 5000,
                 b"550 5.1.1 %s%n"):
        result = w.send(w.mailer(answers={"RCPT": text}), ["bob@b.example"])
        assert result.status in (67, 75), result
        only_text(result.log)
        assert result.out.count(b"\n") == 1 and len(result.out) < 2200
        assert re.fullmatch(rb"[\x20-\x7e]*\n", result.out), result.out


def test_lines_of_any_length(w):
    """Lines of 512 octets and what extensions allow pass; one that is far too long gets 500 and is dropped."""
    for suite in (None, xcrypt.CHACHA):
        for length in (510, 511, 512, 513, 1000, 2048, 12288):
            mailer = w.mailer(answers={"VRFY": b"252 2.1.5 maybe"})
            client = w.session(w.daemon(backend=mailer), suite)
            line = b"VRFY " + b"v" * (length - 7)
            assert client.command(line).code == 252, (suite, length)
            client.quit()
            assert mailer.commands[-2] == line


def test_lines_that_are_too_long(w):
    for suite in (None, xcrypt.CHACHA):
        for length in (12289, 12300, 16384, 100000, 1000000):
            mailer = w.mailer(answers={"VRFY": b"252 2.1.5 maybe"})
            server = w.daemon(backend=mailer)
            client = w.session(server, suite)
            reply = client.command(b"VRFY " + b"v" * (length - 7))
            assert reply is None or reply.code == 500, (suite, length, reply)
            if reply and client.readable(0):
                assert client.reply() is None
            elif reply:
                assert client.command("VRFY short").code == 252
            client.close()
            server.finish()
            assert not [c for c in mailer.commands if len(c) > 12288 or c.startswith(b"v")]


def test_a_line_without_end(w):
    for suite in (None, xcrypt.CHACHA):
        server = w.daemon(backend=w.mailer())
        client = w.session(server, suite)
        client.send(b"x" * 200000)
        client.finish()
        client.rest()
        server.finish()


def test_nuls_and_bare_ends_in_commands(w):
    """The backend never sees two lines where the client sent one."""
    for suite in (None, xcrypt.CHACHA):
        for line in (b"VRFY a\nVRFY injected", b"VRFY a\rVRFY injected", b"VRFY a\0b", b"\0",
                     b"NOOP \nVRFY injected"):
            mailer = w.mailer(answers={"VRFY": b"252 2.1.5 maybe"})
            server = w.daemon({"policy": "must"}, backend=mailer)
            client = w.session(server, suite)
            client.send(line + b"\r\n")
            if client.readable(5):
                client.reply()
            client.finish()
            client.rest()
            server.finish()
            assert not [c for c in mailer.commands
                        if c.startswith(b"VRFY injected")], mailer.commands


def test_long_greetings_and_replies(w):
    for reply in (b"250 " + b"x" * 2000, b"250-" + b"y" * 5000 + b"\r\n250 end"):
        mailer = w.mailer(answers={"MAIL": reply, "NOOP": reply})
        for suite in (None, xcrypt.CHACHA):
            client = w.session(w.daemon(backend=mailer), suite)
            assert client.command("MAIL FROM:<alice@a.example>").text == reply.replace(b"\r\n",
                                                                                       b"\n")
            client.quit()


def test_what_a_greeting_says_is_printed(w):
    """The greeting can go to a terminal or to an MTA's log."""
    for nasty in NASTY:
        if b"\n" in nasty:
            continue        # another line
        result = w.send(w.mailer(answers={"greeting": b"554 5.7.1 " + nasty}), ["bob@b.example"])
        assert result.status == 75 and b" said: 554 5.7.1 " in result.out, result
        only_text(result.out.decode("latin-1"))
        only_text(result.log)
