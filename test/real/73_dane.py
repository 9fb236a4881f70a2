# Claim: a real Postfix with `dane` verifies blackponyd's self-made certificate by the TLSA record that -k show prints, and sends nothing against another record (statement 42)
import re

from checks import DOORS
from dnssec import signed_names
from host import Host, end
from others import Postfix
from private import PROGRAMS, enter
from words import BODY, MESSAGE, arrived

RECIPIENT = "bob@b.example"
NAMES = "b.example MX 10 mx.b.example\nmx.b.example A %s\n" % DOORS[0]


class DaneSender(Postfix):
    def configure(self, domains, relay, more):
        super().configure(domains, relay, more + "default_transport = smtp\ninet_interfaces = 127.0.0.1\n"
                          "smtp_dns_support_level = dnssec\n"
                          "smtp_tls_security_level = dane\nsmtp_tls_loglevel = 1\n")


def tlsa(b):
    """Makes the host key; a match of the TLSA record that -k show prints, with its data as group 1."""
    program = [PROGRAMS + "/blackponyd", "-C", b.folder + "/blackponyd.conf", "-k"]
    b.run(program + ["new"])
    return re.search(r"^_25\._tcp\.mx\.b\.example\. IN TLSA 3 1 1 ([0-9a-f]{64})$", b.run(program + ["show"]), re.M)


def sent(w, published):
    """
    (machine, a, b, daemon): Postfix at a has a message for b; `published` makes the TLSA record of the zone
    from the match of b's own.
    """
    machine = enter(w)
    b = Host(w, "mx.b.example", DOORS[0], ["b.example"])
    record = tlsa(b)
    a = DaneSender(w, "mail.a.example", "192.0.2.10", ["a.example"])
    signed_names(w, NAMES + published(record) + "\n")
    b.inetd(b.daemon_line(*b.behind()))
    daemon = a.daemon()
    a.submit(MESSAGE, [RECIPIENT])
    return machine, a, b, daemon


def said(machine, pattern):
    return machine.logged(r"^postfix/smtp\[\d+\]: " + pattern)


def test_its_record(w):
    machine, _, b, daemon = sent(w, lambda record: record.group())
    said(machine, r"Verified TLS connection established to mx\.b\.example\[192\.0\.2\.25\]:25: TLSv1\.")
    said(machine, r".* to=<bob@b\.example>, .* status=sent ")
    arrived(b.mailbox(1), [RECIPIENT], BODY)
    end(daemon)
    entry, = machine.connections("blackponyd", 1)
    assert (entry["crypt"], entry["messages"]) == ("starttls", "1"), entry


def test_another_record(w):
    """One bit differs: the message waits, and its words have not been sent."""
    def other(record):
        data = record.group(1)
        return record.group().replace(data, data[:-1] + "%x" % (int(data[-1], 16) ^ 1))
    machine, a, b, daemon = sent(w, other)
    said(machine, r"Untrusted TLS connection established to mx\.b\.example\[192\.0\.2\.25\]:25: TLSv1\.")
    said(machine, r".* to=<bob@b\.example>, .* status=deferred \(Server certificate not (trusted|verified)\)")
    assert a.queued() == [RECIPIENT]
    end(daemon)
    entry, = machine.connections("blackponyd", 1)
    assert (entry["crypt"], entry["messages"]) == ("starttls", "0"), entry
    assert b.mailbox() == []
