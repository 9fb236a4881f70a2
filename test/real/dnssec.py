"""A root zone that the test signs, served by Debian's nsd, and Debian's unbound, which validates it."""
import os
import subprocess
import tempfile

from kit import dns
from kit.conn import PATIENCE
from kit.run import REPO, eventually, read_log

from nsd import SERVER, Nsd, ask
from others import needs
from private import MULTIARCH, write

ROOT = os.path.join(REPO, "bin/real/resolver")
# not SERVER, where the resolver is
AUTHORITY = "127.0.0.2"
# RFC 4035, section 3.2.3: a query with AD asks for AD in its answer
RD, AD = 0x100, 0x20

CONF = """server:
	interface: {server}
	access-control: 0.0.0.0/0 allow
	do-ip6: no
	do-daemonize: no
	do-not-query-localhost: no
	num-threads: 1
	username: ""
	chroot: ""
	directory: "{folder}"
	pidfile: ""
	use-syslog: no
	logfile: ""
	val-log-level: 2
	module-config: "{modules}"
	trust-anchor-file: "{anchor}"
remote-control:
	control-enable: no
stub-zone:
	name: "."
	stub-addr: {authority}
"""


def environment():
    return dict(os.environ, LD_LIBRARY_PATH=ROOT + "/usr/lib/" + MULTIARCH)


class SignedNsd(Nsd):
    """
    Nsd with a key of its own; `anchor` is the file of its DNSKEY record.

    expired   the signatures are
    spoil     changes the text of the signed zone
    """

    def __init__(self, w, lines, zones=None, expired=False, spoil=None):
        needs("resolver")
        self.anchor, self.spoil = None, spoil
        self.times = ["-i", "20200101", "-e", "20200201"] if expired else []
        super().__init__(w, lines, addresses=(AUTHORITY,), zones=zones)

    def tool(self, name, *arguments):
        done = subprocess.run([ROOT + "/usr/bin/" + name, *arguments], cwd=self.folder, env=environment(),
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=5 * PATIENCE, check=False)
        assert done.returncode == 0, (name, done.stdout)
        return done.stdout.strip()

    def finish(self, zone):
        key = self.tool("ldns-keygen", "-a", "ECDSAP256SHA256", "-k", ".")
        self.tool("ldns-signzone", *self.times, "-f", zone + ".signed", zone, key)
        os.rename(zone + ".signed", zone)
        if self.spoil:
            with open(zone) as text:
                spoilt = self.spoil(text.read())
            write(zone, spoilt)
        self.anchor = "%s/%s.key" % (self.folder, key)


class Unbound:
    """Resolves at an address, with the key of a SignedNsd as the only trust anchor."""

    def __init__(self, w, anchor, server=SERVER, validates=True, expired=False):
        folder = tempfile.mkdtemp(prefix="unbound-", dir=w.folder)
        self.server, self.good = server, validates and not expired
        conf = write(folder + "/unbound.conf", CONF.format(
            folder=folder, server=server, authority=AUTHORITY, anchor=anchor,
            modules="validator iterator" if validates else "iterator"))
        self.log = w.log_file("unbound")
        self.child = subprocess.Popen(
            [ROOT + "/usr/sbin/unbound", "-d", "-c", conf], stdin=subprocess.DEVNULL, stdout=self.log,
            stderr=self.log, env=environment())
        eventually(self.answers, "unbound's first answer, validated if it can be")

    def answers(self):
        assert self.child.poll() is None, read_log(self.log.name)
        try:
            flags = ask(self.server, "ns.example", dns.A, 1, RD | AD)[3]
            return bool(flags & AD) or not self.good
        except OSError:
            return False

    def close(self):
        self.child.terminate()
        self.child.wait(PATIENCE)


def signed_names(w, lines, zones=None, expired=False, spoil=None, **how):
    """
    The root zone with these lines of a master file, signed and validated (enter() before); `zones` are not
    signed.  The authority and the resolver.
    """
    authority = w.keep(SignedNsd(w, lines, zones, expired, spoil))
    return authority, w.keep(Unbound(w, authority.anchor, expired=expired, **how))
