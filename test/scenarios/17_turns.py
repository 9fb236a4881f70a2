# Claim: what a client sends before its turn reaches the backend before its turn; under `must` the session ends (statement 35)
from kit import xcrypt
from kit.conn import PATIENCE, SLOW

PAUSE = 0.3 * SLOW
REFUSED = b"554 5.5.1 you do not wait"
SAID = (b"M", b"X", b"XCRYPT chacha20poly1305_2.0 00 00\r\n", b"EHLO bot\r\n", b"MAIL FROM:<a@a>\r\n",
        b"EHLO bot\r\nMAIL FROM:<a@a>\r\nRCPT TO:<b@b.example>\r\nDATA\r\n", b"GET / HTTP/1.0\r\n\r\n")


def listens(seconds, first=b""):
    """Delays the greeting or the reply to EHLO, and refuses a client that speaks meanwhile; `first` is sent before."""
    def answer(session, line):
        if first:
            session.conn.send(first)
        return (first[:3] or b"554") + REFUSED[3:] if session.conn.readable(seconds) else None
    return answer


def entry(server):
    return server.finish(len(server.started) - 1).entries[-1]


def test_before_the_greeting(w):
    mailer = w.mailer(answers={"greeting": listens(PATIENCE)})
    server = w.daemon(backend=mailer)
    for said in SAID:
        client = w.call(server)
        client.send(said)
        assert client.reply().text == REFUSED, said
        client.close()
        assert entry(server)["why"] == "early", said


def test_inside_the_greeting(w):
    """The greeting comes in two parts with a pause between them."""
    mailer = w.mailer(answers={"greeting": listens(PATIENCE, b"220-wait\r\n")})
    server = w.daemon(backend=mailer)
    for said in SAID:
        client = w.call(server)
        assert client.line() == b"220-wait"
        client.send(said)
        assert client.line() == b"220" + REFUSED[3:], said
        client.close()
        assert entry(server)["why"] == "early", said


def test_amid_the_reply_to_ehlo(w):
    mailer = w.mailer(answers={"EHLO": listens(PATIENCE, b"250-mailer.example\r\n250-SIZE 1\r\n")})
    server = w.daemon(backend=mailer)
    client = w.call(server)
    client.greet()
    client.send(b"EHLO bot\r\n")
    assert not client.readable(0.2), client.line()      # until the last line, or until it speaks
    client.send(b"MAIL FROM:<a@a>\r\n")
    assert client.reply().lines == [b"250-mailer.example", b"250-SIZE 1", b"250" + REFUSED[3:]]
    client.close()
    assert entry(server)["why"] == "early"


def test_a_client_that_waits(w):
    """A client that waits gets the offer and the encrypted session."""
    for first in b"", b"220-wait\r\n":
        mailer = w.mailer(answers={"greeting": listens(PAUSE, first)})
        client = w.session(w.daemon(backend=mailer), xcrypt.CHACHA)
        client.message(b"x\r\n.\r\n")
        client.quit()
        assert len(mailer.messages) == 1


def test_under_must(w):
    """No octet in the clear becomes mail, and the backend sees the client leave."""
    mailer = w.mailer(answers={"greeting": listens(PATIENCE)})
    server = w.daemon({"policy": "must"}, backend=mailer)
    for said in SAID:
        client = w.call(server)
        client.send(said)
        assert client.reply().text == b"421 4.5.0 mx.b.example Command sent before the greeting", said
        assert client.rest() == b""
        client.close()
        assert entry(server)["end"] == "grouped"
    assert mailer.commands == [] and mailer.messages == []
    mailer = w.mailer()
    client = w.call(w.daemon({"policy": "must"}, backend=mailer))
    client.greet()
    client.send(b"EHLO bot\r\nMAIL FROM:<a@a>\r\n")
    assert client.reply().text == b"503 5.5.1 Improper command pipelining"
    assert client.rest() == b""
    assert mailer.commands == [b"EHLO bot"]
