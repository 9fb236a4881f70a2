# Claim: without an answer from the DNS a message waits, and blackpony takes no longer than dial-timeout
import socket
import threading
import time

from kit.dns import MX, may
from nsd import Nsd, SERVER, delivered, enter, host, is_truncated, names, rcode, resolv, send

ZONE = "b.example MX 10 one.b.example\none.b.example A 192.0.2.1\n"
SLACK = 3       # seconds that a look-up started in time may take longer


def silent_server(w, address):
    """Receives questions and does not answer."""
    sock = w.keep(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    sock.bind((address, 53))


def waits_until(w, operand, limit):
    """Both ways to send at once, since each may take its time."""
    began = time.monotonic()
    pipe = w.pipe(operand, {"dial-timeout": "%ds" % limit})
    result = send(w, operand, dial_timeout="%ds" % limit)
    assert result.status == 75 and result.out.startswith(b"4."), result
    assert pipe.reply().text.startswith(b"421 4."), operand
    pipe.wait()
    took = time.monotonic() - began
    assert took < limit + SLACK, (operand, took, result)


def test_servfail(w):
    names(w, "b.example MX 10 one.broken.example\nc.example CNAME x.broken.example\n",
          broken=["broken.example"])
    assert rcode(SERVER, "broken.example", MX) == 2
    for operand in ("broken.example", "[broken.example]", "b.example", "[one.broken.example]",
                    "c.example", "broken.example:nowhere.example",
                    "nowhere.example:broken.example"):
        waits_until(w, operand, 6)


def test_one_broken_exchanger_of_two(w):
    names(w, ZONE + "b.example MX 5 two.broken.example\n", broken=["broken.example"])
    one = host(w, 1)
    delivered(w, "b.example", one)


def test_nobody_there(w):
    enter(w)
    for operand in ("b.example", "[b.example]"):
        waits_until(w, operand, 6)


def test_silence(w):
    enter(w)
    silent_server(w, SERVER)
    for operand in ("b.example", "[b.example]"):
        waits_until(w, operand, 3)
    waits_until(w, "a.example:b.example:c.example:d.example:e.example", 3)


def test_silence_of_three(w):
    """As many servers as resolv.conf may have, with timeouts that would last for minutes."""
    enter(w)
    for last in (1, 2, 3):
        silent_server(w, "127.0.0.%d" % last)
    resolv(w, "nameserver 127.0.0.1\nnameserver 127.0.0.2\nnameserver 127.0.0.3\n"
              "options timeout:30 attempts:5\n")
    waits_until(w, "b.example", 6)
    waits_until(w, "[b.example]", 6)


def test_the_second_server(w):
    """After one that is dead, silent, or fails."""
    enter(w)
    resolv(w, "nameserver 127.0.0.2\nnameserver 127.0.0.1\n")
    w.keep(Nsd(w, ZONE))
    one = host(w, 1)
    delivered(w, "b.example", one)
    silent_server(w, "127.0.0.2")
    assert send(w, "b.example", dial_timeout="6s").status == 0
    resolv(w, "nameserver 127.0.0.3\nnameserver 127.0.0.1\n")
    w.keep(Nsd(w, "", broken=["b.example"], addresses=["127.0.0.3"]))
    delivered(w, "b.example", one)


def test_servers_that_do_not_know(w):
    """REFUSED: a server without that zone."""
    enter(w)
    sock = w.keep(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    sock.bind((SERVER, 53))

    def refuse():
        while True:
            try:
                query, peer = sock.recvfrom(512)
                sock.sendto(query[:2] + b"\x80\x05" + query[4:], peer)
            except OSError:
                return
    threading.Thread(target=refuse, daemon=True).start()
    waits_until(w, "b.example", 6)
    waits_until(w, "[b.example]", 6)


def no_tcp_to_servers():
    may("ip", "rule", "add", "pref", "20", "lookup", "local")
    may("ip", "rule", "add", "pref", "10", "ipproto", "tcp", "dport", "53", "unreachable")
    may("ip", "rule", "del", "pref", "0")


def test_truncated_and_no_tcp(w):
    """Half an answer does not count: the message waits for the whole one."""
    names(w, "b.example A 192.0.2.1\n*.b.example A 192.0.2.1\n" +
          "".join("b.example MX 10 %s%02d.b.example\n" % ("x" * 50, n) for n in range(20)), no_tcp_to_servers)
    assert is_truncated(SERVER, "b.example", MX)
    one = host(w, 1)
    waits_until(w, "b.example", 6)
    assert not one.sessions
