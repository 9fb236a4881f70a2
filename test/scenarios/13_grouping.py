# Claim: our own commands are never grouped after EHLO, DATA or QUIT, and are pipelined only if PIPELINING is offered; of a refused message nothing is sent (statement 13)
from kit import xcrypt

BIG = b"Subject: x\n\n" + b"line\n" * 10000


def test_recipients_in_arguments(w):
    for offered in ((), (xcrypt.CHACHA,)):
        for keywords in ((), (b"PIPELINING",), (b"PIPELINING", b"CHUNKING", b"8BITMIME",
                                                b"SIZE 99999999")):
            mailer = w.mailer(xcrypt=offered, keywords=keywords)
            result = w.send(mailer, ["r%d@b.example" % i for i in range(20)], BIG)
            assert result.status == 0, result
            session = mailer.session()
            assert not session.grouped, session.grouped
            assert len(session.messages[0].recipients) == 20


def test_nothing_ahead_without_pipelining(w):
    """Each command waits for the reply to the previous one."""
    ahead = []

    def look(session, line):
        if session.conn.got or session.waiting():
            ahead.append(line)
    mailer = w.mailer(keywords=(b"8BITMIME",), answers={"MAIL": look, "RCPT": look})
    result = w.send(mailer, ["r%d@b.example" % i for i in range(20)])
    assert result.status == 0, result
    assert not ahead, ahead


def test_helo_instead_of_ehlo(w):
    mailer = w.mailer(answers={"EHLO": b"500 5.5.1 what"})
    result = w.send(mailer, ["bob@b.example"])
    assert result.status == 0, result
    session = mailer.session()
    assert not session.grouped
    assert [c.split(b" ")[0] for c in session.commands[:3]] == [b"EHLO", b"HELO", b"MAIL"]


def test_pipelining_is_used(w):
    """MAIL and RCPTs come in fewer packets than there are commands; DATA waits for their replies."""
    mailer = w.mailer()
    seen = []

    def look(session, line):
        seen.append(session.conn.got.count(b"\n"))
    mailer.script.answers["MAIL"] = look
    result = w.send(mailer, ["r%d@b.example" % i for i in range(20)])
    assert result.status == 0, result
    assert seen == [20], seen


def test_one_recipient_takes_one_flight(w):
    """MAIL, RCPT and DATA come together, and QUIT with the final dot."""
    for offered in ((), (xcrypt.CHACHA,)):
        together = []

        def look(session, line):
            together.append(session.conn.got)
        mailer = w.mailer(xcrypt=offered, answers={"MAIL": look, "DATA": look, ".": look})
        result = w.send(mailer, ["bob@b.example"], BIG)
        assert result.status == 0, result
        assert together == [b"RCPT TO:<bob@b.example>\r\nDATA\r\n", b"", b"QUIT\r\n"], together
        assert mailer.session().commands[-1] == b"QUIT" and not mailer.session().grouped


def test_no_empty_message(w):
    """A server that says 354 although it has refused the sender or the recipient gets neither a dot nor QUIT."""
    for offered in ((), (xcrypt.CHACHA,)):
        for verb, answer, status in (("MAIL", b"550 5.7.1 no", 69), ("MAIL", b"451 4.7.1 later", 75),
                                     ("RCPT", b"550 5.1.1 no", 67), ("RCPT", b"450 4.7.1 later", 75)):
            mailer = w.mailer(xcrypt=offered, answers={verb: answer, "DATA": b"354 go"})
            result = w.send(mailer, ["bob@b.example"])
            assert result.status == status and answer[4:] in result.out, result
            session = mailer.session()
            assert session.commands[-1] == b"DATA" and session.ended == "eof", (session.commands, session.ended)
            assert not mailer.messages


def test_before_an_old_clients_mail(w):
    """blackponyd sends EHLO for the client, and MAIL waits for the reply to it."""
    for suite in (xcrypt.ARSYFOR, xcrypt.ROTN):
        mailer = w.mailer()
        client = w.session(w.daemon({"suites": suite}, backend=mailer))
        client.xcrypt(suite)
        client.send(b"MAIL FROM:<alice@a.example>\r\nRCPT TO:<bob@b.example>\r\nDATA\r\n")
        assert [client.reply().code for _ in range(3)] == [250, 250, 354]
        client.send(b"x\r\n.\r\n")
        assert client.reply().code == 250
        client.quit()
        session = mailer.session()
        assert not session.grouped, session.grouped
        assert session.commands[1] == b"EHLO mail.a.example"


def test_after_the_clients_own_groups(w):
    """A client that groups commands after EHLO or DATA inside is refused, as backends do that look for it."""
    for suite, groups in ((None, (b"EHLO mail.a.example\r\nMAIL FROM:<alice@a.example>\r\n",)),
                          (xcrypt.CHACHA, (b"MAIL FROM:<alice@a.example>\r\nRCPT TO:<bob@b.example>\r\n",
                                           b"DATA\r\nx\r\n.\r\nQUIT\r\n"))):
        mailer = w.mailer()
        client = w.session(w.daemon(backend=mailer), suite)
        if not suite:
            client.xcrypt()
        client.send(b"".join(groups))
        codes = [reply.code for reply in iter(client.reply, None)]
        assert codes == [250, 250, 503][-len(codes):] and len(codes) == (3 if suite else 1), codes
        assert client.opener.ended
        session = mailer.finished()[0]
        assert not session.messages, session.commands
