"""sendmail to sendmail: by its own TCP, by its own STARTTLS, and through both our programs."""
import json
import os
import re
import resource
import shutil
import socket
import subprocess
import tempfile
import time
import traceback

from machine import Group, Workers
from report import bars, median

QUEUE = 40              # messages
OCTETS = 2950
LARGE, LARGE_QUEUE = 65536, 20
ROUNDS = int(os.environ.get("BENCH_ROUNDS", 5))
LARGE_MOST = 5.0
NEAR, FAR = "mail.a.example", "mx.b.example"

HOW = """A queue of %d messages of %d octets, run by one sendmail at mail.a.example; sendmail at mx.b.example puts
them into its own queue; %d rounds, medians.  CPU of both hosts: sendmail, what it starts, inetd.  STARTTLS
is on new connections, as through our programs; the plain TCP keeps one open, as it does by default.  The
loopback device has the MTU of an Ethernet: with its own, of 65,536, sendmail's TCP waits 43 ms in each message
for an acknowledgement that is delayed, and everything else seems fast.  A program behind ours is shown the
true client in a network namespace, and the kernel's workers, who take those down, are counted then.""" % (
    QUEUE, OCTETS, ROUNDS)

PLAIN, PLAIN_NEW, TLS = "its TCP, one connection", "its TCP, new connections", "its STARTTLS, new connections"
PROGRAM, DAEMON = "ours, before a program", "ours, before a daemon"
LISTENER = "ours, listening, before a daemon"
CLEAR = ", suites empty"
ANEW = ("-OConnectionCacheSize=0",)

# name: domain, address, mailer, options of the queue run
PATHS = {
    PLAIN: ("plain.example", "192.0.2.25", "esmtp", ()),
    PLAIN_NEW: ("plain.example", "192.0.2.25", "esmtp", ANEW),
    TLS: ("tls.example", "192.0.2.31", "esmtp", ANEW),
    PROGRAM: ("program.example", "192.0.2.32", "blackpony", ()),
    PROGRAM + CLEAR: ("program-clear.example", "192.0.2.33", "blackpony", ()),
    DAEMON: ("daemon.example", "192.0.2.34", "blackpony", ()),
    DAEMON + CLEAR: ("daemon-clear.example", "192.0.2.35", "blackpony", ()),
    LISTENER: ("listener.example", "192.0.2.36", "blackpony", ()),
}
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


def few_descriptors():
    """The limit of Debian's init: sendmail marks all possible descriptors for each mailer."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(1024, most), most))


def make_readable(folder):
    """The umask of the build may have removed permissions."""
    for name in os.listdir(folder):
        os.chmod(os.path.join(folder, name), 0o755)


def give_certificate(host, certificate):
    path = host.folder + "/certificate.pem"
    with open(path, "wb") as out:
        out.write(certificate)
    os.chmod(path, 0o600)


def listen(host, address, line):
    """A listening blackponyd, started again when it exits after an idle minute."""
    with socket.create_server((address, 25), backlog=100) as sock:
        host.start(["/bin/sh", "-c", 'while "$@"; do :; done', "sh"] + line, stdin=sock)


def set_up(w, certificate):
    """(near, far): two hosts on a machine of their own, everything waiting."""
    from host import Host, listening
    from private import PROGRAMS, add_address, enter, ip
    enter(w)
    ip("link set lo mtu 1500")
    make_readable(PROGRAMS)
    for address in {path[1] for path in PATHS.values()} - {"192.0.2.25"}:
        add_address(address)

    class Measured(Host):
        def __init__(self, *args, **how):
            self.group = Group()
            super().__init__(*args, **how)

        def become(self):
            self.group.enter()
            few_descriptors()
            super().become()

        def start(self, argv, **how):
            child = super().start(argv, **how)
            self.group.children.append(child)
            return child

    domains = sorted({path[0] for path in PATHS.values()})
    far = Measured(w, FAR, "192.0.2.25", domains, more=FAR_MC, access="Connect:127.0.0.1\tRELAY\n")
    give_certificate(far, certificate)
    table = {path[0]: "%s:[%s]" % (path[2], path[1]) for path in PATHS.values()}
    # the tests' hosts keep no connection; here it is as by default
    near = Measured(w, NEAR, "192.0.2.10", ["a.example"], table=table, settings={"keep-open": None}, more=LOG_MC)
    far.daemon()
    for address in (PATHS[PLAIN][1], PATHS[TLS][1]):
        listening(address, 25)
    for name, behind in ((PROGRAM, without_tls(far)), (DAEMON, BEFORE_DAEMON)):
        for path, more in ((PATHS[name], []), (PATHS[name + CLEAR], ["-osuites="])):
            line = far.daemon_line()
            far.inetd(line + more + behind, addresses=[path[1]])
    listen(far, PATHS[LISTENER][1], far.daemon_line() + BEFORE_DAEMON)
    return near, far


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
    kept = "%s/kept-%s-%d-%d" % (near.folder, path[0], octets, count)
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
        if not os.path.isdir(folder + "/" + name):      # of connections that are kept
            os.unlink(folder + "/" + name)


def children_us():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1e6 * (used.ru_utime + used.ru_stime)


def fill_queue(near, kept):
    empty(near.folder + "/queue")
    for name in os.listdir(kept):
        shutil.copy2(kept + "/" + name, near.folder + "/queue")


def take_arrived(far):
    """Returns the number of messages that have arrived, and removes them."""
    arrived = sum(name.startswith("qf") for name in os.listdir(far.folder + "/queue"))
    empty(far.folder + "/queue")
    return arrived


def measure(near, far, path, kept, count, idle):
    """[messages a second, us of CPU for one at each end]"""
    fill_queue(near, kept)

    def near_us():
        return near.group.cpu_us() if near.group.path else children_us()
    workers = Workers()
    begun_near, begun_far, begun = near_us(), far.group.cpu_us(), time.monotonic()
    said = near.sendmail(*path[3], "-qf", expect=None)
    seconds = time.monotonic() - begun
    far.group.settle(idle)
    far_us = far.group.cpu_us() - begun_far
    if path in NAMESPACES:
        workers.settle()
        far_us += workers.us()
    arrived = take_arrived(far)
    if near.queued() or arrived != count:
        raise RuntimeError("%s: %d of %d messages arrived: %s" % (path[0], arrived, count, said))
    return [count / seconds, (near_us() - begun_near) / count, far_us / count]


def measure_all(w, certificate):
    near, far = set_up(w, certificate)
    small, large = {}, {}
    kept = {name: prepare(near, path, OCTETS, QUEUE) for name, path in PATHS.items()}
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
    return {"small": small, "large": large, "encrypted": encrypted(w)}


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


def apart(folder, measure_there):
    """Returns measure_there(world), run in a process that stays in the machine it makes."""
    from kit.run import Skip, World
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
        with open(folder + "/results") as out:
            return json.load(out)
    results = {"error": "it ended"}
    world = World(folder)
    try:
        results = measure_there(world)
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
    ours, theirs = sum(small[PROGRAM][1:]), sum(small[PLAIN_NEW][1:])
    report.target(12, PROGRAM, "%.0f us of CPU, %s %.0f" % (ours, PLAIN_NEW, theirs), ours < theirs)
    ours, theirs = small[PROGRAM][0], small[PLAIN][0]
    report.target(12, PROGRAM, "%.0f messages a second, %s %.0f" % (ours, PLAIN, theirs), ours >= theirs)


def run(report):
    from ways import certificate
    report.say(HOW)
    with tempfile.TemporaryDirectory(prefix="blackpony-bench-") as folder:
        results = apart(folder, lambda w: measure_all(w, certificate()))
    if not Workers().last:
        report.lacks("the time of the kernel's workers", "it cannot be seen here")
    if "small" not in results:
        report.lacks("sendmail", results.get("skip") or results["error"])
        return
    small, rows = rows_of(results["small"])
    columns = ["messages/s", "us of CPU", "sending", "receiving"]
    report.table("%d octets" % OCTETS, columns, rows)
    large, large_rows = rows_of(results["large"])
    report.table("%d octets" % LARGE, columns, large_rows)
    report.say("\nconnections of the sending host: " + ", ".join("%d %s" % (count, crypt)
                                                          for crypt, count in results["encrypted"].items()))
    targets(report, small, large)
    rates = [(name, row[0]) for name, row in small.items()]
    report.plot("sendmail", "set title 'sendmail to sendmail, a queue of %d'\n" % QUEUE +
                bars(rates, "messages a second"), [rates])
