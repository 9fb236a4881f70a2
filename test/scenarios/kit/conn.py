"""A connection with lines and deadlines, over a socket or two pipes, and an SMTP client on it."""
import ctypes
import os
import select
import socket
import struct
import time

from . import xcrypt
from .emulated import EMULATED

SANITIZED = "/san" in os.environ.get("BIN", "")
SLOW = 8 if EMULATED else 4 if SANITIZED else 1
PATIENCE = 10 * SLOW    # seconds for anything that should happen at once


class TooSlow(Exception):
    """Nothing came within the deadline."""


class Reply:
    """An SMTP reply: its lines as they stood on the wire, without CRLF."""

    def __init__(self, lines):
        self.lines = lines
        self.code = int(lines[-1][:3]) if lines[-1][:3].isdigit() else 0
        self.text = b"\n".join(lines)

    def keywords(self):
        """The keywords of a reply to EHLO, without its first line."""
        return [line[4:] for line in self.lines[1:]]

    def __repr__(self):
        return "Reply(%r)" % (self.lines,)


class Conn:
    def __init__(self, reader, writer=None, patience=PATIENCE):
        self.reader, self.writer = reader, writer or reader
        self.patience = patience
        os.set_blocking(self.reader.fileno(), False)
        os.set_blocking(self.writer.fileno(), False)
        self.got = b""          # plaintext not yet consumed
        self.wire = b""         # of an incomplete record
        self.octets_in, self.octets_out = bytearray(), bytearray()  # as on the wire
        self.sealer = self.opener = None
        self.eof = self.broken = False

    # octets

    def send_raw(self, octets, patience=None):
        """Sends all; that the peer is gone is no error here, as it shows when reading."""
        deadline = time.monotonic() + (patience or self.patience)
        self.octets_out += octets
        poll = select.poll()
        poll.register(self.writer.fileno(), select.POLLOUT)
        octets = memoryview(octets)
        while octets:
            if not poll.poll(max(0, deadline - time.monotonic()) * 1000):
                raise TooSlow("%d octets not taken" % len(octets))
            try:
                octets = octets[os.write(self.writer.fileno(), octets[:65536]):]
            except BlockingIOError:
                continue
            except (BrokenPipeError, ConnectionResetError):
                self.broken = True
                return

    def send(self, octets, patience=None):
        self.send_raw(self.sealer.seal(octets) if self.sealer else octets, patience)

    def fill(self, deadline):
        """Reads one more piece into self.got; False at the end of file."""
        if self.eof:
            return False
        poll = select.poll()
        poll.register(self.reader.fileno(), select.POLLIN)
        if not poll.poll(max(0, deadline - time.monotonic()) * 1000):
            raise TooSlow("nothing came; last: %r" % bytes(self.octets_in[-300:]))
        try:
            piece = os.read(self.reader.fileno(), 65536)
        except BlockingIOError:
            return True
        except ConnectionResetError:
            self.broken, piece = True, b""
        self.octets_in += piece
        self.eof = not piece
        if self.opener:
            plain, self.wire = self.opener.open(self.wire + piece)
            self.got += plain
        else:
            self.got += piece
        return not self.eof

    def encrypt(self, sealer, opener):
        """From here on; what has been read already is the first ciphertext."""
        self.sealer, self.opener = sealer, opener
        self.got, pending = b"", self.got
        plain, self.wire = opener.open(pending)
        self.got = plain

    def readable(self, seconds):
        """Whether anything (or the end) comes within that time."""
        poll = select.poll()
        poll.register(self.reader.fileno(), select.POLLIN)
        return bool(self.got or self.eof or poll.poll(seconds * 1000))

    # lines

    def line(self, patience=None):
        """The next line without its CRLF; None at the end."""
        deadline = time.monotonic() + (patience or self.patience)
        scanned = 0
        while True:
            at = self.got.find(b"\n", scanned)
            if at >= 0:
                line, self.got = self.got[:at], self.got[at + 1:]
                return line[:-1] if line.endswith(b"\r") else line
            scanned = len(self.got)
            if not self.fill(deadline):
                return None

    def reply(self, patience=None):
        lines = []
        while True:
            line = self.line(patience)
            if line is None:
                assert not lines, "the end inside a reply: %r" % lines
                return None
            lines.append(line)
            if line[3:4] != b"-":
                return Reply(lines)

    def exactly(self, count):
        deadline = time.monotonic() + self.patience
        while len(self.got) < count:
            if not self.fill(deadline):
                raise EOFError("%d of %d octets" % (len(self.got), count))
        octets, self.got = self.got[:count], self.got[count:]
        return octets

    def until(self, mark):
        """All octets up to and including `mark`."""
        deadline = time.monotonic() + self.patience
        passed = []
        while mark not in self.got:
            cut = max(0, len(self.got) - len(mark) + 1)
            passed.append(self.got[:cut])
            self.got = self.got[cut:]
            if not self.fill(deadline):
                raise EOFError("no %r in %d octets" % (mark, sum(map(len, passed))))
        end = self.got.index(mark) + len(mark)
        passed.append(self.got[:end])
        self.got = self.got[end:]
        return b"".join(passed)

    def rest(self, patience=None):
        """All octets up to the end of file."""
        deadline = time.monotonic() + (patience or self.patience)
        while self.fill(deadline):
            pass
        octets, self.got = self.got, b""
        return octets

    def command(self, line, patience=None):
        line = line.encode() if isinstance(line, str) else line
        self.send(line + b"\r\n")
        reply = self.reply(patience)
        if line[:4].upper() == b"EHLO" and reply and reply.code == 250 and not self.sealer:
            self.hello = line
        return reply

    # ends

    def finish(self):
        """Ends our direction cleanly."""
        if self.sealer:
            self.send_raw(self.sealer.end())
        self.shut()

    def shut(self):
        if self.reader is self.writer:
            try:
                self.writer.shutdown(socket.SHUT_WR)
            except OSError:
                pass
        else:
            self.writer.close()

    def abort(self):
        """
        Resets the connection instead.  Another thread may be waiting for input: to close its descriptor would neither
        wake it nor end the connection, so connect(2) to nobody does.
        """
        result = ctypes.CDLL(None).connect(self.reader.fileno(), struct.pack("H14x", socket.AF_UNSPEC), 16)
        assert result == 0, "not reset"

    def close(self):
        self.reader.close()
        self.writer.close()


class Client(Conn):
    """Speaks SMTP as a client, and XCRYPT step by step."""
    hs = None
    hello = offer = ehlo_reply = None
    kept = None         # pre-shared secret of a first meeting

    def greet(self):
        reply = self.reply()
        assert reply and reply.code == 220, "greeting %r" % reply
        return reply

    def ehlo(self, name="mail.a.example"):
        reply = self.command("EHLO " + name)
        assert reply and reply.code == 250, "EHLO: %r" % reply
        return self.take_ehlo(reply)

    def take_ehlo(self, reply):
        offers = [k for k in reply.keywords() if k.upper().split(b" ")[0] == b"XCRYPT"]
        assert len(offers) < 2, offers
        self.offer = offers[0] if offers else None
        self.ehlo_reply = reply
        return reply

    def offered(self):
        return self.offer.decode().split(" ")[1:] if self.offer else []

    def start(self, suite=xcrypt.CHACHA, pair=None, nonce=None, **more):
        """Creates the handshake's state; returns its first line without sending it."""
        self.hs = xcrypt.handshake(suite, pair, nonce, **more)
        self.hs.hello, self.hs.offer = self.hello, self.offer
        return self.hs.choice()

    def ask(self, suite=xcrypt.CHACHA, pair=None, nonce=None, kept=None, **fields):
        """`kept` is a pre-shared secret to use; `fields` override fields of the line."""
        self.start(suite, pair, nonce, **({"kept": kept} if kept else {}))
        reply = self.command(self.hs.choice(**fields))
        self.take_answer(reply)
        return reply

    def take_answer(self, reply):
        if reply and reply.code == 250:
            self.confirmed = self.hs.take_answer(reply.text)

    def take_ok(self):
        """Reads the reply to XCRYPT OK, which has been sent."""
        reply = self.reply()
        assert reply and self.hs.take_ok(False, reply.text), "XCRYPT OK: %r" % reply
        self.encrypt(*self.hs.directions(server=False))

    def switch(self):
        """2.0: from here on both directions consist of records."""
        self.encrypt(*self.hs.directions(server=False))

    def take_pushed(self):
        """2.0: reads the EHLO reply that the server sends first inside."""
        reply = self.reply()
        assert reply and reply.code == 250, "pushed: %r" % reply
        assert self.opener.lengths[0] >= 1024 + 16, self.opener.lengths
        return self.take_ehlo(reply)

    def confirm(self):
        """After the answer: switches to encryption; in 2.0 also reads the pushed reply."""
        if self.hs.generation == "2.0":
            assert self.confirmed, "a wrong confirmation"
            if not self.hs.met and self.hs.keep:
                self.kept = self.hs.meeting()
            self.switch()
            self.take_pushed()
        else:
            self.send(self.hs.ok(server=False) + b"\r\n")
            self.take_ok()

    def ride(self, kept, suite=xcrypt.CHACHA, name="mail.a.example", **fields):
        """Sends EHLO and XCRYPT with an id in one write; returns both replies."""
        self.hello = b"EHLO " + name.encode()
        self.start(suite, kept=kept)
        self.send(self.hello + b"\r\n" + self.hs.choice(**fields) + b"\r\n")
        ehlo = self.reply()
        self.hs.offer = self.take_ehlo(ehlo) and self.offer
        reply = self.reply()
        self.take_answer(reply)
        return ehlo, reply

    def xcrypt(self, suite=xcrypt.CHACHA, pair=None, kept=None):
        """The whole handshake; an id that is refused is followed by a first meeting."""
        reply = self.ask(suite, pair, kept=kept)
        if kept and reply and reply.code == 450:
            reply = self.ask(suite, pair)
        assert reply and reply.code == 250, "XCRYPT: %r" % reply
        self.confirm()
        return self

    def message(self, data, sender="alice@a.example", to=("bob@b.example",), params=""):
        """A whole transaction; `data` is as on the wire, with its CRLF.CRLF."""
        for line in ["MAIL FROM:<%s>%s" % (sender, params)] + ["RCPT TO:<%s>" % r for r in to]:
            reply = self.command(line)
            assert reply and reply.code == 250, "%s: %r" % (line, reply)
        reply = self.command("DATA")
        assert reply and reply.code == 354, "DATA: %r" % reply
        self.send(data)
        reply = self.reply()
        assert reply and reply.code == 250, "after the dot: %r" % reply
        return reply

    def quit(self):
        reply = self.command("QUIT")
        assert reply and reply.code == 221, "QUIT: %r" % reply
        assert self.rest() == b""
        self.finish()
        self.close()
