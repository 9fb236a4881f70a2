# Claim: `must` never sends or accepts a message in the clear, whatever the peer does (statement 24)
from kit import xcrypt
from kit.mailer import DROP, RESET

MUST = {"policy": "must"}
WORDS = (b"PIPELINING", b"STARTTLS", b"CHUNKING", b"AUTH PLAIN", b"8BITMIME")


def test_server_answers_530(w):
    mailer = w.mailer(keywords=WORDS)
    client = w.session(w.daemon(MUST, backend=mailer))
    for line in ("MAIL FROM:<alice@a.example>", "mail from:<>", "RCPT TO:<bob@b.example>", "DATA",
                 "STARTTLS",
                 "AUTH PLAIN AGEAYg==", "VRFY x", "EXPN x", "HELP", "ETRN x", "WHAT", "BDAT 0 LAST",
                 " MAIL FROM:<>",
                 "SEND FROM:<>", ""):
        reply = client.command(line)
        assert reply.text.startswith(b"530 5.7.0 Must use XCRYPT first") or (not line
                and reply.code == 500), \
            (line, reply)
    assert client.command("NOOP").code == 250
    assert client.command("RSET").code == 250
    assert client.command("HELO x").code == 250
    client.quit()
    assert not [c for c in mailer.commands if c.split(b" ")[0] not in (b"EHLO", b"HELO", b"NOOP",
                                                                       b"RSET", b"QUIT")]


def test_server_after_what_is_no_greeting(w):
    """After a refused command that is no greeting, XCRYPT is not offered and is answered 503."""
    mailer = w.mailer(keywords=WORDS)
    server = w.daemon(MUST, backend=mailer)
    for line in ("MAIL FROM:<alice@a.example>", "AUTH PLAIN AGEAYg==", "STARTTLS", "BDAT 0 LAST"):
        client = w.session(server)
        assert client.command(line).code == 530
        assert client.ask(xcrypt.CHACHA).text.startswith(b"503 5.5.1 XCRYPT FAIL"), line
        client.ehlo()
        assert client.offer is None, line
        client.quit()
    for line in ("HELP", "VRFY x", "NOOP", "RSET"):
        client = w.session(server)
        client.command(line)
        client.xcrypt()
        client.message(b"x\r\n.\r\n")
        client.quit()
    assert len(mailer.messages) == 4


def test_server_hides_starttls(w):
    client = w.session(w.daemon(MUST, backend=w.mailer(keywords=WORDS)))
    assert b"STARTTLS" not in client.ehlo_reply.keywords()
    assert client.offered()
    client.quit()


def test_server_takes_it_inside(w):
    mailer = w.mailer(keywords=WORDS)
    client = w.session(w.daemon(MUST, backend=mailer), xcrypt.CHACHA)
    client.message(b"x\r\n.\r\n")
    client.quit()
    assert len(mailer.messages) == 1


def test_server_after_a_failed_attempt(w):
    mailer = w.mailer()
    for fail in (lambda c: c.ask(public=bytes(32)), lambda c: c.command("XCRYPT x_9.9 0 0"),
                 lambda c: c.ask(id=bytes(16)), lambda c: c.ask(ek=b"\xff" * 1184)):
        client = w.session(w.daemon(MUST, backend=mailer))
        fail(client)
        assert client.command("MAIL FROM:<alice@a.example>").code == 530
        client.quit()
    assert not mailer.messages


def test_server_with_pipelined_clear_text(w):
    """A whole message at once, and a chunk: nothing of it is accepted, whatever the replies are."""
    envelope = b"MAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\n"
    for octets in (envelope + b"DATA\r\nSubject: x\r\n\r\nx\r\n.\r\nQUIT\r\n",
                   envelope + b"BDAT 6 LAST\r\nNOOP\r\nQUIT\r\n"):
        mailer = w.mailer(keywords=WORDS)
        client = w.session(w.daemon(MUST, backend=mailer))
        client.send(octets)
        client.shut()
        said = client.rest()
        assert b"354" not in said and said.startswith(b"530 "), said
        assert not mailer.messages
        assert not [c for c in mailer.commands if c[:4] in (b"MAIL", b"RCPT", b"DATA", b"BDAT")]


def test_server_with_no_suite(w):
    mailer = w.mailer()
    client = w.session(w.daemon({"policy": "must", "suites": ""}, backend=mailer))
    assert client.offer is None
    assert client.command("MAIL FROM:<alice@a.example>").code == 530
    client.close()


PEERS = {
    "no offer": {},
    "masked": {"keywords": (b"XXXXXX", b"SIZE 1000")},
    "ehlo refused": {"answers": {"EHLO": b"500 what"}, "xcrypt": [xcrypt.CHACHA]},
    "clean fail": {"answers": {"XCRYPT": b"454 4.7.0 XCRYPT FAIL no"}, "xcrypt": [xcrypt.CHACHA]},
    "unknown": {"answers": {"XCRYPT": b"500 what"}, "xcrypt": [xcrypt.CHACHA]},
    "accepts nothing": {"answers": {"XCRYPT": b"250 2.0.0 ok"}, "xcrypt": [xcrypt.CHACHA]},
    "closes": {"answers": {"XCRYPT": DROP}, "xcrypt": [xcrypt.CHACHA]},
    "resets": {"answers": {"XCRYPT": RESET}, "xcrypt": [xcrypt.CHACHA]},
    "421": {"answers": {"XCRYPT": b"421 4.3.2 bye"}, "xcrypt": [xcrypt.CHACHA]},
    "ends late": {"answers": {"pushed": DROP}, "xcrypt": [xcrypt.CHACHA]},
    "resets late": {"answers": {"pushed": RESET}, "xcrypt": [xcrypt.CHACHA]},
    "wrong confirmation": {"answers": {"XCRYPT": lambda s, line: s.hs.answer(confirm=bytes(16))}, "xcrypt": [xcrypt.CHACHA]},
    "key of low order": {"answers": {"XCRYPT": lambda s, line: s.hs.answer(short=bytes(32))}, "xcrypt": [xcrypt.CHACHA]},
    "other suites": {"xcrypt": ["new_3.0", xcrypt.ARSYFOR]},
}


def test_client_with_recipients(w):
    for name, script in PEERS.items():
        mailer = w.mailer(**script)
        result = w.send(mailer, ["bob@b.example"], settings=MUST)
        assert result.status == 75, (name, result)
        assert not [c for c in mailer.commands if c[:4] in (b"MAIL", b"RCPT", b"DATA")], name
        assert result.out.startswith(b"4."), (name, result)
        mailer.close()


def test_client_on_pipes(w):
    for name, script in PEERS.items():
        mailer = w.mailer(**script)
        pipe = w.pipe(mailer, MUST)
        reply = pipe.reply()
        if reply.code == 220:
            reply = pipe.command("EHLO mail.a.example")
        if name == "ehlo refused" and reply.code == 500:
            reply = pipe.command("HELO mail.a.example")     # as sendmail does then
        assert reply.code == 421, (name, reply)
        pipe.wait()
        assert not [c for c in mailer.commands if c[:4] in (b"MAIL", b"RCPT", b"DATA")], name
        mailer.close()


def test_client_says_what_it_is(w):
    pipe = w.pipe(w.mailer(), MUST)
    pipe.greet()
    assert pipe.command("EHLO mail.a.example").text.startswith(b"421 4.7.5"), "encryption required"
    pipe.wait()


def test_client_sends_inside(w):
    mailer = w.mailer(xcrypt=[xcrypt.CHACHA])
    assert w.send(mailer, ["bob@b.example"], settings=MUST).status == 0
    assert mailer.messages[0].encrypted == xcrypt.CHACHA


def test_policy_of_one_destination(w):
    """policy.DOMAIN applies to the destination as it was given."""
    for name, settings, status in (
            ("[127.0.0.1]", {"policy.127.0.0.1": "must"}, 75),
            ("[127.0.0.1]", {"policy.::ffff:127.0.0.1": "must"}, 75),
            ("[ipv6:::ffff:127.0.0.1]", {"policy.127.0.0.1": "must"}, 75),
            ("[localhost]", {"policy.localhost": "must"}, 75),
            ("[localhost]", {"policy.other": "must"}, 0),
            ("[LOCALHOST]", {"policy.LocalHost": "must"}, 75),
            ("[localhost]", {"policy": "must", "policy.localhost": "may"}, 0)):
        mailer = w.mailer()
        result = w.send("%s:%d" % (name, mailer.port), ["bob@b.example"], settings=settings)
        assert result.status == status, (name, settings, result)
