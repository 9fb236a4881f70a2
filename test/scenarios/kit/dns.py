"""A network namespace with a name server and names of our own.

There, addresses of 192.0.2.0/24 are on this host, but not its interfaces' own, just as those of
other hosts.
"""
import ctypes
import os
import socket
import struct
import subprocess
import threading

from .run import Skip

CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWNET = 0x20000, 0x10000000, 0x40000000
A, NS, CNAME, MX, TXT, AAAA, TLSA = 1, 2, 5, 15, 16, 28, 52
# the bit that says: validated by DNSSEC
AD = 0x20
NOERROR, SERVFAIL, NXDOMAIN = 0, 2, 3


def unshare(flags, inside=None):
    """With CLONE_NEWUSER, our user and group are `inside` there."""
    libc = ctypes.CDLL(None, use_errno=True)
    uid, gid = os.getuid(), os.getgid()
    if libc.unshare(flags) != 0:
        raise Skip("no namespaces here: %s" % os.strerror(ctypes.get_errno()))
    if flags & CLONE_NEWUSER:
        for name, text in (("setgroups", "deny"), ("uid_map", "%d %d 1" % (inside[0], uid)),
                           ("gid_map", "%d %d 1" % (inside[1], gid))):
            with open("/proc/self/" + name, "w") as out:
                out.write(text)


def enter(world, as_root=None):
    """
    Takes this process, which has only one thread yet, into them. Skips where that is forbidden.

    A user becomes root for it and for as_root(), and then a user again, as the programs are meant to run.
    """
    user = os.getuid(), os.getgid()
    unshare(CLONE_NEWNS | CLONE_NEWNET | (CLONE_NEWUSER if user[0] else 0), (0, 0))
    with open(world.path("resolv.conf"), "w") as out:
        out.write("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    for command in (("ip", "link", "set", "lo", "up"),
                    ("ip", "route", "add", "local", "192.0.2.0/24", "dev", "lo"),
                    ("mount", "--make-rprivate", "/"),
                    ("mount", "--bind", world.path("resolv.conf"), "/etc/resolv.conf")):
        may(*command)
    if as_root:
        as_root()
    if user[0]:
        # for the servers of the test
        with open("/proc/sys/net/ipv4/ip_unprivileged_port_start", "w") as out:
            out.write("0")
        unshare(CLONE_NEWUSER, user)


def may(*command):
    """Runs it, and skips the test where it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        raise Skip("%s: %s" % (" ".join(command), done.stdout.decode().strip()))


def wire_name(name):
    labels = [label.encode() for label in name.split(".") if label]
    return b"".join(bytes((len(label),)) + label for label in labels) + b"\0"


def read_name(octets, at):
    labels = []
    while octets[at]:
        labels.append(octets[at + 1:at + 1 + octets[at]].decode("latin-1"))
        at += 1 + octets[at]
    return ".".join(labels).lower(), at + 1


class NameServer:
    """
    zone: name -> {type: [data, ...], or an rcode, or None for no answer}, or an rcode for all types.
    MX data is (preference, host), TLSA and TXT data octets.
    secure: names, all types of which are answered with the AD bit, or (name, type); it can be changed.
    """

    def __init__(self, zone, secure=(), address="127.0.0.1"):
        self.zone, self.secure, self.asked = zone, set(secure), []
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((address, 53))
        self.over = False
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                query, peer = self.sock.recvfrom(4096)
                if self.over:
                    return
                said = self.answer(query)
                if said is not None:
                    self.reply(said, peer)
            except OSError:
                return
            except (IndexError, struct.error):
                continue        # cut off

    def reply(self, said, peer):
        self.sock.sendto(said, peer)

    def answer(self, query):
        name, at = read_name(query, 12)
        kind = struct.unpack("!H", query[at:at + 2])[0]
        self.asked.append((name, kind))
        records = self.zone.get(name, NXDOMAIN)
        if isinstance(records, dict):
            records = records.get(kind, [])
        if records is None:
            return None
        rcode, found = (records, []) if isinstance(records, int) else (NOERROR, records)
        flags = 0x8580 | rcode | (AD if self.secure & {name, (name, kind)} else 0)
        head = query[:2] + struct.pack("!HHHHH", flags, 1, len(found), 0, 0)
        return head + query[12:at + 4] + b"".join(self.record(kind, data) for data in found)

    def record(self, kind, data):
        if kind == A:
            data = socket.inet_aton(data)
        elif kind == AAAA:
            data = socket.inet_pton(socket.AF_INET6, data)
        elif kind == MX:
            data = struct.pack("!H", data[0]) + wire_name(data[1])
        elif kind == TXT:
            data = bytes((len(data),)) + data
        elif kind == NS:
            data = wire_name(data)
        return b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 0, len(data)) + data

    def close(self):
        """The port is free after it."""
        if not self.over:
            self.over = True
            self.sock.sendto(b"", self.sock.getsockname())
            self.thread.join()
        self.sock.close()
