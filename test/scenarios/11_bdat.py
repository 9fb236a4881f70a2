# Claim: BDAT is counted exactly, whatever the size and the contents of a chunk (statements 11 and 33)
from kit import xcrypt

KEYWORDS = (b"PIPELINING", b"CHUNKING", b"BINARYMIME", b"8BITMIME")
ENVELOPE = ("MAIL FROM:<alice@a.example> BODY=BINARYMIME", "RCPT TO:<bob@b.example>")


def inside(w, suite=xcrypt.CHACHA, **script):
    mailer = w.mailer(**dict({"keywords": KEYWORDS}, **script))
    server = w.daemon(backend=mailer)
    client = w.session(server, suite)
    return mailer, server, client


def chunks(client, *parts):
    """Sends each command with its octets, in one packet and in several."""
    for line in ENVELOPE:
        assert client.command(line).code == 250, line
    for command, octets in parts:
        client.send(command + b"\r\n" + octets)
        reply = client.reply()
        assert reply.code == 250, (command, reply)


def test_chunks(w):
    binary = bytes(range(256)) * 300
    for suite in (None, xcrypt.CHACHA, xcrypt.AES):
        mailer, _, client = inside(w, suite)
        for parts in ([(b"BDAT 5 LAST", b"abcde")],
                      [(b"BDAT 5", b"ab\r\n."), (b"BDAT 2", b"\r\n"), (b"BDAT 0 LAST", b"")],
                      [(b"BDAT 0", b""), (b"BDAT 1", b"."), (b"bdat 2 last", b"\r\n")],
                      [(b"BDAT 00000000000000000005 LAST", b"QUIT\r")],
                      [(b"BDAT %d" % len(binary), binary), (b"BDAT 6 LAST", b"QUIT\r\n")],
                      [(b"BDAT 0 LAST", b"")],
                      [(b"BDAT 27 LAST", b"a\r\n.\r\nQUIT\r\nXCRYPT OK\r\n1234"[:27])]):
            before = len(mailer.sessions[-1].messages)
            chunks(client, *parts)
            message = mailer.sessions[-1].messages[before]
            assert message.body() == b"".join(octets for _, octets in parts), (suite, parts[0][0])
            assert message.data.startswith(b"Received: ") == bool(suite)
        client.quit()
        assert mailer.finished()[0].ended == "quit"


def test_bdat_and_data_by_turns(w):
    mailer, _, client = inside(w)
    for _ in range(3):
        chunks(client, (b"BDAT 3", b"ab\n"), (b"BDAT 3 LAST", b"cd\n"))
        client.message(b"x\r\n.\r\n")
    client.quit()
    assert [m.body() for m in mailer.messages] == [b"ab\ncd\n", b"x\r\n"] * 3
    assert all(m.data.count(b"Received: ") == 1 for m in mailer.messages)


def test_pipelined(w):
    mailer, _, client = inside(w)
    client.send("\r\n".join(ENVELOPE).encode() + b"\r\nBDAT 3\r\nabcBDAT 2\r\nde"
                b"BDAT 1 LAST\r\nfRSET\r\n" + "\r\n".join(ENVELOPE).encode() +
                b"\r\nBDAT 4 LAST\r\nQUITQUIT\r\n")
    codes = [client.reply().code for _ in range(10)]
    assert codes == [250] * 9 + [221], codes
    client.finish()
    assert [m.body() for m in mailer.messages] == [b"abcdef", b"QUIT"]


def one_mark(message, octets):
    """There is one trace line, at the front."""
    assert message.data.count(b"(XCRYPT ") == 1 and message.body() == octets, message.data


def test_after_a_refused_chunk_in_one_flight(w):
    """The reply to the refused chunk comes after the next message has begun, and does not count for that."""
    mailer, _, client = inside(w, answers={"RCPT": lambda s, l: b"550 5.1.1 no" if b"nosuch" in l else None})
    client.send(b"MAIL FROM:<alice@a.example>\r\nRCPT TO:<nosuch@b.example>\r\nBDAT 5\r\nabcdeRSET\r\n" +
                "\r\n".join(ENVELOPE).encode() + b"\r\nBDAT 17\r\nSubject: chunks\r\n")
    codes = [client.reply().code for _ in range(7)]
    assert codes == [250, 550, 503, 250, 250, 250, 250], codes
    client.send(b"BDAT 5 LAST\r\n\r\nxyz")
    assert client.reply().code == 250
    client.quit()
    one_mark(mailer.messages[0], b"Subject: chunks\r\n\r\nxyz")


def test_after_a_refused_command_in_one_flight(w):
    """A refused command ends no transaction: the message goes on with its trace line."""
    for verb, line in (("RSET", b"RSET now"), ("MAIL", b"MAIL FROM:<other@a.example>"), ("EHLO", b"EHLO")):
        refuse = lambda s, l, line=line: line == l and b"501 5.5.4 no" or None
        mailer, _, client = inside(w, answers={verb: refuse})
        for command in ENVELOPE:
            assert client.command(command).code == 250
        client.send(b"BDAT 3\r\nabc")
        assert client.reply().code == 250
        client.send(line + b"\r\n" + (b"BDAT 3 LAST\r\ndef" if verb != "EHLO" else b""))
        assert client.reply().code == 501
        if verb == "EHLO":
            client.send(b"BDAT 3 LAST\r\ndef")
        assert client.reply().code == 250
        client.quit()
        one_mark(mailer.messages[0], b"abcdef")


def test_octets_of_a_refused_chunk_are_no_commands(w):
    mailer, _, client = inside(w, answers={"BDAT": b"452 4.2.2 full"})
    for line in ENVELOPE:
        client.command(line)
    client.send(b"BDAT 16\r\nVRFY injected\r\n\r")
    assert client.reply().code == 452
    assert client.command("RSET").code == 250
    client.quit()
    assert not [c for c in mailer.commands if b"injected" in c]


def test_huge_sizes(w):
    """A huge size is carried or refused; what follows is never a command, and there is no message."""
    for number in (2**31 - 1, 2**31, 2**32, 2**32 + 5, 2**63 - 1, 2**63, 2**64 - 1, 2**64,
                   2**64 + 5, 10**40):
        mailer, server, client = inside(w)
        for line in ENVELOPE:
            client.command(line)
        client.send(b"BDAT %d LAST\r\n" % number + b"VRFY injected\r\n" * 20)
        if client.readable(0.1):
            reply = client.reply()
            assert reply is None or reply.code // 100 in (4, 5), reply
        client.finish()
        client.rest()
        server.finish()
        assert not [c for c in mailer.commands if b"injected" in c], number
        assert not mailer.messages


def test_invalid_sizes(w):
    """Without a size, the next command cannot be found: nothing that follows reaches the backend."""
    for words in (b"BDAT -5 LAST", b"BDAT", b"BDAT LAST", b"BDAT x", b"BDAT 5x LAST",
                  b"BDAT +5 LAST",
                  b"BDAT 0x5 LAST", b"BDAT 5 5 LAST", b"BDAT 5 FIRST", b"BDAT 5,LAST",
                  b"BDAT 5\0 LAST",
                  b"BDAT 1e1 LAST", b"BDAT \xd9\xa5 LAST"):
        mailer, server, client = inside(w)
        for line in ENVELOPE:
            client.command(line)
        client.send(words + b"\r\nVRFY injected\r\n")
        reply = client.reply()
        assert reply is None or reply.code // 100 in (4, 5), (words, reply)
        client.finish()
        client.rest()
        server.finish()
        assert not mailer.messages, words
        assert not [c for c in mailer.commands if b"injected" in c or b"BDAT" in c], (words,
                mailer.commands)


def test_cut_in_the_middle(w):
    """The client closes inside a chunk: there is no message."""
    mailer, server, client = inside(w)
    for line in ENVELOPE:
        client.command(line)
    client.send(b"BDAT 100 LAST\r\n" + b"x" * 99)
    client.finish()
    client.rest()
    server.finish()
    assert not mailer.messages


def test_chunks_cut_into_packets(w):
    mailer, _, client = inside(w)
    for line in ENVELOPE:
        client.command(line)
    for octet in b"BDAT 6 LAST\r\na\r\n.\r\n":
        client.send(bytes((octet,)))
    assert client.reply().code == 250
    client.quit()
    assert mailer.messages[0].body() == b"a\r\n.\r\n"
