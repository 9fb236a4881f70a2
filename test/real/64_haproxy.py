# Claim: two hosts with blackponyd and sendmail behind haproxy with PROXY version 2 act as one: mail arrives encrypted, the client's address survives both hops, and when one host dies mail still arrives (statements 16 and 31)
import socket

from kit.conn import Client, PATIENCE

from checks import FOREIGN, OUTSIDERS, call
from host import Host, end
from others import Haproxy
from private import add_address, enter
from words import BODY, MESSAGE, SUITE, arrived

SITE, NODES = "192.0.2.25", ("192.0.2.26", "192.0.2.27")
CALLER = "192.0.2.10"


def site(w, header="send-proxy-v2"):
    """(machine, [(host, its inetd), ...])"""
    machine = enter(w)
    nodes = []
    for number, address in enumerate(NODES, 1):
        add_address(address)
        node = Host(w, "node%d.b.example" % number, address, ["b.example"],
                    settings={"proxy-from": SITE})
        nodes.append((node, node.inetd(node.daemon_line(*node.behind()))))
    Haproxy(w, SITE, NODES, header)
    return machine, nodes


def sent(w, tap, count):
    for _ in range(count):
        result = w.send(tap, ["bob@b.example"], MESSAGE)
        assert result.status == 0 and result.entries[-1]["crypt"] == SUITE, result


def arrived_at(node, count):
    messages = node.mailbox(count)
    arrived(messages, ["bob@b.example"] * count, BODY)
    for message in messages:
        # sendmail's own, and blackponyd's
        assert all("[%s]" % CALLER in field for field in message.fields("Received")[:2]), message


def test_both_hops_and_a_death(w):
    machine, ((one, inetd), (two, _)) = site(w)
    tap = w.wiretap(25, host=SITE, source=CALLER)
    sent(w, tap, 4)
    arrived_at(one, 2)
    arrived_at(two, 2)
    assert b"Privileged" not in tap.seen()
    # each host knows only its own ids; another host's id costs a round trip and a new first
    # meeting
    entries = machine.connections("blackponyd", 4)
    assert [e["cache"] for e in entries] == ["miss"] * 4, entries
    end(inetd)
    sent(w, tap, 3)
    arrived_at(one, 2)
    arrived_at(two, 5)


def test_strangers(w):
    """Both nodes see the client's address through haproxy, with version 1 of the header too."""
    machine, nodes = site(w, "send-proxy")
    for _ in nodes:
        client = call(w, OUTSIDERS[0])
        assert client.command("RCPT TO:<%s>" % FOREIGN).code == 550
        client.quit()
    machine.logged(r"^blackponyd\[.*: session client=\[198.51.100.7\]:", 2)
    machine.logged(r"^sendmail\[.*ruleset=check_rcpt, .*relay=\[198.51.100.7\]", 2)


def test_past_haproxy(w):
    """A client that may send a header must send it; from others it is an unknown command."""
    machine, _ = site(w)
    told = b"PROXY TCP4 192.0.2.99 192.0.2.25 4711 25\r\n"
    for source, answers in ((SITE, [250]), (CALLER, [500, 250])):
        client = w.keep(Client(socket.create_connection((NODES[0], 25), PATIENCE, (source, 0))))
        if source == CALLER:
            client.greet()
        client.send(told)
        if source == SITE:
            client.greet()
        client.send(b"NOOP\r\n")
        assert [client.reply().code for _ in answers] == answers
        client.quit()
    machine.logged(r"^blackponyd\[.*: session client=\[192.0.2.99\]:4711 ")
    machine.logged(r"^blackponyd\[.*: session client=\[192.0.2.10\]:")
