"""sendmail to sendmail: by its own TCP, by its own STARTTLS, and through both our programs."""
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import traceback

from link import start
from machine import Group, Workers
from report import bars, median

QUEUE = 40              # messages
OCTETS = 2950
LARGE, LARGE_QUEUE = 65536, 20
ROUNDS = int(os.environ.get("BENCH_ROUNDS", 5))
LARGE_MOST = 5.0
ROUND_TRIP_MS, RUNNERS = 50, 10
NEAR, FAR = "mail.a.example", "mx.b.example"

HOW = """A queue of %d messages of %d octets, run by one sendmail at mail.a.example; sendmail at mx.b.example puts
them into its own queue; %d rounds, medians.  CPU of both hosts: sendmail, what it starts, inetd.  STARTTLS
is on new connections, as through our programs; the plain TCP keeps one open, as it does by default.  The
loopback device has the MTU of an Ethernet: with its own, of 65,536, sendmail's TCP waits 43 ms in each message
for an acknowledgement that is delayed, and everything else seems fast.  Over the wide link a round trip takes
%d ms; %d runners are so many processes at the same queue, as with R=%d in a QUEUE_GROUP.  A
program behind ours is shown the true client in a network namespace, and the kernel's workers, who take
those down, are counted then.""" % (
    QUEUE, OCTETS, ROUNDS, ROUND_TRIP_MS, RUNNERS, RUNNERS)

PLAIN, TLS = "its TCP, one connection", "its STARTTLS, new connections"
PROGRAM, DAEMON = "ours, before a program", "ours, before a daemon"
LISTENER = "ours, listening, before a daemon"
CLEAR = ", suites empty"
ANEW = ("-OConnectionCacheSize=0",)

# name: domain, address, mailer, options of the queue run
PATHS = {
    PLAIN: ("plain.example", "192.0.2.25", "esmtp", ()),
    "its TCP, new connections": ("plain.example", "192.0.2.25", "esmtp", ANEW),
    TLS: ("tls.example", "192.0.2.31", "esmtp", ANEW),
    PROGRAM: ("program.example", "192.0.2.32", "blackpony", ()),
    PROGRAM + CLEAR: ("program-clear.example", "192.0.2.33", "blackpony", ()),
    DAEMON: ("daemon.example", "192.0.2.34", "blackpony", ()),
    DAEMON + CLEAR: ("daemon-clear.example", "192.0.2.35", "blackpony", ()),
    LISTENER: ("listener.example", "192.0.2.36", "blackpony", ()),
}
# over a link: the address at the other end of it
WIDE = {
    PLAIN: ("wide-plain.example", "192.0.2.41", "esmtp", ()),
    "its TCP, new connections": ("wide-plain.example", "192.0.2.41", "esmtp", ANEW),
    TLS: ("wide-tls.example", "192.0.2.42", "esmtp", ANEW),
    LISTENER: ("wide-ours.example", "192.0.2.43", "blackpony", ()),
}
LINKS = [(WIDE[name][1], PATHS[name][1]) for name in (PLAIN, TLS, LISTENER)]
LARGE_PATHS = (PROGRAM, PROGRAM + CLEAR, DAEMON, DAEMON + CLEAR)
NAMESPACES = (PATHS[PROGRAM], PATHS[PROGRAM + CLEAR])

# as Debian has it; the tests' hosts say more
LOG_MC = "define(`confLOG_LEVEL', `9')dnl\n"
FAR_MC = LOG_MC + """DAEMON_OPTIONS(`Port=25, Addr=192.0.2.25, Name=plain, M=S')dnl
DAEMON_OPTIONS(`Port=25, Addr=192.0.2.31, Name=tls')dnl
DAEMON_OPTIONS(`Port=2526, Addr=127.0.0.1, Name=behind, M=S')dnl
define(`confDELIVERY_MODE', `queueonly')dnl
define(`confSERVER_CERT', `/srv/mx.b.example/certificate.pem')dnl
define(`confSERVER_KEY', `/srv/mx.b.example/certificate.pem')dnl
define(`confCACERT', `/srv/mx.b.example/certificate.pem')dnl
define(`confCACERT_PATH', `/srv/mx.b.example')dnl
"""
BEFORE_DAEMON = ["-obackend=127.0.0.1:2526", "-oclient-address=none"]


def set_up(w, certificate):
    """(near, far): two hosts on a machine of their own, everything waiting."""
    from host import Host, listening
    from private import PROGRAMS, add_address, enter, ip
    enter(w)
    ip("link set lo mtu 1500")
    for name in os.listdir(PROGRAMS):       # whatever the umask that they were built with
        os.chmod(os.path.join(PROGRAMS, name), 0o755)
    every = list(PATHS.values()) + list(WIDE.values())
    for address in {path[1] for path in every} - {"192.0.2.25"}:
        add_address(address)

    class Measured(Host):
        def __init__(self, *args, **how):
            self.group = Group()
            super().__init__(*args, **how)

        def become(self):
            self.group.enter()
            # as Debian's init has it: sendmail marks every descriptor there could be before it starts a mailer
            most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(1024, most), most))
            super().become()

        def start(self, argv, **how):
            child = super().start(argv, **how)
            self.group.children.append(child)
            return child

    domains = sorted({path[0] for path in every})
    far = Measured(w, FAR, "192.0.2.25", domains, more=FAR_MC, access="Connect:127.0.0.1\tRELAY\n")
    with open(far.folder + "/certificate.pem", "wb") as out:
        out.write(certificate)
    os.chmod(far.folder + "/certificate.pem", 0o600)
    table = {path[0]: "%s:[%s]" % (path[2], path[1]) for path in every}
    near = Measured(w, NEAR, "192.0.2.10", ["a.example"], table=table, more=LOG_MC)
    far.daemon()
    for address in (PATHS[PLAIN][1], PATHS[TLS][1]):
        listening(address, 25)
    for name, behind in ((PROGRAM, without_tls(far)), (DAEMON, BEFORE_DAEMON)):
        for path, more in ((PATHS[name], []), (PATHS[name + CLEAR], ["-osuites="])):
            line = far.daemon_line()
            far.inetd(line + more + behind, addresses=[path[1]])
    with socket.create_server((PATHS[LISTENER][1], 25), backlog=100) as sock:
        # it leaves after an idle minute, as for a super-server
        again = ["/bin/sh", "-c", 'while "$@"; do :; done', "sh"]
        far.start(again + far.daemon_line() + BEFORE_DAEMON, stdin=sock)
    link = start(LINKS, ROUND_TRIP_MS)
    return near, far, link


def without_tls(far):
    """The program; sendmail at the other end would start TLS through ours where there is nothing else."""
    with open(far.cf) as lines:
        text = "".join(line for line in lines if not line.startswith("O ServerCertFile"))
    with open(far.folder + "/behind.cf", "w") as out:
        out.write(text)
    return far.behind()[:-1] + [far.folder + "/behind.cf"]


def message(octets):
    head = "Subject: measured\n\n"
    line = "It is a truth universally acknowledged, that some text is read\n"
    return (head + line * (octets // len(line)))[:octets - 1].encode() + b"\n"


def prepare(near, path, octets, count):
    """A queue of so many, kept aside."""
    kept = "%s/kept-%s-%d" % (near.folder, path[0], octets)
    if os.path.exists(kept):
        return kept
    for _ in range(count):
        near.submit(message(octets), ["bob@" + path[0]])
    os.rename(near.folder + "/queue", kept)
    os.mkdir(near.folder + "/queue", 0o700)
    return kept


def empty(folder):
    """The folder itself is where a daemon is."""
    for name in os.listdir(folder):
        os.unlink(folder + "/" + name)


def children_us():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1e6 * (used.ru_utime + used.ru_stime)


def run_queue(near, options, runners):
    """Once, to its end, by so many processes."""
    if runners == 1:
        return near.sendmail(*options, "-qf", expect=None)
    argv = [near.behind()[0], "-Am", "-C", near.cf, *options, "-qf"]
    started = [near.start(argv, stdin=subprocess.DEVNULL) for _ in range(runners)]
    return [child.wait() for child in started]


def measure(near, far, path, kept, count, idle, runners=1):
    """[messages a second, us of CPU for one at each end]"""
    empty(near.folder + "/queue")
    for name in os.listdir(kept):
        shutil.copy2(kept + "/" + name, near.folder + "/queue")

    def near_us():
        return near.group.cpu_us() if near.group.path else children_us()
    workers = Workers()
    begun_near, begun_far, begun = near_us(), far.group.cpu_us(), time.monotonic()
    said = run_queue(near, path[3], runners)
    seconds = time.monotonic() - begun
    far.group.settle(idle)
    far_us = far.group.cpu_us() - begun_far
    if path in NAMESPACES:
        workers.settle()
        far_us += workers.us()
    arrived = sum(name.startswith("qf") for name in os.listdir(far.folder + "/queue"))
    if near.queued() or arrived != count:
        raise RuntimeError("%s: %d of %d messages arrived: %s" % (path[0], arrived, count, said))
    empty(far.folder + "/queue")
    return [count / seconds, (near_us() - begun_near) / count, far_us / count]


def measure_all(w, certificate):
    near, far, link = set_up(w, certificate)
    small, large, wide = {}, {}, {}
    kept = {name: prepare(near, path, OCTETS, QUEUE) for name, path in PATHS.items()}
    kept_wide = {name: prepare(near, path, OCTETS, QUEUE) for name, path in WIDE.items()}
    kept_large = {name: prepare(near, PATHS[name], LARGE, LARGE_QUEUE) for name in LARGE_PATHS}
    time.sleep(0.5)
    idle = len(far.group.pids())
    for number in range(-1, ROUNDS):        # the first primes the caches
        for name, path in PATHS.items():
            found = measure(near, far, path, kept[name], QUEUE, idle)
            if number >= 0:
                small.setdefault(name, []).append(found)
        for name in LARGE_PATHS:
            found = measure(near, far, PATHS[name], kept_large[name], LARGE_QUEUE, idle)
            if number >= 0:
                large.setdefault(name, []).append(found)
        for name, path in WIDE.items():
            for runners in (1, RUNNERS):
                found = measure(near, far, path, kept_wide[name], QUEUE, idle, runners)
                if number >= 0:
                    wide.setdefault(name + (", %d runners" % runners if runners > 1 else ""), []).append(found)
    os.kill(link, signal.SIGKILL)
    os.waitpid(link, 0)
    return {"small": small, "large": large, "wide": wide, "encrypted": encrypted(w)}


def system_log(w):
    return next((thing.log for thing in w.things if hasattr(thing, "log")), [])


def encrypted(w):
    """What the logs of the sending host say of its connections: {how encrypted: how many}"""
    counts = {}
    for line in system_log(w):
        found = re.search(r"^blackpony\[\d+\]: call .* crypt=(\S+)|: (STARTTLS)=client,.* verify=", line)
        if found:
            word = found.group(1) or found.group(2)
            counts[word] = counts.get(word, 0) + 1
    return counts


def apart(folder, certificate):
    """In a process of its own, for it does not come back from the machine that it makes."""
    from kit.run import Skip, World
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
        with open(folder + "/results") as out:
            return json.load(out)
    results = {"error": "it ended"}
    world = World(folder)
    try:
        results = measure_all(world, certificate)
    except Skip as why:
        results = {"skip": str(why)}
    except BaseException:
        results = {"error": "\n".join([traceback.format_exc(), world.logs()] + system_log(world)[-20:])}
    finally:
        with open(folder + "/results", "w") as out:
            json.dump(results, out)
        world.close()
        os._exit(0)


def middle(samples):
    return [median(column) for column in zip(*samples)]


def rows_of(samples):
    found = {name: middle(rows) for name, rows in samples.items()}
    return found, [(name, row[0], row[1] + row[2], row[1], row[2]) for name, row in found.items()]


def targets(report, small, large):
    for name in (PROGRAM, DAEMON, LISTENER):
        for other in (PLAIN, TLS):
            ratio = small[name][0] / small[other][0]
            met = None if other == PLAIN or name == PROGRAM else ratio >= 1
            report.target(3, "%s, rate over %s" % (name, other), "%.2f" % ratio, met)
    for name in (PROGRAM, DAEMON):
        whole, clear = sum(large[name][1:]), sum(large[name + CLEAR][1:])
        share = 100 * (whole - clear) / whole
        report.target(4, "64 KB by sendmail, " + name, "%.1f %% of the CPU of both hosts" % share, share < LARGE_MOST)
    for name in (PROGRAM, DAEMON, LISTENER):
        for host, sides in (("the sending host", (1,)), ("the receiving host", (2,)), ("both hosts", (1, 2))):
            ours, theirs = (sum(small[path][side] for side in sides) for path in (name, TLS))
            report.target(3, "%s, CPU of %s" % (name, host), "%.0f us, %s %.0f" % (ours, TLS, theirs),
                          None if name == PROGRAM else ours < theirs)


def run(report):
    from ways import certificate
    report.say(HOW)
    with tempfile.TemporaryDirectory(prefix="blackpony-bench-") as folder:
        results = apart(folder, certificate())
    if not Workers().last:
        report.lacks("the time of the kernel's workers", "it cannot be seen here")
    if "small" not in results:
        report.lacks("sendmail", results.get("skip") or results["error"])
        return
    small, rows = rows_of(results["small"])
    columns = ["messages/s", "us of CPU", "sending", "receiving"]
    report.table("%d octets" % OCTETS, columns, rows)
    _, wide_rows = rows_of(results["wide"])
    report.table("%d octets, %d ms" % (OCTETS, ROUND_TRIP_MS), columns, wide_rows)
    large, large_rows = rows_of(results["large"])
    report.table("%d octets" % LARGE, columns, large_rows)
    report.say("\nconnections of the sending host: " + ", ".join("%d %s" % (count, crypt)
                                                          for crypt, count in results["encrypted"].items()))
    targets(report, small, large)
    rates = [(name, row[0]) for name, row in small.items()]
    report.plot("sendmail", "set title 'sendmail to sendmail, a queue of %d'\n" % QUEUE +
                bars(rates, "messages a second"), [rates])
