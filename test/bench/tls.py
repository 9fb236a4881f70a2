"""STARTTLS: blackponyd, tlswrapper and stunnel, each from tcpserver, with the same client."""
import os
import re
import socket
import ssl
import subprocess
import tempfile

from machine import BIN
from report import median
from ways import Between

ROUNDS = int(os.environ.get("BENCH_ROUNDS", 5))
SESSIONS = int(os.environ.get("BENCH_SESSIONS", 40))    # of a way in a round
OCTETS = 2950
FULL_MOST = {"2": 0.9, "3": 0.65}       # of tlswrapper, by the mbedTLS inside
RESUMED_MOST = 0.2                      # of tlswrapper's full handshake
CLEAR_MOST = 1.05                       # of blackponyd without a certificate

FORWARDER, TLSWRAPPER, STUNNEL = "forwarder, static with musl", "tlswrapper", "stunnel"
FULL, RESUMED, ASKED, CLEAR = "blackponyd, full", "blackponyd, resumed", "blackponyd, in the clear", \
    "blackponyd, no certificate"

HOW = """A message of {octets} octets to smtp-sink over each connection, one after the other; {rounds} rounds of {sessions}
sessions each way in turn, medians.  The client is OpenSSL's, by Python, and the same for all.  blackponyd answers
STARTTLS; the others begin with TLS, which costs them less.  The certificate is ECDSA on P-256.  CPU is user and system time of tcpserver and all
that it starts, in microseconds for a session; `of` is that of the forwarder, which has no TLS."""


class Client:
    """Sends a message; `tls` is "starttls", "tls" or None."""

    def __init__(self, port, tls, resumes):
        self.port, self.tls, self.resumes, self.session = port, tls, resumes, None
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.context.check_hostname, self.context.verify_mode = False, ssl.CERT_NONE

    def send(self):
        sock = socket.create_connection(("127.0.0.1", self.port), 30)
        if self.tls == "starttls":
            self.reply(sock)
            self.say(sock, b"EHLO mail.a.example")
            self.say(sock, b"STARTTLS")
        if self.tls:
            sock = self.context.wrap_socket(sock, session=self.session if self.resumes else None)
        if self.tls != "starttls":
            self.reply(sock)
        for line in b"EHLO mail.a.example", b"MAIL FROM:<alice@a.example>", b"RCPT TO:<bob@b.example>", b"DATA":
            self.say(sock, line)
        self.say(sock, b"x" * 70 + (b"\r\n" + b"x" * 70) * (OCTETS // 72) + b"\r\n.")
        if self.tls and self.resumes:
            assert self.session is None or sock.session_reused, "not resumed"
            self.session = sock.session
        self.say(sock, b"QUIT")
        sock.close()

    def say(self, sock, line):
        sock.sendall(line + b"\r\n")
        self.reply(sock)

    @staticmethod
    def reply(sock):
        said = b""
        while not said.endswith(b"\n") or said.splitlines()[-1][3:4] == b"-":
            piece = sock.recv(4096)
            assert piece, said
            said += piece
        assert said[:1] in (b"2", b"3"), said


def tlswrapper(b):
    wrapper, env = b.package("tlswrapper", "usr/bin/tlswrapper")
    jail = b.fresh_folder()
    for path in (b.folder, jail):
        os.chmod(path, 0o755)
    return b.tcpserver([wrapper, "-q", "-J", jail, "-f", b.certificate(), wrapper + "-tcp", "-q", "-J", jail,
                        "127.0.0.1", str(b.sink_port)], env)


def stunnel(b):
    argv, env = b.stunnel("inetd-tls", "cert = %s\nconnect = 127.0.0.1:%d" % (b.certificate(), b.sink_port))
    return b.tcpserver(argv, env)


def ours(b, **more):
    return b.tcpserver(b.blackponyd(**more))


def ways(b):
    """[(name, function that returns (group, port), how the client begins, whether it resumes)]"""
    own = {"certificate": b.certificate(), "starttls": "own"}
    return [
        (FORWARDER, lambda: b.tcpserver(b.forwarder("-musl")), None, False),
        (STUNNEL, lambda: stunnel(b), "tls", False),
        (TLSWRAPPER, lambda: tlswrapper(b), "tls", False),
        (FULL, lambda: ours(b, **own), "starttls", False),
        (RESUMED, lambda: ours(b, **own), "starttls", True),
        (ASKED, lambda: ours(b, **own), None, False),
        (CLEAR, lambda: ours(b), None, False),
    ]


def set_up(b, report):
    found = []
    for name, make, tls, resumes in ways(b):
        try:
            group, port = make()
        except FileNotFoundError as lacking:
            report.lacks(name, "no %s here" % lacking)
            continue
        client = Client(port, tls, resumes)
        for _ in range(2):
            client.send()
        found.append((name, group, client))
    return found


def measure(found):
    samples = {name: [] for name, _, _ in found}
    for _ in range(ROUNDS):
        for name, group, client in found:
            before = group.cpu_us()
            for _ in range(SESSIONS):
                client.send()
            group.settle(1)     # tcpserver
            samples[name].append((group.cpu_us() - before) / SESSIONS)
    return {name: median(values) for name, values in samples.items()}


def version():
    """The major version of the mbedTLS inside."""
    said = subprocess.run([BIN + "/blackponyd", "-V"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return re.search(r"mbedTLS (\d)", said).group(1)


def targets(report, cpu):
    def target(what, name, of, most):
        if name in cpu and of in cpu:
            reached = cpu[name] / cpu[of]
            report.target(10, "%s at most %.2f of %s" % (what, most, of), "%.2f" % reached, reached <= most)
    target("a full handshake", FULL, TLSWRAPPER, FULL_MOST[version()])
    target("a resumed one", RESUMED, TLSWRAPPER, RESUMED_MOST)
    target("a session in the clear, with a certificate,", ASKED, CLEAR, CLEAR_MOST)


def run(report):
    with tempfile.TemporaryDirectory() as folder:
        b = Between(folder)
        found = []
        try:
            found = set_up(b, report)
            cpu = measure(found)
        finally:
            for _, group, _ in found:
                group.end()
            b.end()
    report.say(HOW.format(octets=OCTETS, rounds=ROUNDS, sessions=SESSIONS))
    base = cpu.get(FORWARDER)
    report.table("a session with STARTTLS", ["between", "us", "of"], [
        (name, round(value), "%.1f" % (value / base) if base else "-") for name, value in cpu.items()])
    targets(report, cpu)
