# Claim: only a single, exact 250 XCRYPT line switches to encryption, and only exact commands are accepted (statement 6)
from kit import xcrypt

KEY = xcrypt.Pair20().public.hex().encode()
NONCE = b"5a" * 32
NO_ANSWER = [
    b"354 XCRYPT " + KEY + b" " + NONCE, b"220 XCRYPT " + KEY + b" " + NONCE,
    b"251 XCRYPT " + KEY + b" " + NONCE, b"250 2.0.0 Ok", b"250 XCRYPT", b"250 XCRYPT ",
    b"250 XCRYPT OK", b"250 XCRYPT " + KEY, b"250 XCRYPT " + KEY + b" ",
    b"250 XCRYPT " + KEY + b"  " + NONCE, b"250  XCRYPT " + KEY + b" " + NONCE,
    b"250 XCRYPT " + KEY + b" " + NONCE + b" ", b"250 XCRYPT " + KEY + b" " + NONCE + b" x",
    b"250 XCRYPT " + KEY[:-1] + b" " + NONCE, b"250 XCRYPT " + KEY + b"0 " + NONCE,
    b"250 XCRYPT " + KEY + b" " + NONCE[:-1], b"250 XCRYPT " + KEY + b" " + NONCE + b"0",
    b"250 XCRYPT " + KEY[:-1] + b"g " + NONCE, b"250 XCRYPT " + KEY + b" " + NONCE[:-1] + b"\0",
    b"250 XCRYPT " + KEY + b" " + NONCE + b"\0", b"250 XCRYPT\0" + KEY + b" " + NONCE,
    b"250 XCRYPT " + KEY + b" " + NONCE[:-1] + b"\xe9", b"250 XCRYPT " + KEY + b"\t" + NONCE,
    b"250-XCRYPT " + KEY + b" " + NONCE + b"\r\n250 XCRYPT " + KEY + b" " + NONCE,
    b"250-hello\r\n250 XCRYPT " + KEY + b" " + NONCE,
    b"250 XCRYPT " + KEY + b" " + NONCE + b" " * 500, b"250 XCRYPT " + b"0" * 600,
    b"2500 XCRYPT x y",
    b"", b"XCRYPT " + KEY + b" " + NONCE,
]


def test_no_answer_to_a_choice(w):
    """The client never sends OK, whatever else it does; under `must` the message waits."""
    for policy, status in (("must", 75), ("may", 0)):
        for answer in NO_ANSWER:
            mailer = w.mailer(xcrypt=[xcrypt.CHACHA], answers={"XCRYPT": answer})
            result = w.send(mailer, ["bob@b.example"], settings={"policy": policy})
            assert not [c for c in mailer.commands if c.startswith(b"XCRYPT OK")], answer
            assert result.status == status, (answer, result)
            assert len(mailer.messages) == (status == 0), answer
            mailer.close()


NO_OK = [
    b"250 XCRYPT OK", b"250 XCRYPT OK ", b"250 2.0.0 Ok", b"354 XCRYPT OK", b"220 XCRYPT OK",
    b"250 XCRYPT OK " + b"0" * 32, b"250 XCRYPT OK " + b"0" * 31, b"503 5.5.1 XCRYPT FAIL",
    b"454 4.7.0 XCRYPT FAIL", b"500 what", b"421 bye", b"250 XCRYPT FAIL", b"",
]


def good(session):
    return session.hs.ok(server=True)


def nearly(change):
    return lambda session, line: change(good(session))


NEARLY_OK = [nearly(change) for change in (
    lambda ok: ok + b" ", lambda ok: ok + b"\0", lambda ok: ok[:-1], lambda ok: ok + b"0",
    lambda ok: ok.replace(b"250 ", b"251 "), lambda ok: ok.replace(b"OK ", b"OK  "),
    lambda ok: b"250-hello\r\n" + ok, lambda ok: ok.replace(b"250 ", b"250-") + b"\r\n" + ok,
    lambda ok: ok[:-1] + (b"1" if ok[-1:] == b"0" else b"0"), lambda ok: ok + b" " * 500)]


def test_no_ok(w):
    """In 2.0 any reply but the right one is a sign of tampering: the message waits."""
    for answer in NO_OK + NEARLY_OK:
        mailer = w.mailer(xcrypt=[xcrypt.CHACHA], answers={"XCRYPT OK": answer})
        result = w.send(mailer, ["bob@b.example"])
        assert result.status == 75, (answer, result)
        assert len(mailer.sessions) == 1 and not mailer.messages
        session = mailer.session()
        assert [c.split(b" ")[0] for c in session.commands][:3] == [b"EHLO", b"XCRYPT", b"XCRYPT"]
        assert len(session.conn.octets_in) < 500, "went on behind a wrong confirmation"
        mailer.close()


BAD_CHOICES = [
    b"%s", b"%s ", b"%s " + KEY, b"%s " + KEY + b" ", b"%s  " + KEY + b" " + NONCE,
    b"%s " + KEY + b"  " + NONCE, b"%s " + KEY + b" " + NONCE + b" ",
    b"%s " + KEY + b" " + NONCE + b" x",
    b"%s " + KEY[:-1] + b" " + NONCE, b"%s " + KEY + b"0 " + NONCE,
    b"%s " + KEY + b" " + NONCE[:-1],
    b"%s " + KEY + b" " + NONCE + b"0", b"%s " + KEY[:-1] + b"g " + NONCE,
    b"%s " + KEY[:-1] + b"\0 " + NONCE, b"%s " + KEY + b" " + NONCE + b"\0",
    b"%s " + KEY[:-1] + b"\xe9 " + NONCE, b"%s\t" + KEY + b" " + NONCE, b"%s 0 7",
    b"%s " + b"0" * 600,
]


def test_server_takes_exact_choices_only(w):
    mailer = w.mailer()
    server = w.daemon(backend=mailer)
    for choice in BAD_CHOICES:
        client = w.session(server)
        reply = client.command(b"XCRYPT " + choice.replace(b"%s", xcrypt.CHACHA.encode()))
        assert reply.code in (500, 501, 504), (choice, reply)
        if reply.code != 500:
            assert b"XCRYPT FAIL" in reply.text
        client.message(b"x\r\n.\r\n")
        client.quit()
    assert not [c for c in mailer.commands if b"XCRYPT" in c.upper()]
    assert len(mailer.messages) == len(BAD_CHOICES)


def test_suite_names_as_they_are(w):
    server = w.daemon(backend=w.mailer())
    for name in (b"CHACHA20POLY1305_2.0", b"chacha20poly1305", b"chacha20poly1305_2",
                 b"chacha20poly1305_2.00",
                 b"rotn_0.1", b"arsyfor_1.0", b"_", b"x" * 200):
        client = w.session(server)
        reply = client.command(b"XCRYPT " + name + b" " + KEY + b" " + NONCE)
        assert reply.text.startswith(b"504 5.5.4 XCRYPT FAIL"), (name, reply)
        client.close()


def test_wrong_confirmations_at_the_server(w):
    """The server answers 454 and closes; the connection is not used any more."""
    mailer = w.mailer()
    server = w.daemon(backend=mailer)
    for change in (lambda ok: b"XCRYPT OK", lambda ok: ok + b" ", lambda ok: ok + b"0",
                   lambda ok: ok[:-1],
                   lambda ok: b"XCRYPT OK " + b"0" * 32,
                   lambda ok: ok.replace(b"OK ", b"OK  "),
                   lambda ok: ok[:-1] + (b"1" if ok[-1:] == b"0" else b"0")):
        client = w.session(server)
        assert client.ask().code == 250
        reply = client.command(change(client.hs.ok(server=False)))
        assert reply.text.startswith(b"454 4.7.0 XCRYPT FAIL"), reply
        assert client.rest() == b""
        client.close()
    assert not [c for c in mailer.commands if not c.startswith((b"EHLO", b"QUIT"))]


def test_ok_of_the_old_generations(w):
    """XCRYPT OK has nothing after it, not even a space."""
    for suite in (xcrypt.ARSYFOR, xcrypt.ROTN):
        server = w.daemon({"suites": suite}, backend=w.mailer())
        for ok in (b"XCRYPT OK ", b"XCRYPT OK x", b"XCRYPT OK  "):
            client = w.session(server)
            assert client.ask(suite).code == 250
            reply = client.command(ok)
            assert reply.text.startswith(b"454 4.7.0 XCRYPT FAIL"), (ok, reply)
            assert client.rest() == b""
        for ok in (b"250 XCRYPT OK ", b"250 XCRYPT OK x", b"251 XCRYPT OK",
                   b"250-XCRYPT OK\r\n250 XCRYPT OK"):
            mailer = w.mailer(xcrypt=[suite], answers={"XCRYPT OK": ok})
            result = w.send(mailer, ["bob@b.example"], settings={"suites": suite})
            assert result.status == 0 and len(mailer.sessions) == 2, (ok, result)
            assert mailer.messages[0].encrypted is None


def test_rotn_numbers(w):
    for fields, code in (("0 26", 501), ("0 07", 501), ("0 -1", 501), ("1 7", 501), ("0 7 7", 501),
                         ("00 7", 501), ("0 0", 250), ("0 25", 250)):
        client = w.session(w.daemon({"suites": xcrypt.ROTN}, backend=w.mailer()))
        reply = client.command("XCRYPT rotn_0.1 " + fields)
        assert reply.code == code or (code == 501 and reply.code == 454), (fields, reply)
        client.close()
