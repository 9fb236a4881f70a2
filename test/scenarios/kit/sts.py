"""A policy daemon, and hosts with STARTTLS whose certificates are valid for blackpony or not."""
import os
import socket
import threading

from . import dns
from .certificate import certificate
from .conn import PATIENCE
from .listening import Listening, in_background
from .middle import TlsMiddle
from .run import DAEMON, Skip, SuperServer

DOMAIN, NAME = "b.example", "mx.b.example"
SYSTEM = "/etc/ssl/certs"
SILENT, GONE = object(), object()       # says nothing; hangs up


def netstring(text):
    return b"%d:%s," % (len(text), text)


class PolicyDaemon(Listening):
    """A socketmap daemon.  answers: domain -> text, SILENT or GONE; bytes of a netstring where `raw`."""

    def __init__(self, answers, path=None, raw=False):
        self.answers, self.raw, self.asked = answers, raw, []
        self.place = "unix:%s" % path
        if path is None:
            self.listen()
            self.place = "inet:127.0.0.1:%d" % self.port
            return
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen()
        in_background(self.accept)

    def accepted(self, sock, peer):
        in_background(self.serve, sock)

    def serve(self, sock):
        sock.settimeout(PATIENCE)
        got = b""
        try:
            while not got.endswith(b","):
                more = sock.recv(1000)
                if not more:
                    return
                got += more
            length, text = got[:-1].split(b":", 1)
            assert int(length) == len(text), got
            question = text.decode()
            self.asked.append(question)
            answer = self.answers.get(question.split(" ", 1)[1], "NOTFOUND ")
            if answer is SILENT:
                sock.settimeout(None)       # who asks gives up after PATIENCE at the earliest
                sock.recv(1)
            elif answer is not GONE:
                sock.sendall(answer if self.raw else netstring(answer.encode()))
        except OSError:
            pass
        finally:
            sock.close()


class Collector:
    """tlsrpt-collectd's socket."""

    def __init__(self, path):
        self.path = path
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(path)

    def got(self):
        """All datagrams that have come."""
        found = []
        while True:
            try:
                found.append(self.sock.recv(1 << 20, socket.MSG_DONTWAIT))
            except BlockingIOError:
                return found

    def fill(self):
        """Sends until there is no room."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.connect(self.path)
            try:
                while True:
                    sock.send(b"{}", socket.MSG_DONTWAIT)
            except BlockingIOError:
                pass

    def close(self):
        self.sock.close()


class Expired(TlsMiddle):
    """A mail host whose certificate blackponyd would not use."""

    def __init__(self, mailer, settings, folder, address):
        self.address, self.started = address, []
        super().__init__(mailer.port, folder)
        self.context.load_cert_chain(settings["certificate"], settings["certificate-key"])

    def listen(self, *_):
        super().listen(self.address, 25)


class Hosts:
    """
    Names and mail hosts in a namespace of their own: the exchangers of b.example are at 192.0.2.1, 192.0.2.2 and so on.
    Without exchangers there is no name server.  secure: all answers have the AD bit.
    """

    def __init__(self, w, exchangers=(NAME,), zone=None, enter=dns.enter, secure=False):
        self.w, self.made, self.names = w, 0, None
        enter(w, self.without_roots)
        with open(SYSTEM + "/ca-certificates.crt", "w"):
            pass
        if exchangers:
            self.serve(exchangers, zone or {}, secure)

    @staticmethod
    def without_roots():
        """None of the system's own roots."""
        if not os.path.isdir(SYSTEM):
            raise Skip("this system has no " + SYSTEM)
        dns.may("mount", "-t", "tmpfs", "-o", "mode=1777", "tmpfs", SYSTEM)

    def serve(self, exchangers, zone, secure):
        names = {DOMAIN: {dns.MX: [(10 * i, name) for i, name in enumerate(exchangers, 1)]}}
        for i, name in enumerate(exchangers, 1):
            names[name] = {dns.A: ["192.0.2.%d" % i]}
        names.update(zone)
        self.names = self.w.keep(dns.NameServer(names, names if secure else ()))

    def trust(self, settings):
        """Makes a host's certificate one of the system's roots."""
        with open(settings["certificate"]) as made, open(SYSTEM + "/ca-certificates.crt", "a") as roots:
            roots.write(made.read())

    def add(self, last=1, name=NAME, trusted=True, mailer=None, tls=True, suites="", begins=-1, ends=90, settings=None):
        """A mail host at 192.0.2.`last`: blackponyd with that certificate, which is its own issuer.  Returns its mailer."""
        self.made += 1
        tag = "-%d" % self.made
        options = {"suites": suites, "cache": self.w.path("cache" + tag), "starttls": "no"}
        os.mkdir(options["cache"], 0o700)
        if tls:
            made = certificate(self.w.folder, name=name, begins=begins, ends=ends, tag=tag)
            if trusted:
                self.trust(made)
            options.update(made)
        options.update(settings or {})
        mailer = mailer or self.w.mailer()
        mailer.certificate = options.get("certificate")
        if ends < 0:
            mailer.server = self.w.keep(Expired(mailer, made, self.w.folder, "192.0.2.%d" % last))
            return mailer
        argv = [DAEMON] + self.w.options(options, client_address="none", backend="127.0.0.1:%d" % mailer.port)
        mailer.server = self.w.keep(SuperServer(self.w, argv, address="192.0.2.%d" % last, port=25))
        return mailer


def sends(w, settings, pipes, host=DOMAIN, text=b"words"):
    """One message with recipients or on pipes: whether it was sent, and what blackpony left."""
    if not pipes:
        result = w.send(host, ["bob@b.example"], b"Subject: x\n\n" + text + b"\n", settings=settings)
        assert result.status in (0, 75), result
        return result.status == 0, result
    client = w.pipe(host, settings)
    greeting = client.reply()
    reply = client.command("EHLO mail.a.example") if greeting.code == 220 else greeting
    if reply.code == 250:
        client.message(b"Subject: x\r\n\r\n" + text.replace(b"\n", b"\r\n") + b"\r\n.\r\n")
        client.command("QUIT")
    else:
        assert reply.code == 421, reply
    result = client.wait()
    result.reply = reply
    return reply.code == 250, result


def both(w, settings, **how):
    """Both ways of sending: [(sent, result)]."""
    return [sends(w, settings, pipes, **how) for pipes in (False, True)]


class Gate:
    """Counts connections that may not be made: a port where nobody should call."""

    def __init__(self, address):
        self.calls = 0
        self.sock = socket.create_server((address, 25))
        threading.Thread(target=self.watch, daemon=True).start()

    def watch(self):
        while True:
            try:
                sock, _ = self.sock.accept()
            except OSError:
                return
            self.calls += 1
            sock.close()

    def close(self):
        self.sock.close()
