"""Hosts with host keys, and blackpony's known hosts."""
import os
import shutil

from .mailer import FakeMailer
from .middle import HostKey
from .run import BIN, DAEMON, SENDER, SuperServer

REMEMBER = os.path.join(BIN, "scenarios", "remember")
DAY = 86400
HERE = "127.0.0.1"      # in tests, destination and mail host are the same


class Site:
    """A mail server behind a blackponyd with its own host key and settings, and without STARTTLS."""

    def __init__(self, w, name="site", key=True, address="127.0.0.1", settings=None, mailer=None, **script):
        self.w, self.folder = w, w.path(name)
        os.mkdir(self.folder, 0o700)
        self.conf = self.folder + "/blackpony.conf"
        with open(self.conf, "w") as conf:
            conf.write("user = root\n" if os.geteuid() == 0 else "")
        self.mailer = mailer or w.keep(FakeMailer(**script))
        self.key = self.keys("new") if key else None
        options = w.options(dict(settings or {}, cache=self.folder + "/cache"), client_address="none", starttls="mailer",
                            backend="127.0.0.1:%d" % self.mailer.port)
        options[options.index("-C") + 1] = self.conf
        self.server = w.keep(SuperServer(w, [DAEMON] + options, address=address))
        self.port = self.server.port

    def keys(self, word):
        """blackponyd -k; the last key that it prints."""
        result = self.w.run([DAEMON, "-C", self.conf, "-k", word])
        assert result.status == 0, result
        return [line for line in result.out.decode().splitlines() if "TLSA" not in line][-1].split()[-1]

    def stolen(self):
        """The host key, as an attacker has it who could read the file."""
        with open(self.folder + "/host.key") as text:
            return HostKey(text.read())


def known(w, *words, folder=None):
    """blackpony -k: its exit status, and what it printed."""
    argv = [SENDER] + w.options({"known": folder or w.path("known")}) + ["-k"] + list(words)
    result = w.run(argv)
    return result.status, result.out.decode()


def remember(w, seconds, key=None, domain=HERE, host=None, folder=None, following=None):
    """A success that many seconds ago."""
    argv = [REMEMBER, folder or w.path("known"), domain, host or domain, str(seconds), key or "-"]
    result = w.run(argv + ([following] if following else []))
    assert result.status == 0, result


def copied(w, name):
    """A copy of the known hosts, for one case of many."""
    return shutil.copytree(w.path("known"), w.path(name))
