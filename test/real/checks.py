"""What must be true of every backend behind blackponyd, and of every MTA in front of blackpony."""
import itertools

from kit.conn import Client
from kit.run import eventually

from host import Host
from nsd import Nsd
from private import call_from_elsewhere, enter, ip
from words import BODY, MESSAGE, SUITE, arrived, traces

FOREIGN = "victim@elsewhere.example"
# (none is an interface's, since OpenSMTPD takes those for its own)
OUTSIDERS = ("198.51.100.7", "2001:db8:7::7")
RELAYS = ("198.51.100.5", "2001:db8:5::5")      # in the backend's own list
DOORS = ("192.0.2.25", "2001:db8::25")          # where blackponyd is
CABLES = itertools.count(1)
FAR = "192.0.2.30"          # an address that is no interface's
# replies of the remote host's sendmail to two recipients, by its access map
REFUSALS = """To:nosuch@b.example\tERROR:5.1.1:"550 No such user here"
To:later@b.example\tERROR:4.2.1:"450 Later"
"""


def sender_to(w, b):
    """A host whose sendmail sends to b."""
    table = {"b.example": "blackpony:[%s]" % b.address}
    return Host(w, "mail.a.example", "192.0.2.10", ["a.example"], table=table)


def far_host(w):
    """(machine, b): a host with sendmail, the mail host of b.example."""
    machine = enter(w)
    ip("route add local %s/32 dev lo" % FAR)
    w.keep(Nsd(w, "b.example MX 10 mx.b.example\nmx.b.example A %s\n" % FAR))
    return machine, Host(w, "mx.b.example", FAR, ["b.example"], access=REFUSALS)


def call(w, source, suite=None):
    """A client with that address that has sent MAIL."""
    door = DOORS[":" in source]
    client = w.keep(Client(call_from_elsewhere(source, (door, 25), "cable%d" % next(CABLES))))
    client.greet()
    client.ehlo("stranger.example")
    if suite:
        client.xcrypt(suite)
    assert client.command("MAIL FROM:<mallory@stranger.example>").code == 250
    return client


def knows_strangers(w, b, suite=None):
    """An outsider can send to us but not relay, and its true address is seen; a client that may relay can."""
    for number, source in enumerate(OUTSIDERS, 1):
        client = call(w, source, suite)
        reply = client.command("RCPT TO:<%s>" % FOREIGN)
        assert reply.code in (454, 550, 554), reply
        assert client.command("RSET").code == 250
        client.message(b"Subject: x\r\n\r\nx\r\n.\r\n")
        client.quit()
        b.mailbox(number)

        def seen():
            """A message may still be on its way into its file."""
            return any(source in field for m in b.mailbox() for field in m.fields("Received")[:1])
        eventually(seen, "a message from %s at %s" % (source, b.name))
    for source in RELAYS:
        client = call(w, source, suite)
        assert client.command("RCPT TO:<%s>" % FOREIGN).code == 250
        client.quit()


def judged_safe(b, *program):
    line = b.daemon_line(*program)
    said = b.run(line[:1] + ["-t"] + line[1:])
    assert ": refused (" in said and "ACCEPTED" not in said, said


def encrypted(machine, count):
    for program in ("blackpony", "blackponyd"):
        for entry in machine.connections(program, count):
            assert entry["crypt"] == SUITE, entry


def bounced(a, *words):
    bounce, = a.mailbox(1)
    assert bounce.recipient == "alice" and all(x in bounce.text for x in words), bounce


def receives(machine, a, b, waits=("later@b.example",)):
    """From a's sendmail: a message arrives, a refused recipient bounces, and a deferred one waits."""
    a.send(MESSAGE, ["bob@b.example", "nosuch@b.example"] + list(waits))
    message, = b.mailbox(1)
    arrived([message], ["bob@b.example"], BODY)
    assert len(traces(message)) == 1, message
    bounced(a, b"nosuch@b.example", b"\n... while talking", b"<<< 550")
    assert a.queued() == sorted(waits)
    encrypted(machine, 1)


def sends(machine, a, b):
    """To b's sendmail, not there at first; to who is refused, and who is to wait; and for nobody."""
    def waiting(recipients):
        eventually(lambda: a.queued() == recipients, "%s in the queue" % recipients)
    a.submit(MESSAGE, ["bob@b.example"])
    machine.logged(r"^blackpony\[\d+\]: call to=b.example .*")
    waiting(["bob@b.example"])
    b.inetd(b.daemon_line(*b.behind()))
    a.run_queue()
    arrived(b.mailbox(1), ["bob@b.example"], BODY)
    waiting([])
    a.submit(MESSAGE, ["nosuch@b.example", "later@b.example"])
    bounced(a, b"550 5.1.1 <nosuch@b.example>... No such user here")
    waiting(["later@b.example"])
    a.submit(MESSAGE, ["carol@b.example"], sender="")
    assert b.mailbox(2)[1].recipient == "carol"
    machine.logged(r"^sendmail\[.*: from=<>, .*msgid=")
    waiting(["later@b.example"])
    encrypted(machine, 4)
