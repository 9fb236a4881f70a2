"""A root zone that the test signs, served by Debian's nsd, and Debian's unbound, which validates it."""
import os
import subprocess

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
	module-config: "validator iterator"
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
    """Nsd with a key of its own; `anchor` is the file of its DNSKEY record."""

    def __init__(self, w, lines):
        needs("resolver")
        self.anchor = None
        super().__init__(w, lines, addresses=(AUTHORITY,))

    def tool(self, name, *arguments):
        done = subprocess.run([ROOT + "/usr/bin/" + name, *arguments], cwd=self.folder, env=environment(),
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=5 * PATIENCE, check=False)
        assert done.returncode == 0, (name, done.stdout)
        return done.stdout.strip()

    def finish(self, zone):
        key = self.tool("ldns-keygen", "-a", "ECDSAP256SHA256", "-k", ".")
        self.tool("ldns-signzone", "-f", zone + ".signed", zone, key)
        os.rename(zone + ".signed", zone)
        self.anchor = "%s/%s.key" % (self.folder, key)


class Unbound:
    """Resolves at SERVER, with the key of a SignedNsd as the only trust anchor."""

    def __init__(self, w, anchor):
        folder = w.path("unbound")
        os.mkdir(folder)
        conf = write(folder + "/unbound.conf", CONF.format(
            folder=folder, server=SERVER, authority=AUTHORITY, anchor=anchor))
        self.log = w.log_file("unbound")
        self.child = subprocess.Popen(
            [ROOT + "/usr/sbin/unbound", "-d", "-c", conf], stdin=subprocess.DEVNULL, stdout=self.log,
            stderr=self.log, env=environment())
        eventually(self.validates, "unbound's first validated answer")

    def validates(self):
        assert self.child.poll() is None, read_log(self.log.name)
        try:
            return bool(ask(SERVER, "ns.example", dns.A, 1, RD | AD)[3] & AD)
        except OSError:
            return False

    def close(self):
        self.child.terminate()
        self.child.wait(PATIENCE)


def signed_names(w, lines):
    """The root zone with these lines of a master file, signed and validated (enter() before)."""
    authority = w.keep(SignedNsd(w, lines))
    return w.keep(Unbound(w, authority.anchor))
