# Claim: no state survives; inside, the EHLO reply comes first (statements 3 and 4)
from kit import xcrypt

CHATTY = (b"SIZE 10240000", b"STARTTLS", b"8BITMIME", b"starttls", b"XCRYPT rotn_0.1",
          b"XCRYPT-ID x 1 y",
          b"xcrypt-next z", b"HELP")


def test_mailer_hears_a_fresh_ehlo(w):
    mailer = w.mailer()
    client = w.session(w.daemon(backend=mailer), xcrypt.CHACHA)
    client.quit()
    session = mailer.session()
    assert session.commands == [b"EHLO mail.a.example"] * 2 + [b"QUIT"], session.commands


def test_other_names_inside(w):
    mailer = w.mailer()
    client = w.call(w.daemon(backend=mailer))
    client.greet()
    client.ehlo("clear.example")
    client.xcrypt()
    assert mailer.sessions[0].commands == [b"EHLO clear.example"] * 2
    client.ehlo("inside.example")
    client.message(b"Subject: x\r\n\r\nx\r\n.\r\n")
    client.quit()
    trace = mailer.messages[0].data.split(b"\r\n")[0]
    assert b"inside.example" in trace and b"clear.example" not in trace, trace


def test_our_line_instead_of_the_mailers(w):
    client = w.session(w.daemon(backend=w.mailer(keywords=CHATTY)))
    words = client.ehlo_reply.keywords()
    assert client.offered() == [xcrypt.CHACHA, xcrypt.AES]
    assert [k for k in words if k.lower().startswith(b"xcrypt")] == [client.offer], words
    kept = [k for k in CHATTY if not k.lower().startswith(b"xcrypt")]
    assert [k for k in words if not k.startswith(b"XCRYPT")] == kept, words
    assert client.ehlo_reply.lines[0] == b"250-mailer.example"


def test_inside_neither_xcrypt_nor_starttls(w):
    mailer = w.mailer(keywords=CHATTY)
    client = w.session(w.daemon(backend=mailer), xcrypt.AES)
    words = [k.upper() for k in client.ehlo_reply.keywords()]
    assert words == [b"SIZE 10238976", b"8BITMIME", b"HELP"], words
    for line in (client.start(), b"XCRYPT OK", b"xcrypt", b"XCRYPT FAIL"):
        reply = client.command(line)
        assert reply.text.startswith(b"503 5.5.1 XCRYPT FAIL"), reply
    for line in (b"STARTTLS", b"starttls"):
        assert client.command(line).code == 503
    client.message(b"x\r\n.\r\n")
    client.quit()
    assert not [c for c in mailer.commands if b"STARTTLS" in c.upper() or b"XCRYPT" in c.upper()]


def test_the_reply_to_ehlo_is_pushed(w):
    """The EHLO reply is the first thing inside, unasked, and the client may send MAIL at once."""
    mailer = w.mailer(keywords=CHATTY)
    client = w.session(w.daemon(backend=mailer))
    assert client.ask().code == 250
    client.switch()
    pushed = client.reply()
    assert pushed.lines[0] == b"250-mailer.example" and b"8BITMIME" in pushed.keywords(), pushed
    assert not client.readable(0.2), "more than that"
    client.message(b"x\r\n.\r\n")
    client.quit()
    session = mailer.session()
    assert session.commands[:2] == [b"EHLO mail.a.example"] * 2, session.commands
    assert session.commands[2] == b"MAIL FROM:<alice@a.example>", session.commands
    assert not session.grouped
    trace = mailer.messages[0].data.split(b"\r\n")[0]
    assert b"mail.a.example" in trace, trace


def test_ehlo_inside_is_one_like_any_other(w):
    """EHLO and HELO may be repeated, also between transactions."""
    mailer = w.mailer()
    client = w.session(w.daemon(backend=mailer), xcrypt.AES)
    pushed = client.ehlo_reply.lines
    assert client.ehlo().lines == pushed
    client.message(b"x\r\n.\r\n")
    assert client.ehlo("again.example").lines == pushed
    assert client.command("HELO mail.a.example").code == 250
    client.message(b"x\r\n.\r\n")
    client.quit()
    assert len(mailer.messages) == 2


def test_old_client_may_say_mail_at_once(w):
    """The backend gets EHLO again first, and nothing is grouped after it."""
    for suite in (xcrypt.ARSYFOR, xcrypt.ROTN):
        mailer = w.mailer()
        client = w.session(w.daemon({"suites": suite}, backend=mailer))
        client.xcrypt(suite)
        client.message(b"x\r\n.\r\n")
        client.quit()
        session = mailer.session()
        assert session.commands[:2] == [b"EHLO mail.a.example"] * 2, session.commands
        assert session.commands[2] == b"MAIL FROM:<alice@a.example>", session.commands
        assert not session.grouped


def test_blackpony_takes_the_pushed_reply(w):
    """The pushed reply also answers sendmail's EHLO, without a round trip."""
    mailer = w.mailer(xcrypt=[xcrypt.CHACHA], keywords=(b"PIPELINING", b"STARTTLS",
                                                        b"XCRYPT-ID a 1 b"))
    pipe = w.pipe(mailer)
    pipe.greet()
    reply = pipe.command("EHLO mail.a.example")
    assert reply.code == 250
    words = [k.split(b" ")[0].upper() for k in reply.keywords()]
    assert b"XCRYPT" not in words and b"STARTTLS" not in words and b"PIPELINING" in words, words
    pipe.message(b"x\r\n.\r\n")
    pipe.command("QUIT")
    pipe.wait()
    session = mailer.session()
    assert [c.split(b" ")[0] for c in session.clear] == [b"EHLO", b"XCRYPT"]
    assert session.clear[0] == b"EHLO mail.a.example"
    assert session.inside[0] in (b"EHLO mail.a.example", b"MAIL FROM:<alice@a.example>"), session.inside
    assert session.messages[0].encrypted == xcrypt.CHACHA


def test_an_offer_inside_is_ignored(w):
    """A server that still offers XCRYPT inside is not answered, and the local MTA does not see the offer."""
    def words(session, line):
        return b"250-mailer.example\r\n250-XCRYPT-ID a 1 b\r\n250-starttls\r\n250 " + session.offer
    for operands in (["bob@b.example"], None):
        mailer = w.mailer(xcrypt=[xcrypt.CHACHA, xcrypt.AES], answers={"EHLO": words})
        if operands:
            result = w.send(mailer, operands)
            assert result.status == 0, result
        else:
            pipe = w.pipe(mailer)
            pipe.greet()
            assert pipe.ehlo().keywords() == []
            pipe.message(b"x\r\n.\r\n")
            pipe.command("QUIT")
            pipe.wait()
        session = mailer.session()
        assert session.messages[0].encrypted == xcrypt.CHACHA
        assert not [c for c in session.inside if c.startswith(b"XCRYPT")], session.inside


def test_second_reply_is_the_one_that_counts(w):
    """The offers of the reply in the clear are not used inside."""
    def words(session, line):
        if session.suite:
            return b"250 mailer.example"
        return b"250-mailer.example\r\n250-8BITMIME\r\n250-SIZE 99\r\n250 " + session.offer
    mailer = w.mailer(xcrypt=[xcrypt.CHACHA], answers={"EHLO": words})
    result = w.send(mailer, ["bob@b.example"], "Subject: ä\n\nx\n".encode())
    assert result.status == 0, result
    mail = [c for c in mailer.commands if c.startswith(b"MAIL")]
    assert mail == [b"MAIL FROM:<alice@a.example>"], mail
