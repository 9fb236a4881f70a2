# Claim: with a real Postfix, Exim or sendmail without XCRYPT, STARTTLS is used as the policy says, whatever the certificate, which is logged; nothing follows it in the clear; if TLS fails, mail goes in the clear or waits
import re

from kit.run import eventually

import certificates
from certificates import KINDS
from host import two_hosts
from private import HOSTS, enter, write
from tls_ends import FOREIGN, EximEnd, PostfixEnd, SendmailEnd, SENDMAIL_TLS
from words import BODY, MESSAGE, RECIPIENTS, arrived, told

HELLO = b"EHLO mail.a.example\r\n"


def records(octets):
    """The types of these TLS records; there must be nothing else."""
    types = []
    while octets:
        assert octets[0] in (20, 21, 22, 23) and octets[1] == 3 and len(octets) >= 5, octets[:80]
        types.append(octets[0])
        length = int.from_bytes(octets[3:5], "big")
        assert len(octets) >= 5 + length, "cut: %r" % octets[:80]
        octets = octets[5 + length:]
    return types


class Far:
    """blackpony, a wiretap, and that remote host."""

    def __init__(self, w, kind_of_host):
        self.w = w
        self.machine = enter(w)
        certificates.make()
        # the name belongs to the wiretap
        write("/srv/etc/hosts", HOSTS.replace("192.0.2.25 mx.b.example", "127.0.0.1 mx.b.example"))
        self.b = kind_of_host(w, "mx.b.example", "192.0.2.25", ["b.example"])
        self.ports = self.b.up()
        self.taken = 0

    def message(self):
        return b"X-Number: %d\n" % (self.taken + 1) + MESSAGE

    def send(self, kind, policy, host="mx.b.example"):
        """With recipients: (the wiretap, what blackpony left)."""
        tap = self.w.wiretap(self.ports[kind])
        return tap, self.w.send("[%s]:%d" % (host, tap.port), RECIPIENTS[:1], self.message(),
                                {"policy": policy})

    def speak(self, kind, policy):
        """On pipes, as a local MTA that asks for no encryption: (the wiretap, what blackpony left)."""
        tap = self.w.wiretap(self.ports[kind])
        pipe = self.w.pipe("[mx.b.example]:%d" % tap.port, {"policy": policy})
        pipe.greet()
        reply = pipe.command(HELLO[:-2])
        if reply.code == 250:
            self.offered = b"STARTTLS" in reply.keywords()
            text = self.message().replace(b"\n.", b"\n..").replace(b"\n", b"\r\n")
            pipe.message(text + b".\r\n")
            assert pipe.command("QUIT").code == 221
        else:
            assert reply.text.startswith(b"421 4.7.5 "), reply
        return tap, pipe.wait()

    def has_one_more(self, version=None):
        """The message is complete, and its header says how it came: with that version of TLS, or in the clear."""
        self.taken += 1
        found = []

        def whole():
            """A mailbox may be read while it is written."""
            found[:] = [m for m in self.b.mailbox(self.taken)
                        if m.fields("X-Number") == [str(self.taken)] and m.body == BODY]
            return found
        eventually(whole, "message %d, whole" % self.taken)
        message, = found
        assert message.recipient == "bob"
        received = message.fields("Received")[0]
        tls = re.search(self.b.tls, received)
        assert (tls is None) == (version is None), received
        assert tls is None or "TLS" not in self.b.tls or version in tls.group(), received

    def inside(self, tap, result, word):
        """After STARTTLS and its 220 there are records, and the message was in them."""
        up, down = bytes(tap.octets["up"]), bytes(tap.octets["down"])
        assert up.startswith(HELLO + b"STARTTLS\r\n") and told(up + down) == [], up[:200]
        first = records(up[len(HELLO) + 10:])
        assert first.index(20) < first.index(23) and set(first[first.index(20) + 2:]) <= {21, 23}, first
        replies, _, rest = down.partition(b"\r\n220 ")
        assert replies.startswith(b"220 ") and 23 in records(rest.partition(b"\r\n")[2])
        entry, = result.entries
        assert (entry["crypt"], entry["certificate"]) == ("starttls", word), entry
        assert entry["end"] in ("sent", "done") and result.status == 0, entry
        # mbedTLS before 3 has no TLS 1.3
        assert entry["tls"].startswith(("TLSv1.2\\x20TLS-ECDHE-", "TLSv1.3\\x20TLS1-3-")), entry
        self.has_one_more(entry["tls"][:7])

    def clear(self, tap, calls=1):
        assert tap.calls == calls and b"MAIL FROM:<alice@a.example>" in tap.octets["up"]
        self.has_one_more()

    def waits(self, tap, result):
        """Nothing but EHLO was sent, and there was no second call."""
        assert tap.calls == 1 and told(tap.seen()) == [] and result.status == 75, result
        assert result.entries[-1]["crypt"] == "none", result

    def delivers(self):
        """With recipients, under each policy."""
        for kind, word in KINDS.items():
            for policy in ("may", "must"):
                tap, result = self.send(kind, policy)
                assert result.status == 0, result
                self.inside(tap, result, word)
        tap, result = self.send("rsa", "known")
        self.inside(tap, result, "verified")
        tap, result = self.send("rsa", "may", host="127.0.0.1")
        self.inside(tap, result, "not-named")
        tap, result = self.send("rsa", "never")
        assert b"STARTTLS\r\n" not in tap.octets["up"]
        self.clear(tap)
        tap, result = self.send("rsa", "pinned")
        assert b"STARTTLS\r\n" not in tap.octets["up"]
        self.waits(tap, result)

    def speaks(self):
        """On pipes: under `must` we use STARTTLS, and the local MTA does not see it."""
        for kind, word in KINDS.items():
            tap, result = self.speak(kind, "must")
            assert not self.offered
            self.inside(tap, result, word)
        for policy in ("may", "known", "never"):
            tap, result = self.speak("rsa", policy)
            assert self.offered and b"STARTTLS\r\n" not in tap.octets["up"]
            self.clear(tap)
        tap, result = self.speak("rsa", "pinned")
        self.waits(tap, result)

    def fails(self):
        """TLS fails: the host is called again in the clear, or not at all."""
        tap, result = self.send(FOREIGN, "may")
        assert [e["why"] for e in result.entries] == ["tls-failed", "called-again"], result
        assert result.status == 0 and result.entries[0]["fault"].startswith("tls-"), result
        self.clear(tap, calls=2)
        for way in self.send, self.speak:
            tap, result = way(FOREIGN, "must")
            self.waits(tap, result)
            assert result.entries[-1]["why"] == "tls-failed", result

    def does_all(self):
        self.delivers()
        self.speaks()
        self.fails()


def test_postfix(w):
    Far(w, PostfixEnd).does_all()


def test_exim(w):
    Far(w, EximEnd).does_all()


def test_sendmail(w):
    Far(w, SendmailEnd).does_all()


def from_sendmail(w, policy):
    """A message from sendmail through blackpony to a sendmail with STARTTLS and without XCRYPT."""
    machine, a, b, tap = two_hosts(w, {"settings": {"policy": policy}}, {"more": SENDMAIL_TLS})
    certificates.make()
    b.inetd(b.behind())
    a.send(MESSAGE, RECIPIENTS)
    return machine, a, b, tap


def arrived_in_tls(b, tap):
    arrived(b.mailbox(2))
    assert all("version=TLS" in m.fields("Received")[0] for m in b.mailbox())
    up = bytes(tap.octets["up"])
    assert up.startswith(HELLO + b"STARTTLS\r\n") and told(tap.seen()) == [] and tap.calls == 1
    assert 23 in records(up[len(HELLO) + 10:])


def test_sendmail_does_its_own(w):
    """sendmail uses STARTTLS through us, even TLS 1.3, under all policies that permit the clear."""
    machine, _, b, tap = from_sendmail(w, "known")
    arrived_in_tls(b, tap)
    machine.logged(r"^sendmail\[.*STARTTLS=client, relay=.*version=TLSv1.3")
    assert machine.connections("blackpony", 1)[0]["crypt"] == "none"


def test_sendmail_leaves_it_to_us(w):
    """Under `must`, STARTTLS is done before sendmail gets a reply."""
    machine, _, b, tap = from_sendmail(w, "must")
    arrived_in_tls(b, tap)
    entry, = machine.connections("blackpony", 1)
    assert (entry["crypt"], entry["end"], entry["certificate"]) == ("starttls", "done", "not-named"), entry
    assert not [x for x in machine.log if "STARTTLS=client, relay" in x], machine.log


def test_sendmail_waits(w):
    """Under `must`, for a host that has neither."""
    machine, a, b, tap = two_hosts(w, {"settings": {"policy": "must"}})
    b.inetd(b.behind())
    a.send(MESSAGE, RECIPIENTS)
    assert a.queued() == sorted(RECIPIENTS) and b.mailbox() == [] and told(tap.seen()) == []
    machine.logged(r"^sendmail\[.*stat=Deferred: 421 4\.7\.5 ")
