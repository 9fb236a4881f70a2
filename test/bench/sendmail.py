"""sendmail to sendmail: by its own TCP, by its own STARTTLS, and through both our programs."""
import os
import shutil
import sys
import tempfile
import time
import traceback

from machine import Group
from report import bars, median

QUEUE = 40              # messages
OCTETS = 2950
LARGE, LARGE_QUEUE = 65536, 10
ROUNDS = int(os.environ.get("BENCH_ROUNDS", 5))
PLAIN_LEAST, TLS_LEAST, LARGE_MOST = 5, 10, 5.0

HOW = """A queue of %d messages of %d octets, run by one sendmail at mail.a.example; sendmail at mx.b.example puts them into its
own queue; %d rounds, medians.  CPU of both hosts: sendmail, what it starts, inetd.  STARTTLS is on new connections,
as through our programs; the plain TCP keeps one open, as it does by default.""" % (QUEUE, OCTETS, ROUNDS)

PLAIN, TLS = "its TCP", "its STARTTLS, new connections"
PROGRAM, DAEMON = "blackpony, before a program", "blackpony, before a daemon"
PROGRAM_CLEAR, DAEMON_CLEAR = PROGRAM + ", clear", DAEMON + ", clear"

# name: domain, address, mailer, options of the queue run
PATHS = {
    PLAIN: ("plain.example", "192.0.2.25", "esmtp", ()),
    PLAIN + ", new connections": ("plain.example", "192.0.2.25", "esmtp", ("-OConnectionCacheSize=0",)),
    TLS: ("tls.example", "192.0.2.26", "esmtp", ("-OConnectionCacheSize=0",)),
    PROGRAM: ("program.example", "192.0.2.27", "blackpony", ()),
    PROGRAM_CLEAR: ("program-clear.example", "192.0.2.28", "blackpony", ()),
    DAEMON: ("daemon.example", "192.0.2.29", "blackpony", ()),
    DAEMON_CLEAR: ("daemon-clear.example", "192.0.2.30", "blackpony", ()),
}

FAR = """DAEMON_OPTIONS(`Port=25, Addr=192.0.2.25, Name=plain, M=S')dnl
DAEMON_OPTIONS(`Port=25, Addr=192.0.2.26, Name=tls')dnl
define(`confDELIVERY_MODE', `queueonly')dnl
define(`confSERVER_CERT', `%(folder)s/certificate.pem')dnl
define(`confSERVER_KEY', `%(folder)s/certificate.pem')dnl
define(`confDH_PARAMETERS', `2')dnl
"""
BEHIND = {"backend": "127.0.0.1:2525", "client-address": "none"}


def hosts(w):
    """(near, far) on a machine of their own, with everything waiting."""
    from host import Host, listening
    from private import HOSTS, add_address, enter, write
    enter(w)

    class Measured(Host):
        def __init__(self, *args, **how):
            self.group = Group()
            super().__init__(*args, **how)

        def become(self):
            self.group.enter()
            super().become()

    for _, address, _, _ in PATHS.values():
        if address != "192.0.2.25":
            add_address(address) if address not in w.environment.get("ADDED", "") else None
            w.environment["ADDED"] = w.environment.get("ADDED", "") + " " + address
    far = Measured(w, "mx.b.example", "192.0.2.25", sorted({x[0] for x in PATHS.values()}), more=FAR % {
        "folder": "/srv/mx.b.example"}, access="Connect:127.0.0.1\tRELAY\n")
    return far, HOSTS, write, listening, Measured
