"""The two mail hosts of the crash campaign, and what keeps them busy."""
import contextlib
import os
import random
import subprocess
import threading
import time

from kit.run import BIN, copy_program

from host import Host, INETD, SENDMAIL, listening
from private import write

from letters import body, on_the_wire

# Each attempt is a process of its own, in random order, and a host that did not answer is not remembered.
SENDING = """define(`confLOG_LEVEL', `9')dnl
define(`confSEPARATE_PROC', `True')dnl
define(`confQUEUE_SORT_ORDER', `random')dnl
"""
# Deliveries are lines in a file; without $u sendmail would speak SMTP to it
RECEIVING = """define(`confLOG_LEVEL', `9')dnl
define(`LOCAL_MAILER_PATH', `{folder}/receive')dnl
define(`LOCAL_MAILER_ARGS', `receive {folder}/mail $i $u')dnl
"""
RUNNER = """while [ -e {folder}/running ]; do {sendmail} -Am -C {folder}/sendmail.cf -qf; sleep 0.25; done
"""
# short, so that much is written to the caches
LIFETIMES = {"mail.a.example": "3s", "mx.b.example": "2s"}
ADDRESS, WAIT_PORT = "192.0.2.25", 2626


def sender(w):
    table = {"b.example": "blackpony:[%s]" % ADDRESS, "b2.example": "blackpony:[%s]:%d" % (ADDRESS, WAIT_PORT)}
    return Host(w, "mail.a.example", "192.0.2.10", ["a.example"], table=table, more=SENDING,
                settings={"key-lifetime": LIFETIMES["mail.a.example"], "keep-open": "5s"})


def receiver(w):
    """Real sendmail behind blackponyd and inetd: b.example by nowait, b2.example by wait."""
    b = Host(w, "mx.b.example", ADDRESS, ["b.example", "b2.example"],
             more=RECEIVING.format(folder="/srv/mx.b.example"),
             settings={"key-lifetime": LIFETIMES["mx.b.example"]})
    copy_program(BIN + "/soak/receive", b.folder)
    os.chmod(write(b.folder + "/mail/deliveries", ""), 0o666)
    line = "%s:%d stream tcp4 %s.60000 root %s\n"
    argv = b.daemon_line(*b.behind())
    program = " ".join([argv[0], os.path.basename(argv[0])] + argv[1:])
    conf = write(b.folder + "/inetd.conf", line % (ADDRESS, 25, "nowait", program) +
                 line % (ADDRESS, WAIT_PORT, "wait", program))
    b.start([INETD, "-E", "-i", conf])
    listening(ADDRESS, 25)
    listening(ADDRESS, WAIT_PORT)
    return b


@contextlib.contextmanager
def runners(a, count):
    """That many processes that run the queue again and again."""
    write(a.folder + "/running", "")
    shell = RUNNER.format(folder=a.folder, sendmail=SENDMAIL)
    children = [a.start(["/bin/sh", "-c", shell]) for _ in range(count)]
    yield
    os.unlink(a.folder + "/running")
    for child in children:
        child.wait(60)


def wait_for_peace(a, b, seconds):
    """Waits until both queues are empty."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not a.queued() and not b.queued():
            break
        time.sleep(0.2)
        if b.queued():
            b.run_queue()
    assert not a.queued() and not b.queued(), "still in the queues: %s %s" % (a.queued(), b.queued())


class Feeder:
    """Keeps that many messages in a's queue, through a session with a's sendmail."""

    def __init__(self, a, ledger, chance, count):
        self.ledger, self.chance, self.count = ledger, random.Random(chance.random()), count
        self.number = 0
        self.child = subprocess.Popen(
            [SENDMAIL, "-Am", "-C", a.cf, "-bs", "-odq"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            cwd="/", env=a.w.environment, preexec_fn=a.become)
        self.reply()
        self.command(b"EHLO mail.a.example")
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def reply(self):
        while True:
            line = self.child.stdout.readline()
            assert line[:1] in (b"2", b"3"), "the feeder's sendmail said %r" % line
            if line[3:4] != b"-":
                return line

    def command(self, octets, replies=1):
        self.child.stdin.write(octets + b"\r\n")
        self.child.stdin.flush()
        return [self.reply() for _ in range(replies)][-1]

    def submit(self):
        self.number += 1
        name = "m%d" % self.number
        domain = self.chance.choice((b"b.example", b"b2.example"))
        text = b"Message-Id: <%s@a.example>\nSubject: %s\n\n" % (name.encode(), name.encode()) + \
            body(name, self.chance)
        self.command(b"MAIL FROM:<alice@a.example>\r\nRCPT TO:<bob@%s>\r\nDATA" % domain, 3)
        said = self.command(on_the_wire(text)[:-2])
        # 250 2.0.0 QUEUE-ID Message accepted for delivery
        self.ledger.submitted(name, said.split()[2].decode())

    def run(self):
        while not self.over.wait(0.005):
            if self.ledger.outstanding() < self.count:
                self.submit()

    def stop(self):
        assert self.thread.is_alive(), "the feeder is gone"
        self.over.set()
        self.thread.join()

    def close(self):
        self.over.set()
        self.child.stdin.close()
