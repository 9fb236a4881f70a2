"""Kills the programs under test, and checks the caches after each kill."""
import os
import signal
import subprocess
import time

from private import PROGRAMS, USER_ID, children, descendants

from kit.run import BIN, copy_program, eventually

NAMES = ("blackpony", "blackponyd")
PACE = 0.05         # seconds between two kills, at most, about


def words_of(pid):
    """(name, state, parent) of a process, or None."""
    try:
        with open("/proc/%d/stat" % pid) as stat:
            line = stat.read()
    except OSError:
        return None
    name = line[line.index("(") + 1:line.rindex(")")]
    state, parent = line[line.rindex(")") + 2:].split()[:2]
    return name, state, int(parent)


def is_holder(pid):
    """Whether this blackpony holds a connection: it leads a session of its own."""
    try:
        return os.getsid(pid) == pid
    except ProcessLookupError:
        return False


def callers():
    """The sendmails above all blackponies: one of them may have handed its message to the holder."""
    found = [words_of(pid) for pid in descendants(os.getpid())]
    return [words[2] for words in found if words and words[0] == NAMES[0]]


class Killer:
    def __init__(self, w, hosts, ledger, chance):
        self.w, self.ledger, self.chance = w, ledger, chance
        self.counts = {"blackpony": 0, "blackpony that holds": 0, "blackponyd": 0, "blackponyd that waits": 0}
        self.faults, self.looks = [], 0
        self.keys = copy_program(BIN + "/soak/keys", PROGRAMS)
        self.lookers = [self.looker(host.folder + "/run/blackpony") for host in hosts]

    @property
    def count(self):
        return sum(self.counts.values())

    def looker(self, folder):
        """Opens the cache each time it is asked, and reads all of it."""
        return self.w.spawn([self.keys, "look", folder], stdin=subprocess.PIPE, bufsize=0,
                            stdout=subprocess.PIPE, user=USER_ID, group=USER_ID, extra_groups=[])

    def look(self):
        for child in self.lookers:
            child.stdin.write(b"\n")
        for child in self.lookers:
            said = child.stdout.readline().strip()
            self.looks += 1
            if said != b"good":
                self.faults.append("after %d kills the cache was %r" % (self.count, said))

    def strike(self):
        """Kills one of the running processes at a random moment."""
        time.sleep(self.chance.random() * PACE)
        victims = [pid for pid in descendants(os.getpid()) if (words_of(pid) or " ")[0] in NAMES]
        if victims and self.kill(self.chance.choice(victims)):
            self.look()
        self.reap()

    def kill(self, pid):
        """True if it was killed: the descriptor refers to this process, not to a later one with its number."""
        try:
            fd = os.pidfd_open(pid)
        except ProcessLookupError:
            return False
        try:
            name, state, parent = words_of(pid) or ("", "Z", 0)
            if name not in NAMES or state == "Z":
                return False
            # while it is looked at, it does no work for others
            signal.pidfd_send_signal(fd, signal.SIGSTOP)
            eventually(lambda: (words_of(pid) or "  ")[1] in " TZX", "a process that stops")
            related = [parent] + descendants(pid)
            holds = name == NAMES[0] and is_holder(pid)
            if holds:
                related += callers()
            waits = any((words_of(child) or " ")[0] == "blackponyd" for child in children(pid))
            signal.pidfd_send_signal(fd, signal.SIGKILL)
        except ProcessLookupError:
            return False
        finally:
            os.close(fd)
        self.counts["blackponyd that waits" if waits else "blackpony that holds" if holds else name] += 1
        self.ledger.killed(name, related)
        return True

    def reap(self):
        """Reaps the processes whose parents are gone and that are our children now."""
        ours = {child.pid for _, child in self.w.children}
        for pid in children(os.getpid()):
            if pid not in ours and (words_of(pid) or " Z")[1] == "Z":
                try:
                    os.waitpid(pid, os.WNOHANG)
                except ChildProcessError:
                    pass

    def close(self):
        for child in self.lookers:
            child.stdin.close()

    def report(self):
        return "kills: %s\ncache: opened and read %d times, %d times not good" % (
            ", ".join("%d of %s" % (count, name) for name, count in self.counts.items()), self.looks,
            len(self.faults))
