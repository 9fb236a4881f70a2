# Claim: mail to a real Postfix, Exim or sendmail with STARTTLS is authenticated by its TLSA record, whatever its certificate says, and waits without a match; sendmail sends so without knowing it (statement 43)
import hashlib

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from kit.run import eventually

import certificates
from certificates import KINDS
from checks import FAR
from dnssec import signed_names
from host import Host
from private import PROGRAMS, enter, ip, write
from tls_ends import FOREIGN, SENDMAIL_TLS, EximEnd, PostfixEnd, SendmailEnd, certificate_of
from words import BODY, MESSAGE, RECIPIENTS, arrived

TO = RECIPIENTS[0]


def record(kind, selector):
    """A TLSA record of usage 3 for this certificate, or its key."""
    with open(certificate_of(kind), "rb") as pem:
        made = x509.load_pem_x509_certificate(pem.read())
    octets = made.public_bytes(serialization.Encoding.DER) if selector == 0 else made.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return "3 %d 1 %s" % (selector, hashlib.sha256(octets).hexdigest())


def published(w, ports):
    """The zone: at mx.b.example the right records, at mx.c.example those of another certificate."""
    write("/srv/etc/hosts", "127.0.0.1 localhost\n")
    lines = "".join("%s.example MX 10 mx.%s.example\nmx.%s.example A 127.0.0.1\n" % (x, x, x) for x in "bc")
    for number, (kind, port) in enumerate(ports.items()):
        lines += "_%d._tcp.mx.b.example TLSA %s\n" % (port, record(kind, number % 2))
        lines += "_%d._tcp.mx.c.example TLSA %s\n" % (port, record("ecdsa" if kind == "rsa" else "rsa", 1))
    signed_names(w, lines)


def message(number):
    return b"X-Number: %d\n" % number + MESSAGE


def send(w, destination, number, pipe, policy):
    """One message; (delivered, the log entries)."""
    settings = {"policy": policy}
    if not pipe:
        result = w.send(destination, [TO], message(number), settings)
        assert result.status in (0, 75), result
        return result.status == 0, result
    client = w.pipe(destination, settings)
    client.greet()
    reply = client.command("EHLO mail.a.example")
    if reply.code == 250:
        assert b"STARTTLS" not in reply.keywords(), reply
        client.message(message(number).replace(b"\n.", b"\n..").replace(b"\n", b"\r\n") + b".\r\n")
        client.command("QUIT")
    return reply.code == 250, client.wait()


def has(b, numbers):
    """Exactly these messages are there, whole, and came in TLS."""
    def whole():
        found = [int(m.fields("X-Number")[0]) for m in b.mailbox(len(numbers)) if m.body == BODY]
        return sorted(found) == sorted(numbers)
    eventually(whole, "%d messages, whole" % len(numbers))
    for trace in (m.fields("Received")[0] for m in b.mailbox()):
        assert "TLS" in trace or "esmtps" in trace, trace


def receives(w, kind_of_host):
    enter(w)
    certificates.make()
    b = kind_of_host(w, "mx.b.example", "192.0.2.25", ["b.example"])
    ports = b.up()
    published(w, ports)
    taken = []
    for number, (kind, port) in enumerate(ports.items()):
        for pipe in False, True:
            policy = ("may", "known", "must")[(2 * number + pipe) % 3]
            delivered, result = send(w, "b.example:%d" % port, 2 * number + pipe, pipe, policy)
            entry = result.entries[-1]
            # without a certificate there is nothing to match
            assert delivered == (kind != FOREIGN), (kind, result)
            if delivered:
                assert (entry["crypt"], entry["auth"], entry["tlsa"]) == ("starttls", "dane", "matched"), entry
                assert entry["certificate"] == KINDS[kind] or kind == "rsa", entry
                taken.append(2 * number + pipe)
            delivered, result = send(w, "c.example:%d" % port, 99, pipe, policy)
            assert not delivered and " auth=none asked=dane tlsa=" in result.log, (kind, result)
    has(b, taken)


def test_postfix(w):
    receives(w, PostfixEnd)


def test_exim(w):
    receives(w, EximEnd)


def test_sendmail(w):
    receives(w, SendmailEnd)


def from_sendmail(w, kind):
    """A sendmail whose mail goes through blackpony, to a sendmail with STARTTLS and a record of this certificate."""
    machine = enter(w)
    certificates.make()
    ip("route add local %s/32 dev lo" % FAR)
    b = Host(w, "mx.b.example", FAR, ["b.example"], more=SENDMAIL_TLS)
    a = Host(w, "mail.a.example", "192.0.2.10", ["a.example"], table={"b.example": "blackpony:b.example"})
    write("/srv/etc/hosts", "127.0.0.1 localhost\n192.0.2.10 mail.a.example\n")
    signed_names(w, "b.example MX 10 mx.b.example\nmx.b.example A %s\n_25._tcp.mx.b.example TLSA %s\n" % (
        FAR, record(kind, 1)))
    b.inetd(b.behind())
    return machine, a, b


def test_sendmail_does_not_know_it(w):
    """Under `may`, and sendmail asks for no encryption of its own."""
    machine, a, b = from_sendmail(w, "ecdsa")
    a.send(MESSAGE, [TO])
    arrived(b.mailbox(1), [TO])
    assert "version=TLS" in b.mailbox()[0].fields("Received")[0]
    entry, = machine.connections("blackpony", 1)
    assert (entry["crypt"], entry["auth"], entry["asked"]) == ("starttls", "dane", "dane"), entry


def test_sendmail_waits(w):
    """With the record of another certificate."""
    machine, a, b = from_sendmail(w, "rsa")
    a.send(MESSAGE, [TO])
    assert a.queued() == [TO] and b.mailbox() == []
    machine.logged(r"^sendmail\[.*stat=Deferred: 421 4\.7\.5 blackpony: mx\.b\.example: "
                   "shows a certificate that matches none")


def test_daemon_tells_what_the_dns_has(w):
    """-k show and -t, with the record in a real zone."""
    enter(w)
    write("/srv/etc/hosts", "127.0.0.1 localhost\n")
    b = Host(w, "mx.b.example", "192.0.2.25", ["b.example"])
    program = [PROGRAMS + "/blackponyd", "-C", b.folder + "/blackponyd.conf"]
    b.run(program + ["-k", "new"])
    line = b.run(program + ["-k", "show"]).splitlines()[-1]
    signed_names(w, "mx.b.example A 192.0.2.25\n%s\n" % line)
    said = b.run(program + ["-t"] + b.behind())
    for word in "certificate", "host key":
        assert "tlsa: a record matches the %s\n" % word in said, said
