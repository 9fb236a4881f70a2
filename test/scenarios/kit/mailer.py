"""The mail server: it records all that it gets and answers as it is told to."""
import os
import re
import select
import socket
import threading
import time

from . import xcrypt as crypt
from .conn import Conn, PATIENCE, TooSlow
from .listening import Listening, in_background

KEYWORDS = (b"PIPELINING", b"SIZE 10240000", b"8BITMIME")
ENDS_A_GROUP = ("EHLO", "HELO", "DATA", "QUIT", "XCLIENT", "STARTTLS", "XCRYPT")

RIDER = re.compile(rb"XCRYPT \S+_2\.0 [0-9a-f]{64} [0-9a-f]{64} =[0-9a-f]{32}\r\n")

DROP, RESET, STALL, SENT = object(), object(), object(), object()   # special answers


class Script:
    """How the mail server behaves.

    answers   verb -> octets of the reply without the last CRLF, DROP, RESET, STALL, or a function
              of (session, line) that returns one of those, or SENT if it has sent the reply
              itself, or None for the usual reply.  The verb "." is the end of a message,
              "greeting" the greeting, "XCRYPT OK" that line, and "pushed" the EHLO reply of 2.0
              that the server sends unasked (default: as for "EHLO").
    xcrypt    the suites offered; empty: XCRYPT is not offered
    behind    verb -> octets that follow the reply in the same packet
    pair      the two-hour pair: the key of 1.0, or Sb of 2.0
    keep      2.0: for how many seconds the server claims to know an id
    memory    2.0: the pre-shared secrets by id
    """

    def __init__(self, keywords=KEYWORDS, xcrypt=(), answers=None, behind=None,
                 name="mailer.example",
                 pair=None, end_notify=True, keep=3600, memory=None):
        self.keywords = [k.encode() if isinstance(k, str) else k for k in keywords]
        self.xcrypt, self.answers, self.behind = list(xcrypt), answers or {}, behind or {}
        self.name, self.pair, self.end_notify = name, pair, end_notify
        self.keep, self.memory = keep, {} if memory is None else memory
        self.short = pair or crypt.Pair20()


class Message:
    def __init__(self, sender, recipients, data, encrypted):
        self.sender, self.recipients, self.data = sender, recipients, data
        self.encrypted = encrypted

    def body(self):
        """Without the trace line that blackponyd adds."""
        if not self.data.startswith(b"Received: "):
            return self.data
        lines = self.data.split(b"\r\n")
        at = 1
        while lines[at][:1] in (b" ", b"\t"):
            at += 1
        return b"\r\n".join(lines[at:])


class Over(Exception):
    """The session has ended."""


class Session:
    def __init__(self, conn, script, number=0):
        self.conn, self.script, self.number = conn, script, number
        self.commands = []      # every line, without CRLF
        self.clear, self.inside = [], []    # the same lines, by where they were sent
        self.grouped = []       # (verb, octets that came with it) where none may
        self.messages = []
        self.suite = None
        self.ended = None       # "quit", "eof", "reset", "dropped", "truncated", "bad"
        self.hs, self.hello, self.offer, self.attempted = None, None, None, False
        self.unknown = 0        # unknown ids so far
        self.done = threading.Event()
        self.reset_transaction()

    def reset_transaction(self):
        self.sender, self.recipients, self.chunks = None, [], b""

    def run(self):
        try:
            self.say("greeting", b"220 " + self.script.name.encode() + b" ESMTP")
            while True:
                line = self.conn.line()
                if line is None:
                    raise Over("reset" if self.conn.broken else "eof")
                self.hear(line)
        except Over as how:
            self.ended = str(how)
        except crypt.BadRecord as what:
            self.ended = "bad: %s" % what
        except (EOFError, OSError):
            self.ended = "eof"
        except TooSlow:
            self.ended = "too slow"
        finally:
            if self.ended == "eof" and self.suite and not self.conn.opener.ended:
                self.ended = "truncated"
            self.conn.close()
            self.done.set()

    def hear(self, line):
        verb = line.split(b" ")[0].split(b":")[0].upper().decode("latin-1")
        self.commands.append(line)
        if self.suite and not self.inside and self.hs.generation == "2.0":
            self.hs.keeps_in(self.script.memory)    # the client's first record has verified
        (self.inside if self.suite else self.clear).append(line)
        # a client may close after QUIT without waiting for the reply; do_quit() reads the rest
        if verb in ENDS_A_GROUP and (self.conn.got or verb != "QUIT" and self.waiting()) and not self.rides(verb):
            self.grouped.append((verb, self.conn.got))
        method = getattr(self, "do_" + verb.lower(), None)
        if method:
            method(line)
        else:
            self.say(verb, b"500 5.5.1 What?", line)

    def rides(self, verb):
        """Whether EHLO and a choice with an id came in one write, and nothing else."""
        return verb == "EHLO" and RIDER.fullmatch(self.conn.got) and not self.waiting()

    def waiting(self):
        poll = select.poll()
        poll.register(self.conn.reader.fileno(), select.POLLIN)
        try:
            return bool(poll.poll(0)) and bool(self.conn.reader.recv(1, socket.MSG_PEEK))
        except OSError:
            return False

    def say(self, verb, default, line=b""):
        """Replies; True if the default reply was sent."""
        answer = self.script.answers.get(verb)
        if callable(answer):
            answer = answer(self, line)
        if answer is DROP:
            raise Over("dropped")
        if answer is RESET:
            self.conn.abort()
            raise Over("dropped")
        if answer is STALL:
            self.conn.rest(patience=10 * PATIENCE)
            raise Over("eof")
        if answer is SENT:
            self.said = default
            return True
        self.said = out = default if answer is None else answer
        self.conn.send(out + b"\r\n" + self.script.behind.get(verb, b""))
        return answer is None or out[:3] == default[:3] and out[3:4] in (b" ", b"-", b"")

    def do_ehlo(self, line, pushed=False):
        words = list(self.script.keywords)
        if self.script.xcrypt and not self.attempted:
            words.append(b"XCRYPT " + " ".join(self.script.xcrypt).encode())
            self.offer = words[-1]
        lines = [self.script.name.encode()] + words
        text = b"\r\n".join(b"250" + (b" " if i == len(lines) - 1 else b"-") + text
                            for i, text in enumerate(lines))
        if pushed:
            self.conn.sealer.least = crypt.first_record(text + b"\r\n")
        if self.say("pushed" if pushed and "pushed" in self.script.answers else "EHLO", text, line):
            self.reset_transaction()
            if not self.suite:
                self.hello = line

    def do_helo(self, line):
        if self.say("HELO", b"250 " + self.script.name.encode(), line):
            self.reset_transaction()

    def do_mail(self, line):
        if self.say("MAIL", b"250 2.1.0 Sender ok", line):
            self.sender = line

    def do_rcpt(self, line):
        if self.say("RCPT", b"250 2.1.5 Recipient ok", line):
            self.recipients.append(line)

    def do_data(self, line):
        if not self.recipients:
            return self.say("DATA", b"503 5.5.1 Need RCPT", line)
        if not self.say("DATA", b"354 Go ahead", line):
            return None
        data = self.data()
        self.finish_message(data)
        return None

    def data(self):
        """The octets before the dot line, as they came."""
        start = self.conn.exactly(3)
        if start == b".\r\n":
            return b""
        self.conn.got = start + self.conn.got
        return self.conn.until(b"\r\n.\r\n")[:-3]

    def finish_message(self, data, verb="."):
        message = Message(self.sender, self.recipients, data, self.suite)
        self.reset_transaction()
        self.messages.append(message)   # first, since the reader of the reply looks here next
        taken = False
        try:
            taken = self.say(verb, b"250 2.0.0 Taken")
        finally:
            if not taken:
                self.messages.remove(message)

    def do_bdat(self, line):
        words = line.split(b" ")
        octets = self.conn.exactly(int(words[1]))
        if not self.recipients:
            return self.say("BDAT", b"503 5.5.1 Need RCPT", line)
        self.chunks += octets
        if words[-1].upper() == b"LAST":
            self.finish_message(self.chunks)
        else:
            self.say("BDAT", b"250 2.0.0 Chunk ok", line)
        return None

    def do_rset(self, line):
        if self.say("RSET", b"250 2.0.0 Reset", line):
            self.reset_transaction()

    def do_noop(self, line):
        self.say("NOOP", b"250 2.0.0 Ok", line)

    def do_auth(self, line):
        if self.say("AUTH", b"334 VXNlcm5hbWU6", line):
            self.commands.append(self.conn.line())
            self.say("AUTH 2", b"235 2.7.0 Welcome")

    def do_starttls(self, line):
        """After the 220 it echoes octets, which a pipe must carry."""
        if self.say("STARTTLS", b"220 2.0.0 Go", line):
            while self.conn.got or self.conn.fill(time.monotonic() + PATIENCE):
                self.conn.send_raw(self.conn.got)
                self.conn.got = b""
            raise Over("eof")

    def do_quit(self, line):
        self.say("QUIT", b"221 2.0.0 Bye", line)
        if self.script.end_notify:
            self.conn.finish()
        else:
            self.conn.shut()
        rest = self.conn.rest()
        if rest:
            self.grouped.append(("QUIT", rest))
        raise Over("quit")

    # XCRYPT

    def do_xcrypt(self, line):
        words = line.split(b" ")
        if not self.script.xcrypt:
            return self.say("XCRYPT", b"500 5.5.1 What?", line)
        if line.upper().startswith(b"XCRYPT OK"):
            return self.xcrypt_ok(line)
        if words[1:2] == [b"FAIL"]:
            return self.say("XCRYPT FAIL", b"250 XCRYPT FAIL", line)
        suite = words[1].decode("latin-1")
        self.attempted = True
        if crypt.generation(suite) == "2.0":
            return self.meet(suite, line)
        self.hs = crypt.handshake(suite, self.script.pair)
        self.hs.offer, self.hs.choice_line = self.offer, line
        return self.say("XCRYPT", self.hs.answer(), line)

    def meet(self, suite, line):
        """2.0: answers the choice; encrypts after the answer that the handshake made."""
        hs = self.hs = crypt.handshake(suite, short=self.script.short, keep=self.script.keep)
        hs.hello, hs.offer = self.hello, self.offer
        try:
            hs.take_choice(line, self.script.memory)
            default = hs.answer()
        except crypt.Refused as what:
            default = what.line
            self.unknown += default.startswith(b"450 ")
        if self.say("XCRYPT", default, line) and self.said == hs.whole_answer:
            self.conn.encrypt(*hs.directions(server=True))
            self.suite = hs.suite
            self.do_ehlo(self.hello, pushed=True)

    def xcrypt_ok(self, line):
        self.hs.derive(server=True)
        if not self.hs.take_ok(True, line):
            self.say("XCRYPT OK", b"454 4.7.0 XCRYPT FAIL confirmation", line)
            raise Over("wrong confirmation")
        if self.say("XCRYPT OK", self.hs.ok(server=True), line):
            self.conn.encrypt(*self.hs.directions(server=True))
            self.suite = self.hs.suite
        return None


class FakeMailer(Listening):
    """Listens on a port of its own and keeps every session it has had."""

    def __init__(self, address="127.0.0.1", port=0, **script):
        self.script = Script(**script)
        self.sessions = []
        self.changed = threading.Condition()
        self.listen(address, port)

    def accepted(self, sock, peer):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        session = Session(Conn(sock, patience=6 * PATIENCE), self.script, len(self.sessions))
        session.peer = peer
        with self.changed:
            self.sessions.append(session)
            self.changed.notify_all()
        in_background(session.run)

    def session(self, index=0):
        """The session of that number, once it has ended."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.sessions) > index, PATIENCE), \
                "the mailer was not called"
            session = self.sessions[index]
        assert session.done.wait(PATIENCE), "the mailer's session goes on: %r" % session.commands
        return session

    def finished(self):
        """All sessions so far, once they have ended."""
        for session in list(self.sessions):
            assert session.done.wait(PATIENCE), "a session goes on: %r" % session.commands
        return list(self.sessions)

    @property
    def messages(self):
        return [m for s in self.finished() for m in s.messages]

    @property
    def commands(self):
        return [c for s in self.finished() for c in s.commands]

    def close(self):
        super().close()
        for session in self.sessions:
            try:
                session.conn.reader.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def dead_port():
    """(socket to keep, a port where nobody listens)"""
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    return sock, sock.getsockname()[1]


def write_report(session, path, extra):
    """For a backend that is a program: what it got, put in place in one step."""
    import json
    report = dict(extra, commands=[c.decode("latin-1") for c in session.commands],
                  ended=session.ended,
                  messages=[m.data.decode("latin-1") for m in session.messages])
    with open(path + ".new", "w") as out:
        json.dump(report, out)
    os.rename(path + ".new", path)
