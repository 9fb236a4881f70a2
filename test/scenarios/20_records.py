# Claim: a record that is changed, dropped, repeated, swapped, cut or foreign ends the connection, and nothing of it is passed on (statement 20)
import re

from kit import xcrypt
from kit.mailer import DROP, SENT

GOOD, BAD = b"VRFY good\r\n", b"VRFY bad\r\n"


def ends(w, wire_of, suite=xcrypt.CHACHA, clean_before=True):
    """Sends what `wire_of(client)` returns inside; the backend must never get `bad`."""
    mailer = w.mailer(answers={"VRFY": b"252 2.1.5 maybe"})
    server = w.daemon(backend=mailer)
    client = w.session(server, suite)
    if clean_before:
        assert client.command(GOOD[:-2]).code == 252
    client.send_raw(wire_of(client))
    client.rest()
    client.close()
    result = server.finish()
    assert not [c for c in mailer.commands if b"bad" in c], mailer.commands
    assert len(result.entries) == 1, result
    assert re.search("record|header|content|close_notify|trunc|verif", result.log), result.log
    return result


def test_any_flipped_bit(w):
    for at in (0, 1, 2, 3, 4, 5, 20, 260, 261, 276):
        for bit in (0, 7):
            def flip(client):
                wire = bytearray(client.sealer.seal(BAD))
                wire[at] ^= 1 << bit
                return bytes(wire) + client.sealer.seal(BAD) * 2
            ends(w, flip, (xcrypt.CHACHA, xcrypt.AES)[bit > 0])


def test_dropped(w):
    def drop(client):
        client.sealer.seal(GOOD)
        return client.sealer.seal(BAD)
    ends(w, drop)


def test_repeated(w):
    def again(client):
        wire = client.sealer.seal(GOOD)
        return wire + wire + client.sealer.seal(BAD)
    ends(w, again)


def test_swapped(w):
    def swap(client):
        first, second = client.sealer.seal(BAD), client.sealer.seal(BAD)
        return second + first
    ends(w, swap, xcrypt.AES)


def test_from_the_other_direction(w):
    """The server's own record is sent back to it."""
    ends(w, lambda client: bytes(client.octets_in[-277:]))


def test_from_another_session(w):
    mailer = w.mailer()
    server = w.daemon(backend=mailer)
    other = w.session(server, xcrypt.CHACHA)
    ends(w, lambda client: other.sealer.seal(BAD))


def test_first_record(w):
    """The first octets inside; clear text does not pass either."""
    for wire in (b"EHLO bad\r\n", b"QUIT\r\n" * 100, bytes(277),
                 b"\x17\x03\x03\x01\x10" + bytes(272)):
        mailer = w.mailer()
        server = w.daemon(backend=mailer)
        client = w.session(server)
        client.xcrypt()
        client.send_raw(wire)
        client.finish()
        try:
            assert client.rest() == b""
        except xcrypt.BadRecord:
            raise AssertionError("it answered in the clear")
        server.finish()
        assert mailer.commands == [b"EHLO mail.a.example"] * 2, mailer.commands


def test_first_record_is_the_clients_confirmation(w):
    """Until the client's first record has verified, the server stores nothing."""
    mailer = w.mailer()
    server = w.daemon(backend=mailer)
    for wire in (lambda client: bytes(277), lambda client: b"", lambda client: client.sealer.seal(b"NOOP\r\n")[:-1],
                 lambda client: client.hs.directions(True)[0].seal(b"NOOP\r\n")):
        client = w.session(server)
        client.xcrypt()
        client.send_raw(wire(client))
        client.shut()
        client.rest()
        kept = client.kept
        client.close()
        again = w.session(server)
        assert again.ask(kept=kept).code == 450
        again.close()


def inner(plaintext, header=None):
    return lambda client: client.sealer.record(plaintext, header) + client.sealer.seal(BAD)


def test_contents_that_are_none(w):
    for plaintext in (b"", bytes(1), bytes(256),                         # no type octet
                      BAD + b"\x16", BAD + b"\x17\x16\0", BAD + b"\x01", BAD + b"\x15",
                      # another type
                      b"\x17", b"\x17" + bytes(255),                    # data without content
                      b"\x01\x01\x15", b"\x02\x00\x15", b"\x01\x00\x00\x15", b"\x15",
                      b"\x01\x15"):   # alerts
        ends(w, inner(plaintext))
        # without more, this is not a clean end either
        ends(w, lambda client: client.sealer.record(plaintext))


def test_headers_out_of_range(w):
    for header in (b"\x16\x03\x03\x01\x10", b"\x17\x03\x01\x01\x10", b"\x17\x02\x03\x01\x10",
                   b"\x17\x03\x04\x01\x10"):
        ends(w, inner(BAD + b"\x17" + bytes(256 - len(BAD) - 1), header))
    for length in (0, 1, 16, 16402, 16640, 65535):
        ends(w, lambda client: b"\x17\x03\x03" + length.to_bytes(2, "big") + bytes(length))


def test_sizes_at_the_limit(w):
    """17 to 16401 octets; any padding is accepted, also none."""
    mailer = w.mailer(answers={"VRFY": b"252 2.1.5 maybe"})
    client = w.session(w.daemon(backend=mailer), xcrypt.AES)
    for plaintext in (GOOD + b"\x17", GOOD + b"\x17\0",
                      GOOD + b"\x17" + bytes(16385 - len(GOOD) - 1)):
        client.send_raw(client.sealer.record(plaintext))
        assert client.reply().code == 252
    line = b"VRFY " + b"x" * 9000 + b"\r\n"
    for cut in (1, 4):
        for part in (line[:cut], line[cut:]):
            client.send_raw(client.sealer.record(part + b"\x17"))
        assert client.reply().code == 252
    client.quit()


def test_too_long_inside(w):
    ends(w, inner(BAD + b"\x17" + bytes(16386 - len(BAD) - 1)))


def test_after_the_end(w):
    ends(w, lambda client: client.sealer.end() + client.sealer.seal(BAD))
    ends(w, lambda client: client.sealer.end() + BAD)


def test_pushed_reply_of_another_form(w):
    """Invalid records instead of the server's first one: the message waits under any policy."""
    def pushes(wire_of):
        def answer(session, line):
            session.conn.send_raw(wire_of(session.conn.sealer))
            return DROP
        return w.mailer(xcrypt=[xcrypt.CHACHA], answers={"pushed": answer})
    good = b"250 mailer.example\r\n"
    for wire_of in (lambda s: good, lambda s: s.record(good), lambda s: s.record(good + b"\x16"), lambda s: s.record(b"\x17"),
                    lambda s: s.record(b"\x02\x28\x15"), lambda s: s.record(good + b"\x17", b"\x17\x03\x01\x04\x10"),
                    lambda s: bytes(1045), lambda s: b"\x17\x03\x03\0\x10" + bytes(16),
                    lambda s: b"\x17\x03\x03\x40\x12" + bytes(16402),
                    lambda s: s.seal(good) and s.seal(good)):
        mailer = pushes(wire_of)
        result = w.send(mailer, ["bob@b.example"])
        assert result.status == 75 and len(mailer.sessions) == 1 and not mailer.messages, result
        mailer.close()


def test_pushed_reply_in_any_records(w):
    """A server should send one record; a client accepts any size and padding that verifies."""
    def answer(session, line):
        sealer, good = session.conn.sealer, b"250-mailer.example\r\n250 8BITMIME\r\n"
        session.conn.send_raw(b"".join(sealer.record(good[at:at + 5] + b"\x17") for at in range(0, len(good), 5)))
        return SENT
    mailer = w.mailer(xcrypt=[xcrypt.AES], answers={"pushed": answer})
    assert w.send(mailer, ["bob@b.example"]).status == 0
    assert mailer.messages[0].encrypted == xcrypt.AES


def test_bad_record_inside_a_message(w):
    """The octets before it were passed on, and the message never ends."""
    mailer = w.mailer()
    server = w.daemon(backend=mailer)
    client = w.session(server, xcrypt.CHACHA)
    for line in ("MAIL FROM:<alice@a.example>", "RCPT TO:<bob@b.example>", "DATA"):
        client.command(line)
    wire = bytearray(client.sealer.seal(b"bad\r\n.\r\n"))
    wire[30] ^= 1
    client.send_raw(client.sealer.seal(b"good\r\n") + bytes(wire))
    client.rest()
    client.close()
    server.finish()
    assert not mailer.messages


class Meddler:
    """Flips a bit at the end of the n-th piece."""

    def __init__(self, number):
        self.left = number

    def __call__(self, piece):
        self.left -= 1
        return piece if self.left != -1 else piece[:-1] + bytes((piece[-1] ^ 1,))


def test_blackpony_at_a_changed_reply(w):
    """A change in any reply inside, from the pushed one to that to the dot: no success."""
    one, two = ["bob@b.example"], ["bob@b.example", "carol@b.example"]
    # for one recipient, the replies to the envelope and to DATA may be one piece
    for number, recipients in [(n, one) for n in range(3)] + [(n, two) for n in range(4)]:
        mailer = w.mailer()
        tap = w.wiretap(w.daemon(backend=mailer).port, wire_down=Meddler(number))
        result = w.send(tap, recipients)
        assert result.status == 75, (number, recipients, result)
        assert re.search("record|verif", result.log), result.log
        assert tap.calls == 1, "called again"


def test_blackpony_on_pipes_at_a_changed_reply(w):
    """The local MTA sees no such reply, and then an end of file."""
    mailer = w.mailer()
    tap = w.wiretap(w.daemon(backend=mailer).port, wire_down=Meddler(1))
    pipe = w.pipe(tap)
    pipe.greet()
    pipe.ehlo()
    # MAIL waits for the next command
    assert pipe.command("MAIL FROM:<alice@a.example>").code == 250
    reply = pipe.command("RCPT TO:<bob@b.example>")
    assert reply is None or reply.code == 421, reply
    result = pipe.wait()
    assert re.search("record|verif", result.log), result.log
