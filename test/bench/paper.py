"""Section 7 of the ssmail paper with our key cache, and its hit rate for random mail."""
import concurrent.futures
import os
import subprocess
import tempfile

from machine import program
from pairs import shared
from report import median

SEEDS = 15
RATE = 300                  # messages an hour
PEERS = (10, 100, 1000, 10000, 100000)
LIFETIMES = ((1800, "30 min"), (7200, "2 h"), (28800, "8 h"), (86400, "1 d"))
BURSTS = ((1, "Poisson"), (5, "in bursts of 5"))

HOW = """Section 7 of the ssmail paper: 1,322 messages in 372.6 hours, 994 of them from one hub.  Keys renewed every two
hours mean 187 periods and an exchange with the hub in each; the other 328 messages are taken to need one each.
Ours is the real key cache with the clock simulated and the messages at moments drawn at random, medians of %d
draws; what the paper calls an exchange is a first meeting in XCRYPT 2.0.  `renewed at this end` is the paper's own
count: the hub's keys stay as they are.  It comes to less than the paper's because a host renews its keys
when it is first called after two hours, and not sooner.  `at both ends` is what happens between two hosts
that both do so: the hub's keys change every two hours as well, at moments of its own, and what it keeps
goes with them.""" % SEEDS

DRAWN = """Of messages that come at random, %d an hour, each peer as likely as the other and with keys of its own
that it renews as often as we do: per cent that need no first meeting, with 65,536 entries in the cache.""" % RATE


def replay(*arguments):
    with tempfile.TemporaryDirectory(prefix="blackpony-bench-", dir=shared()) as folder:
        done = subprocess.run([program("replay")] + [str(x) for x in arguments], cwd=folder, check=True,
                              stdout=subprocess.PIPE, text=True)
    return [int(word) for word in done.stdout.split() if word.isdigit()]


def the_paper(report, pool):
    def one(*more):
        found = list(pool.map(lambda seed: replay("paper", seed, *more), range(1, SEEDS + 1)))
        return [median([row[column] for row in found]) for column in range(3)]
    rows = [("the paper, keys renewed at one end", 1322, 187, 515, 100 * (1 - 515 / 1322))]
    for name, more in (("ours, keys renewed at this end", ()), ("ours, keys renewed at both ends", ("renews",))):
        messages, meetings, hub = one(*more)
        rows.append((name, messages, hub, meetings, 100 * (1 - meetings / messages)))
    report.table("first meetings", ["messages", "with the hub", "in all", "% saved"], rows)


def drawn(report, pool):
    points = [(peers, lifetime, burst) for burst, _ in BURSTS for lifetime, _ in LIFETIMES for peers in PEERS]

    def rate(point):
        peers, lifetime, burst = point
        messages = max(10000, RATE * lifetime // 3600 * 3)
        _, meetings = replay(peers, lifetime, burst, messages, RATE, 1)
        return 100 * (1 - meetings / messages)
    rates = dict(zip(points, pool.map(rate, points)))
    report.say("\n" + DRAWN)
    tables, plots = [], []
    for burst, burst_name in BURSTS:
        report.table("peers, " + burst_name, ["keys for " + name for _, name in LIFETIMES], [
            (str(peers),) + tuple(rates[peers, lifetime, burst] for lifetime, _ in LIFETIMES) for peers in PEERS])
        for lifetime, name in LIFETIMES:
            plots.append("$table%d using 1:2 with linespoints dashtype %d linecolor %d title '%s, %s'" % (
                len(tables), 1 if burst == 1 else 2, LIFETIMES.index((lifetime, name)) + 1, burst_name, name))
            tables.append([(peers, rates[peers, lifetime, burst]) for peers in PEERS])
    report.plot("hits", """set title 'Messages that need no first meeting, %d an hour'
set logscale x
set yrange [0:100]
set xlabel 'peers'
set ylabel 'per cent'
set grid
set key outside right
plot %s
""" % (RATE, ", ".join(plots)), tables)


def run(report):
    report.say(HOW)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        the_paper(report, pool)
        drawn(report, pool)
