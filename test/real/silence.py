"""Whether a mailer has more to say: asked of the machine's processes, not of a clock."""
import os
import time

from kit.conn import PATIENCE

from private import descendants, status


def runs(pid):
    """How often that process has run, when it sleeps until something comes, or has ended; None otherwise."""
    try:
        now = status(pid)
        with open("/proc/%d/wchan" % pid) as where:
            if now["State"][0] not in ("S", "Z") or "nanosleep" in where.read():
                return None
    except OSError:             # it has gone meanwhile
        return None
    return now.get("voluntary_ctxt_switches"), now.get("nonvoluntary_ctxt_switches")


def standing():
    """That of each process which the test has started; None when one of them does something."""
    found = {}
    for pid in descendants(os.getpid()):
        found[pid] = runs(pid)
        if found[pid] is None:
            return None
    return found


def on_the_way():
    """Are there octets on a TCP connection that its other end has not read?"""
    with open("/proc/self/net/tcp") as table:
        next(table)
        return any(line.split()[4] != "00000000:00000000" for line in table)


def all_wait():
    """Nobody ran while we looked, and nothing is there that could wake one."""
    before = standing()
    return before is not None and not on_the_way() and standing() == before


def has_more(client):
    """Does anything (or the end) come to the client?  False: everybody waits for it to go on."""
    deadline, pause = time.monotonic() + 3 * PATIENCE, .001
    while not client.readable(pause):
        if all_wait():
            return client.readable(0)
        assert time.monotonic() < deadline, "the mailer neither answers nor waits"
        pause = min(2 * pause, .02)
    return True
