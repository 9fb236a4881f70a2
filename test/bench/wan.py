"""Over a link with a long delay: time and round trips until a message is accepted."""
import os
import re
import stat
import subprocess
import tempfile
import threading
import time

from machine import BIN, MTU, eventually, program
from report import median
from sendmail import (ANEW, BEFORE_DAEMON, FAR, LOG_MC, NEAR, OCTETS, apart, empty, few_descriptors, fill_queue,
                      give_certificate, listen, make_readable, message, prepare, system_log, take_arrived, without_tls)

DELAY_MS = float(os.environ.get("BENCH_DELAY_MS", 25))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", 5))
QUEUE, RUNNERS = 40, 10
ROUND_TRIP_US = 2000 * DELAY_MS

LARGE = 10 << 20

HOW = """A message of %d octets, and a queue of %d, from sendmail at mail.a.example to sendmail at mx.b.example.  The
hosts are network namespaces, joined by a program that delivers each IP packet %g ms later
(test/bench/wan.c); TCP is the kernel's, and all devices have the MTU of an Ethernet.  The time is from the first
SYN on the wire until the sender notes that the last message is accepted; medians of %d rounds, and once for
the queue.

Round trips are counted in the packets, at mail.a.example.  Packets in one direction that leave within a
round trip are a flight, and each flight that is answered is a round trip; so is the opening of TCP, and
each flight that waits for an acknowledgement.  `all` includes QUIT.

`first meeting`: mail.a.example has an empty cache; `forgotten`: mx.b.example has.  Ours is a listening
blackponyd before a daemon, or blackponyd from inetd before `sendmail -bs`; `in the clear`, it offers no suite.
`not kept`: with keep-open = 0, where there is that setting.  `as arguments`: blackpony is started for one
message after the other with its recipient, as Postfix and cron do.  `ours, STARTTLS`: mx.b.example is a sendmail,
and the one at mail.a.example starts TLS through blackpony; as arguments, blackpony does.  Postfix sends to the
same sendmail in the clear, one delivery at a time.  `runners`: so many processes at the same queue, as with R=%d
in a QUEUE_GROUP.""" % (
    OCTETS, QUEUE, DELAY_MS, ROUNDS, RUNNERS)

FIRST, MET, CLEAR = "ours, first meeting", "ours, hosts that have met", "ours, in the clear"
FORGOTTEN, OURS_TLS = "ours, forgotten by the server", "ours, STARTTLS"
NOT_KEPT, BEFORE_PROGRAM = "ours, met, not kept", "ours, met, before `sendmail -bs`"
ARGUMENTS, ARGUMENTS_CLEAR = "ours, met, as arguments", "ours, in the clear, as arguments"
ARGUMENTS_TLS = "ours, STARTTLS, as arguments"
TCP, TCP_NEW, TLS, TLS_NEW = (
    "its TCP, one connection", "its TCP, new connections", "its STARTTLS, one connection",
    "its STARTTLS, new connections")
POSTFIX, POSTFIX_NEW = "Postfix, connections kept", "Postfix, new connections"

# name: domain, address, mailer, options of the queue run
PATHS = {
    FIRST: ("ours.example", "192.0.2.36", "blackpony", ()),
    MET: ("ours.example", "192.0.2.36", "blackpony", ()),
    NOT_KEPT: ("new.example", "192.0.2.36", "blackpony-new", ()),
    FORGOTTEN: ("ours.example", "192.0.2.36", "blackpony", ()),
    BEFORE_PROGRAM: ("program.example", "192.0.2.32", "blackpony", ()),
    CLEAR: ("clear.example", "192.0.2.37", "blackpony", ()),
    OURS_TLS: ("tls-ours.example", "192.0.2.31", "blackpony", ()),
    ARGUMENTS: ("ours.example", "192.0.2.36", None, ()),
    ARGUMENTS_CLEAR: ("clear.example", "192.0.2.37", None, ()),
    ARGUMENTS_TLS: ("tls-ours.example", "192.0.2.31", None, ()),
    TCP: ("plain.example", "192.0.2.25", "esmtp", ()),
    TCP_NEW: ("plain.example", "192.0.2.25", "esmtp", ANEW),
    TLS: ("tls.example", "192.0.2.31", "esmtp", ()),
    TLS_NEW: ("tls.example", "192.0.2.31", "esmtp", ANEW),
    POSTFIX: ("plain.example", "192.0.2.25", "postfix", ("smtp_connection_cache_on_demand = yes",)),
    POSTFIX_NEW: ("plain.example", "192.0.2.25", "postfix", ("smtp_connection_cache_on_demand = no",)),
}
FORGETFUL = FIRST, FORGOTTEN                # they begin with an empty cache, the others have met
MORE = {FIRST: 1, MET: 0, FORGOTTEN: 1}     # round trips more than in the clear
OURS = "blackpony", "blackpony-new", None    # mailers; None: as arguments
LARGE_PATHS = (MET, CLEAR, OURS_TLS, TCP_NEW, TLS_NEW)
POSTFIX_MORE = """default_transport = smtp
relayhost = [192.0.2.25]
inet_protocols = ipv4
smtp_destination_concurrency_limit = 1
initial_destination_concurrency = 1
"""

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
        ip("link set lo mtu", str(MTU), "up")
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
    from private import PROGRAMS, add_address, enter, ip
    machine = enter(w)
    machine.log = Timed(machine.log)
    ip("link set lo mtu", str(MTU))
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
    table = {path[0]: "%s:[%s]" % (path[2], path[1]) for path in PATHS.values() if path[2] not in (None, "postfix")}
    near = There(w, NEAR, "192.0.2.10", ["a.example"], table=table, more=LOG_MC)
    add_mailer(near)
    far.daemon()
    for address in (PATHS[TCP][1], PATHS[TLS][1]):
        listening(address, 25)
    far.inetd(far.daemon_line() + without_tls(far), addresses=[PATHS[BEFORE_PROGRAM][1]])
    for name, more in ((MET, []), (CLEAR, ["-osuites="])):
        listen(far, PATHS[name][1], far.daemon_line() + more + BEFORE_DAEMON)
    return near, far, link


def add_mailer(near):
    """`blackpony-new`: with settings of its own, which keep no connection open."""
    own, new = near.folder + "/blackpony.conf", near.folder + "/new.conf"
    with open(own) as lines:
        settings = lines.read().replace("keep-open = 0\n", "")     # of the tests
    with open(own, "w") as out:
        out.write(settings)
    with open(new, "w") as out:
        out.write(settings + "keep-open = 0\n")
    with open(near.cf) as lines:
        mailer = re.search(r"^Mblackpony,.*\n(?:[ \t].*\n)*", lines.read(), re.M).group()
    with open(near.cf, "a") as out:
        out.write(mailer.replace("Mblackpony,", "Mblackpony-new,").replace(near.folder + "/blackpony.conf", new))


def postfix(w, link):
    """At mail.a.example as well.  None where it cannot be had."""
    from others import ROOTS, Postfix

    class There(Postfix):
        def become(self):
            link.enter()
            few_descriptors()
            super().become()
    if not os.path.isdir(ROOTS + "postfix"):
        return None
    return There(w, "postfix.a.example", "192.0.2.10", [], more=POSTFIX_MORE)


class Queue:
    """Messages in sendmail's queue, for a queue run."""

    def __init__(self, near, log, path):
        self.near, self.log, self.path = near, log, path
        self.kept = {}

    def prepare(self, octets, count):
        self.kept[octets, count] = prepare(self.near, self.path, octets, count)

    def fill(self, octets, count):
        fill_queue(self.near, self.kept[octets, count])
        self.lines = len(self.log)

    def run(self, runners):
        """Runs the queue once, to its end, in `runners` processes."""
        argv = [self.near.behind()[0], "-Am", "-C", self.near.cf, *self.path[3], "-qf"]
        started = [self.near.start(argv, stdin=subprocess.DEVNULL) for _ in range(runners)]
        return [child.wait() for child in started] + self.near.queued()

    def accepted_us(self):
        return [us for us, line in zip(self.log.times_us[self.lines:], self.log[self.lines:])
                if ", relay=[192.0.2." in line and "stat=Sent" in line]


class Arguments:
    """blackpony with a recipient as argument, once for each message."""

    def __init__(self, near, path):
        self.near, self.path = near, path

    def prepare(self, octets, _count):
        with open("%s/message-%d" % (self.near.folder, octets), "wb") as out:
            out.write(message(octets))

    def fill(self, octets, count):
        self.octets, self.count, self.times_us = octets, count, []

    def run(self, _runners):
        from private import PROGRAMS
        said = []
        argv = [PROGRAMS + "/blackpony", "-C", self.near.folder + "/blackpony.conf", "-f", "alice@a.example", "--",
                "[%s]" % self.path[1], "bob@" + self.path[0]]
        for _ in range(self.count):
            with open("%s/message-%d" % (self.near.folder, self.octets), "rb") as text:
                said.append(self.near.start(argv, stdin=text).wait())
            self.times_us.append(1e6 * time.monotonic())
        return said

    def accepted_us(self):
        return self.times_us


class Postfixes:
    """Messages that Postfix finds when it starts."""

    def __init__(self, host, log, path):
        self.host, self.log, self.path = host, log, path
        with open(host.folder + "/etc/postfix/main.cf") as lines:
            self.main = lines.read()

    def prepare(self, _octets, _count):
        pass

    def fill(self, octets, count):
        self.host.write("/etc/postfix/main.cf", self.main + "".join(line + "\n" for line in self.path[3]))
        os.utime(self.host.folder + "/etc/postfix/main.cf", (0, 0))
        for _ in range(count):
            self.host.submit(message(octets), ["bob@" + self.path[0]])
        self.count, self.lines = count, len(self.log)

    def run(self, _runners):
        master = self.host.start(["/usr/lib/postfix/sbin/master", "-d"])
        eventually(lambda: len(self.accepted_us()) >= self.count, "the last message of Postfix")
        master.terminate()
        return [master.wait()]

    def accepted_us(self):
        return [us for us, line in zip(self.log.times_us[self.lines:], self.log[self.lines:])
                if ", relay=192.0.2." in line and "status=sent" in line]


def quiet(link):
    """Waits until the link has been idle for some time."""
    count = -1
    while count != len(link.packets):
        count = len(link.packets)
        time.sleep(0.2 + ROUND_TRIP_US / 1e6)


def closed(link):
    """Waits until no connection to port 25 is open at mail.a.example: one that is kept serves no other measurement."""
    def none():
        table = subprocess.run(["cat", "/proc/self/net/tcp"], preexec_fn=link.enter, stdout=subprocess.PIPE, text=True)
        rows = [line.split() for line in table.stdout.splitlines()[1:]]
        return not any(row[2].endswith(":0019") and row[3] == "01" for row in rows)
    eventually(none, "the end of a kept connection")


def forget(near, far, name):
    for host, forgets in ((near, name == FIRST), (far, name == FORGOTTEN)):
        if forgets:
            empty(host.folder + host.cache)


def measure(near, far, link, name, way, octets, count, runners=1):
    """[ms until all are accepted, round trips of one message until then, all, first flights]"""
    forget(near, far, name)
    way.fill(octets, count)
    closed(link)
    quiet(link)
    packets = len(link.packets)
    said = way.run(runners)
    quiet(link)
    arrived, accepted = take_arrived(far), way.accepted_us()
    if arrived != count or len(accepted) != count:
        raise RuntimeError("%s: %d of %d messages arrived, %d noted: %s" % (name, arrived, count, len(accepted), said))
    # without the last packets of an earlier connection
    found = [connection for connection in connections(link.packets[packets:]) if connection.flights]
    begun = min(connection.flights[0][1] for connection in found)
    return [(max(accepted) - begun) / 1e3, sum(c.round_trips(max(accepted)) for c in found) / count,
            sum(c.round_trips() for c in found) / count, str(found[0])]


def ways(w, near, link, log):
    """{name: way}, without those that cannot be had."""
    host = postfix(w, link)
    with open(os.path.join(BIN, "blackpony"), "rb") as octets:
        keeps = b"keep-open" in octets.read()
    found = {}
    for name, path in PATHS.items():
        if path[2] is None:
            found[name] = Arguments(near, path)
        elif path[2] != "postfix":
            found[name] = Queue(near, log, path)
        elif host:
            found[name] = Postfixes(host, log, path)
    if not keeps:
        del found[NOT_KEPT]
    return found


def measure_all(w, certificate):
    near, far, link = set_up(w, certificate)
    log = w.things[0].log
    assert log is system_log(w)
    found = ways(w, near, link, log)
    one, queue, many, large = {}, {}, {}, {}
    for name, way in found.items():
        way.prepare(OCTETS, 1)
        way.prepare(OCTETS, QUEUE)
        if name in LARGE_PATHS:
            way.prepare(LARGE, 1)
    for number in range(-1, ROUNDS):        # the first warms everything up
        for name in FORGETFUL:
            one.setdefault(name, []).append(measure(near, far, link, name, found[name], OCTETS, 1))
        for name, way in found.items():
            if name in FORGETFUL:
                continue
            if number <= 0 or PATHS[name][2] in OURS:       # so that the hosts have met
                measure(near, far, link, name, way, OCTETS, 1)
            one.setdefault(name, []).append(measure(near, far, link, name, way, OCTETS, 1))
    for samples in one.values():
        del samples[0]
    for name, way in found.items():
        if name not in FORGETFUL and PATHS[name][2] in OURS:
            measure(near, far, link, name, way, OCTETS, 1)
        queue[name] = [measure(near, far, link, name, way, OCTETS, QUEUE)]
        if isinstance(way, Queue):
            many[name] = [measure(near, far, link, name, way, OCTETS, QUEUE, RUNNERS)]
        if name in LARGE_PATHS:
            large[name] = [measure(near, far, link, name, way, LARGE, 1) for _ in range(ROUNDS)]
    return {"one": one, "queue": queue, "many": many, "large": large}


def middle(samples):
    return [median(column) for column in list(zip(*samples))[:3]]


def targets(report, one, queue):
    clear = one[CLEAR]
    for name, most in MORE.items():
        ms, trips, _ = one[name]
        report.target(9, name, "%g round trips until a message is accepted, in the clear %g; %.0f ms, %.0f" % (
            trips, clear[1], ms, clear[0]), trips - clear[1] == most)
    report.target(9, "sendmail's own, a new connection", "%g round trips, with STARTTLS %g, through ours %g" % (
        one[TCP_NEW][1], one[TLS_NEW][1], one[OURS_TLS][1]), None)
    for other, most in ((TCP, 0.7), (POSTFIX, 1.1)):
        if other in queue:
            ratio = queue[MET][0] / queue[other][0]
            report.target(11, "%s over %s" % (MET, other), "%.2f, %.1f s against %.1f" % (
                ratio, queue[MET][0] / 1e3, queue[other][0] / 1e3), ratio <= most)


def run(report):
    from ways import certificate
    report.say(HOW)
    with tempfile.TemporaryDirectory(prefix="blackpony-bench-") as folder:
        results = apart(folder, lambda w: measure_all(w, certificate()))
    if "one" not in results:
        report.lacks("the wide link", results.get("skip") or results["error"])
        return
    one, queue, many, large = ({name: middle(samples) for name, samples in results[part].items()}
                               for part in ("one", "queue", "many", "large"))
    for name in (NOT_KEPT, POSTFIX):
        if name not in one:
            report.lacks(name, "it cannot be had here")
    report.table("one message", ["ms", "round trips", "all"], [(name, *row) for name, row in one.items()])
    report.table("a queue of %d, for a message" % QUEUE, ["s", "round trips", "s, %d runners" % RUNNERS], [
        (name, row[0] / 1e3, row[2], many[name][0] / 1e3 if name in many else None) for name, row in queue.items()])
    report.table("a message of 10 MiB", ["ms", "round trips"], [(name, *row[:2]) for name, row in large.items()])
    report.say("\nthe octets of each flight, > from mail.a.example:")
    for name, samples in results["one"].items():
        report.say("  %-32s %s" % (name, samples[-1][3]))
    targets(report, one, queue)
