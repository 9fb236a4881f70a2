# Claim: octets after an XCRYPT line are never executed; 503 and close (statements 1 and 7)
from kit import xcrypt
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


def test_behind_an_id(w):
    """The same with a pre-shared secret: nothing may follow the choice."""
    mailer = w.mailer()
    server = w.daemon(backend=mailer)
    first = w.session(server, xcrypt.CHACHA)
    first.quit()
    kept = first.kept
    for injected in INJECTED:
        client = w.session(server)
        client.send(client.start(kept=kept) + b"\r\n" + injected)
        refused(client, mailer)
    for octets in (b"VRFY injected\r\n", b"\x17\x03\x03\x01\x10" + bytes(272)):
        client = w.call(server)
        client.greet()
        client.send(b"EHLO mail.a.example\r\n" + client.start(kept=kept) + b"\r\n" + octets)
        assert client.reply().code == 250
        refused(client, mailer)


def test_a_record_behind_the_choice(w):
    """The end of the line must be the end of the packet, whatever octets follow."""
    mailer = w.mailer()
    client = w.session(w.daemon(backend=mailer))
    client.send(client.start() + b"\r\n\x17\x03\x03\x01\x10" + bytes(272))
    refused(client, mailer)


def test_behind_the_second_choice(w):
    mailer = w.mailer()
    client = w.session(w.daemon(backend=mailer))
    assert client.ask(id=bytes(16)).code == 450
    client.send(client.start() + b"\r\nVRFY injected\r\n")
    refused(client, mailer)


def test_behind_the_old_generations(w):
    mailer = w.mailer()
    server = w.daemon({"suites": "arsyfor_1.0 rotn_0.1"}, backend=mailer)
    for suite in ("arsyfor_1.0", "rotn_0.1"):
        for injected in INJECTED:
            client = w.session(server)
            assert client.ask(suite).code == 250
            client.send(b"XCRYPT OK\r\n" + injected)
            refused(client, mailer)


def test_behind_the_old_generations_in_any_packets(w):
    mailer = w.mailer()
    server = w.daemon({"suites": "arsyfor_1.0"}, backend=mailer)
    for cut in (1, 7, 9, 10, -1):
        client = w.session(server)
        assert client.ask("arsyfor_1.0").code == 250
        line = b"XCRYPT OK\r\n"
        client.send(line[:cut])
        taken(client.reader)
        client.send(line[cut:] + b"VRFY injected\r\n")
        refused(client, mailer)


def test_a_command_behind_the_answer(w):
    """Clear octets after the server's answer are not a record and are not executed."""
    mailer = w.mailer()
    client = w.session(w.daemon(backend=mailer))
    assert client.ask().code == 250
    client.send(b"VRFY injected\r\n")
    client.rest()
    assert not [c for c in mailer.commands if b"injected" in c], mailer.commands


def test_behind_lines_that_fail(w):
    mailer = w.mailer()
    server = w.daemon(backend=mailer)
    for line in (b"XCRYPT", b"XCRYPT FAIL", b"XCRYPT OK", b"XCRYPT unknown_9.9 0 0",
                 b"xcrypt chacha20poly1305_2.0 zz zz", b"xcrypt chacha20poly1305_2.0 zz zz zz",
                 b"XCRYPT chacha20poly1305_2.0 " + b"1" * 64 + b" " + b"2" * 64 + b" =" + b"3" * 32):
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
    server = w.daemon(backend=w.mailer())
    kept = None
    for expected in (False, True):
        client = w.call(server)
        client.greet()
        ehlo, reply = client.ride(kept)
        assert (ehlo.code, reply.code) == (250, 250) and client.hs.met == expected, (ehlo, reply)
        client.confirm()
        kept = client.kept
        client.quit()
