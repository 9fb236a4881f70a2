# Claim: a thousand pipelined commands from a client that does not read cause no deadlock, in bounded memory (statement 12)
import socket
import threading

from kit import xcrypt
from kit.conn import SLOW
from kit.run import eventually

COUNT = 1000
LONG = b"250 2.1.5 " + b"ok " * 150     # more replies than all socket buffers can hold


def flood(w, suite):
    mailer = w.mailer(answers={"RCPT": LONG})
    server = w.daemon(backend=mailer)
    client = w.session(server, suite)
    client.reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    commands = b"MAIL FROM:<alice@a.example>\r\n" + b"".join(
        b"RCPT TO:<%d@%s.example>\r\n" % (i, b"b" * 300) for i in range(COUNT)) + b"DATA\r\n"
    client.patience *= 5
    writer = threading.Thread(target=client.send, args=(commands,), daemon=True)
    writer.start()
    heard = len(mailer.sessions[0].commands)
    writer.join(0.5 * SLOW)     # until nothing moves any more, with nobody reading
    memory = resident(server.child())
    client.reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    assert client.reply().code == 250
    for i in range(COUNT):
        reply = client.reply()
        assert reply.text == LONG, (i, reply)
    assert client.reply().code == 354
    writer.join()
    client.send(b"x\r\n.\r\n")
    assert client.reply().code == 250
    client.quit()
    assert len(mailer.messages[0].recipients) == COUNT
    assert memory < 20000 or SLOW > 1, "%d kB resident" % memory
    assert heard < COUNT


def resident(child):
    with open("/proc/%d/status" % child.pid) as status:
        return int([line.split()[1] for line in status if line.startswith("VmRSS")][0])


def test_inside(w):
    flood(w, xcrypt.CHACHA)


def test_in_the_clear(w):
    flood(w, None)


def test_mailer_that_does_not_read(w):
    """The backend does not read while a megabyte of message comes: the client waits, and memory does not grow."""
    gate = threading.Event()

    def data(session, line):
        session.conn.send(b"354 go\r\n")
        gate.wait(60)
        message = session.data()
        session.finish_message(message)
        return b"250 2.0.0 Ok"
    mailer = w.mailer(answers={"DATA": data, ".": lambda s, l: None})
    server = w.daemon(backend=mailer)
    client = w.session(server, xcrypt.AES)
    client.command("MAIL FROM:<alice@a.example>")
    client.command("RCPT TO:<bob@b.example>")
    assert client.command("DATA").code == 354
    big = b"y" * 30000000
    client.patience *= 5
    writer = threading.Thread(target=client.send, args=(big + b"\r\n.\r\n",), daemon=True)
    writer.start()
    writer.join(1.0 * SLOW)
    assert writer.is_alive(), "somebody held 30 MB"
    memory = resident(server.child())
    assert memory < 20000 or SLOW > 1, "%d kB resident" % memory
    gate.set()
    writer.join()
    assert client.reply().code == 250
    eventually(lambda: mailer.sessions[0].messages, "the message")
    assert mailer.sessions[0].messages[0].body() == big + b"\r\n"


def test_pipelined_through_blackpony(w):
    for offered in ((), (xcrypt.CHACHA,)):
        mailer = w.mailer(xcrypt=offered)
        pipe = w.pipe(mailer)
        pipe.greet()
        pipe.ehlo()
        commands = b"MAIL FROM:<alice@a.example>\r\n" + b"".join(
            b"RCPT TO:<%d@b.example>\r\n" % i for i in range(COUNT)) + b"DATA\r\n"
        writer = threading.Thread(target=pipe.send, args=(commands,), daemon=True)
        writer.start()
        writer.join(0.3)
        assert [pipe.reply().code for _ in range(COUNT + 2)] == [250] * (COUNT + 1) + [354]
        pipe.send(b"x\r\n.\r\n")
        assert pipe.reply().code == 250
        pipe.command("QUIT")
        pipe.wait()
        assert len(mailer.messages[0].recipients) == COUNT
