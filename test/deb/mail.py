#!/usr/bin/python3
"""Mail through the programs installed in another root, with the settings installed there: mail.py ROOT WORD WORD

A WORD is what the log says of the cache, for the first message and for the second: miss or hit.
"""
import os
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../scenarios"))
from kit import run, xcrypt     # noqa: E402


def send(w, root, tap, recipient):
    # as a mailer starts it
    return w.run(["chroot", "--userspec=blackpony:blackpony", root, "/usr/bin/blackpony", "-v", "-o", "hostname=mail.a.example", "-f", "alice@a.example",
                  "--", "[127.0.0.1]:%d" % tap.port, recipient], b"Subject: merger\n\nThe plan.\n")


def main(root, words, folder):
    w = run.World(folder)
    mailer = w.mailer(answers={"RCPT": lambda session, line: b"550 5.1.1 no" if b"nobody@" in line else None})
    server = w.keep(run.SuperServer(w, [
        "chroot", root, "/usr/sbin/blackponyd", "-v", "-o", "hostname=mx.b.example", "-o", "client-address=none",
        "-o", "backend=127.0.0.1:%d" % mailer.port]))
    tap = w.wiretap(server.port)
    for number, cache in enumerate(words):
        result = send(w, root, tap, "bob@b.example")
        assert result.status == 0, result
        behind = server.finish(number)
        entries = result.entries[0], behind.entries[0]
        assert [e["crypt"] for e in entries] == [xcrypt.CHACHA] * 2, (result, behind)
        # kept where, and by whom, the package says
        assert [e["cache"] for e in entries] == [cache] * 2, (result, behind)
    assert send(w, root, tap, "nobody@b.example").status == 67
    assert [m.body() for m in mailer.messages] == [b"Subject: merger\r\n\r\nThe plan.\r\n"] * 2
    assert b"merger" not in tap.seen() and tap.encrypted()
    cache = os.path.join(root, "run/blackpony")
    owners = {os.stat(os.path.join(cache, name)).st_uid for name in os.listdir(cache)}
    assert owners == {os.stat(cache).st_uid} and 0 not in owners, owners
    faults = w.close()
    assert not faults, faults


with tempfile.TemporaryDirectory(prefix="mail-") as there:
    main(sys.argv[1], sys.argv[2:], there)
