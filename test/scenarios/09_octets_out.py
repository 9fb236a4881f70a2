# Claim: blackpony sends every message unchanged, whatever it contains (statements 8, 9 and 32)
from kit import text, xcrypt
from kit.middle import TlsMiddle


def each_kind(w):
    """Servers with and without XCRYPT."""
    return w.mailer(), w.mailer(xcrypt=[xcrypt.CHACHA]), w.mailer(xcrypt=[xcrypt.AES])


def pipes(w, mailer, messages):
    pipe = w.pipe(mailer)
    pipe.greet()
    pipe.ehlo()
    for message in messages:
        pipe.message(message + text.DOT)
    assert pipe.command("QUIT").code == 221
    assert pipe.wait().status == 0
    assert [m.data for m in mailer.messages] == [m + b"\r\n" for m in messages]


def test_smtp_on_pipes(w):
    for mailer in each_kind(w):
        pipes(w, mailer, text.sequences() + list(text.HARD.values()))


def test_lookalikes_on_pipes(w):
    for mailer in each_kind(w):
        pipes(w, mailer, [text.LOOKALIKES])
        assert not [c for c in mailer.commands if b"njected" in c or c == b"STARTTLS"]


def test_chunks_on_pipes(w):
    mailer = w.mailer(xcrypt=[xcrypt.CHACHA], keywords=(b"CHUNKING", b"BINARYMIME"))
    pipe = w.pipe(mailer)
    pipe.greet()
    pipe.ehlo()
    octets = bytes(range(256)) * 200 + b"\r\n.\r\nQUIT\r\nno newline"
    for line in ("MAIL FROM:<alice@a.example>", "RCPT TO:<bob@b.example>"):
        assert pipe.command(line).code == 250
    pipe.send(b"BDAT %d\r\n" % len(octets) + octets)
    assert pipe.reply().code == 250
    pipe.send(b"BDAT 0 LAST\r\n")
    assert pipe.reply().code == 250
    pipe.command("QUIT")
    pipe.wait()
    assert mailer.messages[0].data == octets


def arguments(w, mailer, message):
    result = w.send(mailer, ["bob@b.example"], message)
    assert result.status == 0, result
    return mailer.finished()[-1].messages[0].data


def test_arguments(w):
    """Lines may end in LF or CRLF; leading dots are doubled; nothing else changes."""
    for mailer in (w.mailer(), w.mailer(xcrypt=[xcrypt.CHACHA])):
        for message in text.sequences() + [text.LOOKALIKES] + [
                b"Subject: x\n\nx\n", b"Subject: x\r\n\r\nx\r\n", b"Subject: x\n\r\n.\r\n..\n",
                b"no newline",
                b".", b"\n", b"", b"a\r\r\n.\r\n", text.HARD["nuls"], text.HARD["every octet"]]:
            expected = text.with_dots(message)
            found = arguments(w, mailer, message)
            assert found == expected, (message[-80:], found[-80:], expected[-80:])


def test_arguments_long(w):
    mailer = w.mailer(xcrypt=[xcrypt.AES])
    for message in (text.HARD["a megabyte"], text.HARD["long dots"], b".line\n" * 300000):
        assert arguments(w, mailer, message) == text.with_dots(message)


def test_lookalikes_at_the_server(w):
    for suite in (None, xcrypt.CHACHA):
        mailer = w.mailer()
        client = w.session(w.daemon(backend=mailer), suite)
        client.message(text.LOOKALIKES + b".\r\n")
        client.message(text.LOOKALIKES + b".\r\n")
        client.quit()
        assert [m.body() for m in mailer.messages] == [text.LOOKALIKES] * 2
        assert not [c for c in mailer.commands if b"njected" in c or c == b"STARTTLS"]


def test_a_message_that_fills_a_buffer_at_its_end(w):
    """In the clear, with each kind of cipher, and by STARTTLS."""
    message = (b"x" * 76 + b"\n") * 1266
    expected = text.with_dots(message)
    every = [xcrypt.CHACHA, xcrypt.AES] + w.historic() + [xcrypt.ROTN]
    settings = {"suites": " ".join(every), "data-timeout": "10s"}
    for suites in [[]] + [[suite] for suite in every]:
        mailer = w.mailer(xcrypt=suites)
        result = w.send(mailer, ["bob@b.example"], message, settings=settings)
        assert result.status == 0, (suites, result)
        assert mailer.finished()[-1].messages[0].data == expected
    mailer = w.mailer()
    result = w.send(w.keep(TlsMiddle(mailer.port, w.folder)), ["bob@b.example"], message, settings=settings)
    assert result.status == 0, result
    assert mailer.finished()[-1].messages[0].data == expected
