"""What can stand between a source of mail and a sink: each way for a message to take, set up and waiting."""
import datetime
import os
import socket
import subprocess

from machine import BIN, Group, NamespaceGroup, free_port, listening, program, unpacked

NEW_SUITE = "chacha20poly1305_2.0"
LIMIT = "260"       # connections at once

# (a shell gives what it starts in the background /dev/null as descriptor 0)
KEEP_UP = """exec 3<&0
trap 'kill $!; exit' TERM
while "$@" <&3 3<&- & wait $!; do :; done"""

STUNNEL = """foreground = yes
pid =
syslog = no
debug = err
socket = l:TCP_NODELAY=1
socket = r:TCP_NODELAY=1
%s
"""

XINETD = """service between
{
	type = UNLISTED
	socket_type = stream
	protocol = tcp
	wait = no
	user = root
	bind = 127.0.0.1
	port = %d
	server = %s
	server_args = %s
	instances = UNLIMITED
	per_source = UNLIMITED
	cps = 0 0
	log_type = FILE /dev/null
}
"""


def certificate():
    """Key and certificate, ECDSA on P-256."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mx.b.example")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
            .serial_number(1).not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=30)).sign(key, hashes.SHA256()))
    form = serialization.Encoding.PEM
    return key.private_bytes(form, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption()) + made.public_bytes(form)


class Way:
    """
    name    for the table
    near    the group of what stands behind the source, or None
    far     the group of what stands in front of the sink, or None
    port    what the source calls
    suite   of bench/load, which speaks XCRYPT; "": it does not; None: the source is smtp-source
    fresh   the load client has a key of its own for every session
    """

    def __init__(self, name, port, near=None, far=None, suite=None, keys=None, fresh=False):
        self.name, self.port, self.near, self.far = name, port, near, far
        self.suite, self.keys, self.fresh = suite, keys, fresh
        self.idle = {group: 0 for group in self.groups()}

    def groups(self):
        return [group for group in (self.near, self.far) if group]

    def rest(self):
        """Remembers how many processes there are when nothing is going on, once all have started."""
        for group in self.groups():
            self.idle[group] = group.steady()

    def settle(self):
        for group in self.groups():
            group.settle(self.idle[group])

    def end(self):
        for group in self.groups():
            group.end()


class Between:
    """Sets up ways, in a folder of its own, in front of one sink."""

    def __init__(self, folder, fast_sink=False):
        self.folder = folder
        self.count = 0
        self.empty = self.file("empty.conf", "user = root\n" if os.getuid() == 0 else "")
        self.sink = Group()
        self.sink_port = free_port()
        if fast_sink:
            self.sink.start([program("sink"), str(self.sink_port), "8"])
        else:
            argv, env = self.package("postfix", "usr/sbin/smtp-sink")
            user = ["-u", "nobody"] if os.getuid() == 0 else []
            self.sink.start([argv] + user + ["127.0.0.1:%d" % self.sink_port, "500"], env=env)
        listening(self.sink_port)

    def end(self):
        self.sink.end()

    def file(self, name, text, mode=0o644):
        path = os.path.join(self.folder, name)
        with open(path, "wb" if isinstance(text, bytes) else "w") as out:
            out.write(text)
        os.chmod(path, mode)
        return path

    def fresh_folder(self):
        self.count += 1
        path = os.path.join(self.folder, "folder-%d" % self.count)
        os.mkdir(path, 0o700)
        return path

    def package(self, name, path):
        argv, env = unpacked(name, path)
        if not os.access(argv, os.X_OK):
            raise FileNotFoundError(name)
        return argv, env

    # who starts programs

    def tcpserver(self, argv, env=None, group=None):
        server, _ = self.package("ucspi-tcp", "usr/bin/tcpserver")
        group, port = group or Group(), free_port()
        group.start([server, "-R", "-H", "-l", "0", "-b", "300", "-c", LIMIT, "127.0.0.1", str(port)] + argv, env=env)
        listening(port)
        return group, port

    def xinetd(self, argv):
        server, env = self.package("xinetd", "usr/sbin/xinetd")
        group, port = Group(), free_port()
        conf = self.file("xinetd.conf", XINETD % (port, argv[0], " ".join(argv[1:])))
        group.start([server, "-dontfork", "-f", conf, "-pidfile", self.folder + "/xinetd.pid"], env=env)
        listening(port)
        return group, port

    def listener(self, argv):
        """A program with a listening socket as its descriptor 0, started again when it leaves after an idle minute."""
        group = Group()
        with socket.create_server(("127.0.0.1", 0), backlog=300) as sock:
            group.start(["/bin/sh", "-c", KEEP_UP, "sh"] + argv, stdin=sock)
            return group, sock.getsockname()[1]

    # the others

    def forwarder(self, libc=""):
        path = program("forwarder" + libc)
        if not os.access(path, os.X_OK):
            raise FileNotFoundError("forwarder built with musl")
        return [path, str(self.sink_port)]

    def spiped(self, *flags):
        spiped, env = self.package("spiped", "usr/bin/spiped")
        key = self.file("spiped.key", os.urandom(32), 0o600)
        near, far, middle, port = Group(), Group(), free_port(), free_port()
        for group, way, source, target in ((far, "-d", middle, self.sink_port), (near, "-e", port, middle)):
            group.start([spiped, way, "-s", "[127.0.0.1]:%d" % source, "-t", "[127.0.0.1]:%d" % target, "-k", key,
                         "-F", "-n", LIMIT] + list(flags), env=env)
            listening(source)
        return near, far, port

    def socat(self):
        socat, env = self.package("socat", "usr/bin/socat")
        group, port = Group(), free_port()
        group.start([socat, "TCP4-LISTEN:%d,bind=127.0.0.1,fork,reuseaddr,nodelay,backlog=300" % port,
                     "TCP4:127.0.0.1:%d,nodelay" % self.sink_port], env=env)
        listening(port)
        return group, port

    def certificate(self):
        path = os.path.join(self.folder, "certificate.pem")
        return path if os.path.exists(path) else self.file("certificate.pem", certificate(), 0o600)

    def stunnel(self, name, text, port=None):
        """A configuration; with a port, a process that listens there."""
        stunnel, env = self.package("stunnel4", "usr/bin/stunnel4")
        conf = self.file(name + ".conf", STUNNEL % text)
        if port is None:
            return [stunnel, conf], env
        group = Group()
        group.start([stunnel, conf], env=env)
        listening(port)
        return group

    def stunnel_client(self, to_port, resumes):
        port = free_port()
        self.count += 1
        return self.stunnel("client-%d" % self.count, "sessionResume = %s\n[between]\nclient = yes\n"
                            "accept = 127.0.0.1:%d\nconnect = 127.0.0.1:%d" % (
                                "yes" if resumes else "no", port, to_port), port), port

    def stunnel_pair(self, resumes):
        middle = free_port()
        self.count += 1
        far = self.stunnel("server-%d" % self.count, "sessionResume = %s\n[between]\ncert = %s\n"
                           "accept = 127.0.0.1:%d\nconnect = 127.0.0.1:%d" % (
                               "yes" if resumes else "no", self.certificate(), middle, self.sink_port), middle)
        near, port = self.stunnel_client(middle, resumes)
        return near, far, port

    def stunnel_process(self):
        argv, env = self.stunnel("inetd", "cert = %s\nconnect = 127.0.0.1:%d" % (
            self.certificate(), self.sink_port))
        far, middle = self.tcpserver(argv, env)
        near, port = self.stunnel_client(middle, True)
        return near, far, port

    def tlswrapper(self):
        wrapper, env = self.package("tlswrapper", "usr/bin/tlswrapper")
        jail = self.fresh_folder()
        # its own jails are users of its own
        for path in (self.folder, jail):
            os.chmod(path, 0o755)
        far, middle = self.tcpserver(
            [wrapper, "-q", "-J", jail, "-f", self.certificate(), wrapper + "-tcp", "-q", "-J", jail, "127.0.0.1",
             str(self.sink_port)], env)
        near, port = self.stunnel_client(middle, True)
        return near, far, port

    # ours

    def settings(self, cache=None, **settings):
        merged = {"cache": cache or self.fresh_folder(), "known": self.folder + "/known",
                  "log": "local7", "sessions": LIMIT, "sessions-per-client": LIMIT}
        merged.update(settings)
        return ["-C", self.empty] + ["-o%s=%s" % x for x in merged.items()]

    def ours(self, name, libc):
        """With glibc where the programs are built with musl."""
        path = os.path.join(BIN, libc, name)
        if not os.access(path, os.X_OK):
            raise FileNotFoundError(path)
        return path

    def blackponyd(self, libc="", **settings):
        return [self.ours("blackponyd", libc)] + self.settings(
            hostname="mx.b.example", backend="127.0.0.1:%d" % self.sink_port, **settings) + [
                "-oclient-address=none"]

    def before_program(self, client_address):
        """From tcpserver, with a mailer behind that does no more than call the sink."""
        if os.getuid() != 0:
            raise FileNotFoundError("root")
        libc = "-musl" if os.access(program("forwarder-musl"), os.X_OK) else ""
        argv = [self.ours("blackponyd", "")] + self.settings(hostname="mx.b.example")
        return self.tcpserver(argv + ["-oclient-address=" + client_address] + self.forwarder(libc),
                              group=NamespaceGroup())

    def blackpony(self, to_port, libc="", **settings):
        return [self.ours("blackpony", libc)] + self.settings(hostname="mail.a.example", **settings) + [
            "--", "[127.0.0.1]:%d" % to_port]

    def pair(self, serve=None, far_cache=None, **settings):
        """blackponyd by `serve`, blackpony by a tcpserver of its own."""
        far, middle = (serve or self.tcpserver)(self.blackponyd(**{"cache": far_cache, **settings}))
        near, port = self.tcpserver(self.blackpony(middle, **settings))
        return near, far, port


class Source:
    """Sends messages of so many octets, one a connection, waits for the end of all, and says how many it sent."""

    def __init__(self, between, octets):
        self.octets = octets
        self.smtp_source, self.env = between.package("postfix", "usr/sbin/smtp-source")

    def load(self, way, messages, at_once):
        if way.suite is None:
            argv = [self.smtp_source, "-s", str(at_once), "-m", str(messages), "-l", str(self.octets),
                    "-M", "mail.a.example", "-f", "alice@a.example", "-t", "bob@b.example", "-C", "100",
                    "127.0.0.1:%d" % way.port]
            subprocess.run(argv, env=self.env, check=True, stdout=subprocess.DEVNULL)
            return messages
        argv = [program("load")] + (["-f"] if way.fresh else []) + (["-k", way.keys] if way.keys else [])
        each = max(1, messages // at_once)
        argv += [str(way.port), way.suite, str(at_once), str(each), str(self.octets)]
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
        return each * at_once

    def prime(self, way):
        """Both ends get to know each other before anything is measured."""
        way.rest()
        for _ in range(2):
            self.load(way, 1, 1)
            way.settle()
