# Claim: every keyword that is let through in EHLO can be carried (statement 14)
from kit import xcrypt

ALL = (b"PIPELINING", b"SIZE 10240000", b"8BITMIME", b"SMTPUTF8", b"DSN", b"ENHANCEDSTATUSCODES",
       b"CHUNKING", b"BINARYMIME", b"AUTH LOGIN PLAIN", b"AUTH=LOGIN", b"VRFY", b"ETRN", b"HELP",
       b"DELIVERBY", b"LIMITS RCPTMAX=20")


def test_all_of_them_pass(w):
    for suite in (None, xcrypt.CHACHA):
        client = w.session(w.daemon(backend=w.mailer(keywords=ALL)), suite)
        words = client.ehlo_reply.keywords()
        assert [k for k in words if not k.startswith(b"XCRYPT")] == list(ALL), words
        client.quit()


def test_parameters(w):
    for suite in (None, xcrypt.CHACHA):
        mailer = w.mailer(keywords=ALL)
        client = w.session(w.daemon(backend=mailer), suite)
        mail = "MAIL FROM:<älice@a.example> SIZE=10 BODY=8BITMIME RET=HDRS SMTPUTF8 BY=120;N"
        rcpt = "RCPT TO:<bob@b.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;bob@b.example"
        assert client.command(mail.encode()).code == 250
        assert client.command(rcpt).code == 250
        client.quit()
        assert mailer.commands[-3:] == [mail.encode(), rcpt.encode(), b"QUIT"]


def test_auth_continuations_are_no_commands(w):
    for suite in (None, xcrypt.CHACHA):
        for answer in (b"QUIT", b"XCRYPT OK", b"STARTTLS", b"*", b"", b"DATA", b"A" * 12286):
            mailer = w.mailer(keywords=ALL)
            client = w.session(w.daemon(backend=mailer), suite)
            assert client.command("AUTH LOGIN").code == 334
            assert client.command(answer).text == b"235 2.7.0 Welcome", answer[:20]
            client.message(b"x\r\n.\r\n")
            client.quit()
            assert mailer.commands.count(answer) >= 1


def test_auth_in_several_steps(w):
    """One continuation after another, then a refusal, then commands again."""
    def auth(session, line):
        for i in range(3):
            session.conn.send(b"334 %d\r\n" % i)
            session.commands.append(session.conn.line())
        return b"535 5.7.8 no"
    mailer = w.mailer(keywords=ALL, answers={"AUTH": auth})
    client = w.session(w.daemon(backend=mailer), xcrypt.CHACHA)
    assert client.command("AUTH LOGIN").text == b"334 0"
    assert client.command("QUIT").text == b"334 1"
    assert client.command("STARTTLS").text == b"334 2"
    assert client.command("RSET").text == b"535 5.7.8 no"
    assert client.command("STARTTLS").code == 503
    client.quit()
    assert mailer.commands[-5:] == [b"AUTH LOGIN", b"QUIT", b"STARTTLS", b"RSET", b"QUIT"]


def test_auth_with_everything_in_one_line(w):
    long = b"AUTH PLAIN " + b"A" * (12288 - 2 - 11)
    mailer = w.mailer(keywords=ALL, answers={"AUTH": b"235 2.7.0 Welcome"})
    client = w.session(w.daemon(backend=mailer), xcrypt.AES)
    assert client.command(long).code == 235
    client.quit()
    assert mailer.commands[-2] == long


def test_starttls_in_the_clear_is_a_pipe(w):
    """Behind its 220, octets go both ways as they are."""
    octets = bytes(range(256)) * 500 + b"\r\nXCRYPT OK\r\nEHLO x\r\n"
    for program in (False, True):
        mailer = w.mailer(keywords=(b"STARTTLS",))
        if program:
            client = w.pipe(mailer)
        else:
            client = w.call(w.daemon(backend=mailer))
        client.greet()
        client.ehlo()
        assert b"STARTTLS" in client.ehlo_reply.keywords()
        assert client.command("STARTTLS").code == 220
        client.send(octets)
        assert client.exactly(len(octets)) == octets
        client.close()


def test_unknown_commands(w):
    """One line, one reply: both pass."""
    for suite in (None, xcrypt.CHACHA):
        mailer = w.mailer(answers={"ETRN": b"250-2.0.0 a\r\n250 b", "XFOO": b"299 done"})
        client = w.session(w.daemon(backend=mailer), suite)
        assert client.command("ETRN b.example").lines == [b"250-2.0.0 a", b"250 b"]
        assert client.command("XFOO bar").text == b"299 done"
        client.quit()


def test_several_lines_of_reply(w):
    many = b"\r\n".join(b"214-line %d" % i for i in range(500)) + b"\r\n214 end"
    for suite in (None, xcrypt.CHACHA):
        client = w.session(w.daemon(backend=w.mailer(answers={"HELP": many})), suite)
        assert client.command("HELP").text == many.replace(b"\r\n", b"\n")
        client.quit()
