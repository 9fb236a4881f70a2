"""Memory and descriptors of processes over time, and what "flat" means of them.

Memory is the anonymous memory of /proc/PID/smaps_rollup.  The first third of a flood is for warming up.  After it
nothing may be above what was seen in it by more than SLACK_KB, and there is no slack in descriptors.  Sessions that
have just begun are apart: the one that folds the cache holds all of it for a moment, and one descriptor more.
"""
import os
import statistics
import threading
import time

SLACK_KB = 64
WARM = 3            # one part in so many
YOUNG = 1.0         # seconds; a session has opened the cache by then


def sample(pid):
    """(KiB of anonymous memory, descriptors), or None where it is gone."""
    try:
        with open("/proc/%d/smaps_rollup" % pid) as lines:
            kb = [int(line.split()[1]) for line in lines if line.startswith("Anonymous:")]
        return (kb[0], len(os.listdir("/proc/%d/fd" % pid))) if kb else None
    except OSError:
        return None


def age(pid):
    """Seconds; 0 where it is gone."""
    try:
        with open("/proc/%d/stat" % pid) as stat, open("/proc/uptime") as uptime:
            begun = int(stat.read().rsplit(")", 1)[1].split()[19]) / os.sysconf("SC_CLK_TCK")
            return float(uptime.read().split()[0]) - begun
    except OSError:
        return 0


class Samples:
    """Of one kind of processes: the most of any at each time."""

    def __init__(self):
        self.kb, self.fds = [], []

    def add(self, found):
        found = [x for x in found if x]
        self.kb.append(max((x[0] for x in found), default=0))
        self.fds.append(max((x[1] for x in found), default=0))

    def faults(self, what):
        found = []
        warm = max(1, len(self.kb) // WARM)
        for unit, values, slack in ("KiB", self.kb, SLACK_KB), ("descriptors", self.fds, 0):
            if max(values[warm:], default=0) > max(values[:warm]) + slack:
                found.append("%s: %d %s after warming up, %d at most before" % (
                    what, max(values[warm:]), unit, max(values[:warm])))
        return found

    def report(self, what):
        warm = max(1, len(self.kb) // WARM)
        return "%s: at most %d KiB and %d descriptors in the first third, %d KiB and %d later (%d samples)" % (
            what, max(self.kb[:warm]), max(self.fds[:warm]), max(self.kb[warm:], default=0),
            max(self.fds[warm:], default=0), len(self.kb))


class Sampler:
    """
    parent      the blackponyd that listens; its children are the sessions
    others      more processes, all of one kind
    """

    def __init__(self, parent, others, every):
        self.parent, self.others = parent, others
        self.listener, self.sessions, self.young, self.blackpony = [Samples() for _ in range(4)]
        self.flat = {"the listening blackponyd": self.listener, "blackponyd's sessions": self.sessions,
                     "blackpony": self.blackpony}
        self.at_once = []
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run, args=(every,), daemon=True)
        self.thread.start()

    def run(self, every):
        while not self.stop.wait(every):
            with open("/proc/%d/task/%d/children" % (self.parent, self.parent)) as listed:
                children = [int(word) for word in listed.read().split()]
            self.at_once.append(len(children))
            old = {pid for pid in children if age(pid) > YOUNG}
            self.young.add([sample(pid) for pid in children if pid not in old])
            self.sessions.add([sample(pid) for pid in old])
            self.listener.add([self.at_rest()])
            self.blackpony.add([sample(pid) for pid in self.others])

    def at_rest(self):
        """Of the parent, when it isn't just accepting."""
        found = [sample(self.parent)]
        for _ in range(20):
            time.sleep(0.002)
            found.append(sample(self.parent))
        return min(found, key=lambda x: x[1])

    def close(self):
        self.stop.set()
        self.thread.join()

    def faults(self):
        return [fault for what, samples in self.flat.items() for fault in samples.faults(what)]

    def report(self):
        return "\n".join(["sessions at once: %d at most, %d in the median" % (
            max(self.at_once), statistics.median(self.at_once))] +
            [samples.report(what) for what, samples in self.flat.items()] +
            ["sessions in their first second: at most %d KiB and %d descriptors" % (
                max(self.young.kb), max(self.young.fds))])
