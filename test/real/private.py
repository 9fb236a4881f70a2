"""A machine of the test's own, so that the host is not changed: mounts, network, users, system log.

In it, /srv is an empty tmpfs, /srv/real has Debian's unpacked packages, and /srv/bin the programs under
test.  Everything disappears with the test's last process.
"""
import contextlib
import ctypes
import os
import queue
import re
import shutil
import signal
import socket
import subprocess
import sysconfig
import threading
import time

from kit.conn import PATIENCE, SANITIZED
from kit.run import BIN, REPO, Skip, connections, copy_program, eventually, need_root

NEWNS, NEWUTS, NEWUSER, NEWNET = 0x20000, 0x4000000, 0x10000000, 0x40000000
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
PR_SET_CHILD_SUBREAPER = 36

REAL = "/srv/real"
MULTIARCH = sysconfig.get_config_var("MULTIARCH")
LIBRARIES = ":".join(REAL + folder + MULTIARCH for folder in ("/usr/lib/", "/lib/"))
PROGRAMS = "/srv/bin"
FAULTS = "/srv/faults"          # reports of the sanitizers, from any user's process

USER, USER_ID = "blackpony", 4321
PASSWD = """root:x:0:0:root:/:/bin/sh
daemon:x:1:1:daemon:/:/bin/false
mail:x:8:8:mail:/:/bin/false
smmta:x:4324:4324:Mail Transfer Agent:/:/bin/false
smmsp:x:4325:4325:Mail Submission Program:/:/bin/false
%s:x:%d:%d:blackpony:/:/bin/false
nobody:x:65534:65534:nobody:/:/bin/false
""" % (USER, USER_ID, USER_ID)
GROUP = """root:x:0:
daemon:x:1:
mail:x:8:
smmta:x:4324:
smmsp:x:4325:
%s:x:%d:
extra:x:4330:%s
nogroup:x:65534:
""" % (USER, USER_ID, USER)
EXTRA_GROUP_ID = 4330
HOSTS = """127.0.0.1 localhost
192.0.2.10 mail.a.example
192.0.2.25 mx.b.example
2001:db8::10 mail.a.example
2001:db8::25 mx.b.example
"""
FILES = {"passwd": PASSWD, "group": GROUP, "hosts": HOSTS, "resolv.conf": "nameserver 127.0.0.1\n",
         "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n"}
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")

# A program that sendmail starts has no environment for the sanitizer, whose reports would go to sendmail.
WRAPPER = """#!/bin/sh -p
exec %s/sanitized/blackpony "$@" 2>>%s/sanitizer.$$
""" % (PROGRAMS, FAULTS)

# A line for which the system log has no room is lost.  The kernel has room for ten; systemd makes it these.
LOG_LINES = "512"

libc = ctypes.CDLL(None, use_errno=True)


def check(result, what):
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, "%s: %s" % (what, os.strerror(number)))


def unshare(flags):
    check(libc.unshare(flags), "unshare")


def mount(source, target, kind=None, flags=0, options=None):
    encode = [x.encode() if x is not None else None for x in (source, target, kind, options)]
    result = libc.mount(encode[0], encode[1], encode[2], ctypes.c_ulong(flags), encode[3])
    check(result, "mount " + target)


def bind(source, target):
    mount(source, target, flags=MS_BIND | MS_REC)


def write(path, text):
    with open(path, "w") as out:
        out.write(text)
    return path


class Machine:
    """What enter() makes of this process; keeps the system log and ends everything started."""

    def __init__(self, folder):
        self.folder = folder
        self.log = []
        self.changed = threading.Condition()
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("/dev/log")
        os.chmod("/dev/log", 0o666)
        threading.Thread(target=self.collect, daemon=True).start()

    def collect(self):
        while True:
            line = self.socket.recv(8192).decode("utf-8", "backslashreplace")
            # <priority>Mmm dd hh:mm:ss program[pid]: words
            line = re.sub(r"^<\d+>\w{3} [ \d]\d [\d:]{8} ", "", line).rstrip("\n")
            with self.changed:
                self.log.append(line)
                self.changed.notify_all()

    def logged(self, pattern, count=1):
        """The matches in the log, as soon as there are that many."""
        def matches():
            return [m for m in (re.search(pattern, line) for line in self.log) if m]
        with self.changed:
            if not self.changed.wait_for(lambda: len(matches()) >= count, PATIENCE):
                raise AssertionError("not %d times in the log: %s" % (count, pattern))
            return matches()

    def connections(self, program, count):
        """The log entries of that many connections of a program."""
        self.logged(r"^%s\[\d+\]: (session|call) .* (crypt|error)=" % program, count)
        return connections("\n".join(x for x in self.log if x.startswith(program + "[")))

    def close(self):
        """Ends everything started here, also what has become a daemon."""
        deadline = time.monotonic() + PATIENCE
        write(os.path.join(self.folder, "system.log"), "\n".join(self.log))
        left = descendants(os.getpid())
        while left and time.monotonic() < deadline:
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            # children of dead parents are ours now
            try:
                while os.waitpid(-1, 0):
                    pass
            except ChildProcessError:
                pass
            left = descendants(os.getpid())
        for name in os.listdir(FAULTS):
            with open(os.path.join(FAULTS, name), errors="replace") as said:
                if "Sanitizer" in said.read():
                    shutil.copy(said.name, self.folder)


def children(pid):
    try:
        with open("/proc/%d/task/%d/children" % (pid, pid)) as listed:
            return [int(word) for word in listed.read().split()]
    except OSError:
        return []


def descendants(pid):
    found = children(pid)
    for child in list(found):
        found += descendants(child)
    return found


def status(pid):
    """/proc/PID/status as a dictionary of lists of words."""
    with open("/proc/%d/status" % pid) as lines:
        return {name: words.split() for name, words in (line.split(":", 1) for line in lines)}


def process(name, below=None):
    """The running process of that name among our descendants."""
    found = []

    def there():
        found[:] = []
        for pid in descendants(below or os.getpid()):
            try:
                if status(pid)["Name"] == [name]:
                    found.append(pid)
            except OSError:
                continue
        return found
    eventually(there, "a process " + name)
    return found[0]


def ip(*arguments):
    """ip(8)"""
    done = subprocess.run([REAL + "/bin/ip"] + " ".join(arguments).split(), stderr=subprocess.PIPE,
                          env={"LD_LIBRARY_PATH": LIBRARIES})
    assert done.returncode == 0, done


def add_address(address):
    """Adds an address to the loopback device."""
    ip("address add", address, "dev lo")


FAR_MAC, NEAR_MAC = "02:00:00:00:00:01", "02:00:00:00:00:02"


def call_from_elsewhere(address, to, near):
    """A connection to the socket address `to`, from another machine on a new link called `near`."""
    family, host = ("-6", address + "/128") if ":" in address else ("-4", address + "/32")
    steps = queue.Queue()
    wired = threading.Event()

    def there():
        try:
            # a thread can have its own network namespace
            unshare(NEWNET)
            ip("link add far address", FAR_MAC, "type veth peer name", near, "address", NEAR_MAC,
               "netns %d" % os.getpid())
            ip("address add", host, "dev far nodad")
            ip("link set far up")
            ip(family, "route add default dev far")
            # (in IPv6, neighbour discovery does not answer for an address of another interface)
            ip("neigh add", to[0], "lladdr", NEAR_MAC, "dev far")
            steps.put(None)
            assert wired.wait(PATIENCE)
            steps.put(socket.create_connection(to, PATIENCE))
        except BaseException as why:
            steps.put(why)

    def step():
        result = steps.get(timeout=2 * PATIENCE)
        if isinstance(result, BaseException):
            raise result
        return result
    threading.Thread(target=there, daemon=True).start()
    step()
    ip("link set", near, "up")
    ip(family, "route replace", host, "dev", near)
    ip("neigh add", address, "lladdr", FAR_MAC, "dev", near)
    wired.set()
    return step()


def make_devices():
    os.mkdir("/srv/dev")
    for name in DEVICES:
        write("/srv/dev/" + name, "")
        bind("/dev/" + name, "/srv/dev/" + name)
    os.mkdir("/srv/dev/shm")
    os.chmod("/srv/dev/shm", 0o1777)
    bind("/srv/dev", "/dev")


def make_files():
    os.mkdir("/srv/etc")
    for name, text in FILES.items():
        write("/srv/etc/" + name, text)
        if os.path.exists("/etc/" + name):
            bind("/srv/etc/" + name, "/etc/" + name)


def make_folders():
    mount("tmpfs", "/srv", "tmpfs")
    os.chmod("/srv", 0o755)
    os.mkdir(REAL)
    bind(os.path.join(REPO, "bin/real/root"), REAL)
    os.mkdir(PROGRAMS)
    for name in ("blackpony", "blackponyd"):
        copy_program(os.path.join(BIN, name), PROGRAMS)
    os.mkdir(FAULTS)
    os.chmod(FAULTS, 0o1777)
    if SANITIZED:
        os.mkdir(PROGRAMS + "/sanitized")
        os.rename(PROGRAMS + "/blackpony", PROGRAMS + "/sanitized/blackpony")
        write(PROGRAMS + "/blackpony", WRAPPER)
        os.chmod(PROGRAMS + "/blackpony", 0o755)


def enter(w):
    """Moves this process, before it has started anything, to a machine of its own."""
    if os.environ.get("REAL_MISSING"):
        raise Skip(os.environ["REAL_MISSING"])
    need_root()
    try:
        unshare(NEWNS | NEWUTS | NEWNET)
        mount("none", "/", flags=MS_REC | MS_PRIVATE)
        make_folders()
    except PermissionError as why:
        raise Skip("root may not have namespaces or mounts of its own here: %s" % why)
    make_files()
    make_devices()
    with contextlib.suppress(OSError):
        write("/proc/sys/net/unix/max_dgram_qlen", LOG_LINES)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    ip("link set lo up")
    for address in ("192.0.2.10", "192.0.2.25", "2001:db8::10", "2001:db8::25"):
        add_address(address)
    for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
        w.environment[name] = "exitcode=99:log_path=%s/sanitizer" % FAULTS
    w.environment["LD_LIBRARY_PATH"] = LIBRARIES
    return w.keep(Machine(w.folder))
