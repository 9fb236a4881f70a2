"""Names of our own, served by Debian's nsd, and their hosts, in a network namespace.

There, addresses of 192.0.2.0/24 and 2001:db8::/64 belong to other hosts: a listener at one can be reached,
and no interface has it.  OWN and OWN6 are addresses of this host's interfaces.
"""
import os
import re
import socket
import struct
import subprocess
import sysconfig
import tempfile

from kit import dns
from kit.conn import PATIENCE
from kit.mailer import FakeMailer
from kit.run import REPO, Skip, eventually, pairs, read_log

ROOT = os.path.join(REPO, "bin/real/root")
LIBRARIES = ":".join(ROOT + folder + sysconfig.get_config_var("MULTIARCH")
                     for folder in ("/usr/lib/", "/lib/"))
SERVER = "127.0.0.1"
OWN, OWN6 = "192.0.2.100", "2001:db8::100"

ZONE = """$ORIGIN .
$TTL 60
@ SOA ns.example hostmaster.example 1 3600 600 86400 60
@ NS ns.example
ns.example A 127.0.0.1
"""

CONF = """server:
	server-count: 1
{addresses}
	username: ""
	chroot: ""
	database: ""
	pidfile: ""
	zonesdir: "{folder}"
	xfrdir: "{folder}"
	xfrdfile: "{folder}/xfrd.state"
	zonelistfile: "{folder}/zone.list"
	rrl-ratelimit: 0
	rrl-whitelist-ratelimit: 0
remote-control:
	control-enable: no
zone:
	name: "."
	zonefile: "root.zone"
{more}"""


def write(path, text):
    with open(path, "w") as out:
        out.write(text)
    return path


def enter(w, as_root=None):
    """Takes this process into the namespaces; skips where that is forbidden or nsd is missing."""
    def prepare():
        dns.may("ip", "addr", "add", OWN + "/32", "dev", "lo")
        for name, text in (("hosts", "127.0.0.1 localhost\n"), ("nsswitch.conf", "hosts: files dns\n")):
            dns.may("mount", "--bind", write(w.path(name), text), "/etc/" + name)
        if as_root:
            as_root()
    if os.environ.get("REAL_MISSING"):
        raise Skip(os.environ["REAL_MISSING"])
    dns.enter(w, prepare)
    resolv(w, "nameserver %s\n" % SERVER)


def resolv(w, text):
    """Writes /etc/resolv.conf in place, since it is mounted."""
    write(w.path("resolv.conf"), text)


def hosts(w, text):
    write(w.path("hosts"), text)


def ipv6():
    if not os.path.exists("/proc/net/if_inet6"):
        raise Skip("no IPv6 here")
    dns.may("ip", "-6", "addr", "add", OWN6 + "/128", "dev", "lo", "nodad")
    dns.may("ip", "-6", "route", "add", "local", "2001:db8::/64", "dev", "lo")
    try:
        write("/proc/sys/net/ipv6/ip_nonlocal_bind", "1")
    except OSError as why:
        raise Skip("sysctls cannot be changed here: %s" % why)


class Nsd:
    """
    Serves the root zone with these lines of a master file; every other name does not exist.

    zones   by name: the lines of zones below it
    """

    def __init__(self, w, lines, broken=(), addresses=(SERVER,), zones=None):
        self.folder = tempfile.mkdtemp(prefix="nsd-", dir=w.folder)
        served = {name: "none.zone" for name in broken}
        for name, text in (zones or {}).items():
            lines += "%s. NS ns.%s.\nns.%s. A %s\n" % (name, name, name, addresses[0])
            served[name] = name + ".zone"
            write("%s/%s" % (self.folder, served[name]),
                  ZONE.replace("ns.example", "ns." + name + ".").replace("@ ", name + ". ")
                  .replace("A 127.0.0.1", "A " + addresses[0]) + text)
        write(self.folder + "/root.zone", ZONE + lines)
        self.finish(self.folder + "/root.zone")
        # a zone without its file is SERVFAIL
        conf = write(self.folder + "/nsd.conf", CONF.format(
            folder=self.folder, addresses="".join("\tip-address: %s\n" % a for a in addresses),
            more="".join('zone:\n\tname: "%s"\n\tzonefile: "%s"\n' % zone for zone in served.items())))
        self.log = w.log_file("nsd")
        self.child = subprocess.Popen(
            [ROOT + "/usr/sbin/nsd", "-d", "-c", conf], stdin=subprocess.DEVNULL, stdout=self.log,
            stderr=self.log, env=dict(os.environ, LD_LIBRARY_PATH=LIBRARIES))
        self.address = addresses[0]
        eventually(self.answers, "nsd's first answer")

    def finish(self, zone):
        """What else is done to the file of the root zone before it is served."""

    def answers(self):
        assert self.child.poll() is None, read_log(self.log.name)
        try:
            return ask(self.address, "ns.example", dns.A, 0.2)[3] & 15 == dns.NOERROR
        except OSError:
            return False

    def close(self):
        self.child.terminate()
        self.child.wait(PATIENCE)


def ask(server, name, kind, patience=PATIENCE, flags=0x100):
    """The answer of a server over UDP; OSError without one."""
    query = struct.pack("!HHHHHH", 4711, flags, 1, 0, 0, 0) + dns.wire_name(name) + \
        struct.pack("!HH", kind, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(patience)
        sock.connect((server, 53))
        sock.send(query)
        return sock.recv(4096)


def rcode(server, name, kind):
    return ask(server, name, kind)[3] & 15


def is_truncated(server, name, kind):
    return bool(ask(server, name, kind)[2] & 2)


def names(w, lines, as_root=None, **how):
    enter(w, as_root)
    return w.keep(Nsd(w, lines, **how))


def names_and_ipv6(w, lines, **how):
    enter(w, ipv6)
    return w.keep(Nsd(w, lines, **how))


# the hosts

def host(w, address, port=25, **script):
    """Another host's mail server; a number is the last octet of its IPv4 address."""
    return w.keep(FakeMailer("192.0.2.%d" % address if isinstance(address, int) else address, port,
                             **script))


class Silence:
    """A listener with a full backlog: connections are neither accepted nor refused."""

    def __init__(self, address, port=25):
        self.socks = [socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)]
        self.socks[0].bind((address, port))
        self.socks[0].listen(0)
        for _ in range(3):
            sock = socket.socket(self.socks[0].family)
            sock.setblocking(False)
            sock.connect_ex((address, port))
            self.socks.append(sock)

    def close(self):
        for sock in self.socks:
            sock.close()


def silent(w, address):
    return w.keep(Silence("192.0.2.%d" % address if isinstance(address, int) else address))


# blackpony

def calls(result):
    """The hosts called, as [(name, address)]."""
    found = [pairs(line) for line in result.log.splitlines()
             if re.match(r"\w+\[\d+\]: call .* address=", line)]
    return [(entry["host"], entry["address"].rsplit(":", 1)[0][1:-1]) for entry in found]


def send(w, operand, **settings):
    return w.send(operand, ["bob@b.example"],
                  settings={name.replace("_", "-"): value for name, value in settings.items()})


def delivered(w, operand, mailer, **settings):
    """Delivers with both ways to send."""
    before = len(mailer.messages)
    result = send(w, operand, **settings)
    assert result.status == 0, result
    pipe = w.pipe(operand, {name.replace("_", "-"): value for name, value in settings.items()})
    pipe.greet()
    pipe.ehlo()
    pipe.message(b"x\r\n.\r\n")
    assert pipe.command("QUIT").code == 221
    pipe.wait()
    assert len(mailer.messages) == before + 2, result
    return result


def waits(w, operand, **settings):
    result = send(w, operand, **settings)
    assert result.status == 75 and result.out.startswith(b"4."), result
    pipe = w.pipe(operand, {name.replace("_", "-"): value for name, value in settings.items()})
    reply = pipe.reply()
    assert reply.text.startswith(b"421 4."), reply
    pipe.wait()
    return result


def fails_for_good(w, operand, status=b"5.1."):
    result = send(w, operand)
    assert result.status == 68 and result.out.startswith(status), result
    assert result.out.count(b"\n") == 1, result
    pipe = w.pipe(operand)
    reply = pipe.reply()
    assert reply.text.startswith(b"554 " + status), reply
    pipe.wait()
    return result
