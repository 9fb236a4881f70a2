# Claim: many holders of kept connections at once are flat in memory and descriptors over many messages, and end by themselves when the mail ends (statement 46)
import os
import subprocess

from kit.conn import PATIENCE, SLOW
from kit.run import SENDER, eventually, need_root, operand

from flat import Samples, sample
from words_said import Progress, parameter

KEEP_S = 20             # seconds
MESSAGE = b"Subject: x\n\n" + b"words\n" * 3000        # fills the buffers
HOLDER_KB = 1024        # six buffers of 128 KiB, and the rest of a process
HOLDER_FDS = 12
SHORT, ROUNDS = 20, 6


def is_holder(w, pid):
    try:
        with open("/proc/%d/cmdline" % pid, "rb") as words:
            return w.callers.encode() in words.read() and os.getsid(pid) == pid
    except OSError:
        return False


def holders(w):
    return [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if is_holder(w, pid)]


def send(w, server, number, log):
    """A message of one of many users of blackpony, which differ in a setting."""
    argv = [SENDER] + w.calling({"keep-open": "%ds" % KEEP_S, "hostname": "h%d.a.example" % number, "suites": ""})
    argv.remove("-v")
    child = w.spawn(argv + ["-f", "alice@a.example", "--", operand(server), "bob@b.example"], stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL, stderr=log)
    child.stdin.write(MESSAGE)
    child.stdin.close()
    return child


def test_many_holders(w):
    need_root()     # permits a look into processes that are not dumpable
    count = parameter("SESSIONS", SHORT)
    mailer, log, progress, samples = w.mailer(), w.log_file("blackpony"), Progress(), {}
    for turn in range(2 * ROUNDS):
        children = []
        for number in range(count):
            children.append(send(w, mailer, number, log))
            if len(children) % 8 == 0:
                for child in children[-8:]:
                    assert child.wait(3 * PATIENCE) == 0
        for child in children:
            assert child.wait(3 * PATIENCE) == 0
        found = {pid: sample(pid) for pid in holders(w)}
        for pid, values in found.items():
            samples.setdefault(pid, Samples()).add([values])
            assert values is None or values[1] <= HOLDER_FDS, values
            # a sanitizer has memory of its own
            assert values is None or SLOW > 1 or values[0] <= HOLDER_KB, values
        progress.at(lambda: "round %d, %d holders" % (turn, len(found)))
    lasting = [x for x in samples.values() if len(x.kb) >= ROUNDS]
    assert lasting or count > SHORT, "no holder lasted %d rounds" % ROUNDS
    faults = [fault for x in lasting for fault in x.faults("a holder")]
    assert SLOW > 1 or not faults, faults[:10]
    progress.say("%d holders, %d of them for %d rounds or more: at most %d KiB and %d descriptors" % (
        len(samples), len(lasting), ROUNDS, max(max(x.kb) for x in samples.values()),
        max(max(x.fds) for x in samples.values())))
    eventually(lambda: not holders(w), "the end of all holders", KEEP_S + 3 * PATIENCE)
    messages = sum(len(session.messages) for session in mailer.sessions)
    assert messages == 2 * ROUNDS * count, messages
