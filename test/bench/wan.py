"""Over a link with a long delay: time and round trips until a message is accepted."""
import os
import stat
import subprocess
import tempfile
import threading
import time

from machine import program
from report import median
from sendmail import (ANEW, BEFORE_DAEMON, FAR, LOG_MC, NEAR, OCTETS, apart, empty, few_descriptors, fill_queue,
                      give_certificate, listen, make_readable, message, prepare, system_log, take_arrived)

DELAY_MS = float(os.environ.get("BENCH_DELAY_MS", 25))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", 5))
QUEUE, RUNNERS = 40, 10
ROUND_TRIP_US = 2000 * DELAY_MS

HOW = """A message of %d octets, and a queue of %d, from sendmail at mail.a.example to sendmail at mx.b.example.  The
hosts are network namespaces, joined by a program that delivers each IP packet %g ms later
(test/bench/wan.c); TCP is the kernel's.  The time is from the first SYN on the wire until sendmail notes
that the last message is accepted; medians of %d rounds, and once for the queue.

Round trips are counted in the packets, at mail.a.example.  Packets in one direction that leave within a
round trip are a flight, and each flight that is answered is a round trip; so is the opening of TCP, and
each flight that waits for an acknowledgement.  `all` includes QUIT.

`first meeting`: mail.a.example has an empty cache; `forgotten`: mx.b.example has.  Ours is a listening
blackponyd before a daemon; `in the clear`, it offers no suite.  `ours, STARTTLS`: mx.b.example is a sendmail,
and the one at mail.a.example starts TLS through blackpony.  `runners`: so many processes at the same
queue, as with R=%d in a QUEUE_GROUP.""" % (OCTETS, QUEUE, DELAY_MS, ROUNDS, RUNNERS)

FIRST, MET, CLEAR = "ours, first meeting", "ours, hosts that have met", "ours, in the clear"
FORGOTTEN, OURS_TLS = "ours, forgotten by the server", "ours, STARTTLS"
TCP, TCP_NEW, TLS, TLS_NEW = (
    "its TCP, one connection", "its TCP, new connections", "its STARTTLS, one connection",
    "its STARTTLS, new connections")

# name: domain, address, mailer, options of the queue run
PATHS = {
    FIRST: ("ours.example", "192.0.2.36", "blackpony", ()),
    MET: ("ours.example", "192.0.2.36", "blackpony", ()),
    FORGOTTEN: ("ours.example", "192.0.2.36", "blackpony", ()),
    CLEAR: ("clear.example", "192.0.2.37", "blackpony", ()),
    OURS_TLS: ("tls-ours.example", "192.0.2.31", "blackpony", ()),
    TCP: ("plain.example", "192.0.2.25", "esmtp", ()),
    TCP_NEW: ("plain.example", "192.0.2.25", "esmtp", ANEW),
    TLS: ("tls.example", "192.0.2.31", "esmtp", ()),
    TLS_NEW: ("tls.example", "192.0.2.31", "esmtp", ANEW),
}
MORE = {FIRST: 1, MET: 0, FORGOTTEN: 1}     # round trips more than in the clear

FAR_MC = LOG_MC + """DAEMON_OPTIONS(`Port=25, Addr=192.0.2.25, Name=plain, M=S')dnl
DAEMON_OPTIONS(`Port=25, Addr=192.0.2.31, Name=tls')dnl
DAEMON_OPTIONS(`Port=2526, Addr=127.0.0.1, Name=behind, M=S')dnl
define(`confDELIVERY_MODE', `queueonly')dnl
define(`confSERVER_CERT', `/srv/mx.b.example/certificate.pem')dnl
define(`confSERVER_KEY', `/srv/mx.b.example/certificate.pem')dnl
define(`confCACERT', `/srv/mx.b.example/certificate.pem')dnl
define(`confCACERT_PATH', `/srv/mx.b.example')dnl
"""
SYN, ACK = 0x02, 0x10


class Link:
    """Runs bench/wan between a near and a far namespace, and collects its output."""

    def __init__(self):
        from kit.run import Skip
        from private import NEWNET, check, ip, libc, unshare
        self.far = os.open("/proc/self/ns/net", os.O_RDONLY)
        unshare(NEWNET)
        self.near = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        ip("link set lo up")
        check(libc.setns(self.far, NEWNET), "setns")
        spaces = ["/proc/%d/fd/%d" % (os.getpid(), fd) for fd in (self.near, self.far)]
        self.child = subprocess.Popen([program("wan"), "%.0f" % (1000 * DELAY_MS)] + spaces, text=True,
                                      stdout=subprocess.PIPE)
        if self.child.stdout.readline() != "ready\n":
            raise Skip("no tun devices here")
        ip("address del 192.0.2.10/32 dev lo")
        ip("link set wan up")
        ip("route add 192.0.2.10 dev wan")
        self.enter()
        ip("address add 192.0.2.10 dev wan")
        ip("link set wan up")
        ip("route add 192.0.2.0/24 dev wan")
        check(libc.setns(self.far, NEWNET), "setns")
        self.packets = []
        threading.Thread(target=self.collect, daemon=True).start()

    def enter(self):
        """Moves this process or thread to the near side, mail.a.example."""
        from private import NEWNET, check, libc
        check(libc.setns(self.near, NEWNET), "setns")

    def collect(self):
        for line in self.child.stdout:
            us, side, port, flags, sequence, payload = line.split()
            self.packets.append((float(us), side == "near", int(port), int(flags, 16), int(sequence), int(payload)))


class Timed(list):
    """The system log, with the time of each line."""

    def __init__(self, lines):
        super().__init__(lines)
        self.times_us = [0.0] * len(lines)

    def append(self, line):
        self.times_us.append(1e6 * time.monotonic())
        super().append(line)


class Connection:
    """The flights of a connection, as seen at the near end: [from near, time, octets].

    The ACK that completes the TCP handshake counts as a flight, because the server speaks first.
    """

    def __init__(self):
        self.flights, self.opened, self.ends = [], False, {}

    def repeats(self, from_near, flags, sequence, payload):
        """A packet sent once more, which a slow machine is enough for."""
        end = sequence + payload + (flags & SYN > 0)
        known = self.ends.get(from_near)
        if known is not None and (end - known - 1) % (1 << 32) >= 1 << 31:
            return True
        self.ends[from_near] = end
        return False

    def add(self, us, from_near, flags, sequence, payload):
        opening = from_near and not self.opened and flags & (SYN | ACK) == ACK
        self.opened = self.opened or opening
        if not opening and (not payload and not flags & SYN or self.repeats(from_near, flags, sequence, payload)):
            return
        if not from_near:
            us += 1000 * DELAY_MS
        last = self.flights[-1] if self.flights else None
        # a packet sent a round trip later has waited for an acknowledgement
        if last and last[0] == from_near and us - last[1] < 0.9 * ROUND_TRIP_US:
            last[2] += payload
        else:
            self.flights.append([from_near, us, payload])

    def round_trips(self, until_us=None):
        """Flights from near that are answered, and flights from far that wait for an ACK."""
        count = 0
        for flight, after in zip(self.flights, self.flights[1:]):
            if until_us is not None and after[1] > until_us:
                break
            count += flight[0] or not after[0]
        return count

    def __str__(self):
        return " ".join("%s%d" % (">" if flight[0] else "<", flight[2]) for flight in self.flights)


def connections(packets):
    """The connections in the order of their SYNs."""
    events = sorted(packets, key=lambda packet: packet[0] + (0 if packet[1] else 1000 * DELAY_MS))
    found = {}
    for us, near, port, flags, sequence, payload in events:
        found.setdefault(port, Connection()).add(us, near, flags, sequence, payload)
    return list(found.values())


def set_up(w, certificate):
    """(near, far, link)"""
    from host import Host, listening
    from private import PROGRAMS, add_address, enter
    machine = enter(w)
    machine.log = Timed(machine.log)
    make_readable(PROGRAMS)
    # the machine has few devices
    os.mkdir("/dev/net")
    os.mknod("/dev/net/tun", stat.S_IFCHR | 0o600, os.makedev(10, 200))
    for address in {path[1] for path in PATHS.values()} - {"192.0.2.25"}:
        add_address(address)
    link = Link()

    class Here(Host):
        def become(self):
            few_descriptors()
            super().become()

    class There(Here):
        def become(self):
            link.enter()
            super().become()

    domains = sorted({path[0] for path in PATHS.values()})
    far = Here(w, FAR, "192.0.2.25", domains, more=FAR_MC, access="Connect:127.0.0.1\tRELAY\n")
    give_certificate(far, certificate)
    table = {path[0]: "%s:[%s]" % (path[2], path[1]) for path in PATHS.values()}
    near = There(w, NEAR, "192.0.2.10", ["a.example"], table=table, more=LOG_MC)
    far.daemon()
    for address in (PATHS[TCP][1], PATHS[TLS][1]):
        listening(address, 25)
    for name, more in ((MET, []), (CLEAR, ["-osuites="])):
        listen(far, PATHS[name][1], far.daemon_line() + more + BEFORE_DAEMON)
    return near, far, link


def run_queue(near, options, runners):
    """Runs the queue once, to its end, in `runners` processes."""
    argv = [near.behind()[0], "-Am", "-C", near.cf, *options, "-qf"]
    started = [near.start(argv, stdin=subprocess.DEVNULL) for _ in range(runners)]
    return [child.wait() for child in started]


def quiet(link):
    """Waits until the link has been idle for some time."""
    count = -1
    while count != len(link.packets):
        count = len(link.packets)
        time.sleep(0.2 + ROUND_TRIP_US / 1e6)


def forget(near, far, name):
    for host, forgets in ((near, name == FIRST), (far, name == FORGOTTEN)):
        if forgets:
            empty(host.folder + host.cache)


def measure(near, far, link, log, name, kept, count, runners=1):
    """[ms until all are accepted, round trips of one message until then, all, first flights]"""
    def sent_us():
        return [us for us, line in zip(log.times_us[lines:], log[lines:]) if ", relay=[192.0.2." in line and
                "stat=Sent" in line]
    forget(near, far, name)
    fill_queue(near, kept)
    quiet(link)
    packets, lines = len(link.packets), len(log)
    said = run_queue(near, PATHS[name][3], runners)
    quiet(link)
    arrived, sent = take_arrived(far), sent_us()
    if near.queued() or arrived != count or len(sent) != count:
        raise RuntimeError("%s: %d of %d messages arrived, %d noted: %s" % (name, arrived, count, len(sent), said))
    found = connections(link.packets[packets:])
    begun = min(connection.flights[0][1] for connection in found)
    return [(max(sent) - begun) / 1e3, sum(c.round_trips(max(sent)) for c in found) / count,
            sum(c.round_trips() for c in found) / count, str(found[0])]


def measure_all(w, certificate):
    near, far, link = set_up(w, certificate)
    log = w.things[0].log
    assert log is system_log(w)
    kept = {name: [prepare(near, path, OCTETS, count) for count in (1, QUEUE)] for name, path in PATHS.items()}
    one, queue, many = {}, {}, {}
    for number in range(-1, ROUNDS):        # the first warms everything up
        for name in PATHS:
            found = measure(near, far, link, log, name, kept[name][0], 1)
            if number >= 0:
                one.setdefault(name, []).append(found)
    for name in PATHS:
        queue[name] = [measure(near, far, link, log, name, kept[name][1], QUEUE)]
        many[name] = [measure(near, far, link, log, name, kept[name][1], QUEUE, RUNNERS)]
    return {"one": one, "queue": queue, "many": many}


def middle(samples):
    return [median(column) for column in list(zip(*samples))[:3]]


def targets(report, one):
    clear = one[CLEAR]
    for name, most in MORE.items():
        ms, trips, _ = one[name]
        report.target(9, name, "%g round trips until a message is accepted, in the clear %g; %.0f ms, %.0f" % (
            trips, clear[1], ms, clear[0]), trips - clear[1] == most)
    report.target(9, "sendmail's own, a new connection", "%g round trips, with STARTTLS %g, through ours %g" % (
        one[TCP_NEW][1], one[TLS_NEW][1], one[OURS_TLS][1]), None)


def run(report):
    from ways import certificate
    report.say(HOW)
    with tempfile.TemporaryDirectory(prefix="blackpony-bench-") as folder:
        results = apart(folder, lambda w: measure_all(w, certificate()))
    if "one" not in results:
        report.lacks("the wide link", results.get("skip") or results["error"])
        return
    one, queue, many = ({name: middle(samples) for name, samples in results[part].items()}
                        for part in ("one", "queue", "many"))
    report.table("one message", ["ms", "round trips", "all"], [(name, *row) for name, row in one.items()])
    report.table("a queue of %d, for a message" % QUEUE, ["s", "round trips", "s, %d runners" % RUNNERS], [
        (name, row[0] / 1e3, row[2], many[name][0] / 1e3) for name, row in queue.items()])
    report.say("\nthe octets of each flight, > from mail.a.example:")
    for name, samples in results["one"].items():
        report.say("  %-32s %s" % (name, samples[-1][3]))
    targets(report, one)
