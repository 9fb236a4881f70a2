"""Starts blackponyd and blackpony as super-servers and MTAs do, and waits for their end."""
import fcntl
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time

from .conn import Client, PATIENCE, SANITIZED
from .emulated import EMULATED
from .listening import Listening
from .mailer import FakeMailer
from .wiretap import Wiretap
from .xcrypt import HISTORIC

HERE = os.path.dirname(os.path.abspath(__file__))
REPO = os.path.normpath(os.path.join(HERE, "..", "..", ".."))
BIN = os.path.abspath(os.environ.get("BIN") or os.path.join(REPO, "bin"))
DAEMON, SENDER = os.path.join(BIN, "blackponyd"), os.path.join(BIN, "blackpony")
PROGRAM = os.path.join(HERE, "mailer_program.py")


class Skip(Exception):
    """The test cannot be run here; says why."""


def pairs(line):
    """The name=value pairs of a log line."""
    return dict(re.findall(r"(\S+?)=(\S*)", line))


def connections(log):
    """The lines of connections in a log."""
    return [pairs(line) for line in log.splitlines()
            if re.match(r"\w+\[\d+\]: (session|call) .* crypt=", line)]


class Result:
    """What a program left."""

    def __init__(self, status, out, log):
        self.status, self.out, self.log = status, out, log
        self.entries = connections(log)

    def __repr__(self):
        return "exit %r, output %r, log:\n%s" % (self.status, self.out, self.log)


class World:
    """A temporary directory, and all that one test starts; the end of the test ends it all."""

    def __init__(self, folder):
        self.folder = folder
        self.cache = self.path("cache")
        self.callers = self.path("callers-cache")   # 2.0 refuses a host that calls itself
        for cache in (self.cache, self.callers):
            os.mkdir(cache, 0o700)
        with open(self.path("empty.conf"), "w") as conf:
            if os.geteuid() == 0:
                conf.write("user = root\n")
        self.things = []        # with close()
        self.children = []      # (what, Popen)
        self.counter = 0
        self.environment = dict(os.environ)
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
            self.environment[name] = "exitcode=99:log_path=%s" % self.path("sanitizer")

    def path(self, name):
        return os.path.join(self.folder, name)

    def keep(self, thing):
        self.things.append(thing)
        return thing

    def options(self, settings, **more):
        """The arguments for these settings, which override the defaults for tests.

        No connection is kept: most tests send several messages to one host, and each is about its own connection,
        its own log and the end of its own process.
        """
        merged = {"cache": self.cache, "known": self.path("known"), "hostname": "mx.b.example", "keep-open": "0"}
        merged.update({name.replace("_", "-"): value for name, value in more.items()})
        merged.update(settings or {})
        out = ["-C", self.path("empty.conf"), "-v"]
        for name, value in merged.items():
            if value is not None:
                out += ["-o", "%s=%s" % (name, value)]
        return out

    def spawn(self, argv, **how):
        child = subprocess.Popen(argv, env=how.pop("env", self.environment), close_fds=True, **how)
        self.children.append((os.path.basename(argv[0]), child))
        return child

    def log_file(self, what):
        self.counter += 1
        return open(self.path("%s-%d.log" % (what, self.counter)), "w+b")

    # the other ends

    def mailer(self, *args, **script):
        return self.keep(FakeMailer(*args, **script))

    def wiretap(self, port, **how):
        return self.keep(Wiretap(port, **how))

    def historic(self):
        """The historic suites that are built in: mbedTLS 3 has no Blowfish."""
        built = self.run([DAEMON, "-V"]).out
        return [suite for suite in HISTORIC if suite.encode() in built]

    # blackponyd

    def daemon(self, settings=None, backend=None, program=None, **how):
        """A super-server for blackponyd in front of a FakeMailer, a port or a program."""
        return self.keep(SuperServer(self, self.behind(settings, backend, program), **how))

    def listener(self, settings=None, backend=None, program=None, **how):
        """The same, but blackponyd gets the listening socket."""
        return self.keep(Listener(self, self.behind(settings, backend, program), **how))

    def behind(self, settings, backend, program):
        """The command line of blackponyd in front of that backend, with no STARTTLS of its own."""
        more = {"client-address": "none", "starttls": "mailer"}
        if backend is not None:
            more["backend"] = "127.0.0.1:%d" % getattr(backend, "port", backend)
        return [DAEMON] + self.options(settings, **more) + (program or [])

    def program(self, *arguments):
        """The command line of a backend that is a program; reports() says what it got."""
        os.makedirs(self.path("program"), exist_ok=True)
        return [sys.executable, PROGRAM, self.path("program")] + list(arguments)

    def reports(self, count=1):
        found = []

        def enough():
            found[:] = sorted(f for f in os.listdir(self.path("program")) if not f.endswith(".new"))
            return len(found) >= count
        eventually(enough, "the program's report")
        return [json.load(open(self.path("program/" + name))) for name in found]

    def call(self, port, **how):
        """A connected client that has sent nothing."""
        sock = socket.create_connection(("127.0.0.1", getattr(port, "port", port)), PATIENCE)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.keep(Client(sock, **how))

    def session(self, port, suite=None):
        """A client that has sent EHLO; with a suite, inside."""
        client = self.call(port)
        client.greet()
        client.ehlo()
        if suite:
            client.xcrypt(suite)
            if client.hs.generation != "2.0":   # 2.0 has the pushed reply
                client.ehlo()
        return client

    # blackpony

    def run(self, argv, stdin=b"", patience=3 * PATIENCE, **how):
        """Runs any program to its end."""
        log = self.log_file(os.path.basename(argv[0]))
        child = self.spawn(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, **how)
        out, _ = child.communicate(stdin, timeout=patience)
        return Result(child.returncode, out, read_log(log.name))

    def calling(self, settings=None):
        """Arguments for blackpony, which acts as another host than blackponyd."""
        return self.options(settings, hostname="mail.a.example", cache=self.callers)

    def sending(self, host, recipients, settings=None, sender="alice@a.example"):
        """The command line of blackpony with recipients in its arguments."""
        argv = [SENDER] + self.calling(settings) + ["-f", sender, "--"]
        return argv + [operand(host)] + list(recipients)

    def send(self, host, recipients, message=b"Subject: x\n\nwords\n", settings=None,
             sender="alice@a.example",
             **how):
        """That, run with this message."""
        return self.run(self.sending(host, recipients, settings, sender), message, **how)

    def pipe(self, host, settings=None, **how):
        """blackpony speaking SMTP on two pipes, as sendmail would start it."""
        argv = [SENDER] + self.calling(settings) + ["--", operand(host)]
        return self.keep(PipeClient(self, argv, **how))

    # the end

    def close(self):
        """Returns what went wrong after the test itself, as a list of words."""
        for thing in reversed(self.things):
            try:
                thing.close()
            except OSError:
                pass
        faults = []
        deadline = time.monotonic() + PATIENCE
        for what, child in self.children:
            try:
                status = child.wait(max(0.1, deadline - time.monotonic()))
                if status < 0 or status == 99:
                    faults.append("%s ended with status %d" % (what, status))
            except subprocess.TimeoutExpired:
                faults.append("%s did not end" % what)
                child.kill()
                child.wait()
        faults += ["%s: %s" % (f, open(self.path(f)).read()) for f in os.listdir(self.folder)
                   if f.startswith("sanitizer")]
        return faults

    def logs(self):
        """The programs' logs, to look into a failure."""
        out = []
        for name in sorted(os.listdir(self.folder)):
            if name.endswith(".log") and os.path.getsize(self.path(name)):
                out.append("--- %s\n%s" % (name, read_log(self.path(name))[-3000:]))
        return "\n".join(out)


class SuperServer(Listening):
    """Listens, and starts a program for each connection, as inetd does.

    stderr   "file": descriptor 2 is a log file; "socket": it is the connection too, as inetd does
    """

    def __init__(self, world, argv, stderr="file", preexec=None, address="127.0.0.1", port=0):
        self.world, self.argv, self.stderr, self.preexec = world, argv, stderr, preexec
        self.known, self.log_names = [], []
        self.changed = threading.Condition()
        self.listen(address, port)

    @property
    def started(self):
        """The processes; that of a client who has been answered is there."""
        with self.changed:
            return self.known

    def accepted(self, sock, peer):
        log = self.world.log_file("blackponyd")
        with self.changed:
            child = self.world.spawn(self.argv, stdin=sock, stdout=sock, preexec_fn=self.preexec,
                                     stderr=log if self.stderr == "file" else sock)
            self.known.append(child)
            self.log_names.append(log.name)
            self.changed.notify_all()
        sock.close()
        log.close()

    def child(self, index=0):
        """The process of that connection."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.started) > index, PATIENCE), \
                "nobody called"
            return self.started[index]

    def finish(self, index=0):
        """What the session of that number left, once its process has ended."""
        child = self.child(index)
        status = child.wait(PATIENCE)
        return Result(status, None, read_log(self.log_names[index]))


class Listener:
    """blackponyd with a listening socket as descriptor 0, as from inetd with `wait`.

    stderr   "file": descriptor 2 is a log file, and 1 /dev/null; "socket": both are the socket, too
    """

    def __init__(self, world, argv, stderr="file", address="127.0.0.1", sock=None):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        made = None if sock else socket.create_server((address, 0), family=family, backlog=64,
                                                      dualstack_ipv6=address == "::")
        sock = sock or made
        self.log = world.log_file("blackponyd")
        self.port = sock.getsockname()[1]
        own = stderr == "file"
        self.child = world.spawn(argv, stdin=sock, stdout=subprocess.DEVNULL if own else sock,
                                 stderr=self.log if own else sock)
        if made:
            made.close()

    def read_log(self):
        return read_log(self.log.name)

    def entries(self, count):
        """The entries of that many sessions, as soon as they have ended."""
        eventually(lambda: len(connections(self.read_log())) >= count, "%d sessions" % count)
        return connections(self.read_log())

    def finish(self):
        """Sends SIGTERM; returns what it left."""
        self.child.terminate()
        return Result(self.child.wait(PATIENCE), None, self.read_log())

    def close(self):
        self.child.terminate()


class PipeClient(Client):
    """The local MTA's side of blackpony's pipes."""

    def __init__(self, world, argv, stderr="file"):
        self.log = world.log_file("blackpony")
        self.child = world.spawn(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                 stderr=self.log if stderr == "file" else subprocess.STDOUT)
        super().__init__(self.child.stdout, self.child.stdin, patience=3 * PATIENCE)

    def wait(self):
        """What it left; its pipes are closed first."""
        self.writer.close()
        out = self.rest()
        return Result(self.child.wait(PATIENCE), out, read_log(self.log.name))

    def close(self):
        for pipe in (self.reader, self.writer):
            try:
                pipe.close()
            except OSError:
                pass


def operand(host):
    """A port or a listening object, as blackpony's operand."""
    if isinstance(host, str):
        return host
    return "[127.0.0.1]:%d" % getattr(host, "port", host)


def read_log(name):
    with open(name, "rb") as log:
        return log.read().decode("utf-8", "backslashreplace")


def eventually(check, what, patience=PATIENCE):
    """Checks again and again until it holds, for things without an event."""
    deadline = time.monotonic() + patience
    while not check():
        assert time.monotonic() < deadline, "never came: " + what
        time.sleep(0.005)


def taken(sock):
    """Waits until the other end, on this host, has read all that was sent on this TCP socket."""
    def key(address):
        return "%08X:%04X" % (int.from_bytes(socket.inet_aton(address[0]), "little"), address[1])
    own, peer = key(sock.getsockname()), key(sock.getpeername())

    def empty():
        with open("/proc/self/net/tcp") as table:
            for line in table:
                words = line.split()
                if (words[1], words[2]) == (peer, own):
                    return words[4].split(":")[1] == "00000000"
        return True
    eventually(empty, "the other end's reading")


def need_root():
    if os.getuid() != 0:
        raise Skip("needs root")


def need_kernel(what):
    """Skips a test of what qemu-user does not emulate."""
    if EMULATED:
        raise Skip("system calls are emulated, without %s" % what)


def need_own(what):
    """Skips a test of what sanitizers and qemu-user add to: memory, descriptors."""
    if EMULATED:
        raise Skip("qemu-user has %s of its own" % what)
    if SANITIZED:
        raise Skip("sanitizers have %s of their own" % what)


def copy_program(source, folder):
    """A copy that other users can run, in whatever folder and with whatever umask it was built."""
    os.chmod(folder, 0o755)
    copy = shutil.copy(source, folder)
    os.chmod(copy, 0o755)
    return copy


def pipe_size(fd, octets=4096):
    """A pipe with little room, so that its writer must wait."""
    fcntl.fcntl(fd, 1031, octets)   # F_SETPIPE_SZ
