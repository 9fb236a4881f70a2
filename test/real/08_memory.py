# Claim: under `known`, mail for a host that no longer encrypts or shows another key stays in sendmail's queue, and the queue names the command that accepts it (statements 24 and 25)
import os
import re
import shutil

from host import end, two_hosts
from kit.known import DAY, remember
from private import PROGRAMS, USER_ID
from words import MESSAGE, RECIPIENTS, arrived, told

HERE = "127.0.0.1"      # where the mailertable sends it: to the wiretap


def key(host, command):
    return host.run([PROGRAMS + "/blackponyd", "-C", host.folder + "/blackponyd.conf", "-k", command]).strip()


def acquaint(w, a, host_key):
    """a has known the host with that key for two days."""
    remember(w, 2 * DAY, host_key, folder=w.path("seed"))
    for name in os.listdir(w.path("seed")):
        path = shutil.copy(w.path("seed") + "/" + name, a.folder + "/known")
        os.chown(path, USER_ID, USER_ID)


def accept(a, *words):
    a.run([PROGRAMS + "/blackpony", "-C", a.folder + "/blackpony.conf", "-k"] + list(words))


def waits(machine, a, text):
    """The text is complete in the log and the queue file; mailq -v shows its first 80 characters."""
    assert a.queued() == sorted(RECIPIENTS) and a.mailbox() == []
    machine.logged(r"stat=Deferred: 421 4\.7\.5 " + re.escape(text) + "$")
    assert "(Deferred: 421 4.7.5 %s" % text[:80] in a.sendmail("-bp", "-v"), a.sendmail("-bp", "-v")


def acquainted(w):
    machine, a, b, tap = two_hosts(w, for_a={"settings": {"policy": "known"}})
    acquaint(w, a, key(b, "new"))
    inetd = b.inetd(b.daemon_line(*b.behind()))
    a.send(MESSAGE, RECIPIENTS)
    arrived(b.mailbox(2))
    assert told(tap.seen()) == []
    for name in os.listdir(b.folder + "/mail"):
        os.remove(b.folder + "/mail/" + name)
    return machine, a, b, tap, inetd


def test_no_longer_encrypted(w):
    machine, a, b, tap, inetd = acquainted(w)
    end(inetd)
    b.inetd(b.behind())
    a.send(MESSAGE, RECIPIENTS)
    waits(machine, a, "no longer encrypts (not-offered): blackpony -k forget -- %s accepts that" % HERE)
    assert told(tap.seen()) == []
    machine.logged(r"not as it was: to=\S+ host=\S+ downgrade=2\.0 why=not-offered: mail waits")
    accept(a, "forget", HERE)
    a.run_queue()
    arrived(b.mailbox(2))


def test_another_key(w):
    machine, a, b, tap, _ = acquainted(w)
    os.remove(b.folder + "/host.key")
    changed = key(b, "new")
    a.send(MESSAGE, RECIPIENTS)
    waits(machine, a, "shows another host key: blackpony -k pin -- %s %s accepts it" % (HERE, changed))
    accept(a, "pin", HERE, changed)
    a.run_queue()
    arrived(b.mailbox(2))
    assert told(tap.seen()) == []
