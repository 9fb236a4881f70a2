"""Small messages, one a connection: what stands between, side by side."""
import contextlib
import os
import subprocess
import tempfile
import time

from machine import program
from report import bars, median
from ways import NEW_SUITE, Between, Source, Way

OCTETS = 2950           # the median of the ssmail paper
AT_ONCE = 8
ROUNDS = int(os.environ.get("BENCH_ROUNDS", 7))
MESSAGES = int(os.environ.get("BENCH_MESSAGES", 200))       # of a way in a round
FORWARDER_MOST, MET_MOST, FIRST_MOST = 1.15, 1.15, 0.35

FORWARDER, FORWARDER_LOAD = "forwarder, tcpserver", "forwarder, tcpserver (*)"
STATIC, STATIC_LOAD = "forwarder, static with musl", "forwarder, static with musl (*)"
SPIPED = "spiped pair, no forward secrecy"
STUNNEL, STUNNEL_PROCESS = "stunnel pair, TLS resumed", "stunnel from tcpserver"
TLSWRAPPER = "tlswrapper from tcpserver"
PAIR, PAIR_CLEAR = "blackpony pair", "blackpony pair, suites empty"
PAIR_WAIT, PAIR_NEW = "blackpony pair, far on a listener", "blackpony pair, far without cache"
HOP, HOP_CLEAR, HOP_NEW = "blackponyd (*)", "blackponyd, suites empty (*)", "blackponyd, first meeting (*)"
WAIT = "blackponyd on a listener (*)"
NAMESPACE, NO_ADDRESS = "blackponyd, program, namespace (*)", "blackponyd, program, none (*)"

HOW = """Messages of {octets} octets to smtp-sink, one a connection, {at_once} at a time; {rounds} rounds of {messages}
messages each way in turn, medians.  They come from smtp-source, and in the second table, (*), from
bench/load, a client that speaks XCRYPT itself where there is any: the key exchange's
lines, the reply to EHLO inside and the records are in what is counted.  CPU is user and system time of everything between the two
ends, tcpserver and what it starts included: `near` what stands behind the source, `far` what stands in
front of the sink.  The forwarder passes octets on and does nothing else, and a pair is twice as many: the
same C, with glibc as cc makes it (`of glibc's`), and static with musl as our programs are (`of musl's`).

Ours have their default suites and jail, and an address behind, with client-address=none; the sides of a
pair know each other, unless it says otherwise.  `program`: the mailer behind is a program that blackponyd
starts for each session (the forwarder), as root: with client-address=auto, its default, which shows it the
true client by a connection in a network namespace, and with none.  Namespaces are taken down by the
kernel's workers, so in these two rows the workers' CPU time is counted as well."""


def ways(b):
    """[(name, function that returns a Way)]"""
    key = b.folder + "/keys-%d"

    def hop(name, number, suite=NEW_SUITE, fresh=False, serve=None, **settings):
        started = (serve or b.tcpserver)(b.blackponyd(**settings))
        return known(name, number, started, suite, fresh)

    def known(name, number, started, suite=NEW_SUITE, fresh=False):
        return Way(name, started[1], far=started[0], suite=suite, keys=None if fresh else key % number,
                   fresh=fresh)

    def one(name, started, suite=None):
        return Way(name, started[1], far=started[0], suite=suite)

    def two(name, started):
        return Way(name, started[2], started[0], started[1])

    return [
        ("nothing", lambda n: Way(n, b.sink_port)),
        (FORWARDER, lambda n: one(n, b.tcpserver(b.forwarder()))),
        (STATIC, lambda n: one(n, b.tcpserver(b.forwarder("-musl")))),
        ("forwarder, xinetd", lambda n: one(n, b.xinetd(b.forwarder()))),
        ("socat, forking", lambda n: one(n, b.socat())),
        (SPIPED, lambda n: two(n, b.spiped("-f"))),
        ("spiped pair, forward secrecy", lambda n: two(n, b.spiped())),
        (STUNNEL, lambda n: two(n, b.stunnel_pair(True))),
        ("stunnel pair, not resumed", lambda n: two(n, b.stunnel_pair(False))),
        (STUNNEL_PROCESS, lambda n: two(n, b.stunnel_process())),
        (TLSWRAPPER, lambda n: two(n, b.tlswrapper())),
        (PAIR, lambda n: two(n, b.pair())),
        (PAIR_CLEAR, lambda n: two(n, b.pair(suites=""))),
        ("blackpony pair, both with glibc", lambda n: two(n, b.pair(libc="glibc"))),
        ("blackpony pair, cache off", lambda n: two(n, b.pair(cache="off"))),
        (PAIR_NEW, lambda n: two(n, b.pair(far_cache="off"))),
        (PAIR_WAIT, lambda n: two(n, b.pair(serve=b.listener))),
        (FORWARDER_LOAD, lambda n: one(n, b.tcpserver(b.forwarder()), suite="")),
        (STATIC_LOAD, lambda n: one(n, b.tcpserver(b.forwarder("-musl")), suite="")),
        (HOP, lambda n: hop(n, 1)),
        (HOP_CLEAR, lambda n: hop(n, 2, suite="", suites="")),
        ("blackponyd with glibc (*)", lambda n: hop(n, 5, libc="glibc")),
        (HOP_NEW, lambda n: hop(n, 3, fresh=True)),
        (WAIT, lambda n: hop(n, 4, serve=b.listener)),
        (NO_ADDRESS, lambda n: known(n, 6, b.before_program("none"))),
        (NAMESPACE, lambda n: known(n, 7, b.before_program("auto"))),
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


def targets_forwarder(report, r):
    """What is judged by is the forwarder with glibc; the other is said."""
    for what, us, forwarder, static in (
            ("blackpony in the pair", r.of(PAIR, "near"), FORWARDER, STATIC),
            ("blackponyd in the pair", r.of(PAIR, "far"), FORWARDER, STATIC),
            ("blackponyd by bench/load", r.of(HOP), FORWARDER_LOAD, STATIC_LOAD)):
        ratio = us / r.of(forwarder)
        text = "%.2f, %.0f us against %.0f" % (ratio, us, r.of(forwarder))
        if r.has(static):
            text += "; %.2f of the one static with musl, %.0f us" % (us / r.of(static), r.of(static))
        report.target(1, what, text, ratio <= FORWARDER_MOST)
    for other, most in ((STUNNEL, None), (TLSWRAPPER, 0.3), (STUNNEL_PROCESS, 0.2)):
        if r.has(other):
            ratio = r.of(PAIR) / r.of(other)
            report.target(1, "the pair over %s" % other, "%.2f" % ratio, ratio < most if most else None)


def say_namespace(report, r):
    plain, shown = r.of(NO_ADDRESS), r.of(NAMESPACE)
    report.target(1, "before a program, showing it the client in a namespace",
                  "%.0f us more, %.0f and %.0f without" % (shown - plain, shown, plain), None)


def targets_encryption(report, r, alone):
    """Time for a later handshake: a process's first X25519 key pair and one shared secret."""
    exchange = alone[("x25519", "first")] + alone[("x25519", "ours")]
    for side, what in (("near", "blackpony"), ("far", "blackponyd")):
        met, least = r.of(PAIR, side), r.of(PAIR_CLEAR, side) + exchange
        report.target(4, what + " in the pair", "%.0f us, %.2f of the %.0f in the clear with two X25519" % (
            met, met / least, least), met <= MET_MOST * least)


def targets_spiped(report, r):
    for what, ours in (("in the pair", r.of(PAIR_WAIT, "far")), ("by bench/load", r.of(WAIT))):
        report.target(2, "blackponyd " + what, "%.0f us; both spiped, by smtp-source, %.0f" % (
            ours, r.of(SPIPED)), ours <= r.of(SPIPED))


def targets_first(report, r, alone):
    for what, new, known in (
            ("blackpony in the pair", r.of(PAIR_NEW, "near"), r.of(PAIR, "near")),
            ("blackponyd by bench/load", r.of(HOP_NEW), r.of(HOP))):
        more = new - known
        report.target(6, what, "a first meeting takes %.0f us more, %.0f and %.0f, %.2f of the forwarder "
                      "(ML-KEM alone: %s; the append %.0f)" % (more, new, known, more / r.of(FORWARDER), ", ".join(
                          "%s %.0f" % (words[1], us) for words, us in alone.items() if words[0] == "mlkem"),
                          alone[("append",)]), more <= FIRST_MOST * r.of(FORWARDER))


def targets(report, r, alone):
    if r.has(FORWARDER, PAIR):
        targets_forwarder(report, r)
        targets_encryption(report, r, alone)
        targets_first(report, r, alone)
    if r.has(NAMESPACE, NO_ADDRESS):
        say_namespace(report, r)
    if r.has(SPIPED, PAIR_WAIT, WAIT):
        targets_spiped(report, r)


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
    """What smtp-source and what bench/load was in front of apart, each with forwarders of its own."""
    def of(name, forwarder):
        return r.of(name) / r.of(forwarder) if r.has(forwarder) else None
    by_load = [name for name in names if name.endswith("(*)")]
    for source, rows, glibc, musl in (
            ("smtp-source", [name for name in names if name not in by_load], FORWARDER, STATIC),
            ("bench/load (*)", by_load, FORWARDER_LOAD, STATIC_LOAD)):
        report.table("us of CPU, by " + source, [
            "both", "near", "far", "of glibc's", "of musl's", "least", "most", "messages/s"], [
                (name, r.of(name), r.of(name, "near") or None, r.of(name, "far") or None, of(name, glibc),
                 of(name, musl), min(x.cpu for x in r.samples[name]), max(x.cpu for x in r.samples[name]),
                 r.of(name, "rate")) for name in rows])
    rows = [(name, r.of(name)) for name in names if name != "nothing"]
    report.plot("pairs", "set title 'CPU for a message of %d octets, everything between source and sink "
                "(*: bench/load)'\n" % OCTETS + bars(rows, "microseconds"), [rows])


def shared():
    """Where caches lie as they should, in memory."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
