# Claim: kill -9 of either program at any moment leaves the cache usable; a message reported as sent has arrived, and none arrives twice (statement 28)
import random
import signal
import subprocess
import time

from kit import xcrypt
from kit.run import SENDER, operand

ROUNDS = 60


def without_leaks(w):
    """Without the sanitizer's leak check, whose own process reports an error when it is killed."""
    w.environment["ASAN_OPTIONS"] += ":detect_leaks=0"


def start(w, server, number, settings):
    argv = [SENDER] + w.options(settings, hostname="mail.a.example") + \
        ["-f", "alice@a.example", "--", operand(server), "bob@b.example"]
    child = w.spawn(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL)
    child.stdin.write(b"Subject: number %d.\n\nx\n" % number)
    child.stdin.close()
    return child


def numbers(mailer):
    return [int(m.data.split(b"number ")[1].split(b".")[0]) for m in mailer.messages]


def kill(w, child):
    child.kill()
    child.wait()
    w.children[:] = [(what, c) for what, c in w.children
                     if c is not child]     # it did not end by a fault


def rounds(w, victim_of):
    without_leaks(w)
    mailer = w.mailer()
    settings = {"cache": w.path("other-cache"),
                "key-lifetime": "1s"}   # so that much is written
    server = w.daemon({"key-lifetime": "1s"}, backend=mailer)
    sent, chance = [], random.Random(28)
    for number in range(ROUNDS):
        child = start(w, server, number, settings)
        time.sleep(chance.random() * 0.012)
        kill(w, victim_of(server, child, number))
        if child.wait(20) == 0:
            sent.append(number)
        assert child.returncode in (0, 75, -signal.SIGKILL), child.returncode
    last = start(w, server, ROUNDS, settings)
    assert last.wait(20) == 0, "no mail flows any more"
    for index in range(len(server.started)):
        server.child(index).wait(20)
    arrived = numbers(mailer)
    assert len(arrived) == len(set(arrived)), "twice"
    assert set(sent) | {ROUNDS} <= set(arrived), "lost"
    result = w.send(server, ["bob@b.example"], b"Subject: number 1000.\n\nx\n", settings=settings)
    assert result.status == 0 and result.entries[0]["crypt"] == xcrypt.CHACHA, result


def test_blackpony(w):
    rounds(w, lambda server, child, number: child)


def test_blackponyd(w):
    rounds(w, lambda server, child, number: server.child(number))


def test_many_at_once(w):
    """Twenty at a time with one cache, of which every third is killed."""
    without_leaks(w)
    mailer = w.mailer()
    server = w.daemon(backend=mailer)
    chance = random.Random(29)
    for turn in range(3):
        children = [start(w, server, turn * 20 + i, {"cache": w.callers}) for i in range(20)]
        for child in children[::3]:
            time.sleep(chance.random() * 0.01)
            kill(w, child)
        assert all(child.wait(30) in (0, -signal.SIGKILL) for child in children)
    result = w.send(server, ["bob@b.example"], b"Subject: number 1000.\n\nx\n")
    assert result.status == 0 and result.entries[0]["cache"] == "hit", result
    arrived = numbers(mailer)
    assert len(arrived) == len(set(arrived)) and len(arrived) >= 39
