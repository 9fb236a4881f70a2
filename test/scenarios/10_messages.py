# Claim: N messages in by CRLF.CRLF are N messages out, and a backend that replies inside DATA ends the session (statement 10)
import subprocess

from kit import xcrypt
from kit.conn import PATIENCE
from kit.run import SENDER, operand


def test_many_on_one_connection(w):
    for suite in (None, xcrypt.CHACHA):
        mailer = w.mailer()
        client = w.session(w.daemon(backend=mailer), suite)
        for i in range(30):
            client.message(b"Subject: %d\r\n\r\n..%d\r\n.\r\n" % (i, i))
        client.quit()
        assert [m.body() for m in mailer.messages] == \
            [b"Subject: %d\r\n\r\n..%d\r\n" % (i, i) for i in range(30)]


def test_many_pipelined(w):
    """Many envelopes in one packet, each next one in the packet of the dot."""
    for suite in (None, xcrypt.AES):
        mailer = w.mailer()
        client = w.session(w.daemon(backend=mailer), suite)
        envelope = b"MAIL FROM:<alice@a.example>\r\nRCPT TO:<bob@b.example>\r\nDATA\r\n"
        client.send(envelope)
        for i in range(20):
            assert [client.reply().code for _ in range(3)] == [250, 250, 354]
            client.send(b"n %d\r\n.\r\n" % i + (envelope if i < 19 else b"QUIT\r\n"))
            assert client.reply().code == 250
        assert client.reply().code == 221
        client.finish()
        assert [m.body() for m in mailer.messages] == [b"n %d\r\n" % i for i in range(20)]
        if suite:
            assert all(m.data.startswith(b"Received: ") for m in mailer.messages)


def test_refused_data_is_no_message(w):
    """After 503 or 452 to DATA, the next line is a command."""
    for refusal in (b"503 5.5.1 no", b"452 4.2.2 later", b"554 5.0.0 no valid recipients"):
        mailer = w.mailer(answers={"DATA": refusal})
        client = w.session(w.daemon(backend=mailer), xcrypt.CHACHA)
        client.command("MAIL FROM:<alice@a.example>")
        client.command("RCPT TO:<bob@b.example>")
        assert client.command("DATA").text == refusal
        assert client.command("VRFY someone").code == 500
        client.quit()
        assert mailer.commands[-2:] == [b"VRFY someone", b"QUIT"]


def early(w, answer, code):
    mailer = w.mailer(behind={"DATA": answer + b"\r\n"})
    server = w.daemon(backend=mailer)
    client = w.session(server, xcrypt.CHACHA)
    client.command("MAIL FROM:<alice@a.example>")
    client.command("RCPT TO:<bob@b.example>")
    client.send(b"DATA\r\n")
    assert client.reply().code == 354
    client.send(b"first part\r\n")
    reply = client.reply()
    assert (reply.code if reply else None) == code, reply
    assert client.rest() == b""
    result = server.finish()
    assert not mailer.messages
    return result


def test_answer_inside_a_message(w):
    for answer in (b"250 2.0.0 taken", b"550 5.0.0 no", b"354 more"):
        result = early(w, answer, None)
        assert len(result.entries) == 1, result


def test_421_inside_a_message_is_passed_on(w):
    early(w, b"421 4.3.2 going down", 421)


def test_mailer_with_another_end(w):
    """The backend ends a message at LF.LF: the smuggled commands get no reply."""
    def data(session, line):
        session.conn.send(b"354 go\r\n")
        session.conn.until(b"\n.\n")
        return b"250 2.0.0 taken"
    mailer = w.mailer(answers={"DATA": data})
    server = w.daemon(backend=mailer)
    client = w.session(server, xcrypt.CHACHA)
    client.command("MAIL FROM:<alice@a.example>")
    client.command("RCPT TO:<bob@b.example>")
    assert client.command("DATA").code == 354
    client.send(b"x\n.\nMAIL FROM:<smuggled@c.example>\r\n")
    assert client.rest() == b""
    server.finish()


def test_mailer_dies_inside_a_message(w):
    """The client sees no success."""
    def data(session, line):
        session.conn.send(b"354 go\r\n")
        session.conn.until(b"half")
        session.conn.abort()
        raise EOFError
    mailer = w.mailer(answers={"DATA": data})
    client = w.session(w.daemon(backend=mailer), xcrypt.CHACHA)
    client.command("MAIL FROM:<alice@a.example>")
    client.command("RCPT TO:<bob@b.example>")
    assert client.command("DATA").code == 354
    client.send(b"half")
    reply = client.reply()
    assert reply is None or reply.code == 421, reply


def test_a_file_that_grows(w):
    """A file that grows, such as a log, is sent with the length that it had when blackpony read it."""
    path, whole = w.path("growing"), b"Subject: log\n\n" + b"a line\n" * 50000
    for offered in ((), (xcrypt.CHACHA,)):
        with open(path, "wb") as out:
            out.write(whole)

        def grow(_session, _line):
            with open(path, "ab") as out:
                out.write(b"and a line more\n.\n" * 1000)
        mailer = w.mailer(xcrypt=offered, answers={"MAIL": grow, "RCPT": grow, "DATA": grow})
        with open(path, "rb") as message:
            child = w.spawn([SENDER] + w.options(None) + ["-f", "", "--", operand(mailer), "bob@b.example"],
                            stdin=message, stdout=subprocess.PIPE, stderr=w.log_file("blackpony"))
        out, _ = child.communicate(timeout=3 * PATIENCE)
        assert child.returncode == 0, out
        message, = mailer.messages
        assert message.data.replace(b"\r\n", b"\n") == whole, len(message.data)
