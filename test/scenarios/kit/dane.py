"""Hosts with TLSA records, and how mail to them goes."""
import hashlib
import os
import re

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from .certificate import certificate
from .dns import A, AAAA, MX, TLSA, NameServer
from .mailer import FakeMailer
from .run import SuperServer

TO = ["bob@b.example"]
XCRYPT_KEY, CERTIFICATE, ANOTHER = "key", "certificate", "another"


class Far:
    """
    blackponyd as the host mx`number`.b.example, at 192.0.2.`number`.

    records  by XCRYPT_KEY and CERTIFICATE: the data of TLSA records 3 1 1; the keys differ
    """

    def __init__(self, w, number, key=True, starttls="own", **settings):
        self.w, self.number, self.name = w, number, "mx%d.b.example" % number
        self.address = "192.0.2.%d" % number
        folder = w.path(self.name)
        os.mkdir(folder, 0o700)
        self.conf = folder + "/blackpony.conf"
        with open(w.path("empty.conf")) as source, open(self.conf, "w") as out:
            out.write(source.read())
        self.mailer = w.mailer()
        self.settings = dict(certificate(folder, name=self.name), cache=folder + "/cache", hostname=self.name,
                             starttls=starttls)
        os.mkdir(folder + "/cache", 0o700)
        self.settings.update(settings)
        self.records = {ANOTHER: record(b"another"), CERTIFICATE: record(spki(self.settings["certificate"]))}
        if key:
            self.tool("-k", "new")
            made = re.findall(r" TLSA 3 1 1 ([0-9a-f]{64})$", self.tool("-o", "starttls=own", "-k", "show"), re.M)
            assert len(made) == 2 and bytes.fromhex(made[0]) == self.records[CERTIFICATE][3:], made
            self.records[XCRYPT_KEY] = b"\3\1\1" + bytes.fromhex(made[1])
        self.server = w.keep(SuperServer(w, self.argv(), address=self.address))
        self.port = self.server.port

    def argv(self):
        argv = self.w.behind(self.settings, self.mailer, None)
        assert argv[1] == "-C"
        return argv[:2] + [self.conf] + argv[3:]

    def tool(self, *words, status=0):
        result = self.w.run(self.argv() + list(words))
        assert result.status == status, result
        return result.out.decode()

    @property
    def messages(self):
        return self.mailer.messages


class Plain(FakeMailer):
    """A host without XCRYPT and STARTTLS."""

    def __init__(self, number, port, **script):
        super().__init__("192.0.2.%d" % number, port, **script)
        self.number, self.name, self.address = number, "mx%d.b.example" % number, "192.0.2.%d" % number


def record(octets):
    return b"\3\1\1" + hashlib.sha256(octets).digest()


def spki(path):
    with open(path, "rb") as pem:
        key = x509.load_pem_x509_certificate(pem.read()).public_key()
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def start(w, *hosts, secure=True):
    """The name server, where hosts = (host, TLSA records or an rcode or None); all have the port of the first."""
    zone = {"b.example": {MX: [(10 * (i + 1), host.name) for i, (host, _) in enumerate(hosts)]}}
    for host, records in hosts:
        zone[host.name] = {A: [host.address], AAAA: []}
        zone["_%d._tcp.%s" % (hosts[0][0].port, host.name)] = {TLSA: records}
    return w.keep(NameServer(zone, zone if secure else ()))


def both_ways(w, port, domain="b.example", **settings):
    """Sends a message with recipients and one on a pipe: [(delivered, what was said, entries, log)]."""
    settings = {name.replace("_", "-"): value for name, value in settings.items()}
    result = w.send("%s:%d" % (domain, port), TO, settings=settings)
    yield result.status == 0, (result.status, result.out), result.entries, result.log
    pipe = w.pipe("%s:%d" % (domain, port), settings)
    reply = pipe.reply()
    if reply.code == 220:
        reply = pipe.command("EHLO mail.a.example")
    if reply.code == 250:
        pipe.message(b"x\r\n.\r\n")
        pipe.command("QUIT")
    done = pipe.wait()
    yield reply.code == 250, reply.text, done.entries, done.log


def goes(w, port, *messages_at, **settings):
    """Delivers both ways; the entries of the last call of each."""
    found = []
    for delivered, said, entries, log in both_ways(w, port, **settings):
        assert delivered, (said, log)
        found.append(entries[-1])
    for host in messages_at:
        assert len(host.messages) == 2, host.messages
    return found


def waits(w, port, *words, **settings):
    """Waits both ways, with these words; the logs."""
    logs = []
    for delivered, said, _, log in both_ways(w, port, **settings):
        assert not delivered, (said, log)
        if isinstance(said, tuple):
            assert said[0] == 75, (said, log)
            said = said[1]
        else:
            assert said.startswith(b"421 "), (said, log)
        for word in words:
            assert word in said, (word, said, log)
        logs.append(log)
    return logs


def holds(entry, **expected):
    assert {name: entry.get(name) for name in expected} == expected, (expected, entry)
