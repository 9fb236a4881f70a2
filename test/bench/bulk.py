"""One large message: octets a second, CPU for an octet, and the memory of a session."""
import contextlib
import os
import re
import subprocess
import tempfile
import threading

from machine import program
from pairs import Alone, Results, cores, measure, shared
from report import bars
from ways import NEW_SUITE, Between, Source, Way

OCTETS = 100 << 20
LIBRARIES = {"first": "in our programs, a process's first", "ours": "in our programs"}
LONG = 1 << 30
ROUNDS = int(os.environ.get("BENCH_ROUNDS", 5))
AES = "aes256gcm_2.0"
FORWARDERS = "two forwarders"
RATE_LEAST, MEMORY_MOST_KB = 0.85, 2000

HOW = """A message of {octets} octets (100 MiB), {rounds} rounds, medians.  `near` encrypts and `far`
decrypts, each a process of its own.  smtp-source and smtp-sink pass 30 MB/s; here source and sink are
bench/load, in the clear, and bench/sink.  What the AEAD and the cores permit: each octet is sealed and
opened, at the speed of the AEAD when all cores do nothing else, and source, sink and system calls cost
nothing; `carrying counted`: they cost as much as with two forwarders between them."""


def ways(b):
    def two(name, started):
        return Way(name, started[2], started[0], started[1], suite="")

    def forwarders(name):
        far, middle = b.tcpserver(b.forwarder())
        near, port = b.tcpserver([program("forwarder"), str(middle)])
        return Way(name, port, near, far, suite="")

    return [
        (FORWARDERS, forwarders),
        ("spiped pair", lambda n: two(n, b.spiped())),
        ("stunnel pair", lambda n: two(n, b.stunnel_pair(True))),
        ("blackpony pair, suites empty", lambda n: two(n, b.pair(suites=""))),
        (NEW_SUITE, lambda n: two(n, b.pair(suites=NEW_SUITE))),
        (AES, lambda n: two(n, b.pair(suites=AES))),
    ]


def private_kb(pid):
    """The memory that is nobody else's, or 0 where the process is gone."""
    try:
        with open("/proc/%d/smaps_rollup" % pid) as lines:
            return sum(int(x) for x in re.findall(r"^Private_\w+:\s+(\d+)", lines.read(), re.M))
    except OSError:
        return 0


class Watch:
    """The most that the sessions of a way's groups use, looked at until the end of the block."""

    def __init__(self, way):
        self.way, self.most, self.over = way, {group: 0 for group in way.groups()}, threading.Event()
        self.thread = threading.Thread(target=self.look)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def look(self):
        while not self.over.wait(0.05):
            for group in self.most:
                servers = [child.pid for child in group.children]
                for pid in group.pids():
                    if pid not in servers:
                        self.most[group] = max(self.most[group], private_kb(pid))


def held_kb(way, keys):
    """Of a session that waits inside, before the message."""
    argv = [program("load"), "-h", "-k", keys, str(way.port), NEW_SUITE, "1", "1", "2950"]
    child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    child.stdout.readline()
    most = max(private_kb(pid) for pid in way.far.pids() if pid != way.far.children[0].pid)
    child.communicate()
    return most


def memory(report, b, found):
    far, port = b.tcpserver(b.blackponyd())
    held = Way("held", port, far=far, suite=NEW_SUITE)
    idle = held_kb(held, b.folder + "/held")
    held.end()
    rows = [("blackponyd, waiting inside", idle)]
    pair = next(way for way in found if way.name == NEW_SUITE)
    with Watch(pair) as watch:
        Source(b, LONG).load(pair, 1, 1)
    rows += [("blackpony, a message of 1 GiB", watch.most[pair.near]),
             ("blackponyd, a message of 1 GiB", watch.most[pair.far])]
    report.table("private memory of a session", ["KB"], rows)
    for name, most in rows:
        report.target(7, name, "%d KB" % most, 0 < most < MEMORY_MOST_KB)


def show_alone(report, alone):
    rows = [("%s %s" % words[1:], ns, 1e3 / ns) for words, ns in alone.items() if words[0] == "aead"]
    report.table("records of 16 KB, sealed on all cores", ["ns/octet", "MB/s"], rows)
    report.table("X25519, on all cores", ["us"], [
        (LIBRARIES.get(words[1], words[1]), us) for words, us in alone.items() if words[0] == "x25519"])
    report.table("ML-KEM-768, on all cores", ["us"], [
        (words[1], us) for words, us in alone.items() if words[0] == "mlkem"])


def targets(report, r, alone):
    if r.has("stunnel pair"):
        for suite in (NEW_SUITE, AES):
            rate, other = r.of(suite, "rate"), r.of("stunnel pair", "rate")
            report.target(5, "%s over the stunnel pair" % suite, "%.2f" % (rate / other), rate >= other)
    for suite in (NEW_SUITE, AES):
        aead = alone[("aead", "libsodium", suite.split("_")[0])]
        # one core seals while another opens, or one does both
        permitted = 1e3 / max(aead, 2 * aead / cores())
        rate = r.of(suite, "rate") * OCTETS / 1e6
        report.target(5, "%s, %d cores" % (suite, cores()), "%.0f MB/s, %.2f of the %.0f permitted" % (
            rate, rate / permitted, permitted), None)
        # carrying keeps all cores busy, too, source and sink among it: as much as by way of two forwarders
        carried = 1e3 * cores() / (2 * aead + 1e3 * cores() / (r.of(FORWARDERS, "rate") * OCTETS / 1e6))
        report.target(5, "%s, carrying counted" % suite, "%.0f MB/s, %.2f of the %.0f permitted" % (
            rate, rate / carried, carried), rate >= RATE_LEAST * carried)
        for side, name in (("near", "blackpony"), ("far", "blackponyd")):
            ns = 1e3 * r.of(suite, side) / OCTETS
            report.target(5, "%s, %s" % (suite, name), "%.2f ns of CPU for an octet, %.2f of the AEAD's %.2f" % (
                ns, ns / aead, aead), None)


def run(report):
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="blackpony-bench-", dir=shared()))
        b = Between(folder, fast_sink=True)
        stack.callback(b.end)
        report.say(HOW.format(octets=OCTETS, rounds=ROUNDS))
        found, results, alone, source = [], Results(), Alone(folder), Source(b, OCTETS)
        small = Source(b, 2950)
        for name, make in ways(b):
            try:
                way = make(name)
            except FileNotFoundError as lacking:
                report.lacks(name, "no %s here" % lacking)
                continue
            found.append(way)
            stack.callback(way.end)
            small.prime(way)
        for _ in range(ROUNDS):
            for way in found:
                results.add(way.name, measure(source, way, 1, 1))
            alone.measure()
        report.table("one message of 100 MiB by bench/load", ["MB/s", "near ns/octet", "far ns/octet"], [
            (way.name, results.of(way.name, "rate") * OCTETS / 1e6, 1e3 * results.of(way.name, "near") / OCTETS,
             1e3 * results.of(way.name, "far") / OCTETS) for way in found])
        show_alone(report, alone.rows())
        memory(report, b, found)
    targets(report, results, alone.rows())
    rows = [(way.name, results.of(way.name, "rate") * OCTETS / 1e6) for way in found]
    report.plot("bulk", "set title 'One message of 100 MiB'\n" + bars(rows, "10^6 octets a second"), [rows])
