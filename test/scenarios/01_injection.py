# Claim: octets after an XCRYPT line are never executed, in the clear or inside: blackponyd answers 503 and closes (statements 1 and 7)
from kit.run import taken

INJECTED = (b"VRFY injected\r\n",
            b"MAIL FROM:<injected@c.example>\r\nRCPT TO:<injected@b.example>\r\n",
            b"X", b"\n", b"\0", b"\r\nVRFY injected\r\n", b"XCRYPT OK\r\n")


def refused(client, mailer):
    reply = client.reply()
    assert reply.text.startswith(b"503 5.5.1 XCRYPT FAIL"), reply
    assert len(reply.lines) == 1
    assert client.rest() == b""
    client.close()
    assert not [c for c in mailer.commands if b"njected" in c or b"XCRYPT" in c], mailer.commands


def test_behind_the_choice(w):
    mailer = w.mailer()
    server = w.daemon(backend=mailer)
    for injected in INJECTED:
        client = w.session(server)
        client.send(client.start() + b"\r\n" + injected)
        refused(client, mailer)


def test_behind_the_choice_in_any_packets(w):
    mailer = w.mailer()
    server = w.daemon(backend=mailer)
    for cut in (1, 6, 7, 8, 60, -3, -2, -1):
        client = w.session(server)
        line = client.start() + b"\r\n"
        client.send(line[:cut])
        taken(client.reader)
        client.send(line[cut:] + b"VRFY injected\r\n")
        refused(client, mailer)


def test_behind_the_confirmation(w):
    mailer = w.mailer()
    server = w.daemon(backend=mailer)
    for injected in INJECTED:
        client = w.session(server)
        assert client.ask().code == 250
        client.send(client.hs.ok(server=False) + b"\r\n" + injected)
        refused(client, mailer)


def test_behind_the_confirmation_in_any_packets(w):
    mailer = w.mailer()
    server = w.daemon(backend=mailer)
    for cut in (1, 7, 9, 10, 20, -3, -2, -1):
        client = w.session(server)
        assert client.ask().code == 250
        line = client.hs.ok(server=False) + b"\r\n"
        client.send(line[:cut])
        taken(client.reader)
        client.send(line[cut:] + b"VRFY injected\r\n")
        refused(client, mailer)


def test_a_record_after_the_confirmation(w):
    """Even a record that would decrypt: nothing may follow the line's end in its packet."""
    mailer = w.mailer()
    client = w.session(w.daemon(backend=mailer))
    assert client.ask().code == 250
    sealer, _ = client.hs.directions(server=False)
    client.send(client.hs.ok(server=False) + b"\r\n" + sealer.seal(b"VRFY injected\r\n"))
    refused(client, mailer)


def test_behind_the_old_generations(w):
    mailer = w.mailer()
    server = w.daemon({"suites": "arsyfor_1.0 rotn_0.1"}, backend=mailer)
    for suite in ("arsyfor_1.0", "rotn_0.1"):
        client = w.session(server)
        assert client.ask(suite).code == 250
        client.send(b"XCRYPT OK\r\nVRFY injected\r\n")
        refused(client, mailer)


def test_behind_lines_that_fail(w):
    mailer = w.mailer()
    server = w.daemon(backend=mailer)
    for line in (b"XCRYPT", b"XCRYPT FAIL", b"XCRYPT OK", b"XCRYPT unknown_9.9 0 0",
                 b"xcrypt chacha20poly1305_2.0 zz zz"):
        client = w.session(server)
        client.send(line + b"\r\nVRFY injected\r\n")
        refused(client, mailer)


def test_under_must(w):
    mailer = w.mailer()
    client = w.session(w.daemon({"policy": "must"}, backend=mailer))
    client.send(client.start() + b"\r\nVRFY injected\r\n")
    refused(client, mailer)


def test_what_came_before_does_not_matter(w):
    """EHLO and XCRYPT in one packet are accepted."""
    client = w.call(w.daemon(backend=w.mailer()))
    client.greet()
    line = client.start()
    client.send(b"EHLO mail.a.example\r\n" + line + b"\r\n")
    ehlo = client.reply()
    client.hs.offer = [k for k in ehlo.keywords() if k.startswith(b"XCRYPT")][0]
    client.take_answer(client.reply())
    client.confirm()
    client.ehlo()
    client.quit()
