"""Memory and descriptors of processes over time, and what "flat" means of them.

Memory is the anonymous memory of /proc/PID/smaps_rollup.  The first third of a flood is for warming up.  After it
nothing may be above what was seen in it by more than SLACK_KB, and there is no slack in descriptors.
"""
import os
import threading
import time

SLACK_KB = 64
WARM = 3            # one part in so many


def sample(pid):
    """(KiB of anonymous memory, descriptors), or None where it is gone."""
    try:
        with open("/proc/%d/smaps_rollup" % pid) as lines:
            kb = [int(line.split()[1]) for line in lines if line.startswith("Anonymous:")]
        return (kb[0], len(os.listdir("/proc/%d/fd" % pid))) if kb else None
    except OSError:
        return None


class Samples:
    """Of one kind of processes: the most of any at each time."""

    def __init__(self):
        self.kb, self.fds, self.count = [], [], []

    def add(self, found):
        found = [x for x in found if x]
        self.count.append(len(found))
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
        self.kinds = {"the listening blackponyd": Samples(), "blackponyd's sessions": Samples(),
                      "blackpony": Samples()}
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run, args=(every,), daemon=True)
        self.thread.start()

    def run(self, every):
        while not self.stop.wait(every):
            parent, sessions, others = self.kinds.values()
            with open("/proc/%d/task/%d/children" % (self.parent, self.parent)) as listed:
                children = [int(word) for word in listed.read().split()]
            sessions.add([sample(pid) for pid in children])
            parent.add([self.at_rest()])
            others.add([sample(pid) for pid in self.others])

    def at_rest(self):
        """Of the parent, when it isn't just accepting."""
        found = [sample(self.parent)]
        for _ in range(4):
            time.sleep(0.001)
            found.append(sample(self.parent))
        return min(found, key=lambda x: x[1])

    def close(self):
        self.stop.set()
        self.thread.join()

    def faults(self):
        return [fault for what, samples in self.kinds.items() for fault in samples.faults(what)]

    def report(self):
        counts = sorted(self.kinds["blackponyd's sessions"].count)
        return "\n".join(["sessions at once: %d at most, %d in the median" % (counts[-1], counts[len(counts) // 2])] +
                         [samples.report(what) for what, samples in self.kinds.items()])
