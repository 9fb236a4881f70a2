# Claim: without a socket, a session is by hand, with bare line feeds; otherwise a bare line feed ends no command (blackponyd(8))
import os
import re
import select
import subprocess
import time

from kit import xcrypt
from kit.conn import Client, PATIENCE, TooSlow
from kit.run import DAEMON, REPO


def by_hand(w, mailer, settings=None):
    argv = [DAEMON] + w.options(settings, **{"backend": "127.0.0.1:%d" % mailer.port,
                                             "client-address": "none"})
    child = w.spawn(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                    stderr=w.log_file("blackponyd"))
    return w.keep(Client(child.stdout, child.stdin)), child


def say(client, line):
    client.send(line.encode() + b"\n")
    return client.reply()


def test_bare_line_feeds(w):
    mailer = w.mailer()
    client, child = by_hand(w, mailer)
    client.greet()
    assert b"XCRYPT chacha20poly1305_2.0" in say(client, "EHLO me").text
    assert say(client, "NOOP").code == 250
    assert say(client, "QUIT").code == 221
    assert client.rest() == b""
    client.writer.close()
    assert child.wait(10) == 0


def test_rotn_in_ones_head(w):
    """Version 0.1 as it was meant: two numbers are added."""
    mailer = w.mailer()
    client, child = by_hand(w, mailer, {"suites": xcrypt.ROTN})
    client.greet()
    assert b"XCRYPT rotn_0.1" in say(client, "EHLO me").text
    reply = say(client, "XCRYPT rotn_0.1 0 6").text
    assert reply.startswith(b"250 XCRYPT 0 "), reply
    n = (6 + int(reply.split(b" ")[-1])) % 26
    assert say(client, "XCRYPT OK").text == b"250 XCRYPT OK"
    turn = xcrypt.Rot(n).stream
    client.send(turn(b"QUIT\n"))
    line = client.line()
    assert line == turn(b"221 2.0.0 Bye"), line
    client.writer.close()
    child.wait(10)


class Terminal:
    """A person's terminal: it echoes what is typed, passes whole lines, and converts line ends."""

    def __init__(self, w, command):
        self.fd, slave = os.openpty()
        self.got = b""
        self.child = w.spawn(["sh", "-c", command], stdin=slave, stdout=slave, stderr=slave,
                             cwd=REPO, start_new_session=True)
        os.close(slave)

    def line(self):
        """The next line on the screen; None at the end."""
        deadline = time.monotonic() + 3 * PATIENCE
        while b"\n" not in self.got:
            if not select.select([self.fd], [], [], max(0, deadline - time.monotonic()))[0]:
                raise TooSlow("the screen says %r" % self.got)
            try:
                self.got += os.read(self.fd, 65536)
            except OSError:     # the other side is closed everywhere
                return None
        line, self.got = self.got.split(b"\n", 1)
        return line.rstrip(b"\r")

    def type(self, line):
        os.write(self.fd, line + b"\n")
        echo = self.line()
        assert echo == line, "typed %r, and the screen says %r" % (line, echo)


def dialogue():
    """README, "By hand": (command, lines), where a line is (whether it is typed, its text)."""
    with open(os.path.join(REPO, "README")) as readme:
        section = readme.read().split("\nBy hand\n-------\n")[1].split("\n---")[0]
    command = re.search(r"^    (bin/blackponyd .*)$", section, re.M).group(1)
    lines = re.findall(r"^    (> ?|  )(.*)$", section, re.M)
    return command, [(mark.startswith(">"), text.encode()) for mark, text in lines]


def play(terminal, lines):
    """Plays the dialogue as a reader would: what README turns by 13 is turned by the actual sum."""
    inside, turn, anything = False, None, False
    for typed, text in lines:
        if inside:
            text = turn(text)
        if text == b"...":
            anything = True
        elif typed:
            if anything:    # README shows only the beginning of this reply
                while terminal.line()[3:4] == b"-":
                    pass
            anything = False
            terminal.type(text)
        elif text.startswith(b"250 XCRYPT 0 "):
            line = terminal.line()
            assert re.fullmatch(rb"250 XCRYPT 0 \d+", line), line
            turn = xcrypt.Rot(6 + int(line.split(b" ")[-1]) - 13).stream
        else:
            line = terminal.line()
            while anything and line != text:
                line = terminal.line()
            anything = False
            assert line == text, "the screen says %r, README %r" % (line, text)
            inside = inside or text == b"250 XCRYPT OK"


def test_readme_at_a_terminal(w):
    """README's dialogue word for word, with a whole message, in front of a program."""
    command, lines = dialogue()
    assert sum(typed for typed, _ in lines) >= 11, lines
    # root has to name a user, as README says
    command = command.replace("bin/blackponyd", "exec " + DAEMON + " -o user=root")
    os.mkdir(w.path("program"))
    for directory in ("", " " + w.path("program")):
        terminal = Terminal(w, command + directory)
        play(terminal, lines)
        assert terminal.line() is None
        assert terminal.child.wait(PATIENCE) == 0
        os.close(terminal.fd)
    report = w.reports()[0]
    message = report["messages"][0]
    assert message.endswith("\r\nSubject: hello\r\n\r\nLook, no computer.\r\n"), message
    assert message.startswith("Received: from me.example "), message
    assert "(XCRYPT rotn_0.1)" in message
    heard = report["commands"]
    assert "MAIL FROM:<me@me.example>" in heard and "RCPT TO:<bob@b.example>" in heard, heard
    assert heard[-1] == "QUIT" and report["ended"] == "quit"


def test_not_on_a_socket(w):
    """There the two lines are one, and the backend sees no second command of ours."""
    mailer = w.mailer()
    client = w.session(w.daemon({"policy": "must"}, backend=mailer))
    client.send(b"NOOP\nRSET\n")
    assert not client.readable(0.3), client.got
    client.send(b"\r\n")
    reply = client.reply()
    assert reply.code in (250, 500, 501, 530), reply
    client.command("QUIT")
    assert b"RSET" not in mailer.commands
