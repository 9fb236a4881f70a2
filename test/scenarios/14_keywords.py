# Claim: every keyword passed on in the reply to EHLO can be carried, and inside no other is passed on (statements 14 and 34)
from kit import xcrypt

ALL = (b"PIPELINING", b"SIZE 10240000", b"8BITMIME", b"SMTPUTF8", b"DSN", b"ENHANCEDSTATUSCODES",
       b"CHUNKING", b"BINARYMIME", b"AUTH LOGIN PLAIN", b"AUTH=LOGIN", b"VRFY", b"ETRN", b"HELP",
       b"DELIVERBY", b"LIMITS RCPTMAX=20")


OTHERS = (b"PRDR", b"AUTH GSSAPI DIGEST-MD5", b"ATRN", b"XFOO", b"PIPECONNECT", b"STARTTLS", b"XCLIENT ADDR", b"VERB")
TRACE = 1024


def keywords(w, offered, suite, mark="yes"):
    """The keywords that a client sees, in the clear or inside, without our own line."""
    client = w.session(w.daemon({"mark": mark}, backend=w.mailer(keywords=offered)), suite)
    words = client.ehlo_reply.keywords()
    client.quit()
    return [k for k in words if not k.startswith(b"XCRYPT")]


def test_all_of_them_pass(w):
    assert keywords(w, ALL, None) == list(ALL)
    assert keywords(w, ALL, xcrypt.CHACHA, mark="no") == list(ALL)


def test_others_do_not_inside(w):
    assert keywords(w, OTHERS + ALL, None) == list(OTHERS + ALL)
    assert keywords(w, OTHERS + ALL + OTHERS, xcrypt.CHACHA, mark="no") == list(ALL)


def test_auth_without_a_security_layer(w):
    """A mechanism with a security layer is not offered, and is refused if a client tries it."""
    offered = (b"AUTH DIGEST-MD5 CRAM-MD5 GSSAPI PLAIN EXTERNAL", b"AUTH=DIGEST-MD5 LOGIN")
    assert keywords(w, offered, xcrypt.CHACHA) == [b"AUTH CRAM-MD5 PLAIN", b"AUTH=LOGIN"]
    mailer = w.mailer(keywords=offered)
    client = w.session(w.daemon(backend=mailer), xcrypt.CHACHA)
    for mechanism in "DIGEST-MD5", "gssapi", "EXTERNAL =":
        assert client.command("AUTH " + mechanism).code == 504
    assert client.command("AUTH CRAM-MD5").code == 334
    assert client.command("x").code == 235
    client.quit()
    assert not [c for c in mailer.commands if b"GSSAPI" in c.upper() or b"DIGEST" in c or b"EXTERNAL" in c]


def test_size_leaves_room_for_the_trace_line(w):
    """A backend with a SIZE limit accepts a message of the size that the client was offered."""
    limit = 3000
    for offered, inside in (b"SIZE %d" % limit, b"SIZE %d" % (limit - TRACE)), (b"SIZE 0", b"SIZE 0"), (b"SIZE", b"SIZE"):
        assert keywords(w, (offered,), xcrypt.CHACHA) == [inside]
    mailer = w.mailer(keywords=(b"SIZE %d" % limit, b"CHUNKING"))
    client = w.session(w.daemon(backend=mailer), xcrypt.CHACHA)
    room = limit - TRACE
    message = b"Subject: x\r\n\r\n" + b"x" * (room - 16) + b"\r\n"
    assert len(message) == room
    assert client.command("MAIL FROM:<a@a.example> SIZE=%d" % room).code == 250
    assert client.command("RCPT TO:<b@b.example>").code == 250
    assert client.command("DATA").code == 354
    client.send(message + b".\r\n")
    assert client.reply().code == 250
    client.quit()
    taken = mailer.messages[0]
    assert taken.sender == b"MAIL FROM:<a@a.example> SIZE=%d" % limit
    assert room < len(taken.data) <= limit, len(taken.data)


def test_parameters(w):
    for suite in (None, xcrypt.CHACHA):
        mailer = w.mailer(keywords=ALL)
        client = w.session(w.daemon(backend=mailer), suite)
        mail = "MAIL FROM:<älice@a.example> SIZE=10 BODY=8BITMIME RET=HDRS SMTPUTF8 BY=120;N"
        rcpt = "RCPT TO:<bob@b.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;bob@b.example"
        assert client.command(mail.encode()).code == 250
        assert client.command(rcpt).code == 250
        client.quit()
        if suite:       # with our trace line added
            mail = mail.replace("SIZE=10", "SIZE=%d" % (10 + TRACE))
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
    """Several continuations, then a refusal, then commands again."""
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
    """After the 220, octets pass both ways unchanged."""
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
    """One line and one reply: both are passed on."""
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
