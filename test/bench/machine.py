"""What is measured: processes, each group of them with its CPU time counted by the kernel."""
import ctypes
import os
import resource
import signal
import socket
import subprocess
import sysconfig
import time

HERE = os.path.dirname(os.path.abspath(__file__))
REPO = os.path.normpath(os.path.join(HERE, "..", ".."))
BIN = os.path.abspath(os.environ.get("BIN") or os.path.join(REPO, "bin"))
REAL = os.path.join(REPO, "bin/real")
MULTIARCH = sysconfig.get_config_var("MULTIARCH")
CGROUPS = ("/sys/fs/cgroup", "/sys/fs/cgroup/unified")      # where version 2 may be
PATIENCE = 30
MTU = 1500          # of an Ethernet
CLONE_NEWNET = 0x40000000
TICK_US = 1e6 / os.sysconf("SC_CLK_TCK")


def program(name):
    return os.path.join(BIN, "bench", name)


def unpacked(package, path):
    """A program out of a Debian package, and the environment it runs in."""
    root = os.path.join(REAL, package)
    folders = [os.path.join(root, x) for x in ("usr/lib/" + MULTIARCH, "lib/" + MULTIARCH, "usr/lib/postfix")]
    environment = dict(os.environ)
    there = [x for x in folders if os.path.isdir(x)]
    if there:
        environment["LD_LIBRARY_PATH"] = ":".join(there)
    return os.path.join(root, path), environment


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def usable_cgroup():
    """A folder below which groups can be made, or None."""
    for top in CGROUPS:
        path = os.path.join(top, "blackpony-bench-%d" % os.getpid())
        if not os.path.exists(top + "/cgroup.procs"):
            continue            # of version 1, or not there
        try:
            os.mkdir(path)
            with open(path + "/cpu.stat") as lines:
                if lines.readline().startswith("usage_usec"):
                    return path
            os.rmdir(path)
        except OSError:
            pass
    return None


def eventually(check, what):
    deadline = time.monotonic() + PATIENCE
    while not check():
        if time.monotonic() > deadline:
            raise RuntimeError("never came: " + what)
        time.sleep(0.002)


def listening(port):
    """Waits for a listener without calling it."""
    wanted = ":%04X" % port

    def there():
        with open("/proc/self/net/tcp") as table:
            return any(line.split()[1].endswith(wanted) and line.split()[3] == "0A" for line in table)
    eventually(there, "a listener on port %d" % port)


def stat_us(pid):
    """The CPU time of a process and of its children that have ended, to a clock tick."""
    try:
        with open("/proc/%d/stat" % pid) as line:
            words = line.read().rpartition(")")[2].split()
    except OSError:
        return 0
    return sum(int(x) for x in words[11:15]) * TICK_US


class Workers:
    """The CPU time of the kernel's workers, who do what it puts off; it is in nobody's group."""

    def __init__(self):
        self.last, self.total_us = self.look(), 0

    @staticmethod
    def look():
        """{process: us}; none where they cannot be seen, as in a container."""
        found = {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/stat" % pid) as line:
                    if not line.read().startswith(pid + " (kworker/"):
                        continue
                with open("/proc/%s/schedstat" % pid) as line:
                    found[pid] = int(line.read().split()[0]) / 1e3
            except OSError:
                pass
        return found

    def us(self):
        """Since this was made; workers come and go."""
        now = self.look()
        self.total_us += sum(us - self.last.get(pid, 0) for pid, us in now.items())
        self.last = now
        return self.total_us

    @staticmethod
    def settle():
        time.sleep(0.25)


def processes(path):
    with open(path + "/cgroup.procs") as procs:
        return [int(line) for line in procs]


def empty(path):
    for pid in processes(path):
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: not processes(path), "the end of a group")


class Group:
    """
    Processes whose CPU time is counted together: by a cgroup where there is version 2 of them, else by what
    wait4(2) and /proc tell of those started here and of the children that they have waited for.
    """
    top = None
    count = 0

    def __init__(self):
        self.children = []
        self.ended_us = 0
        self.path = None
        if Group.top:
            Group.count += 1
            self.path = "%s/%d" % (Group.top, Group.count)
            os.mkdir(self.path)

    def enter(self):
        """In a new process."""
        if self.path:
            with open(self.path + "/cgroup.procs", "w") as procs:
                procs.write("0")

    def start(self, argv, before=None, **how):
        def prepare():
            self.enter()
            if before:
                before()
        for name in ("stdin", "stdout", "stderr"):
            how.setdefault(name, subprocess.DEVNULL)
        child = subprocess.Popen(argv, preexec_fn=prepare, **how)
        self.children.append(child)
        return child

    def run(self, argv, **how):
        """To its end; the exit status."""
        child = self.start(argv, **how)
        self.children.remove(child)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        self.ended_us += 1e6 * (used.ru_utime + used.ru_stime)
        return child.returncode

    def cpu_us(self):
        if not self.path:
            return self.ended_us + sum(stat_us(child.pid) for child in self.children)
        with open(self.path + "/cpu.stat") as lines:
            return float(lines.readline().split()[1])

    def pids(self):
        return processes(self.path) if self.path else []

    def steady(self):
        """How many processes it has, once that has not changed for a while."""
        counts = [0]
        while self.path and (counts[-1] == 0 or counts[-5:] != 5 * counts[-1:]):
            assert len(counts) < 200, "the processes come and go: %r" % counts[-5:]
            time.sleep(0.1)
            counts.append(len(self.pids()))
        return counts[-1]

    def settle(self, count):
        """Waits until only that many processes are left, so that what has ended is counted whole."""
        if self.path:
            eventually(lambda: len(self.pids()) <= count, "the end of the sessions")
        else:
            time.sleep(0.2)

    def end(self):
        for child in self.children:
            child.terminate()
        for child in self.children:
            try:
                child.wait(2)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        if self.path:
            empty(self.path)
            os.rmdir(self.path)


class NamespaceGroup(Group):
    """Of processes that make network namespaces, which the kernel's workers take down a moment later."""

    def __init__(self):
        self.workers = Workers()
        if not self.workers.last:
            raise FileNotFoundError("CPU time of the kernel's workers")
        super().__init__()

    def cpu_us(self):
        return super().cpu_us() + self.workers.us()

    def settle(self, count):
        super().settle(count)
        self.workers.settle()


def leave_network():
    """
    Moves this process to a network of its own, whose loopback device has the MTU of an Ethernet.  With 65,536, its
    default, a message goes in a few packets, and acknowledgements and small writes cost what they cost on no link.
    The reason where that is forbidden.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        return os.strerror(ctypes.get_errno())
    done = subprocess.run(["ip", "link", "set", "lo", "mtu", str(MTU), "up"], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    return done.stdout.strip() if done.returncode else None


def begin():
    Group.top = usable_cgroup()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def finish():
    """What a part that failed has left goes, too."""
    if not Group.top:
        return
    for name in os.listdir(Group.top):
        path = os.path.join(Group.top, name)
        if os.path.isdir(path):
            empty(path)
            os.rmdir(path)
    os.rmdir(Group.top)
