# Claim: BODY=8BITMIME, SIZE and SMTPUTF8 are used when offered and needed; without them 8-bit text is sent unchanged (statements 8 and 14)
from kit import xcrypt

PLAIN = b"Subject: x\n\nwords\n"
EIGHT = "Subject: x\n\nwörds\n".encode()
UTF8_HEADER = "Subject: ö\n\nx\n".encode()


def mail_line(w, keywords, message, recipients=("bob@b.example",), **how):
    """The MAIL command, in the clear and inside."""
    said = set()
    for offered in ((), (xcrypt.CHACHA,)):
        mailer = w.mailer(keywords=keywords, xcrypt=offered)
        result = w.send(mailer, list(recipients), message, **how)
        assert result.status == 0, result
        assert mailer.messages[0].data.replace(b"\r\n", b"\n") == message
        said.add(mailer.messages[0].sender)
    assert len(said) == 1, said
    return said.pop().split(b" ")[1:]


def test_eight_bits(w):
    assert b"BODY=8BITMIME" in mail_line(w, (b"8BITMIME",), EIGHT)
    assert b"BODY=8BITMIME" not in mail_line(w, (b"8BITMIME",), PLAIN)
    assert mail_line(w, (), EIGHT) == [b"FROM:<alice@a.example>"]


def test_size(w):
    words = mail_line(w, (b"SIZE 1000000",), PLAIN)
    sizes = [int(word[5:]) for word in words if word.startswith(b"SIZE=")]
    assert sizes and len(PLAIN) <= sizes[0] <= len(PLAIN) + 200, words
    assert not [word for word in mail_line(w, (b"8BITMIME",), PLAIN) if word.startswith(b"SIZE")]
    assert [word for word in mail_line(w, (b"SIZE",), PLAIN) if word.startswith(b"SIZE=")]
    assert [word for word in mail_line(w, (b"SIZE 0",), PLAIN) if word.startswith(b"SIZE=")]


def test_size_too_big(w):
    """The server refuses, or we do for it: the message is not delivered, and one line says why."""
    mailer = w.mailer(keywords=(b"SIZE 100",), answers={"MAIL": b"552 5.3.4 too big"})
    result = w.send(mailer, ["bob@b.example"], b"x\n" * 1000)
    assert result.status in (69, 75), result
    assert not mailer.messages


def test_smtputf8(w):
    for who in ({"recipients": ["bøb@b.example"]}, {"sender": "älice@a.example"}):
        words = mail_line(w, (b"8BITMIME", b"SMTPUTF8"), PLAIN, **who)
        assert b"SMTPUTF8" in words, words
    assert b"SMTPUTF8" not in mail_line(w, (b"8BITMIME", b"SMTPUTF8"), PLAIN)
    # a later host without SMTPUTF8 accepts such a header, but bounces a message that asks for SMTPUTF8
    for text in (UTF8_HEADER, UTF8_HEADER.decode().encode("latin-1"), b"From: \xc3\xb6@a.example\n\nx\n"):
        words = mail_line(w, (b"8BITMIME", b"SMTPUTF8"), text)
        assert b"SMTPUTF8" not in words and b"BODY=8BITMIME" in words, words


def test_domains_beyond_ascii(w):
    """Such domains are converted as for the DNS, and need no extension."""
    for keywords in ((b"8BITMIME", b"SMTPUTF8"), ()):
        mailer = w.mailer(keywords=keywords)
        result = w.send(mailer, ["bob@München.example", "bob@b.example"], sender="al@straße.example")
        assert result.status == 0, result
        message, = mailer.messages
        assert message.sender == b"MAIL FROM:<al@xn--strae-oqa.example>", message.sender
        assert message.recipients == [b"RCPT TO:<bob@xn--mnchen-3ya.example>", b"RCPT TO:<bob@b.example>"]
    mailer = w.mailer()
    result = w.send(mailer, [b"bob@m\xfcnchen.example"])
    assert result.status == 75 and b"has an invalid domain" in result.out and not mailer.sessions, result


def test_smtputf8_not_offered(w):
    """The server refuses, or we do before it can: nothing is half done."""
    mailer = w.mailer(keywords=(b"8BITMIME",), answers={"RCPT": b"553 5.6.7 no such characters"})
    result = w.send(mailer, ["bøb@b.example"])
    assert result.status in (67, 68, 69, 75) and not mailer.messages, result


def test_keywords_in_any_case(w):
    words = mail_line(w, (b"8bitmime", b"size 1000000", b"pipelining"), EIGHT)
    assert b"BODY=8BITMIME" in words and [x for x in words if x.startswith(b"SIZE=")], words


def test_words_that_only_look_like_keywords(w):
    words = mail_line(w, (b"X8BITMIME", b"SIZEABLE", b"8BITMIMER", b"SMTPUTF8X"), EIGHT)
    assert words == [b"FROM:<alice@a.example>"], words


def test_helo_only(w):
    """An old host refuses EHLO and accepts HELO; 8-bit text is sent unchanged."""
    for code in (b"500 what", b"502 no", b"550 no"):
        mailer = w.mailer(answers={"EHLO": code})
        result = w.send(mailer, ["bob@b.example"], EIGHT)
        assert result.status == 0, result
        assert mailer.messages[0].sender == b"MAIL FROM:<alice@a.example>"
        assert mailer.messages[0].data == EIGHT.replace(b"\n", b"\r\n")


def test_several_lines_of_greeting(w):
    greeting = b"220-mailer.example ESMTP\r\n220-XCRYPT rotn_0.1\r\n220 welcome"
    mailer = w.mailer(answers={"greeting": greeting})
    assert w.send(mailer, ["bob@b.example"]).status == 0
    assert len(mailer.messages) == 1


def test_bare_line_feeds_in_replies(w):
    """Old servers end their lines so; in the clear that is accepted."""
    mailer = w.mailer(answers={"MAIL": b"250-2.1.0 a\n250 2.1.0 ok"})
    assert w.send(mailer, ["bob@b.example"]).status == 0


def test_name_in_ehlo(w):
    mailer = w.mailer(xcrypt=[xcrypt.AES])
    assert w.send(mailer, ["bob@b.example"], settings={"hostname": "mail.c.example"}).status == 0
    assert [c for c in mailer.commands if c.startswith(b"EHLO")] == [b"EHLO mail.c.example"]
