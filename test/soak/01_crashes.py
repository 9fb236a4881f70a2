# Claim: with kill -9 of either program at random moments, during eight sessions at once between two sendmails, every message arrives undamaged, the cache can always be opened, and duplicates are those that RFC 1047 explains (statement 28)
import os
import sys

sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "real"))

from kit.conn import SANITIZED                          # noqa: E402
from kit.run import Skip                                # noqa: E402
from private import enter                               # noqa: E402

from crash_hosts import Feeder, receiver, runners, sender, wait_for_peace   # noqa: E402
from crash_ledger import Ledger                         # noqa: E402
from killer import Killer                               # noqa: E402
from words_said import Progress, parameter, seed        # noqa: E402

SESSIONS = 8
WAITING = 80        # messages in the queue, for the runners to choose from
SHORT_SECS = 20     # make check's machine may be busy
PEACE = 600         # seconds for the queue to empty once the killing has stopped


def test_kill_9(w):
    if SANITIZED:
        raise Skip("a sanitizer looks for leaks by a process of its own, and waits for ever when that is killed")
    machine = enter(w)
    kills, chance = parameter("KILLS", 100), seed()
    a, b = sender(w), receiver(w)
    ledger = Ledger(machine, b.folder)
    feeder = w.keep(Feeder(a, ledger, chance, WAITING))
    killer = w.keep(Killer(w, [a, b], ledger, chance))
    progress = Progress()
    with runners(a, SESSIONS):
        while killer.count < kills and not (kills <= 100 and killer.count >= 20 and
                                            progress.seconds() > SHORT_SECS):
            killer.strike()
            progress.at(lambda: "%d of %d kills; %s" % (killer.count, kills, ledger.summary()))
        feeder.stop()
        wait_for_peace(a, b, PEACE)
    ledger.close()
    progress.say("%s\n%s" % (killer.report(), ledger.report()))
    assert not killer.faults, killer.faults[:20]
    assert not ledger.faults(), ledger.faults()
