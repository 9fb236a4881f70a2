"""Mail hosts with Debian's other mail servers, each unpacked over its own /usr, /etc and /var; and haproxy.

The configurations are the samples of etc/, with this machine's paths, names and addresses.
"""
import mailbox
import os
import re
import subprocess

from cryptography.hazmat.primitives.asymmetric import ec

from kit.run import REPO, Skip, eventually

from certificates import certificate, pem
from host import Host, Message, listening
from private import GROUP, MULTIARCH, PASSWD, PROGRAMS, bind, mount, write

ROOTS = os.path.join(REPO, "bin/real/")
OVERLAID = ("usr", "etc", "var")
PEOPLE = ("alice", "bob", "carol", "later")


def needs(name):
    """Skips if that program could not be unpacked."""
    why = os.environ.get("REAL_MISSING_" + name)
    if why:
        raise Skip(why)


def sample(name, words):
    """A file of etc/ with words replaced, each of which must be in it."""
    with open(os.path.join(REPO, "etc", name)) as lines:
        text = lines.read()
    for old, new in words.items():
        assert old in text, "%s does not say %s" % (name, old)
        text = text.replace(old, new)
    return text


class Overlaid(Host):
    """
    A host whose mail server has fixed paths.  Its processes see the package's files, and changes in those
    three directories go to a tmpfs.  Mailboxes are in /var/mail.
    """
    root = None             # of bin/real
    edits = {}              # more words of its sample and their replacements
    users = ()              # that the package would add

    def __init__(self, w, *args, **how):
        needs(self.root)
        super().__init__(w, *args, **how)

    def make_files(self, domains, _mailer, _table, relay, more, _program, _user):
        self.overlay()
        people = "".join("%s:x:%d:%d::/:/bin/false\n" % (name, number, number)
                         for number, name in enumerate(self.users + PEOPLE, 5000))
        groups = "".join("%s:x:%d:\n" % (name, number)
                         for number, name in enumerate(self.users + PEOPLE, 5000))
        for name, text in (("passwd", PASSWD + people), ("group", GROUP + groups), 
                           # the names of other hosts come from the DNS
                           ("hosts", "127.0.0.1 localhost\n%s %s\n" % (self.address, self.name)),
                           ("resolv.conf", "nameserver 127.0.0.1\n"), ("aliases", ""),
                           ("mailname", self.name),
                           ("nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n")):
            self.write("/etc/" + name, text)
        os.makedirs(self.folder + "/var/mail", exist_ok=True)
        os.chmod(self.folder + "/var/mail", 0o1777)
        self.configure(domains, list(relay), more)

    def overlay(self):
        over = self.folder + "/over"
        os.makedirs(over + "/package")
        bind(ROOTS + self.root, over + "/package")
        for top in OVERLAID:
            lower = [path for path in (over + "/package/" + top, "/" + top) if os.path.isdir(path)]
            for name in ("/%s/work" % top, "/%s/upper" % top):
                os.makedirs(over + name)
            os.mkdir(self.folder + "/" + top)
            options = "lowerdir=%s,upperdir=%s/upper,workdir=%s/work" % (
                ":".join(lower), over + "/" + top, over + "/" + top)
            mount("overlay", self.folder + "/" + top, "overlay", options=options)

    def become(self):
        super().become()
        for top in OVERLAID:
            bind(self.folder + "/" + top, "/" + top)

    def write(self, path, text):
        """Writes one of its files; a link in its place is replaced."""
        path = self.folder + path
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if os.path.islink(path):
            os.unlink(path)
        write(path, text)
        os.chmod(path, 0o644)

    def sender(self):
        return "%s/blackpony -C %s/blackpony.conf" % (PROGRAMS, self.folder)

    def set_access(self, _access):
        pass

    def mailbox(self, count=None):
        found = []

        def enough():
            found[:] = []
            for name in PEOPLE:
                path = self.folder + "/var/mail/" + name
                if os.path.exists(path):
                    box = mailbox.mbox(path, create=False)
                    found.extend(Message(name, box.get_bytes(key)) for key in box.keys())
            return count is None or len(found) >= count
        eventually(enough, "%s messages at %s" % (count, self.name))
        assert count is None or len(found) == count, found
        return found


class Postfix(Overlaid):
    root = "postfix"
    users = ("postfix", "postdrop", "postmaster")
    # Debian's mynetworks, and what else may relay
    MAIN = """compatibility_level = 3.6
queue_directory = /var/spool/postfix
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
data_directory = /var/lib/postfix
myhostname = {name}
myorigin = {name}
mydestination = {domains}
mynetworks = 127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128 {relay}
alias_maps =
smtpd_recipient_restrictions = check_recipient_access inline:{{ {{later@b.example = 450 4.2.1 Later}} }}
default_transport = blackpony
blackpony_destination_recipient_limit = 1
{more}
"""

    def configure(self, domains, relay, more):
        relay = " ".join("[%s]/128" % x if ":" in x else x + "/32" for x in relay)
        self.write("/etc/postfix/main.cf", self.MAIN.format(
            name=self.name, domains=" ".join(domains), relay=relay, more=more))
        with open(self.folder + "/usr/share/postfix/master.cf.dist") as lines:
            # nothing is copied into a chroot here, and port 25 is blackponyd's
            services = re.sub(r"(?m)^(\S+ +(?:inet|unix|unix-dgram) +\S+ +\S+) +y ", r"\1 n ",
                              lines.read())
        services = re.sub(r"(?m)^smtp +inet", "#\\g<0>", services)
        ours = sample("postfix-master.cf", {
            "inet\tn\t-\ty": "inet\tn\t-\tn",
            "#127.0.0.1:10026": "127.0.0.1:10026",
            "#  -o": "  -o",
            "/usr/libexec/blackpony -f": self.sender() + " -f", **self.edits})
        self.write("/etc/postfix/master.cf", services + ours + "127.0.0.1:10027 inet n - n - - smtpd\n")
        for name in ("main.cf", "master.cf"):
            # Postfix waits after a recent change, in case there is more to come
            os.utime(self.folder + "/etc/postfix/" + name, (0, 0))
        self.make_queue()

    def make_queue(self):
        """As `postfix start` does, which takes longer."""
        postfix, postdrop = 5000, 5001
        os.makedirs(self.folder + "/var/lib/postfix", exist_ok=True)
        os.chown(self.folder + "/var/lib/postfix", postfix, postfix)
        spool = self.folder + "/var/spool/postfix/"
        for name in ("active bounce corrupt defer deferred flush hold incoming maildrop pid private "
                     "public saved trace").split():
            os.makedirs(spool + name, exist_ok=True)
            group = postdrop if name in ("maildrop", "public") else postfix
            os.chown(spool + name, 0 if name == "pid" else postfix, 0 if name == "pid" else group)
            os.chmod(spool + name, {"maildrop": 0o730, "public": 0o710, "pid": 0o755}.get(name, 0o700))

    def daemon(self):
        child = self.start(["/usr/lib/postfix/sbin/master", "-d"])
        listening("127.0.0.1", 10025)
        return child

    def submit(self, message, recipients, sender="alice@a.example"):
        self.run(["/usr/sbin/sendmail", "-i", "-f", sender, "--"] + recipients, input=message)

    def run_queue(self):
        self.run(["/usr/sbin/postqueue", "-f"])

    def queued(self):
        said = self.run(["/usr/sbin/postqueue", "-j"])
        return sorted(re.findall(r'"address": "([^"]*)"', said))


class Exim(Overlaid):
    root = "exim"
    users = ("Debian-exim",)

    def configure(self, domains, relay, more):
        ours = sample("exim4.conf", {
            "mx.b.example": self.name,
            "local_domains = b.example": "local_domains = " + " : ".join(domains),
            "<; 127.0.0.1 ; ::1": " ; ".join(["<; 127.0.0.1 ; ::1"] + relay),
            "  require verify": "  defer   local_parts   = later\n  require verify",
            "/usr/libexec/blackpony -f": self.sender() + " -f", **self.edits})
        self.write("/etc/exim4/exim4.conf", "log_file_path = syslog\n" + more + ours)
        for folder in ("/var/spool/exim4", "/var/log/exim4"):
            os.makedirs(self.folder + folder)
            os.chown(self.folder + folder, 5000, 5000)
        # as in the package: it becomes root again to deliver
        os.chmod(self.folder + "/usr/sbin/exim4", 0o4755)

    def behind(self):
        return ["/usr/sbin/exim4", "-bs", "-oMa", "%{client-address}.%{client-port}"]

    def daemon(self):
        child = self.start(["/usr/sbin/exim4", "-bdf", "-q1h"])
        listening("127.0.0.1", 10025)
        return child

    def submit(self, message, recipients, sender="alice@a.example"):
        self.run(["/usr/sbin/exim4", "-i", "-odf", "-f", sender, "--"] + recipients, input=message,
                 expect=None)

    def run_queue(self):
        self.run(["/usr/sbin/exim4", "-qff"])

    def queued(self):
        said = self.run(["/usr/sbin/exim4", "-bp"])
        return sorted(re.findall(r"(?m)^ {10}(\S+@\S+)", said))


class OpenSMTPD(Overlaid):
    root = "opensmtpd"
    users = ("opensmtpd", "opensmtpq")
    AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"      # which it must have

    def configure(self, domains, relay, more):
        if not os.path.exists(self.AUTHORITIES):
            key = ec.generate_private_key(ec.SECP256R1())
            self.write(self.AUTHORITIES, pem(certificate("Root", key, "Root", key, authority=True)))
        ours = sample("smtpd.conf", {
            '"b.example"': "{ %s }" % ", ".join('"%s"' % x for x in domains)})
        relay = 'match from src { %s } for any action "out"\n' % ", ".join(relay)
        self.write("/etc/smtpd.conf", ours + relay + more)

    def daemon(self):
        child = self.start(["/usr/sbin/smtpd", "-d"])
        listening("127.0.0.1", 10025)
        return child


class Haproxy:
    """The sample, in front of two addresses."""

    def __init__(self, w, address, nodes, header):
        needs("haproxy")
        root = ROOTS + "haproxy"
        conf = write("/srv/haproxy.cfg", sample("haproxy.cfg", {
            "192.0.2.25": address, "192.0.2.26": nodes[0], "192.0.2.27": nodes[1],
            "send-proxy-v2": header}))
        log = w.log_file("haproxy")
        self.child = subprocess.Popen(
            [root + "/usr/sbin/haproxy", "-db", "-f", conf],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            env=dict(w.environment, LD_LIBRARY_PATH=root + "/usr/lib/" + MULTIARCH))
        listening(address, 25)
