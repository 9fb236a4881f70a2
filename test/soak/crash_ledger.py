"""What became of each message, from the logs of both sendmails and both programs and from the deliveries.

a is the sending host, b the receiving one.  A message that b accepted twice has two queue identifiers there, and
a has read the reply with at most one of them.  RFC 1047 explains the other one if its attempt was cut off: if
the killed process was blackponyd in front of the sendmail of b that accepted it, or blackpony below the
sendmail of a that then deferred the message.
"""
import collections
import os
import re
import threading
import time

from kit.run import BIN

NEAR = 20           # seconds between a kill and the log lines about it; process numbers are used again later
PATTERNS = (
    ("accepted", r"^sendmail\[(\d+)\]: (\w+): from=<alice@a\.example>, .*msgid=<(\w+)@a\.example>"),
    ("sent", r"^sendmail\[\d+\]: (\w+): to=<bob@b2?\.example>, .*mailer=blackpony, .*stat=Sent \((\w+) Message"),
    ("tried", r"^sendmail\[(\d+)\]: (\w+): to=<bob@b2?\.example>, .*mailer=blackpony, .*stat=(?!queued)"),
    ("connection", r"^(blackponyd?)\[\d+\]: (?:session|call) .*crypt=(\S+) .*cache=(\S+) "),
    ("refused", r"^blackpony\[\d+\]: call .*error=()"),
    ("torn", r"^blackponyd?\[\d+\]: .*(its damaged end)"),
    ("cache", r"^blackponyd?\[\d+\]: (.*(?:damaged|not used|keys\.cdb|keys\.journal).*)"),
    ("again", r"^blackpony\[\d+\]: .*(connecting again without it)"),
)


class Ledger:
    def __init__(self, machine, folder):
        self.machine, self.folder = machine, folder
        self.lock = threading.Lock()
        self.of_a = {}                                      # name: a's queue identifier
        self.accepted = collections.defaultdict(dict)       # name: {b's queue identifier: (process, time)}
        self.read = collections.defaultdict(list)           # a's queue identifier: those of b's it was told
        self.put_off = collections.defaultdict(list)        # a's queue identifier: [(process, time)]
        self.kills = {"blackpony": [], "blackponyd": []}    # [(processes related, time)]
        self.counts = collections.Counter()
        self.complaints = []
        self.archive = open(BIN + "/soak/crashes.log", "w")
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.follow, daemon=True)
        self.thread.start()

    # what happens

    def submitted(self, name, identifier):
        with self.lock:
            self.of_a[name] = identifier

    def killed(self, name, related):
        self.kills[name].append((set(related), time.monotonic()))

    def outstanding(self):
        with self.lock:
            return len(self.of_a) - len(self.read)

    def follow(self):
        while not self.over.wait(0.05):
            self.take()

    def take(self):
        with self.machine.changed:
            lines, self.machine.log[:] = list(self.machine.log), []
        for line in lines:
            self.archive.write("%.3f %s\n" % (time.monotonic(), line))
            for what, pattern in PATTERNS:
                found = re.search(pattern, line)
                if found:
                    with self.lock:
                        getattr(self, "on_" + what)(*found.groups())
                    break

    def close(self):
        self.over.set()
        self.thread.join()
        self.take()
        self.archive.close()

    def on_accepted(self, process, identifier, name):
        # a logs its own acceptance with the same words
        self.accepted[name][identifier] = (int(process), time.monotonic())

    def on_sent(self, identifier, there):
        self.counts["attempts"] += 1
        self.read[identifier].append(there)

    def on_tried(self, process, identifier):
        self.counts["attempts"] += 1
        self.put_off[identifier].append((int(process), time.monotonic()))

    def on_connection(self, program, suite, cache):
        self.counts["%s encrypted" % program if suite != "none" else "%s in the clear" % program] += 1
        self.counts["%s cache=%s" % (program, cache)] += 1

    def on_refused(self, _):
        self.counts["not reached"] += 1

    def on_torn(self, _):
        self.counts["torn ends of a journal, cut off"] += 1

    def on_cache(self, line):
        self.complaints.append(line)

    def on_again(self, _):
        self.counts["called again without XCRYPT"] += 1

    # what came of it

    def at_b(self, name):
        return {identifier: who for identifier, who in self.accepted[name].items() if identifier != self.of_a[name]}

    def told(self, name):
        return self.read[self.of_a[name]]

    def delivered(self):
        """{b's queue identifier: [(name, verdict)]}"""
        found = collections.defaultdict(list)
        with open(self.folder + "/mail/deliveries") as lines:
            for line in lines:
                identifier, name, verdict = line.split()
                found[identifier].append((name, verdict))
        return found

    def was_cut(self, kind, process, when):
        return any(process in related and abs(when - at) < NEAR for related, at in self.kills[kind])

    def unexplained(self, name):
        """b's queue identifiers of this message whose reply a has not read and that no kill explains."""
        cuts = sum(self.was_cut("blackpony", process, when) for process, when in self.put_off[self.of_a[name]])
        left = []
        for identifier, (process, when) in self.at_b(name).items():
            if identifier in self.told(name) or self.was_cut("blackponyd", process, when):
                continue
            cuts -= 1
            if cuts < 0:
                left.append(identifier)
        return left

    def judge(self):
        delivered = self.delivered()
        result = collections.Counter()
        for name in self.of_a:
            here = self.at_b(name)
            result["messages"] += 1
            result["lost"] += not any(i in delivered for i in here)
            result["accepted, not delivered"] += sum(i not in delivered for i in here)
            result["told of and not accepted"] += sum(i not in here for i in self.told(name))
            result["told more than once"] += len(self.told(name)) != 1
            result["delivered again"] += len(here) - 1
            result["delivered again, unexplained"] += len(self.unexplained(name))
        result["deliveries"] = sum(map(len, delivered.values()))
        result["delivered twice within b"] = sum(len(entries) != 1 for entries in delivered.values())
        result["damaged"] = sum(verdict != "good" for entries in delivered.values() for _, verdict in entries)
        return result

    WRONG = ("lost", "damaged", "delivered again, unexplained", "accepted, not delivered", "told of and not accepted",
             "told more than once", "delivered twice within b")

    def faults(self):
        judged = self.judge()
        found = ["%s: %d" % (what, judged[what]) for what in self.WRONG if judged[what]]
        found += ["%s: %d" % (what, count) for what, count in self.counts.items() if what.endswith("cache=off")]
        # of a short campaign on a busy machine there may be none
        found += ["no %s went back to a meeting" % program for program in ("blackpony", "blackponyd")
                  if self.counts["%s cache=miss" % program] > 500 and not self.counts["%s cache=hit" % program]]
        return found + self.complaints[:20]

    def summary(self):
        return "%d messages, %d there" % (len(self.of_a), len(self.read))

    def report(self):
        judged = self.judge()
        lines = ["%s: %d" % (what, judged[what]) for what in ("messages", "deliveries", "delivered again") + self.WRONG]
        lines += ["%s: %d" % pair for pair in sorted(self.counts.items())]
        return "\n".join(lines + ["complaints about a cache: %d" % len(self.complaints)])
