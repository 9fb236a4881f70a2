"""A mail host: Debian's sendmail with its own configuration, queue and mailboxes, and its inetd."""
import os
import re
import socket
import subprocess

from kit.conn import PATIENCE
from kit.run import eventually

from private import (NEWNS, NEWUTS, PROGRAMS, REAL, USER, USER_ID, bind, enter, libc, unshare,
                     write)

SENDMAIL = REAL + "/usr/libexec/sendmail/sendmail"
MAKEMAP = REAL + "/usr/libexec/sendmail/makemap"
INETD = REAL + "/usr/sbin/inetd"
CF = REAL + "/usr/share/sendmail/cf/"
DEBIAN_ACCESS = REAL + "/usr/share/sendmail/examples/db/access"

# The lines of the manual page, except for the directory and the settings file.
MAILER = """MAILER_DEFINITIONS
Mblackpony,	P={program}, F=mDFMuXaS, S=EnvFromSMTP/HdrFromSMTP, R=EnvToSMTP,
		E=\\r\\n, L=990, T=DNS/RFC822/SMTP, U={user}:{user},
		A=blackpony -C {folder}/blackpony.conf -- $h
"""

MC = """divert(0)dnl
OSTYPE(`linux')dnl
define(`confSMTP_MAILER', `{mailer}')dnl
define(`QUEUE_DIR', `{folder}/queue')dnl
define(`ALIAS_FILE', `{folder}/aliases')dnl
define(`confPID_FILE', `{folder}/sendmail.pid')dnl
define(`STATUS_FILE', `{folder}/statistics')dnl
define(`HELP_FILE', `{folder}/helpfile')dnl
define(`confCR_FILE', `-o {folder}/relay-domains')dnl
define(`confSERVICE_SWITCH_FILE', `{folder}/service.switch')dnl
define(`confTO_IDENT', `0s')dnl
define(`confLOG_LEVEL', `14')dnl
define(`confQUEUE_LA', `10000')dnl
define(`confREFUSE_LA', `10000')dnl
define(`confDONT_PROBE_INTERFACES', `True')dnl
define(`LOCAL_MAILER_PATH', `{folder}/deliver')dnl
define(`LOCAL_MAILER_ARGS', `deliver $u')dnl
define(`LOCAL_MAILER_FLAGS', `Pn9')dnl
MODIFY_MAILER_FLAGS(`LOCAL', `-w')dnl
FEATURE(`no_default_msa')dnl
FEATURE(`nocanonify')dnl
FEATURE(`accept_unresolvable_domains')dnl
FEATURE(`mailertable', `hash -o {folder}/mailertable')dnl
FEATURE(`access_db', `hash -o -T<TMPF> {folder}/access')dnl
FEATURE(`blocklist_recipients')dnl
FEATURE(`delay_checks')dnl
LOCAL_DOMAIN(`{domains}')dnl
DAEMON_OPTIONS(`Port=2525, Addr=127.0.0.1, Name=MTA')dnl
{more}
MAILER(`local')dnl
MAILER(`smtp')dnl
{mailers}"""

# One file for each delivery of each recipient.
DELIVER = """#!/bin/sh
file=$(mktemp {folder}/mail/"$1".XXXXXX.new) && cat >"$file" && mv "$file" "${{file%.new}}"
"""


class Message:
    """A message as delivered, its header unfolded."""

    def __init__(self, recipient, text):
        self.recipient, self.text = recipient, text
        header, _, self.body = text.partition(b"\n\n")
        self.header = re.sub(rb"\n[ \t]+", b" ", header).decode().split("\n")

    def fields(self, name):
        return [line.split(":", 1)[1].strip() for line in self.header
                if line.lower().startswith(name.lower() + ":")]

    def __repr__(self):
        return "Message(%s, %r)" % (self.recipient, self.text[:2000])


class Host:
    """
    domains     the domains that it delivers locally
    mailer      its mailer for other hosts: "blackpony", or "esmtp" for sendmail's own
    table       its mailertable, {domain: "mailer:host"}
    access      its access map, lines or the name of a file
    relay       the addresses and domains that may relay
    more        more lines of its .mc
    settings    of its blackpony.conf and blackponyd.conf
    """

    def __init__(self, w, name, address, domains, mailer="blackpony", table=None, access="", relay=(),
                 more="", settings=None, program=PROGRAMS + "/blackpony", user=USER):
        self.w, self.name, self.address = w, name, address
        self.folder = "/srv/" + name
        self.cf = self.folder + "/sendmail.cf"
        for folder, mode in ("", 0o755), ("/queue", 0o700), ("/mail", 0o1777), ("/run", 0o755):
            os.mkdir(self.folder + folder)
            os.chmod(self.folder + folder, mode)
        self.cache = "/run/blackpony"           # as installed
        for folder in self.cache, "/known":
            os.mkdir(self.folder + folder, 0o700)
            os.chown(self.folder + folder, USER_ID, USER_ID)
        self.make_files(domains, mailer, table or {}, relay, more, program, user)
        self.set_access(access)
        self.set_settings(settings or {})

    # what an administrator does

    def make_files(self, domains, mailer, table, relay, more, program, user):
        for name in ("aliases", "statistics"):
            write(self.folder + "/" + name, "")
        write(self.folder + "/service.switch", "hosts files\naliases files\n")
        write(self.folder + "/relay-domains", "".join("%s\n" % x for x in relay))
        write(self.folder + "/deliver", DELIVER.format(folder=self.folder))
        os.chmod(self.folder + "/deliver", 0o755)
        self.make_map("mailertable", "".join("%s\t%s\n" % x for x in table.items()))
        mailers = MAILER.format(program=program, user=user, folder=self.folder)
        write(self.folder + "/sendmail.mc", MC.format(
            folder=self.folder, domains=" ".join(domains), mailer=mailer, more=more, mailers=mailers))
        with open(self.cf, "w") as out:
            self.run([REAL + "/usr/bin/m4", "-D_CF_DIR_=" + CF, CF + "m4/cf.m4",
                      self.folder + "/sendmail.mc"], stdout=out, stderr=subprocess.DEVNULL)
        os.chmod(self.cf, 0o644)
        self.sendmail("-bi")

    def make_map(self, name, text):
        self.run([MAKEMAP, "-C", "/dev/null", "hash", self.folder + "/" + name], input=text.encode())

    def set_access(self, access):
        if access.startswith("/"):
            with open(access) as lines:
                access = lines.read()
        self.make_map("access", access)

    def set_settings(self, settings):
        # most tests are about the connection of each message; those about kept ones say so
        merged = {"user": USER, "hostname": self.name, "known": self.folder + "/known", "keep-open": "0"}
        merged.update(settings)
        text = "".join("%s = %s\n" % x for x in merged.items() if x[1] is not None)
        write(self.folder + "/blackponyd.conf", text)
        write(self.folder + "/blackpony.conf", text)

    # what runs on it

    def become(self):
        """In a new process: takes this host's name and its /run."""
        unshare(NEWNS | NEWUTS)
        bind(self.folder + "/run", "/run")
        name = self.name.encode()
        libc.sethostname(name, len(name))

    def start(self, argv, **how):
        """Starts something that runs until the end of the test, or until end()."""
        log = self.w.log_file(os.path.basename(argv[0]))
        how = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log, **how}
        return subprocess.Popen(argv, cwd="/",
                                env=self.w.environment, preexec_fn=self.become, **how)

    def run(self, argv, expect=0, **how):
        for name, value in ("stdout", subprocess.PIPE), ("stderr", subprocess.STDOUT), ("input", b""):
            how.setdefault(name, value)
        done = subprocess.run(argv, env=self.w.environment, cwd="/",
                              preexec_fn=self.become, timeout=5 * PATIENCE, **how)
        said = (done.stdout or b"").decode("utf-8", "backslashreplace")
        assert expect is None or done.returncode == expect, "%s: exit %d: %s" % (
            " ".join(argv), done.returncode, said)
        return said

    def sendmail(self, *arguments, **how):
        return self.run([SENDMAIL, "-Am", "-C", self.cf] + list(arguments), **how)

    def submit(self, message, recipients, sender="alice@a.example", options=()):
        """Puts a message into the queue, and no further."""
        self.sendmail("-odq", "-oi", "-f", sender, *options, "--", *recipients, input=message)

    def run_queue(self):
        """Runs it once, to its end; the exit status is that of one recipient."""
        return self.sendmail("-qf", expect=None)

    def send(self, message, recipients, **how):
        self.submit(message, recipients, **how)
        return self.run_queue()

    def queued(self):
        """The recipients of the messages in the queue."""
        found = []
        for name in os.listdir(self.folder + "/queue"):
            if name.startswith("qf"):
                try:
                    with open(self.folder + "/queue/" + name, errors="replace") as lines:
                        found += re.findall(r"^R[^:]*:<?([^>\n]*)", lines.read(), re.M)
                except FileNotFoundError:
                    pass        # it has just been delivered
        return sorted(found)

    def mailbox(self, count=None):
        """The messages delivered here, by recipient; waits for that many."""
        names = []

        def enough():
            names[:] = sorted(n for n in os.listdir(self.folder + "/mail") if not n.endswith(".new"))
            return count is None or len(names) >= count
        eventually(enough, "%s messages at %s" % (count, self.name), PATIENCE + (count or 0) / 10)
        messages = []
        for name in names:
            with open(self.folder + "/mail/" + name, "rb") as text:
                messages.append(Message(name.rsplit(".", 1)[0], text.read()))
        assert count is None or len(messages) == count, messages
        return messages

    # how mail gets to it

    def behind(self):
        """The command line of Debian's sendmail as a program under inetd."""
        return [SENDMAIL, "-Am", "-bs", "-C", self.cf]

    def daemon_line(self, *program):
        return [PROGRAMS + "/blackponyd", "-C", self.folder + "/blackponyd.conf"] + list(program)

    def inetd(self, argv, user="root", addresses=None):
        """openbsd-inetd, with this command line on port 25; returns its process."""
        lines = []
        for address in addresses or [self.address]:
            protocol = "tcp6" if ":" in address else "tcp4"
            shown = "[%s]" % address if ":" in address else address
            lines.append("%s:25 stream %s nowait.60000 %s %s %s %s\n" % (
                shown, protocol, user, argv[0], os.path.basename(argv[0]), " ".join(argv[1:])))
        # -E: the environment names the unpacked libraries
        child = self.start([INETD, "-E", "-i", write(self.folder + "/inetd.conf", "".join(lines))])
        for address in addresses or [self.address]:
            listening(address, 25)
        return child

    def daemon(self, port=2525):
        """Its sendmail as a daemon on 127.0.0.1."""
        child = self.start([SENDMAIL, "-Am", "-bD", "-C", self.cf])
        listening("127.0.0.1", port)
        return child


def two_hosts(w, for_a=None, for_b=None):
    """
    mail.a.example, whose mail to b.example and b2.example goes through a wiretap to port 25 of mx.b.example.
    Returns (machine, a, b, tap).
    """
    machine = enter(w)
    b = Host(w, "mx.b.example", "192.0.2.25", ["b.example", "b2.example"], **(for_b or {}))
    tap = w.wiretap(25, host=b.address, source="192.0.2.10")
    more = dict(for_a or {})
    table = {domain: "blackpony:[127.0.0.1]:%d" % tap.port for domain in ("b.example", "b2.example")}
    more["table"] = {**table, **more.get("table", {})}
    a = Host(w, "mail.a.example", "192.0.2.10", ["a.example"], **more)
    return machine, a, b, tap


def listening(address, port):
    """Waits for a listener without connecting to it."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    raw = socket.inet_pton(family, address)
    words = [raw[i:i + 4][::-1].hex().upper() for i in range(0, len(raw), 4)]
    wanted = "%s:%04X" % ("".join(words), port)

    def there():
        with open("/proc/self/net/tcp6" if family == socket.AF_INET6 else "/proc/self/net/tcp") as table:
            return any(line.split()[1] == wanted and line.split()[3] == "0A" for line in table)
    # /proc/self is the process; the namespace is this thread's
    eventually(there, "a listener on %s:%d" % (address, port))


def end(child):
    """Stops a process that start() started, and waits for it."""
    child.terminate()
    child.wait(PATIENCE)
