# Claim: a PROXY header is accepted only from addresses in proxy-from; one that is missing, late, malformed or too long closes without a greeting; octets after it belong to the client (statement 16)
import time

from kit.run import Skip

V1 = b"PROXY TCP4 198.51.100.77 192.0.2.1 40025 25\r\n"
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
V2 = SIGNATURE + b"\x21\x11\0\x0c" + bytes((198, 51, 100, 77, 192, 0, 2, 1)) + b"\x9c\x59\0\x19"
V2_LOCAL = SIGNATURE + b"\x20\0\0\0"
CALLER = "client=[198.51.100.77]:40025"
BAD = (b"EHLO a.example\r\n", V1[:-2] + b"\n", V1.replace(b"TCP4", b"TCP6"),
       b"PROXY UNKNOWN " + b"x" * 200 + b"\r\n",
       SIGNATURE + b"\x22\x11\0\x0c" + bytes(12), SIGNATURE + b"\x21\x11\xff\xff" + bytes(100),
       SIGNATURE + b"\x21\x11\0\x0b" + bytes(11))


def server(w, mailer, proxies="127.0.0.0/8", **settings):
    return w.daemon({"proxy-from": proxies, **settings}, backend=mailer)


def session(client):
    client.greet()
    client.ehlo()
    client.xcrypt()
    client.ehlo()
    client.message(b"Subject: x\r\n\r\nx\r\n.\r\n")
    client.quit()


def test_accepted(w):
    """The log and the trace line name the client of the header."""
    mailer = w.mailer()
    daemon = server(w, mailer)
    for number, header in enumerate((V1, V2)):
        client = w.call(daemon)
        client.send(header)
        session(client)
        log = daemon.finish(number).log
        assert CALLER in log and "mailer=" in log, log
        assert b"([198.51.100.77])" in mailer.messages[number].data.split(b"\r\n")[0]


def test_one_mapped_address(w):
    """Together with an IPv6 address, haproxy writes an IPv4 address as IPv6: the client is served as IPv4 (statement 44)."""
    four, six = bytes(10) + b"\xff\xff" + V2[16:20], b"\x20\x01\x0d\xb8" + bytes(12)
    for source, destination, caller in ((four, six, CALLER), (six, four, "client=[IPv6:2001:db8::]:40025")):
        header = SIGNATURE + b"\x21\x21\0\x24" + source + destination + V2[-4:]
        daemon = server(w, w.mailer())
        client = w.call(daemon)
        client.send(header)
        session(client)
        log = daemon.finish().log
        assert caller in log and "end=done" in log, log
        # a backend that is a program would be given the client's address
        for octets in (V2, header):
            daemon = w.daemon({"proxy-from": "127.0.0.0/8", "client-address": "netns"},
                              program=w.program())
            client = w.call(daemon)
            client.send(octets)
            reply = client.reply()
            if octets == V2 and reply.code == 421:
                raise Skip("refused here: %s" % daemon.finish().log)
            assert reply.code == 220, daemon.finish().log
            client.quit()


def test_octet_by_octet(w):
    mailer = w.mailer()
    daemon = server(w, mailer)
    for header in (V1, V2):
        client = w.call(daemon)
        for i in range(len(header)):
            client.send(header[i:i + 1])
        session(client)


def test_octets_after_the_header(w):
    """What follows the header in the same packet belongs to the client."""
    mailer = w.mailer()
    daemon = server(w, mailer)
    for header in (V1, V2, V2_LOCAL):
        client = w.call(daemon)
        client.send(header + b"NOOP\r\nEHLO a.example\r\n")
        assert [client.reply().code for _ in range(3)] == [220, 250, 250]
        client.quit()


def test_local(w):
    """The proxy's own connection keeps its own address."""
    daemon = server(w, w.mailer())
    for number, header in enumerate((V2_LOCAL, b"PROXY UNKNOWN\r\n")):
        client = w.call(daemon)
        client.send(header)
        session(client)
        assert "client=[127.0.0.1]:" in daemon.finish(number).log


def test_bad(w):
    daemon = server(w, w.mailer())
    for number, octets in enumerate(BAD):
        client = w.call(daemon)
        client.send(octets)
        assert client.rest() == b"", octets
        result = daemon.finish(number)
        assert result.status == 1 and "PROXY" in result.log and "127.0.0.1" in result.log, result


def test_missing(w):
    """The connection closes without a greeting, and the backend is not called."""
    mailer = w.mailer()
    daemon = server(w, mailer)
    client = w.call(daemon)
    client.send(V1[:20])
    client.shut()
    assert client.rest() == b""
    assert daemon.finish().status == 1 and not mailer.sessions


def test_late(w):
    """The header must be there after five seconds, even if octets keep coming."""
    daemon = server(w, w.mailer())
    silent, slow = w.call(daemon), w.call(daemon)
    begun = time.monotonic()
    while not slow.readable(0.1):
        slow.send(b"PROXY UNKNOWN "[:14] if time.monotonic() - begun < 0.05 else b"x")
    assert slow.rest() == b"" and silent.rest() == b""
    assert 4.5 < time.monotonic() - begun < 10


def test_from_other_addresses(w):
    """From other addresses a PROXY header is an unknown command."""
    mailer = w.mailer()
    daemon = server(w, mailer, "192.0.2.0/24")
    client = w.call(daemon)
    client.greet()
    assert client.command(V1[:-2]).code == 500
    client.ehlo()
    client.quit()
    assert "client=[127.0.0.1]:" in daemon.finish().log
