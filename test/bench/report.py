"""What is printed: tables as text, plots by gnuplot, and the targets with what was reached."""
import os
import platform
import statistics
import subprocess

from machine import BIN, MULTIARCH, REAL, Group

FOLDER = os.path.join(BIN, "bench")
LABELS = 38         # characters in front of a row

# What is aimed at, by the number that a part reports it under.
TARGETS = {
    1: """a process for each connection, encrypted, known to each other: CPU of each side at most 1.15 of the
    plain forwarder as cc makes it, with glibc (what it is of one built static with musl, as ours are, is said);
    the pair about 0.8 of stunnel's, resident and resumed, under 0.3 of tlswrapper's and 0.2 of stunnel's from
    tcpserver""",
    2: "on a listening socket: CPU of its side at most that of the whole spiped pair without forward secrecy",
    3: """sendmail to sendmail, before a daemon: as many messages a second as by STARTTLS on new connections, and
    less CPU at either end; what is lost against its plain TCP, one connection for all, is said""",
    4: """encryption between hosts that have met, for 2,950 octets: at most 1.15 of the CPU in the clear and of two
    X25519, a process's first and another; less than 5 % of the CPU of both hosts for 64 KB by sendmail""",
    5: """100 MB: at least stunnel's rate, and 85 % of what libsodium's AEAD and the cores permit, the cost of carrying
    counted (what they permit without it, and CPU for an octet over the AEAD's, are said)""",
    6: """a first meeting, less a later one: at most 0.35 of the forwarder with glibc""",
    7: "less than 2 MB of private memory for a session, and for one with a message of 1 GB",
    8: """CPU for a message the same (at most 1.15) with 1 to 100,000 peers in the cache, for those that are in
    it, and with 1 to 200 sessions at once""",
    9: """a wide link: encryption costs one round trip at a first meeting, also where the server has forgotten the
    client, and none between hosts that have met""",
    10: """STARTTLS from tcpserver: a full handshake at most 0.9 of tlswrapper's CPU with mbedTLS 2.28 and 0.65 with 3.6,
    a resumed one at most 0.2; a certificate costs a session without TLS nothing (at most 1.05)""",
    11: """a wide link, a queue of 40 between hosts that have met: at most 0.7 of the time of sendmail's own TCP with its
    connection cache, and 1.1 of Postfix's, one delivery at a time""",
    12: """sendmail to sendmail before `sendmail -bs`, a queue over a kept connection: CPU of both hosts below that of
    sendmail's own TCP on new connections, and at least its rate on one""",
}

VERDICTS = {True: "met", False: "NOT MET", None: "said"}


class Report:
    """One part's text goes to standard output and to FOLDER/NAME.txt."""

    def __init__(self):
        self.file = None
        self.targets = []
        self.lacking = {}

    def part(self, name):
        os.makedirs(FOLDER, exist_ok=True)
        if self.file:
            self.file.close()
        self.file = open(os.path.join(FOLDER, name + ".txt"), "w")

    def say(self, text=""):
        print(text, flush=True)
        self.file.write(text + "\n")

    def table(self, title, columns, rows):
        """Rows are (name, value ...); a value is text, a number or None."""
        wide = max([12] + [len(x) + 2 for x in columns])
        self.say("\n%-*s%s" % (LABELS, title, "".join("%*s" % (wide, x) for x in columns)))
        for name, *values in rows:
            self.say("  %-*s%s" % (LABELS - 2, name, "".join("%*s" % (wide, shown(x)) for x in values)))

    def lacks(self, name, why):
        """Something to compare with that cannot be had here; said once."""
        if name not in self.lacking:
            self.say("without %s: %s" % (name, why))
        self.lacking[name] = why

    def target(self, number, what, reached, met):
        """With met=None it is said and not judged."""
        self.targets.append((number, what, reached, met))

    def finish(self):
        if self.targets:
            self.part("targets")
        last = None
        for number, what, reached, met in sorted(self.targets, key=lambda x: x[0]):
            if number != last:
                self.say("\n(%d) %s" % (number, TARGETS[number]))
            self.say("    %-7s %s: %s" % (VERDICTS[met], what, reached))
            last = number

    def plot(self, name, script, tables):
        """A plot NAME.svg; `tables` are the rows of $table0, $table1, ... in the script."""
        program = os.path.join(REAL, "gnuplot-nox/usr/bin/gnuplot-nox")
        library = os.path.join(REAL, "gnuplot-nox/usr/lib", MULTIARCH)
        if not os.access(program, os.X_OK):
            return
        text = "set terminal svg size 900,560 font 'sans,13' background 'white'\nset output '%s.svg'\n" % (
            os.path.join(FOLDER, name))
        for number, rows in enumerate(tables):
            lines = "".join(" ".join('"%s"' % x if isinstance(x, str) else "%.10g" % x for x in row) + "\n"
                            for row in rows)
            text += "$table%d << EOD\n%sEOD\n" % (number, lines)
        done = subprocess.run([program], input=text + script, text=True, stderr=subprocess.PIPE,
                              env=dict(os.environ, LD_LIBRARY_PATH=library))
        if done.returncode != 0:
            self.say("no plot %s: %s" % (name, done.stderr.strip()))


def shown(value):
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    for limit, form in ((100, "%.0f"), (10, "%.1f"), (0, "%.2f")):
        if abs(value) >= limit:
            return form % value
    return "%.2f" % value


def median(values):
    return statistics.median(values)


def bars(rows, unit):
    """A gnuplot script for $table0, rows of (name, value): a bar each, the first on top."""
    return """set xrange [0:%g]
set yrange [%g:-0.7]
set xlabel '%s'
set style fill solid 0.6 border -1
set boxwidth 0.6
set grid xtics
set ytics nomirror
unset key
plot $table0 using ($2/2):0:($2/2):(0.3):ytic(1) with boxxyerrorbars linecolor rgb '#4477aa', \\
     '' using 2:0:(sprintf(" %%.0f", $2)) with labels left offset 0.3,0
""" % (1.15 * max(value for _, value in rows), len(rows) - 0.3, unit)


def machine():
    model = platform.processor()
    with open("/proc/cpuinfo") as lines:
        for line in lines:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    counted = "by cgroup" if Group.top else "by wait4(2) and /proc, in ticks of a clock"
    return "%d x %s, Linux %s; CPU time counted %s" % (os.cpu_count(), model, platform.release(), counted)
