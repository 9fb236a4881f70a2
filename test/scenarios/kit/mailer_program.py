#!/usr/bin/python3
"""The backend as a program on descriptors 0 and 1.  mailer_program.py [DIRECTORY [ARGUMENT ...]]

Writes what it got to a file in DIRECTORY, if one is given.
"""
import os
import socket
import stat
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from kit import mailer     # noqa: E402
from kit.conn import Conn  # noqa: E402


def main():
    socks = [stat.S_ISSOCK(os.fstat(fd).st_mode) for fd in (0, 1)]
    extra = {"sockets": socks, "arguments": sys.argv[2:], "environment": dict(os.environ),
             "descriptors": sorted(int(fd) for fd in os.listdir("/proc/self/fd"))}
    sock = socket.socket(fileno=0)
    extra["peer"] = list(sock.getpeername()[:2]) if sock.family != socket.AF_UNIX else None
    session = mailer.Session(Conn(sock), mailer.Script())
    session.run()
    if len(sys.argv) > 1:
        report = os.path.join(sys.argv[1], "session-%d" % os.getpid())
        mailer.write_report(session, report, extra)


main()
