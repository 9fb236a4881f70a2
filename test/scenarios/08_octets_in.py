# Claim: the octets of a message reach the backend unchanged, in the clear and inside (statement 8)
from kit import text, xcrypt

SUITES = (None, xcrypt.CHACHA, xcrypt.AES)


def carries(w, messages, suite, keywords=None, settings=None):
    how = {"keywords": keywords} if keywords else {}
    mailer = w.mailer(**how)
    client = w.session(w.daemon(settings, backend=mailer), suite)
    for message in messages:
        client.message(message + text.DOT)
    client.quit()
    found = [m.body() if suite else m.data for m in mailer.messages]
    assert len(found) == len(messages)
    for message, arrived in zip(messages, found):
        assert arrived == message + b"\r\n", (suite, message[:80], arrived[:80])


def test_the_ten_sequences(w):
    for suite in SUITES:
        carries(w, text.sequences(), suite)


def test_the_ten_at_the_start(w):
    for suite in SUITES:
        carries(w, [s + b"behind" for s in text.SEQUENCES], suite)


def test_the_ten_right_before_the_end(w):
    """`\\r\\n.\\r` and the like, followed by the true end."""
    for suite in SUITES:
        carries(w, [b"x" + s for s in text.SEQUENCES if not s.endswith((b"\r\n.", b"\r"))], suite)


def test_hard_octets(w):
    for suite in SUITES:
        carries(w, list(text.HARD.values()), suite)


def test_the_old_generations(w):
    carries(w, text.sequences() + [text.HARD["every octet"]], xcrypt.ARSYFOR,
            settings={"suites": xcrypt.ARSYFOR})
    carries(w, text.sequences() + [text.HARD["every octet"]], xcrypt.ROTN,
            settings={"suites": xcrypt.ROTN})


def test_empty_message(w):
    for suite in SUITES:
        mailer = w.mailer()
        client = w.session(w.daemon(backend=mailer), suite)
        client.message(b".\r\n")
        client.quit()
        assert mailer.messages[0].body() == b""


def test_every_cut_of_an_end(w):
    """The end of a message cut at every place, after two sequences that do not end it."""
    mailer = w.mailer()
    client = w.session(w.daemon(backend=mailer), xcrypt.CHACHA)
    data = b"a\n.\r\nb\r\n.\rc\r\n..\r\n" + text.DOT
    for cut in range(1, len(data)):
        for line in ("MAIL FROM:<alice@a.example>", "RCPT TO:<bob@b.example>", "DATA"):
            assert client.command(line).code in (250, 354)
        client.send(data[:cut])
        client.send(data[cut:])
        assert client.reply().code == 250
    client.quit()
    for message in mailer.messages:
        assert message.body() == data[:-3]


def test_trace_line(w):
    mailer = w.mailer()
    client = w.session(w.daemon(backend=mailer), xcrypt.CHACHA)
    client.message(b"Subject: x\r\n\r\nx\r\n.\r\n")
    client.quit()
    data = mailer.messages[0].data
    lines = data[:len(data) - len(mailer.messages[0].body())].split(b"\r\n")
    assert lines[0] == b"Received: from mail.a.example ([127.0.0.1]) by mx.b.example", lines
    assert lines[1].strip().startswith(b"with ESMTP (XCRYPT chacha20poly1305_2.0); "), lines
    assert lines[1][:1] in b" \t" and lines[2:] == [b""]


def test_no_trace_line(w):
    """There is none in the clear, nor with mark = no."""
    for settings, suite in (({}, None), ({"mark": "no"}, xcrypt.CHACHA)):
        mailer = w.mailer()
        client = w.session(w.daemon(settings, backend=mailer), suite)
        client.message(b"x\r\n.\r\n")
        client.quit()
        assert mailer.messages[0].data == b"x\r\n"
