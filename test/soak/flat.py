"""Memory and descriptors of processes over time, and what "flat" means of them.

Memory is the anonymous memory of /proc/PID/smaps_rollup.  The first third of a flood is for warming up.  After it,
no lasting process may have SLACK_KB (REST_KB) or one descriptor more than it had in that third.  For the sessions,
which come and go, that applies to the median memory, and none may have more than SESSION_KB or SESSION_FDS: how many
buffers and descriptors a session needs depends on how far it has got.  Sessions that have just begun are treated
apart: the one that compacts the cache holds all of it for a moment, and one more descriptor.
"""
import collections
import os
import statistics
import threading
import time

SLACK_KB = 512      # four of six buffers: how much of them gets used depends on scheduling, and that on the machine
REST_KB = 64        # of the listening process, which has no buffers
SESSION_KB = 1024   # six buffers of 128 KiB, and the rest of a process
SESSION_FDS = 8     # of a session that is not encrypted yet; one to spare
WARM = 3            # one part in that many
YOUNG = 1.0         # seconds; a session has opened the cache by then


def sample(pid):
    """(KiB of anonymous memory, descriptors), or None if it is gone."""
    try:
        with open("/proc/%d/smaps_rollup" % pid) as lines:
            kb = [int(line.split()[1]) for line in lines if line.startswith("Anonymous:")]
        return (kb[0], len(os.listdir("/proc/%d/fd" % pid))) if kb else None
    except OSError:
        return None


def age(pid):
    """Its age in seconds; 0 if it is gone."""
    try:
        with open("/proc/%d/stat" % pid) as stat, open("/proc/uptime") as uptime:
            begun = int(stat.read().rsplit(")", 1)[1].split()[19]) / os.sysconf("SC_CLK_TCK")
            return float(uptime.read().split()[0]) - begun
    except OSError:
        return 0


class Samples:
    """The samples of one kind of processes: their maximum (or median, by `of`) at each time."""

    def __init__(self, of=max, slack=SLACK_KB, passing=0):
        """`passing`: descriptors that it may have for a moment, but not in every sample."""
        self.of, self.slack, self.passing, self.kb, self.fds = of, slack, passing, [], []

    def add(self, found):
        found = [x for x in found if x]
        if found:
            self.kb.append(self.of([x[0] for x in found]))
            self.fds.append(self.of([x[1] for x in found]))

    def faults(self, what):
        found = []
        warm = max(1, len(self.kb) // WARM)
        for unit, values, slack in ("KiB", self.kb, self.slack), ("descriptors", self.fds, self.passing):
            if max(values[warm:], default=0) > max(values[:warm]) + slack:
                found.append("%s: %g %s after warming up, %g at most before" % (
                    what, max(values[warm:]), unit, max(values[:warm])))
        return found

    def report(self, what):
        warm = max(1, len(self.kb) // WARM)
        return "%s: at most %g KiB and %g descriptors in the first third, %g KiB and %g later (%d samples)" % (
            what, max(self.kb[:warm]), max(self.fds[:warm]), max(self.kb[warm:], default=0),
            max(self.fds[warm:], default=0), len(self.kb))


class Sampler:
    """
    parent      the blackponyd that listens; its children are the sessions
    others      more processes, all of one kind
    """

    def __init__(self, parent, others, every):
        self.parent, self.others = parent, others
        self.blackpony, self.old, self.young = [Samples() for _ in range(3)]
        self.listener = Samples(slack=REST_KB, passing=1)     # a connection that was accepted and not yet handed over
        self.median = Samples(statistics.median, passing=SESSION_FDS)
        self.each = collections.defaultdict(Samples)    # of blackponyd's sessions
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
            found = {pid: sample(pid) for pid in old}
            self.old.add(found.values())
            self.median.add(found.values())
            for pid in old:
                self.each[pid].add([found[pid]])
            self.listener.add([self.at_rest()])
            self.blackpony.add([sample(pid) for pid in self.others])

    def at_rest(self):
        """Whether the parent is not just accepting a connection."""
        found = [sample(self.parent)]
        for _ in range(20):
            time.sleep(0.002)
            found.append(sample(self.parent))
        return min(found, key=lambda x: x[1])

    def close(self):
        self.stop.set()
        self.thread.join()

    def flat(self):
        kinds = {"the listening blackponyd": self.listener, "blackpony": self.blackpony,
                 "blackponyd's sessions, the median": self.median}
        lasting = [x for x in self.each.values() if len(x.kb) > 0.9 * len(self.at_once)]
        kinds.update({"blackponyd's session %d that lasts" % i: x for i, x in enumerate(lasting, 1)})
        return kinds

    def faults(self):
        found = [fault for what, samples in self.flat().items() for fault in samples.faults(what)]
        if max(self.old.kb) > SESSION_KB:
            found.append("a session of %d KiB" % max(self.old.kb))
        if max(self.old.fds) > SESSION_FDS:
            found.append("a session with %d descriptors" % max(self.old.fds))
        return found

    def report(self):
        return "\n".join(["sessions at once: %d at most, %d in the median" % (
            max(self.at_once), statistics.median(self.at_once))] +
            [samples.report(what) for what, samples in self.flat().items()] +
            ["%s: at most %d KiB and %d descriptors" % (what, max(samples.kb), max(samples.fds)) for what, samples in (
                ("a session", self.old), ("a session in its first second", self.young))])
