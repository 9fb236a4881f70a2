# Claim: XCRYPT is offered and accepted once, in its place; after a failure the session continues in the clear (statement 4)
from kit import xcrypt


def delivers(client, mailer):
    """Delivers a message in the clear, on the same connection."""
    client.message(b"Subject: x\r\n\r\nx\r\n.\r\n")
    client.quit()
    assert [m.data for m in mailer.messages] == [b"Subject: x\r\n\r\nx\r\n"]


def starts(reply, text):
    assert len(reply.lines) == 1 and reply.text.startswith(text), reply


def test_before_ehlo(w):
    mailer = w.mailer()
    client = w.call(w.daemon(backend=mailer))
    client.greet()
    starts(client.ask(), b"503 5.5.1 XCRYPT FAIL")
    client.ehlo()
    delivers(client, mailer)


def test_after_helo(w):
    mailer = w.mailer()
    client = w.call(w.daemon(backend=mailer))
    client.greet()
    reply = client.command("HELO mail.a.example")
    assert reply.text == b"250 mailer.example"
    starts(client.ask(), b"503 5.5.1 XCRYPT FAIL")
    delivers(client, mailer)


def test_a_suite_that_was_not_offered(w):
    mailer = w.mailer()
    client = w.session(w.daemon({"suites": xcrypt.CHACHA}, backend=mailer))
    assert client.offered() == [xcrypt.CHACHA]
    starts(client.ask(xcrypt.AES), b"504 5.5.4 XCRYPT FAIL")
    assert client.ehlo() and client.offered() == []
    starts(client.ask(xcrypt.CHACHA), b"503 5.5.1 XCRYPT FAIL")
    delivers(client, mailer)


def test_malformed_without_a_suite_is_no_attempt(w):
    client = w.session(w.daemon(backend=w.mailer()))
    starts(client.command("XCRYPT"), b"501 5.5.4 XCRYPT FAIL")
    client.xcrypt()
    client.ehlo()
    client.quit()


def test_refused_key_is_an_attempt(w):
    mailer = w.mailer()
    client = w.session(w.daemon(backend=mailer))
    starts(client.ask(public=bytes(32)), b"454 4.7.0 XCRYPT FAIL")
    starts(client.ask(), b"503 5.5.1 XCRYPT FAIL")
    delivers(client, mailer)


def test_client_refuses_the_answer(w):
    mailer = w.mailer()
    client = w.session(w.daemon({"suites": xcrypt.ARSYFOR}, backend=mailer))
    assert client.ask(xcrypt.ARSYFOR).code == 250
    starts(client.command("XCRYPT FAIL"), b"250 XCRYPT FAIL")
    delivers(client, mailer)


def test_another_command_abandons_it(w):
    for line in ("NOOP", "RSET", "EHLO mail.a.example"):
        mailer = w.mailer()
        client = w.session(w.daemon({"suites": xcrypt.ARSYFOR}, backend=mailer))
        assert client.ask(xcrypt.ARSYFOR).code == 250
        assert client.command(line).code == 250
        starts(client.command(client.hs.ok(server=False)), b"503 5.5.1 XCRYPT FAIL")
        delivers(client, mailer)


def test_words_in_either_case(w):
    """Keywords and hex digits are case-insensitive; base64 in 2.0 is not."""
    client = w.session(w.daemon(backend=w.mailer()))
    words = client.start().split(b" ")
    client.hs.choice_line = b" ".join([b"xCrypt", words[1], words[2].upper(), words[3].upper(), words[4]])
    client.take_answer(client.command(client.hs.choice_line))
    client.confirm()
    client.quit()
    client = w.session(w.daemon({"suites": xcrypt.ARSYFOR}, backend=w.mailer()))
    head, suite, rest = client.start(xcrypt.ARSYFOR).split(b" ", 2)
    client.hs.choice_line = b" ".join((head.lower(), suite, rest.upper()))
    client.take_answer(client.command(client.hs.choice_line))
    client.send(b"Xcrypt Ok\r\n")
    client.take_ok()
    client.ehlo()
    client.quit()


def test_after_other_commands(w):
    """XCRYPT is accepted after these commands, and refused after any other command."""
    for line, good in (("NOOP", True), ("RSET", True), ("HELP", True), ("VRFY x", True), ("EXPN x", True), ("XCRYPT", True),
                       ("MAIL FROM:<alice@a.example>", False), ("AUTH PLAIN AGEAYg==", False), ("ETRN b.example", False)):
        mailer = w.mailer(answers={"AUTH": b"235 2.7.0 Welcome"})
        client = w.session(w.daemon(backend=mailer))
        client.command(line)
        reply = client.ask()
        assert (reply.code == 250) == good and reply.code // 100 in (2, 5), (line, reply)
        client.close()


def test_the_first_unknown_id_is_no_attempt(w):
    client = w.session(w.daemon(backend=w.mailer()))
    starts(client.ask(id=bytes(16)), b"450 4.7.0 XCRYPT FAIL")
    client.xcrypt()
    client.quit()


def test_a_second_unknown_id_is_one(w):
    mailer = w.mailer()
    client = w.session(w.daemon(backend=mailer))
    starts(client.ask(id=bytes(16)), b"450 4.7.0 XCRYPT FAIL")
    starts(client.ask(id=bytes(16)), b"450 4.7.0 XCRYPT FAIL")
    starts(client.ask(), b"503 5.5.1 XCRYPT FAIL")
    assert client.ehlo() and client.offered() == []
    delivers(client, mailer)


def test_no_suites_no_offer(w):
    mailer = w.mailer()
    client = w.session(w.daemon({"suites": ""}, backend=mailer))
    assert client.offer is None
    delivers(client, mailer)


def test_policy_never_offers_nothing(w):
    mailer = w.mailer()
    client = w.session(w.daemon({"policy": "never"}, backend=mailer))
    assert client.offer is None
    delivers(client, mailer)


def test_ehlo_refused_is_no_ehlo(w):
    mailer = w.mailer(answers={"EHLO": b"502 5.5.1 no"})
    client = w.call(w.daemon(backend=mailer))
    client.greet()
    assert client.command("EHLO mail.a.example").text == b"502 5.5.1 no"
    assert client.ask().code == 503
    client.close()
