# Claim: a queue goes over one connection from sendmail and from Postfix to one `sendmail -bs`, which stays an outsider's, and every message arrives once (statement 46)
import re

from kit.run import eventually

from checks import far_host
from host import two_hosts
from others import Postfix
from words import BODY, MESSAGE, SUITE, arrived

KEPT = {"keep-open": "60s"}         # so that a slow machine keeps connections, too


def entries(machine, count):
    """The log lines of that many messages, by the process that held the connection."""
    found = {}
    machine.connections("blackpony", count)
    for line in machine.log:
        match = re.match(r"blackpony\[(\d+)\]: call .*crypt=(\S+) (.*)", line)
        if match:
            kept = re.search(r" kept=(\d+) ", match.group(3))
            assert match.group(2) == SUITE, line
            found.setdefault(match.group(1), []).append(int(kept.group(1)) if kept else 1)
    return found


def servers(machine, b):
    """The processes of b's sendmail that took messages."""
    return {match.group(1) for match in (re.match(r"sendmail\[(\d+)\]: \w+: from=<alice@a\.example>.*relay=.*\[192\.0\.2\.10\]", line)
                                         for line in machine.log) if match}


def test_a_hundred_from_sendmail(w):
    machine, a, b, tap = two_hosts(w, for_a={"settings": KEPT})
    b.inetd(b.daemon_line(*b.behind()))
    for _ in range(101):
        a.submit(MESSAGE, ["bob@b.example"])
    a.run_queue()
    assert a.queued() == []
    arrived(b.mailbox(101), ["bob@b.example"] * 101, BODY)
    lengths = sorted(max(kept) for kept in entries(machine, 101).values())
    assert lengths == [1, 100], lengths
    assert len(servers(machine, b)) == 2, servers(machine, b)
    assert tap.calls == 2 and tap.encrypted()


def test_forty_from_postfix(w):
    """It delivers several at a time."""
    machine, b = far_host(w)
    b.inetd(b.daemon_line(*b.behind()))
    a = Postfix(w, "mail.a.example", "192.0.2.10", ["a.example"], settings=KEPT)
    a.daemon()
    for _ in range(40):
        a.submit(MESSAGE, ["bob@b.example"])
    eventually(lambda: a.queued() == [], "an empty queue", 120)
    arrived(b.mailbox(40), ["bob@b.example"] * 40, BODY)
    found = entries(machine, 40)
    assert sum(map(len, found.values())) == 40 and len(found) < 20, found
