# Claim: the handshake and all that follows work however the octets are divided into packets (statement 7)
import threading

from kit import text, xcrypt
from kit.conn import PATIENCE
from kit.mailer import SENT
from kit.run import taken


def test_single_octets_between_both_programs(w):
    mailer = w.mailer()
    server = w.daemon(backend=mailer)
    tap = w.wiretap(server.port, split=True)
    result = w.send(tap, ["bob@b.example"], b"Subject: x\n\n.\n")
    assert result.status == 0, result
    assert mailer.messages[0].body() == b"Subject: x\r\n\r\n..\r\n"
    assert result.entries[0]["crypt"] == xcrypt.CHACHA, result
    result = w.send(tap, ["bob@b.example"], b"Subject: x\n\n.\n")
    assert result.status == 0 and result.entries[0]["cache"] == "hit", result


def drip(client, octets):
    for at in range(len(octets)):
        client.send_raw(octets[at:at + 1])


def test_single_octets_to_the_server(w):
    """Each octet is read before the next is sent."""
    for suite in (xcrypt.CHACHA, xcrypt.ARSYFOR):
        mailer = w.mailer()
        client = w.call(w.daemon({"suites": suite}, backend=mailer))
        client.greet()
        for octet in b"EHLO mail.a.example\r\n":
            client.send(bytes((octet,)))
            taken(client.reader)
        reply = client.reply()
        client.take_ehlo(reply)
        client.hello = b"EHLO mail.a.example"
        line = client.start(suite) + b"\r\n"
        middle = range(240, max(240, len(line) - 60))   # fewer cuts inside a long key
        cuts = [0] + [at for at in range(1, len(line)) if at not in middle or at % 31 == 0] + [len(line)]
        for begin, end in zip(cuts, cuts[1:]):
            client.send(line[begin:end])
            taken(client.reader)
        client.take_answer(client.reply())
        if suite == xcrypt.CHACHA:
            client.confirm()
        else:
            drip(client, client.hs.ok(server=False) + b"\r\n")
            client.take_ok()
        for line in (b"EHLO mail.a.example\r\n", b"MAIL FROM:<alice@a.example>\r\n",
                     b"RCPT TO:<bob@b.example>\r\n", b"DATA\r\n", b"a\r\n.\r\n", b"QUIT\r\n"):
            drip(client, client.sealer.seal(line))
            assert client.reply().code in (250, 354, 221)
        client.finish()
        assert mailer.messages[0].body() == b"a\r\n"


def test_the_reply_to_ehlo_leaves_as_a_whole(w):
    """A backend may write it line by line: in the clear, and inside to an EHLO that is said again."""
    told = threading.Event()

    def line_by_line(session, line):
        session.conn.send(b"250-mailer.example\r\n250-8BITMIME\r\n")
        told.wait(PATIENCE)
        session.conn.send(b"250-PIPELINING\r\n250 DSN\r\n")
        return SENT
    mailer = w.mailer(answers={"EHLO": line_by_line, "greeting": b"220-mailer.example\r\n220 ESMTP"})
    client = w.call(w.daemon(backend=mailer))
    client.greet()
    for inside in range(2):
        told.clear()
        client.send(b"EHLO mail.a.example\r\n")
        assert not client.readable(0.2), client.line()
        told.set()
        reply = client.reply()
        assert len(reply.lines) == 5 - inside and b"250-8BITMIME" in reply.lines, reply
        if not inside:
            client.hello = b"EHLO mail.a.example"
            client.take_ehlo(reply)
            client.xcrypt()
    client.quit()


def test_records_cut_anywhere(w):
    """Two records in two packets, cut at every place."""
    mailer = w.mailer()
    server = w.daemon(backend=mailer)
    client = w.session(server, xcrypt.AES)
    for cut in list(range(0, 12)) + [255, 276, 277, 278, 282, 283, 553]:
        wire = client.sealer.seal(b"NOOP\r\n") + client.sealer.seal(b"NOOP\r\n")
        client.send_raw(wire[:cut])
        taken(client.reader)
        client.send_raw(wire[cut:])
        assert client.reply().code == 250 and client.reply().code == 250
    client.quit()


def test_many_records_in_one_packet(w):
    mailer = w.mailer()
    client = w.session(w.daemon(backend=mailer), xcrypt.CHACHA)
    octets = b"MAIL FROM:<alice@a.example>\r\nRCPT TO:<bob@b.example>\r\nDATA\r\n"
    client.send_raw(b"".join(client.sealer.seal(octets[i:i + 1]) for i in range(len(octets))))
    assert [client.reply().code for _ in range(3)] == [250, 250, 354]
    body = b"x\r\n.\r\n"
    client.send_raw(b"".join(client.sealer.seal(body[i:i + 1]) for i in range(len(body))))
    assert client.reply().code == 250
    client.quit()
    assert mailer.messages[0].body() == b"x\r\n"


def test_big_and_small_records(w):
    mailer = w.mailer()
    client = w.session(w.daemon(backend=mailer), xcrypt.AES)
    data = text.HARD["a megabyte"] + b"\r\n"
    for line in ("MAIL FROM:<alice@a.example>", "RCPT TO:<bob@b.example>", "DATA"):
        assert client.command(line).code in (250, 354)
    at = 0
    for size in (1, 255, 256, 16382, 16383, 1, 40000):
        client.send(data[at:at + size])
        at += size
    client.send(data[at:] + b".\r\n")
    assert client.reply().code == 250
    client.quit()
    assert mailer.messages[0].body() == data


def test_mailer_in_single_octets(w):
    """The backend replies octet by octet."""
    def dripping(reply):
        def answer(session, line):
            for at in range(len(reply)):
                session.conn.send(reply[at:at + 1])
            return b""
        return answer
    ehlo = dripping(b"250-mailer.example\r\n250-SIZE 1000000\r\n250 HELP")
    mailer = w.mailer(answers={"EHLO": ehlo, "greeting": dripping(b"220 mailer.example ESMTP")})
    client = w.session(w.daemon(backend=mailer), xcrypt.CHACHA)
    assert client.ehlo_reply.keywords() == [b"SIZE %d" % (1000000 - 1024), b"HELP"]    # without the trace line
    client.quit()
