# Claim: neither program remains root or can become root again, blackponyd after it has started sendmail, blackpony from the start; both use the same cache (statement 23)
import json
import os
import socket
import stat

from kit.conn import Client, PATIENCE

from host import Host, SENDMAIL, two_hosts
from private import EXTRA_GROUP_ID, USER_ID, children, enter, process, status, write
from words import MESSAGE, RECIPIENTS, arrived

NONE = ["0" * 16]

# as the first thing in the mailer's place
WITNESS = """#!/usr/bin/python3
import json, os
before = os.getresuid()
os.setresuid(0, 0, 0)
json.dump([before, os.getresuid()], open("/srv/said", "w"))
"""


def given_up(pid, groups=(USER_ID, EXTRA_GROUP_ID)):
    """All its ids are the user's, and it has no capability to change them."""
    now = status(pid)
    ids = [str(USER_ID)] * 4
    assert (now["Uid"], now["Gid"]) == (ids, ids), now
    assert set(now["Groups"]) <= set(map(str, groups)), now
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert now[name] == NONE, now
    return True


def test_blackponyd(w):
    enter(w)
    b = Host(w, "mx.b.example", "192.0.2.25", ["b.example"])
    b.inetd(b.daemon_line(*b.behind()))
    client = w.keep(Client(socket.create_connection(("192.0.2.25", 25), PATIENCE)))
    client.greet()
    client.ehlo()
    pid = process("blackponyd")
    assert given_up(pid)
    behind, = children(pid)
    assert status(behind)["Name"] == ["sendmail"] and status(behind)["Uid"] == ["0"] * 4
    client.xcrypt()
    client.ehlo()
    client.message(b"Subject: x\r\n\r\nx\r\n.\r\n")
    assert given_up(pid)


def test_no_such_user(w):
    """It would have to stay root, so it serves nobody."""
    machine = enter(w)
    b = Host(w, "mx.b.example", "192.0.2.25", ["b.example"], settings={"user": "gone"})
    b.inetd(b.daemon_line(*b.behind()))
    client = w.keep(Client(socket.create_connection(("192.0.2.25", 25), PATIENCE)))
    assert client.reply().code == 421
    machine.logged(r"^blackponyd\[\d+\]: user gone: there is no such user")


def sending(w, program=None):
    """A host whose sendmail runs its queue and calls a host that sends nothing."""
    enter(w)
    listener = w.keep(socket.create_server(("192.0.2.25", 25)))
    more = {}
    if program:
        more["program"] = write("/srv/witness", program)
        os.chmod("/srv/witness", 0o755)
    a = Host(w, "mail.a.example", "192.0.2.10", ["a.example"],
             table={"b.example": "blackpony:[192.0.2.25]"}, **more)
    a.submit(MESSAGE, ["bob@b.example"])
    return listener, a, a.start([SENDMAIL, "-Am", "-C", a.cf, "-qf"])


def test_blackpony(w):
    listener, a, runner = sending(w)
    sock, _ = listener.accept()
    assert given_up(process("blackpony"))
    sock.sendall(b"421 4.3.2 Not today\r\n")
    sock.close()
    assert runner.wait(PATIENCE) == 0
    assert a.queued() == ["bob@b.example"]


def test_what_sendmail_leaves(w):
    """Why that is needed: any other program started so can become root again."""
    _, a, runner = sending(w, WITNESS)
    assert runner.wait(PATIENCE) == 0
    with open("/srv/said") as said:
        before, after = json.load(said)
    assert before[:2] == [0, USER_ID] and after == [0, 0, 0], (before, after)


def test_one_cache(w):
    """Secrets stored by blackpony and by blackponyd are separate, although both use one cache."""
    back = {"a.example": "blackpony:[192.0.2.10]"}
    machine, a, b, _ = two_hosts(w, for_b={"table": back})
    for host in (a, b):
        host.inetd(host.daemon_line(*host.behind()))
    a.send(MESSAGE, RECIPIENTS)
    arrived(b.mailbox(2))
    b.send(MESSAGE, ["alice@a.example"], sender="bob@b.example")
    arrived(a.mailbox(1), ["alice@a.example"])
    for program in ("blackpony", "blackponyd"):
        assert [e["cache"] for e in machine.connections(program, 2)] == ["miss", "miss"], machine.log
    for host in (a, b):
        folder = os.stat(host.folder + host.cache)
        assert (folder.st_uid, stat.S_IMODE(folder.st_mode)) == (USER_ID, 0o700)
        for name in os.listdir(host.folder + host.cache):
            about = os.stat(host.folder + host.cache + "/" + name)
            assert about.st_uid == USER_ID and stat.S_IMODE(about.st_mode) & 0o077 == 0, name
