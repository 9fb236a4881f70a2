#!/usr/bin/python3
"""Mail to and from the programs installed in another root, with the settings there: mail.py ROOT WORD WORD

A WORD is what the log says of the cache, for the first message and for the second: miss or hit.
"""
import os
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../scenarios"))
from kit import run, xcrypt     # noqa: E402


# What was kept is for an address with its port, and test/deb/run has a network of its own for each time.
PORT = 2525
# the other host, as 2.0 refuses one that calls itself; it remembers as long as the root is there
PEER = "/tmp/peer"


def make_peer(root):
    owner = os.stat(root + "/run/blackpony")
    for folder in PEER, PEER + "/cache", PEER + "/known":
        if not os.path.isdir(root + folder):
            os.mkdir(root + folder, 0o700)
            os.chown(root + folder, owner.st_uid, owner.st_gid)


def options(hostname, is_peer):
    given = ["-v", "-o", "hostname=" + hostname]
    return given + (["-o", "cache=%s/cache" % PEER, "-o", "known=%s/known" % PEER] if is_peer else [])


def send(w, root, tap, recipient, is_peer):
    # as a mailer starts it
    return w.run(["chroot", "--userspec=blackpony:blackpony", root, "/usr/bin/blackpony"] + options("mail.a.example", is_peer) +
                 ["-f", "alice@a.example", "--", "[127.0.0.1]:%d" % tap.port, recipient], b"Subject: merger\n\nThe plan.\n")


def exchange(w, root, words, sender_is_peer):
    """From the peer to the installed blackponyd, or from the installed blackpony to the peer."""
    mailer = w.mailer(answers={"RCPT": lambda session, line: b"550 5.1.1 no" if b"nobody@" in line else None})
    server = w.keep(run.SuperServer(w, [
        "chroot", root, "/usr/sbin/blackponyd", "-o", "client-address=none",
        "-o", "backend=127.0.0.1:%d" % mailer.port] + options("mx.b.example", not sender_is_peer)))
    tap = w.wiretap(server.port, listen=PORT)
    for number, cache in enumerate(words):
        result = send(w, root, tap, "bob@b.example", sender_is_peer)
        assert result.status == 0, result
        behind = server.finish(number)
        entries = result.entries[0], behind.entries[0]
        assert [e["crypt"] for e in entries] == [xcrypt.CHACHA] * 2, (result, behind)
        # kept where, and by whom, the package says
        assert [e["cache"] for e in entries] == [cache] * 2, (result, behind)
    assert send(w, root, tap, "nobody@b.example", sender_is_peer).status == 67
    assert [m.body() for m in mailer.messages] == [b"Subject: merger\r\n\r\nThe plan.\r\n"] * 2
    assert b"merger" not in tap.seen() and tap.encrypted()
    tap.close()


def main(root, words, folder):
    w = run.World(folder)
    make_peer(root)
    for sender_is_peer in (True, False):
        exchange(w, root, words, sender_is_peer)
    cache = os.path.join(root, "run/blackpony")
    owners = {os.stat(os.path.join(cache, name)).st_uid for name in os.listdir(cache)}
    assert owners == {os.stat(cache).st_uid} and 0 not in owners, owners
    faults = w.close()
    assert not faults, faults


with tempfile.TemporaryDirectory(prefix="mail-") as there:
    main(sys.argv[1], sys.argv[2:], there)
