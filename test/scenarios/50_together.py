# Claim: with both programs mail is encrypted, unchanged, logged in one line at each end, and has the trace line (statements 3, 8 and 9)
from kit import text, xcrypt


def chain(w, suite=xcrypt.CHACHA):
    settings = {"suites": suite}
    mailer = w.mailer(keywords=(b"PIPELINING", b"8BITMIME", b"CHUNKING", b"SIZE 90000000",
                                b"STARTTLS"))
    server = w.daemon(settings, backend=mailer)
    return mailer, server, w.wiretap(server.port), settings


def test_each_suite(w):
    for suite in (xcrypt.CHACHA, xcrypt.AES, xcrypt.ARSYFOR, xcrypt.ROTN):
        mailer, server, tap, settings = chain(w, suite)
        result = w.send(tap, ["bob@b.example"], b"Subject: x\n\nwords\n", settings=settings)
        assert result.status == 0, result
        behind = server.finish()
        for entries in (result.entries, behind.entries):
            assert len(entries) == 1 and entries[0]["crypt"] == suite, (result, behind)
            assert entries[0]["cache"] in ("hit", "miss", "off")
        message = mailer.messages[0]
        assert message.body() == b"Subject: x\r\n\r\nwords\r\n"
        trace = b"Received: from mail.a.example ([127.0.0.1]) by mx.b.example\r\n"
        assert message.data.startswith(trace), message.data
        assert b"(XCRYPT %s)" % suite.encode() in message.data


def test_octet_for_octet_on_pipes(w):
    for suite in (xcrypt.CHACHA, xcrypt.AES, xcrypt.ARSYFOR):
        mailer, _, tap, settings = chain(w, suite)
        pipe = w.pipe(tap, settings)
        pipe.greet()
        pipe.ehlo()
        messages = text.sequences() + [text.LOOKALIKES, text.HARD["nuls"], text.HARD["every octet"]]
        for message in messages:
            pipe.message(message + text.DOT)
        assert pipe.command("QUIT").code == 221
        pipe.wait()
        assert [m.body() for m in mailer.messages] == [m + b"\r\n" for m in messages]


def test_octet_for_octet_with_arguments(w):
    mailer, _, tap, settings = chain(w)
    messages = text.sequences() + [text.LOOKALIKES] + list(text.HARD.values())
    for message in messages:
        result = w.send(tap, ["bob@b.example"], message, settings=settings)
        assert result.status == 0, result
    assert [m.body() for m in mailer.messages] == [text.with_dots(m) for m in messages]


def test_mailers_keywords_reach_the_mailer(w):
    """sendmail behind blackpony sees what the backend behind blackponyd offers, without STARTTLS."""
    _, _, tap, settings = chain(w)
    pipe = w.pipe(tap, settings)
    pipe.greet()
    assert pipe.ehlo().keywords() == [b"PIPELINING", b"8BITMIME", b"CHUNKING", b"SIZE 89998976"]
    pipe.command("QUIT")
    pipe.wait()


def test_chunks(w):
    mailer, _, tap, settings = chain(w)
    pipe = w.pipe(tap, settings)
    pipe.greet()
    pipe.ehlo()
    octets = bytes(range(256)) * 1000
    for line in ("MAIL FROM:<alice@a.example>", "RCPT TO:<bob@b.example>"):
        assert pipe.command(line).code == 250
    for part in (octets, b".\r\n", octets):
        pipe.send(b"BDAT %d\r\n" % len(part) + part)
    pipe.send(b"BDAT 0 LAST\r\n")
    assert [pipe.reply().code for _ in range(4)] == [250] * 4
    pipe.command("QUIT")
    pipe.wait()
    assert mailer.messages[0].body() == octets + b".\r\n" + octets


def test_both_must(w):
    mailer = w.mailer()
    server = w.daemon({"policy": "must"}, backend=mailer)
    result = w.send(server, ["bob@b.example"], settings={"policy": "must"})
    assert result.status == 0, result
    assert len(mailer.messages) == 1


def test_log_says_how_much(w):
    mailer, server, tap, settings = chain(w)
    result = w.send(tap, ["bob@b.example"], b"x\n" * 5000, settings=settings)
    behind = server.finish()
    for log in (result, behind):
        numbers = [int(v) for v in log.entries[0].values() if v.isdigit()]
        assert any(n >= 10000 for n in numbers), log.entries
    assert "127.0.0.1" in behind.log and "127.0.0.1" in result.log
    assert "words" not in behind.log


def test_no_message_and_no_key_in_the_log(w):
    """-v shows only the dialogue in the clear."""
    mailer = w.mailer()
    server = w.daemon(backend=mailer)
    for settings in ({}, {"policy": "never"}):
        result = w.send(server, ["bob@b.example"], b"Subject: merger\n\nplan\n", settings=settings)
        assert result.status == 0
    logs = result.log + server.finish(0).log + server.finish(1).log
    for word in ("merger", "plan\n"):
        assert word not in logs, logs


def test_a_clear_client_and_a_clear_server(w):
    mailer = w.mailer()
    server = w.daemon(backend=mailer)
    result = w.send(server, ["bob@b.example"], settings={"policy": "never"})
    assert result.status == 0 and result.entries[0]["crypt"] == "none", result
    entry = server.finish().entries[0]
    assert entry["crypt"] == "none" and entry.get("why"), entry


def test_many_at_once(w):
    """All share one cache."""
    mailer = w.mailer()
    server = w.daemon(backend=mailer)
    pipes = [w.pipe(server) for _ in range(12)]
    for pipe in pipes:
        pipe.greet()
    for pipe in pipes:
        pipe.ehlo()
    for i, pipe in enumerate(pipes):
        pipe.message(b"Subject: %d\r\n\r\nx\r\n.\r\n" % i)
    for pipe in pipes:
        assert pipe.command("QUIT").code == 221
        pipe.wait()
    assert len(mailer.messages) == 12 and all(m.data.startswith(b"Received: ")
                                              for m in mailer.messages)
