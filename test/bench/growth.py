"""What a message costs as the cache fills, and as sessions run at once."""
import contextlib
import os
import subprocess
import tempfile

from machine import program
from pairs import OCTETS, Results, measure, shared
from ways import NEW_SUITE, Between, Source, Way

ROUNDS = int(os.environ.get("BENCH_ROUNDS", 5))
MESSAGES = int(os.environ.get("BENCH_MESSAGES", 200))
PEERS = (1, 10, 100, 1000, 10000, 100000)
AT_ONCE = (1, 2, 5, 10, 20, 50, 100, 200)
FLAT_MOST = 1.15

HOW = """Messages of %d octets by bench/load, which speaks XCRYPT, %d rounds of %d messages each point in turn,
medians; CPU of everything between it and smtp-sink.""" % (OCTETS, ROUNDS, MESSAGES)


def fill(cache, peers):
    if peers > 0:
        subprocess.run([program("fill"), NEW_SUITE, str(peers)], cwd=cache, check=True)


def judge(report, what, costs, judged=True):
    """Costs by what grows, the least first."""
    ratio = max(costs) / costs[0]
    report.target(8, what, "%.0f us with 1, at most %.0f: %.2f" % (costs[0], max(costs), ratio),
                  ratio <= FLAT_MOST if judged else None)


def by_peers(report, b, stack):
    """Primed first, so that the peer that calls is the oldest."""
    known, new, source = Results(), Results(), Source(b, OCTETS)
    found = []
    for peers in PEERS:
        cache, keys = b.fresh_folder(), b.folder + "/keys-%d" % peers
        far, port = b.tcpserver(b.blackponyd(cache=cache, **{"cache-entries": str(4 * PEERS[-1])}))
        way = Way(peers, port, far=far, suite=NEW_SUITE, keys=keys)
        stack.callback(way.end)
        source.prime(way)
        fill(cache, peers - 1)
        stranger = Way(peers, port, far=far, suite=NEW_SUITE, fresh=True)
        stranger.rest()
        found.append((way, stranger))
    for _ in range(ROUNDS):
        for way, _ in found:
            known.add(way.name, measure(source, way, MESSAGES, 8))
    # these fill the cache further, by a thousand or so
    for _ in range(ROUNDS):
        for _, stranger in found:
            new.add(stranger.name, measure(source, stranger, MESSAGES, 8))
    rows = [(str(peers), known.of(peers), new.of(peers)) for peers in PEERS]
    report.table("peers in the cache", ["us, a known", "us, a new one"], rows)
    judge(report, "1 to 100,000 peers, one that is known", [known.of(peers) for peers in PEERS])
    judge(report, "1 to 100,000 peers, a new one", [new.of(peers) for peers in PEERS], judged=False)
    return [(peers, known.of(peers), new.of(peers)) for peers in PEERS]


def by_sessions(report, b, stack):
    source, results = Source(b, OCTETS), Results()
    keys = b.folder + "/keys-sessions-%d"
    ways = []
    for number, (name, serve) in enumerate((("tcpserver", b.tcpserver), ("listener", b.listener))):
        far, port = serve(b.blackponyd())
        ways.append(Way(name, port, far=far, suite=NEW_SUITE, keys=keys % number))
    far, port = b.tcpserver(b.forwarder())
    ways.append(Way("forwarder", port, far=far, suite=""))
    for way in ways:
        stack.callback(way.end)
        source.prime(way)
    for _ in range(ROUNDS):
        for at_once in AT_ONCE:
            for way in ways:
                results.add((way.name, at_once), measure(source, way, MESSAGES, at_once))
    rows = [(at_once,) + tuple(results.of((way.name, at_once)) for way in ways) for at_once in AT_ONCE]
    report.table("sessions at once", ["us, " + way.name for way in ways], [(str(row[0]),) + row[1:] for row in rows])
    for way in ways:
        judge(report, "1 to 200 sessions at once, " + way.name, [results.of((way.name, each)) for each in AT_ONCE],
              judged=way.suite != "")
    return rows


def run(report):
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="blackpony-bench-", dir=shared()))
        b = Between(folder)
        stack.callback(b.end)
        report.say(HOW)
        peers = by_peers(report, b, stack)
        sessions = by_sessions(report, b, stack)
    curves(report, "growth-peers", "peers in the cache", ("a known peer", "a new one"), peers)
    curves(report, "growth-sessions", "sessions at once", (
        "blackponyd from tcpserver", "blackponyd on a listener", "forwarder from tcpserver"), sessions)


def curves(report, name, along, titles, rows):
    plots = ["$table0 using 1:%d with linespoints title '%s'" % x for x in enumerate(titles, 2)]
    report.plot(name, """set ylabel 'microseconds of CPU for a message'
set xlabel '%s'
set logscale x
set yrange [0:*]
set grid
set key bottom right
plot %s
""" % (along, ", ".join(plots)), [rows])
