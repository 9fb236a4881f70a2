"""Small messages, one a connection: what stands between, side by side."""
import contextlib
import os
import subprocess
import tempfile
import time

from machine import program
from report import bars, median
from ways import Between, Source, Way

OCTETS = 2950           # the median of the ssmail paper
AT_ONCE = 8
ROUNDS = int(os.environ.get("BENCH_ROUNDS", 7))
MESSAGES = int(os.environ.get("BENCH_MESSAGES", 200))       # of a way in a round
FORWARDER_MOST, ENCRYPTION_MOST, UNKNOWN_MOST = 1.15, 0.25, 1.10

FORWARDER, FORWARDER_LOAD = "forwarder, tcpserver", "forwarder, tcpserver (*)"
SPIPED = "spiped pair, no forward secrecy"
PAIR, PAIR_CLEAR = "blackpony pair", "blackpony pair, suites empty"
HOP, HOP_CLEAR, HOP_NEW = "blackponyd (*)", "blackponyd, suites empty (*)", "blackponyd, peer not in cache (*)"
WAIT = "blackponyd on a listener (*)"

HOW = """Messages of {octets} octets from smtp-source to smtp-sink, one a connection, {at_once} at a time;
{rounds} rounds of {messages} messages each way in turn, medians.  CPU is user and system time of everything
between the two, tcpserver and what it starts included: `near` what stands behind the source, `far` what
stands in front of the sink.  (*): the source is a client that speaks XCRYPT itself where there is any; the
EHLO inside, the key exchange's two lines and the records are in what is counted.  The sides of a pair know
each other unless it says otherwise."""


def ways(b):
    """[(name, package it needs, function that returns a Way)]"""
    key = b.folder + "/keys-%d"

    def hop(name, number, suite=None, fresh=False, serve=None, **settings):
        far, port = (serve or b.tcpserver)(b.blackponyd(**settings))
        return Way(name, port, far=far, suite="chacha20poly1305_2.0" if suite is None else suite,
                   keys=None if fresh else key % number, fresh=fresh)

    def one(name, started, suite=None):
        return Way(name, started[1], far=started[0], suite=suite)

    def two(name, started):
        return Way(name, started[2], started[0], started[1])

    return [
        ("nothing", lambda n: Way(n, b.sink_port)),
        (FORWARDER, lambda n: one(n, b.tcpserver(b.forwarder()))),
        ("forwarder, xinetd", lambda n: one(n, b.xinetd(b.forwarder()))),
        ("socat, forking", lambda n: one(n, b.socat())),
        (SPIPED, lambda n: two(n, b.spiped("-f"))),
        ("spiped pair, forward secrecy", lambda n: two(n, b.spiped())),
        ("stunnel pair, TLS resumed", lambda n: two(n, b.stunnel_pair(True))),
        ("stunnel pair, not resumed", lambda n: two(n, b.stunnel_pair(False))),
        ("stunnel from tcpserver", lambda n: two(n, b.stunnel_process())),
        ("tlswrapper from tcpserver", lambda n: two(n, b.tlswrapper())),
        (PAIR, lambda n: two(n, b.pair())),
        (PAIR_CLEAR, lambda n: two(n, b.pair(suites=""))),
        ("blackpony pair, both with glibc", lambda n: two(n, b.pair(libc="glibc"))),
        ("blackpony pair, cache off", lambda n: two(n, b.pair(cache="off"))),
        ("blackpony pair, far on a listener", lambda n: two(n, b.pair(serve=b.listener))),
        (FORWARDER_LOAD, lambda n: one(n, b.tcpserver(b.forwarder()), suite="")),
        (HOP, lambda n: hop(n, 1)),
        (HOP_CLEAR, lambda n: hop(n, 2, suite="", suites="")),
        ("blackponyd with glibc (*)", lambda n: hop(n, 5, libc="glibc")),
        (HOP_NEW, lambda n: hop(n, 3, fresh=True)),
        (WAIT, lambda n: hop(n, 4, serve=b.listener)),
    ]


def set_up(b, report, source):
    found = []
    for name, make in ways(b):
        try:
            way = make(name)
        except FileNotFoundError as lacking:
            report.lacks(name, "no %s here" % lacking)
            continue
        source.prime(way)
        found.append(way)
    return found


class Sample:
    """One way in one round, for a message."""

    def __init__(self, near, far, seconds, messages):
        self.near, self.far, self.rate = near / messages, far / messages, messages / seconds
        self.cpu = self.near + self.far


def measure(source, way, messages, at_once):
    def cpu(group):
        return group.cpu_us() if group else 0
    near, far, begun = cpu(way.near), cpu(way.far), time.monotonic()
    sent = source.load(way, messages, at_once)
    seconds = time.monotonic() - begun
    way.settle()
    return Sample(cpu(way.near) - near, cpu(way.far) - far, seconds, sent)


class Results:
    def __init__(self):
        self.samples = {}

    def add(self, name, sample):
        self.samples.setdefault(name, []).append(sample)

    def of(self, name, field="cpu"):
        return median([getattr(x, field) for x in self.samples[name]])

    def has(self, *names):
        return all(name in self.samples for name in names)


def cores():
    return len(os.sched_getaffinity(0))


class Alone:
    """What bench/micro and bench/exchange say on all cores at once, as often as what it is compared with."""

    def __init__(self, folder):
        self.folder, self.moments, self.found = folder, 0, {}

    def measure(self):
        for name in "micro", "exchange":
            self.measure_with(program(name))

    def measure_with(self, measure):
        started = []
        for number in range(cores()):
            own = "%s/alone-%d-%d" % (self.folder, self.moments, number)
            os.makedirs(own, mode=0o700)
            started.append(subprocess.Popen([measure], cwd=own, stdout=subprocess.PIPE, text=True))
        self.moments += 1
        for child in started:
            out, _ = child.communicate()
            if child.returncode:
                raise RuntimeError("%s: status %d" % (measure, child.returncode))
            for line in out.splitlines():
                words = line.split()
                self.found.setdefault(tuple(words[:-1]), []).append(float(words[-1]))

    def rows(self):
        """{words: median}"""
        return {words: median(values) for words, values in self.found.items()}


def targets(report, r, alone):
    forwarder = r.of(FORWARDER) if r.has(FORWARDER) else None
    if forwarder and r.has(PAIR):
        for side, what in (("near", "blackpony"), ("far", "blackponyd")):
            ratio = r.of(PAIR, side) / forwarder
            report.target(1, what + " in the pair", "%.2f" % ratio, ratio <= FORWARDER_MOST)
        ratio = r.of(HOP) / r.of(FORWARDER_LOAD)
        report.target(1, "blackponyd, its client speaking XCRYPT", "%.2f" % ratio, ratio <= FORWARDER_MOST)
        for name, part in ((r.of(PAIR, "near") - r.of(PAIR_CLEAR, "near"), "blackpony"),
                           (r.of(PAIR, "far") - r.of(PAIR_CLEAR, "far"), "blackponyd")):
            report.target(4, part + ", encrypted less suites empty", "%.2f of the forwarder" % (name / forwarder),
                          name / forwarder <= ENCRYPTION_MOST)
    if r.has(SPIPED, WAIT):
        ours, theirs = r.of(WAIT), r.of(SPIPED)
        report.target(2, "blackponyd against both spiped", "%.0f us against %.0f" % (ours, theirs), ours <= theirs)
    if r.has(HOP, HOP_NEW):
        more = r.of(HOP_NEW) - r.of(HOP)
        least = alone[("x25519", "first")] + alone[("append",)]
        report.target(6, "blackponyd, not cached less cached", "%.0f us; X25519 and append in a process alone %.0f" % (more, least),
                      more <= UNKNOWN_MOST * least)


def run(report):
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="blackpony-bench-", dir=shared()))
        between = Between(folder)
        stack.callback(between.end)
        source = Source(between, OCTETS)
        report.say(HOW.format(octets=OCTETS, at_once=AT_ONCE, rounds=ROUNDS, messages=MESSAGES))
        found = set_up(between, report, source)
        for way in found:
            stack.callback(way.end)
        results, alone = Results(), Alone(folder)
        for _ in range(ROUNDS):
            for way in found:
                results.add(way.name, measure(source, way, MESSAGES, AT_ONCE))
            alone.measure()
    show(report, results, [way.name for way in found])
    targets(report, results, alone.rows())


def show(report, r, names):
    forwarder = r.of(FORWARDER) if r.has(FORWARDER) else None
    report.table("us of CPU for a message", ["both", "near", "far", "of forwarder", "least", "most", "messages/s"], [
        (name, r.of(name), r.of(name, "near") or None, r.of(name, "far") or None,
         r.of(name) / forwarder if forwarder else None, min(x.cpu for x in r.samples[name]),
         max(x.cpu for x in r.samples[name]), r.of(name, "rate")) for name in names])
    rows = [(name, r.of(name)) for name in names if name != "nothing"]
    report.plot("pairs", "set title 'CPU for a message of %d octets, everything between source and sink'\n" % OCTETS +
                bars(rows, "microseconds"), [rows])


def shared():
    """Where caches lie as they should, in memory."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
