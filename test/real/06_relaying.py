# Claim: an outsider cannot relay through blackponyd and sendmail, and blackponyd -t says whether one could, for each way to attach it (statement 31)
import socket

from kit.conn import Client, PATIENCE

from host import DEBIAN_ACCESS, Host
from private import call_from_elsewhere, enter, ip

NARROW = "Connect:127.0.0.1\tRELAY\n"
BACKEND = {"backend": "127.0.0.1:2525", "client-address": "none"}
OUTSIDER = "198.51.100.7"


def server(w, **how):
    enter(w)
    return Host(w, "mx.b.example", "192.0.2.25", ["b.example"], **how)


def relays(w):
    client = w.keep(Client(call_from_elsewhere(OUTSIDER, ("192.0.2.25", 25), "cable")))
    client.greet()
    client.ehlo("stranger.example")
    client.command("MAIL FROM:<mallory@stranger.example>")
    reply = client.command("RCPT TO:<victim@elsewhere.example>")
    client.quit()
    assert reply.code in (250, 550), reply
    return reply.code == 250


def judged(w, b, *program, relay):
    """-t and an outsider get the same result."""
    line = b.daemon_line(*program)
    said = b.run(line[:1] + ["-t"] + line[1:], expect=1 if relay else 0)
    verdict = [words for words in said.splitlines() if words.startswith("a stranger's mail")][-1]
    assert ("ACCEPTED" if relay else ": refused (5") in verdict, said
    b.inetd(line)
    assert relays(w) == relay


def test_options(w):
    b = server(w)
    judged(w, b, *b.behind(), relay=False)


def test_program_with_debians_access_map(w):
    b = server(w, access=DEBIAN_ACCESS)
    judged(w, b, *b.behind(), relay=False)


def test_program_on_a_socket_pair(w):
    b = server(w, settings={"client-address": "none"})
    judged(w, b, *b.behind(), relay=False)


def test_open_program(w):
    """-t detects an open relay: this sendmail relays for everybody."""
    b = server(w, more="FEATURE(`promiscuous_relay')dnl")
    judged(w, b, *b.behind(), relay=True)


def test_daemon(w):
    b = server(w, access=NARROW, settings=BACKEND)
    b.daemon()
    judged(w, b, relay=False)


def test_daemon_with_debians_access_map(w):
    """The map trusts all of 127, and blackponyd connects from 127.0.0.25."""
    b = server(w, access=DEBIAN_ACCESS, settings=BACKEND)
    b.daemon()
    judged(w, b, relay=True)


def test_daemon_that_sees_the_caller(w):
    """client-address = transparent: a sendmail that trusts all of 127 still recognises an outsider."""
    how = {"backend": "127.0.0.1:2525", "client-address": "transparent"}
    b = server(w, access=DEBIAN_ACCESS, settings=how)
    ip("rule add from 127.0.0.1/8 iif lo table 123")
    ip("route add local 0.0.0.0/0 dev lo table 123")
    b.daemon()
    judged(w, b, relay=False)


def test_daemon_not_there(w):
    b = server(w, settings=BACKEND)
    line = b.daemon_line()
    assert "Connection refused" in b.run(line[:1] + ["-t"] + line[1:], expect=1)


def test_daemon_wants_a_decision(w):
    """For a daemon there is no default: the choices are named, and nothing is served."""
    b = server(w, settings={"backend": "127.0.0.1:2525"})
    b.daemon()
    line = b.daemon_line()
    assert "client-address" in b.run(line[:1] + ["-t"] + line[1:], expect=1)
    b.inetd(line)
    client = w.keep(Client(socket.create_connection(("192.0.2.25", 25), PATIENCE)))
    assert client.reply().code == 421


def test_option_operand(w):
    """What sendmail passes as a host is never an option."""
    machine = enter(w)
    a = Host(w, "mail.a.example", "192.0.2.10", ["a.example"],
             table={"b.example": "blackpony:-opolicy=never"})
    a.send(b"Subject: x\n\nx\n", ["bob@b.example"])
    assert a.mailbox() == [] and a.queued() == ["bob@b.example"]
    machine.logged("to=bob@b.example,.*stat=Deferred.*-opolicy")
