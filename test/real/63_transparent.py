# Claim: a sendmail daemon behind client-address = transparent sees the true client, over IPv4 and IPv6, and goes by it, with Debian's own access map; without the routes nobody is served (statement 31)
import socket

from kit import xcrypt
from kit.conn import Client, PATIENCE

from checks import DOORS, FOREIGN, OUTSIDERS, RELAYS, call, encrypted, judged_safe, sender_to
from host import DEBIAN_ACCESS, Host
from private import enter, ip
from words import MESSAGE, arrived

# blackpony.conf(5)
ROUTES = {"127.0.0.1:2525": ("-4", "127.0.0.0/8", "0.0.0.0/0"), "[::1]:2525": ("-6", "::1/128", "::/0")}
SIX = "DAEMON_OPTIONS(`Port=2525, Addr=::1, Name=MTA6, Family=inet6')dnl"
UNWELCOME = {"198.51.100.6": "198.51.100.6", "2001:db8:6::6": "IPv6:2001:db8:6:0:0:0:0:6"}


def server(w, access=None, **settings):
    machine = enter(w)
    relay = [RELAYS[0], "IPv6:2001:db8:5:0:0:0:0:5"]
    if access is None:
        with open(DEBIAN_ACCESS.replace("/srv/real", "/srv/real")) as lines:
            access = lines.read()
    b = Host(w, "mx.b.example", DOORS[0], ["b.example"], relay=relay, access=access, more=SIX,
             settings={"client-address": "transparent", **settings})
    b.daemon()
    return machine, b


def lines(b):
    """A command line for each family: the mailer is called in the caller's."""
    return [b.daemon_line()[:1] + ["-o", "backend=" + backend] + b.daemon_line()[1:] for backend in ROUTES]


def served(b):
    for line, address, (family, source, everything) in zip(lines(b), DOORS, ROUTES.values()):
        ip(family, "rule add from", source, "iif lo table 123")
        ip(family, "route add local", everything, "dev lo table 123")
        assert ": refused (" in b.run(line[:1] + ["-t"] + line[1:])
        b.inetd(line, addresses=[address])
