# Claim: an end of file without close_notify never counts as a clean end, except after a 221 (statement 21)
from kit import xcrypt
from kit.mailer import DROP


def truncated(log):
    return "trunc" in log.lower() or "close_notify" in log


def test_client_vanishes_inside_a_message(w):
    """Even right after the dot, as long as the record with the dot is incomplete."""
    for last in (b"half a mess", b"all of it\r\n", b"nearly\r\n."):
        mailer = w.mailer()
        server = w.daemon(backend=mailer)
        client = w.session(server, xcrypt.CHACHA)
        for line in ("MAIL FROM:<alice@a.example>", "RCPT TO:<bob@b.example>", "DATA"):
            client.command(line)
        client.send(last)
        client.shut()
        client.rest()
        result = server.finish()
        assert not mailer.messages
        assert truncated(result.log), result.log
        client.close()


def test_client_vanishes_between_commands(w):
    server = w.daemon(backend=w.mailer())
    client = w.session(server, xcrypt.AES)
    client.command("NOOP")
    client.shut()
    client.rest()
    assert truncated(server.finish().log)


def test_client_vanishes_inside_a_record(w):
    mailer = w.mailer()
    server = w.daemon(backend=mailer)
    client = w.session(server, xcrypt.AES)
    client.send_raw(client.sealer.seal(b"VRFY bad\r\n")[:-1])
    client.shut()
    client.rest()
    assert truncated(server.finish().log)
    assert not [c for c in mailer.commands if b"bad" in c]


def test_clean_end_without_quit(w):
    server = w.daemon(backend=w.mailer())
    client = w.session(server, xcrypt.CHACHA)
    client.finish()
    client.rest()
    assert not truncated(server.finish().log)


def test_an_end_after_pipelined_commands(w):
    """All earlier commands are answered, in the clear and inside."""
    for suite in (None, xcrypt.CHACHA):
        mailer = w.mailer()
        client = w.session(w.daemon(backend=mailer), suite)
        client.send(b"MAIL FROM:<alice@a.example>\r\nRCPT TO:<bob@b.example>\r\nRSET\r\nNOOP\r\n")
        client.finish()
        assert [client.reply().code for _ in range(4)] == [250] * 4
        assert client.rest() == b""
        client.close()
        assert mailer.session().commands[-4:] == [b"MAIL FROM:<alice@a.example>",
                                                  b"RCPT TO:<bob@b.example>",
                                                  b"RSET", b"NOOP"]


def test_server_says_when_it_closes(w):
    """After its 221 the server sends close_notify and closes; it does the same when only the client closes."""
    server = w.daemon(backend=w.mailer())
    for how in ("quit", "close"):
        client = w.session(server, xcrypt.CHACHA)
        if how == "quit":
            assert client.command("QUIT").code == 221
        else:
            client.finish()
        assert client.rest() == b""
        assert client.opener.ended and not client.broken, how
        client.finish()
        client.close()


def test_client_that_does_not_say_so_behind_221(w):
    server = w.daemon(backend=w.mailer())
    client = w.session(server, xcrypt.CHACHA)
    assert client.command("QUIT").code == 221
    client.close()
    assert not truncated(server.finish().log)


def test_backend_vanishes(w):
    """The client inside gets an announced end, or one that is recognised as a truncation."""
    server = w.daemon(backend=w.mailer(answers={"VRFY": DROP}))
    client = w.session(server, xcrypt.CHACHA)
    reply = client.command("VRFY x")
    assert reply is None or reply.code == 421, reply




def test_blackpony_and_a_server_that_vanishes(w):
    for verb in ("MAIL", "RCPT", "DATA", "."):
        def answer(session, line, verb=verb):
            return DROP if session.suite else None
        mailer = w.mailer(xcrypt=[xcrypt.CHACHA], answers={verb: answer})
        result = w.send(mailer, ["bob@b.example"])
        assert result.status == 75, (verb, result)
        assert truncated(result.log), (verb, result.log)
        assert len(mailer.sessions) == 1, "called again with the message half sent"


def test_blackpony_and_a_server_that_vanishes_at_once(w):
    """The server closes before its first encrypted octet: the handshake has failed, and under `must` the message waits."""
    for policy, status in (("may", (0, 75)), ("must", (75,))):
        mailer = w.mailer(xcrypt=[xcrypt.CHACHA], answers={"EHLO": lambda s, line: DROP
                                                           if s.suite else None})
        result = w.send(mailer, ["bob@b.example"], settings={"policy": policy})
        assert result.status in status, result
        assert len(mailer.messages) == (result.status == 0)


def test_blackpony_and_half_a_reply(w):
    """`250-` and an end of file is not a 250."""
    def half(session, line):
        session.conn.send(b"250-2.0.0 so far\r\n")
        return DROP
    for verb in ("MAIL", "."):
        mailer = w.mailer(xcrypt=[xcrypt.AES], answers={verb: half})
        assert w.send(mailer, ["bob@b.example"]).status == 75


def test_blackpony_after_a_221(w):
    """The message was accepted; then comes 221 without close_notify, or nothing."""
    mailer = w.mailer(xcrypt=[xcrypt.CHACHA], end_notify=False)
    result = w.send(mailer, ["bob@b.example"])
    assert result.status == 0 and not truncated(result.log), result
    mailer = w.mailer(xcrypt=[xcrypt.CHACHA], answers={"QUIT": DROP})
    assert w.send(mailer, ["bob@b.example"]).status == 0


def test_blackpony_says_when_it_closes(w):
    mailer = w.mailer(xcrypt=[xcrypt.CHACHA])
    assert w.send(mailer, ["bob@b.example"]).status == 0
    session = mailer.session()
    assert session.ended == "quit" and session.conn.opener.ended


def test_pipes_and_a_server_that_vanishes(w):
    mailer = w.mailer(xcrypt=[xcrypt.CHACHA], answers={"MAIL": DROP})
    pipe = w.pipe(mailer)
    pipe.greet()
    pipe.ehlo()
    # MAIL waits for the next command
    assert pipe.command("MAIL FROM:<alice@a.example>").code == 250
    reply = pipe.command("RCPT TO:<bob@b.example>")
    assert reply is None or reply.code == 421, reply
    assert truncated(pipe.wait().log)


def test_pipes_and_a_mailer_that_vanishes(w):
    """The local MTA dies inside a message: the server gets no dot, and no message."""
    mailer = w.mailer(xcrypt=[xcrypt.CHACHA])
    pipe = w.pipe(mailer)
    pipe.greet()
    pipe.ehlo()
    for line in ("MAIL FROM:<alice@a.example>", "RCPT TO:<bob@b.example>", "DATA"):
        pipe.command(line)
    pipe.send(b"half")
    pipe.wait()
    assert not mailer.messages
