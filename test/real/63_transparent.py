# Claim: a sendmail daemon behind client-address = transparent sees the true client over IPv4 and IPv6 and applies Debian's access map to it; without the routes nobody is served (statement 31)
import socket

from kit import xcrypt
from kit.conn import Client, PATIENCE

from checks import DOORS, FOREIGN, OUTSIDERS, RELAYS, call, encrypted, sender_to
from host import DEBIAN_ACCESS, Host
from private import call_from_elsewhere, enter, ip
from words import MESSAGE, arrived

# blackpony.conf(5)
ROUTES = {"127.0.0.1:2525": ("-4", "127.0.0.0/8", "0.0.0.0/0"), "[::1]:2525": ("-6", "::1/128", "::/0")}
SIX = "DAEMON_OPTIONS(`Port=2525, Addr=::1, Name=MTA6, Family=inet6')dnl"
UNWELCOME = {"198.51.100.6": "198.51.100.6", "2001:db8:6::6": "IPv6:2001:db8:6:0:0:0:0:6"}


def server(w, access=DEBIAN_ACCESS, **settings):
    machine = enter(w)
    relay = [RELAYS[0], "IPv6:2001:db8:5:0:0:0:0:5"]
    b = Host(w, "mx.b.example", DOORS[0], ["b.example"], relay=relay, access=access, more=SIX,
             settings={"client-address": "transparent", **settings})
    b.daemon()
    return machine, b


def lines(b):
    """A command line for each family: the backend is called in the client's."""
    return [b.daemon_line("-o", "backend=" + backend) for backend in ROUTES]


def served(b):
    for line, address, (family, source, everything) in zip(lines(b), DOORS, ROUTES.values()):
        ip(family, "rule add from", source, "iif lo table 123")
        ip(family, "route add local", everything, "dev lo table 123")
        assert ": refused (" in b.run(line[:1] + ["-t"] + line[1:])
        b.inetd(line, addresses=[address])


def knows_strangers(w, b, suite):
    for number, source in enumerate(OUTSIDERS, 1):
        client = call(w, source, suite)
        reply = client.command("RCPT TO:<%s>" % FOREIGN)
        assert reply.text.startswith(b"550 5.7.1 ") and b"Relaying denied" in reply.text, reply
        assert client.command("RSET").code == 250
        client.message(b"Subject: x\r\n\r\nx\r\n.\r\n")
        client.quit()
        b.mailbox(number)
    shown = [m.fields("Received")[0] for m in b.mailbox()]
    for address in "[198.51.100.7]", "[IPv6:2001:db8:7:0:0:0:0:7]":
        assert any(address in field for field in shown), shown
    for source in RELAYS:
        client = call(w, source, suite)
        assert client.command("RCPT TO:<%s>" % FOREIGN).code == 250
        client.quit()


def test_strangers(w):
    _, b = server(w)
    served(b)
    knows_strangers(w, b, xcrypt.CHACHA)


def test_strangers_in_the_clear(w):
    _, b = server(w)
    served(b)
    knows_strangers(w, b, None)


def test_access_map(w):
    line = "Connect:%s\tERROR:5.7.1:\"550 You are not welcome\"\n"
    access = "".join(line % x for x in UNWELCOME.values())
    _, b = server(w, access)
    served(b)
    for source in UNWELCOME:
        reply = call(w, source, xcrypt.CHACHA).command("RCPT TO:<bob@b.example>")
        assert reply.text == b"550 5.7.1 <bob@b.example>... You are not welcome", reply


def test_message(w):
    """From a sendmail whose address and port are in use on this host."""
    machine, b = server(w, access="Connect:127.0.0.1\tRELAY\n")
    served(b)
    a = sender_to(w, b)
    a.send(MESSAGE, ["bob@b.example"])
    arrived(b.mailbox(1), ["bob@b.example"])
    encrypted(machine, 1)


def test_many_from_one_address(w):
    """The client's port is used too, and may be used again soon."""
    _, b = server(w)
    served(b)
    line = lines(b)[0]
    for _ in range(3):
        b.run(line[:1] + ["-t"] + line[1:])


def test_no_routes(w):
    """421 within the time for a connection, and the log says what is missing."""
    machine, b = server(w, **{"connect-timeout": "1s"})
    b.inetd(lines(b)[0])
    client = w.keep(Client(call_from_elsewhere(OUTSIDERS[0], (DOORS[0], 25), "cable")))
    assert client.reply().text.startswith(b"421 4.3.0 ") and client.rest() == b""
    machine.logged(r"^blackponyd\[.*rules that bring its replies back, .*: .* timed out")


def test_no_root(w):
    machine, b = server(w)
    b.inetd(lines(b)[0], user="nobody")
    client = w.keep(Client(socket.create_connection((DOORS[0], 25), PATIENCE)))
    assert client.reply().text.startswith(b"421 4.3.0 ") and client.rest() == b""
    machine.logged(r"^blackponyd\[.*needs CAP_NET_ADMIN: start blackponyd as root")


def test_the_other_family(w):
    """The backend has one family, and a client of the other gets a 421."""
    machine, b = server(w)
    b.inetd(lines(b)[0], addresses=[DOORS[1]])
    client = w.keep(Client(call_from_elsewhere(OUTSIDERS[1], (DOORS[1], 25), "cable")))
    assert client.reply().text.startswith(b"421 4.3.0 ") and client.rest() == b""
    machine.logged(r"^blackponyd\[.*run a blackponyd for each family")
