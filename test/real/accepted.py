"""Which messages a mail server has accepted, read from its queue: their envelopes and octets.

Both servers have put a message there before they send 250.  Times, names of queue files and everything else
that differs between any two messages are blanked out.  Our trace line is removed from its place, which is
right after the lines that the server adds.
"""
import os
import re
import socket

from kit.conn import Client, PATIENCE
from kit.run import eventually

from host import Host
from others import Postfix
from private import add_address, descendants

STRANGER = "198.51.100.7"
DIRECT, OURS = "192.0.2.26", "192.0.2.25"
# what the mailers put in front by themselves (no text of the tests begins with one of them)
OWN = rb"(?:(?:Return-Path|Received|Date|From|Message-Id): [^\n]*\n(?:[ \t][^\n]*\n)*)*?"
TRACE = re.compile(rb"(%s)Received: from [^\r\n]* by mx\.b\.example\r?\n[ \t]+with E?SMTP \(XCRYPT [a-z0-9_.]+\); "
                   rb"\w+, \d+ \w+ \d+ [\d:]+ [-+]\d+\n" % OWN)
MARK = re.compile(rb"\(XCRYPT [a-z0-9]+_[0-9.]+\); ")
CHANGING = re.compile(rb"\d\d? \w{3} \d{4} [\d:]{8} (?:GMT|[-+]\d{4})(?: \([A-Z]+\))?|"
                      rb"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), +|"         # times
                      rb"(?<=[ \t]id )[0-9A-Za-z]+|(?<=<)\d{12,14}\.[0-9A-Za-z]+(?=@)")   # queue files, Message-IDs


def steady(octets):
    return CHANGING.sub(b"*", octets)


class Taken:
    """A message: its entry in the queue, and its octets without our line; one in another place stays and is counted."""

    def __init__(self, envelope, octets):
        front = TRACE.match(octets)
        self.marks = len(MARK.findall(octets))
        self.envelope = envelope
        self.octets = steady(front.group(1) + octets[front.end():] if front else octets)

    def __eq__(self, other):
        return (self.envelope, self.octets) == (other.envelope, other.octets)

    def __repr__(self):
        return "%r %r" % (self.envelope, self.octets[:3000])

    def unlike(self, other):
        """What this message has and the other has not, for people."""
        return [x for x in self.envelope + self.octets.split(b"\n") if x not in other.envelope + other.octets.split(b"\n")]


class Mailer:
    """A mail server that can be called directly and through us."""

    def call(self, address):
        sock = socket.create_connection((address, 25), PATIENCE, (STRANGER, 0))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return Client(sock)


class Sendmail(Mailer):
    """sendmail as a program under inetd, with or without us; nothing leaves its queue."""

    def __init__(self, w, **how):
        self.host = Host(w, "mx.b.example", OURS, ["b.example"], **how)
        add_address(DIRECT)
        add_address(STRANGER)
        program = self.host.behind() + ["-odq"]
        self.running = [self.host.inetd(program, addresses=[DIRECT]),
                        self.host.inetd(self.host.daemon_line(*program), addresses=[OURS])]
        self.queue = self.host.folder + "/queue/"

    # of a queue file: its version, times, tries, inode, a priority that goes by the size, the last refusal
    PASSING = b"VTKNPIM"

    def taken(self):
        eventually(lambda: not any(descendants(inetd.pid) for inetd in self.running), "the end of the session")
        found = []
        for name in sorted(os.listdir(self.queue), key=lambda name: os.stat(self.queue + name).st_mtime_ns):
            if name.startswith("qf"):
                found.append(self.read(name))
        for name in os.listdir(self.queue):
            os.unlink(self.queue + name)
        return found

    def read(self, name):
        with open(self.queue + name, "rb") as control, open(self.queue + "d" + name[1:], "rb") as text:
            lines = re.split(rb"\n(?![ \t])", control.read())
            body = text.read()
        envelope = sorted(steady(line) for line in lines if line[:1] not in self.PASSING + b"H")
        header = [re.sub(rb"^H\?[^?]*\?", b"", line) for line in lines if line[:1] == b"H"]
        return Taken(envelope, b"\n".join(header) + b"\n\n" + body)


# (the stranger's address is an interface's here, which means more to Postfix than where it calls from)
HOLD = "smtpd_client_restrictions = check_client_access static:HOLD\nlocal_header_rewrite_clients =\n"


class HeldPostfix(Postfix):
    """Holds what outsiders send; smtpd has an address of its own, too."""

    def configure(self, domains, relay, more):
        super().configure(domains, relay, more + HOLD)
        with open(self.folder + "/etc/postfix/master.cf", "a") as services:
            services.write(DIRECT + ":25 inet n - n - - smtpd\n")
        os.utime(self.folder + "/etc/postfix/master.cf", (0, 0))


class HeldMail(Mailer):
    """Postfix without us, or with us by PROXY or XCLIENT."""
    mailer = HeldPostfix

    def __init__(self, w, machine, settings, more=""):
        self.machine, self.sessions = machine, 0
        add_address(DIRECT)
        add_address(STRANGER)
        self.host = self.mailer(w, "mx.b.example", OURS, ["b.example"], settings=settings, more=more)
        self.host.daemon()
        self.host.inetd(self.host.daemon_line(), addresses=[OURS])
        self.queue = self.host.folder + "/var/spool/postfix/hold/"

    def taken(self):
        self.sessions += 1
        self.machine.logged(r"^postfix\S*/smtpd\[\d+\]: disconnect from ", self.sessions)
        # (one that is not whole is on its way out)
        eventually(lambda: all(os.stat(self.queue + name).st_mode & 0o100 for name in os.listdir(self.queue)),
                   "cleanup's end")
        found = []
        for name in sorted(os.listdir(self.queue), key=lambda name: os.stat(self.queue + name).st_mtime_ns):
            with open(self.queue + name, "rb") as file:
                found.append(self.read(file.read()))
            os.unlink(self.queue + name)
        return found

    # attributes of a queue file that change, or go by the size
    PASSING = (b"create_time", b"log_ident", b"client_port", b"log_client_port", b"log_message_origin", b"message_id",
               b"server_address", b"server_port")

    def read(self, octets):
        """A record is a type, a length in groups of seven bits, and that many octets."""
        envelope, text, at = [], b"", 0
        while at < len(octets):
            kind, length, shift, at = octets[at:at + 1], 0, 0, at + 1
            while True:
                length |= (octets[at] & 0x7f) << shift
                shift, at = shift + 7, at + 1
                if octets[at - 1] < 0x80:
                    break
            record, at = octets[at:at + length], at + length
            if kind in b"NL":
                text += record + (b"\n" if kind == b"N" else b"")
            elif kind in b"SROAf" and record.split(b"=")[0] not in self.PASSING:
                envelope.append(kind + steady(record))
        return Taken(sorted(envelope), text)
