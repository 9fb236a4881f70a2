"""A wire between two ends that records all octets, and changes them on request."""
import re
import select
import socket

from .conn import PATIENCE
from .listening import Listening, in_background

ANSWER_20 = re.compile(rb"250 XCRYPT [0-9a-fA-F]{64} [0-9a-fA-F]{64} ")     # records follow


def behind_answer(octets):
    """The records of one direction of a 2.0 session: all octets after the last clear line."""
    found = ANSWER_20.search(octets) or [m for m in re.finditer(rb"XCRYPT \w+_2\.0 ", octets)][-1]
    return bytes(octets[octets.index(b"\n", found.start()) + 1:])


def is_20(words):
    """Whether the words are a choice or an answer of 2.0."""
    return words[:2] == [b"250", b"XCRYPT"] and len(words) in (6, 8) or \
        words[0].upper() == b"XCRYPT" and len(words) == 5 and words[1].endswith(b"_2.0")


def in_field(number, change):
    """A filter that changes a field of a 2.0 line, by a function or to the given octets.

    Choice: 2 Ea, 3 Na, 4 ek or id.  Answer: 2 Eb, 3 Nb, 4 Sb, 5 ct, 6 keep, -1 confirm-b.
    """
    def filter(line):
        words = line[:-2].split(b" ")
        if not is_20(words):
            return line
        words[number] = change(words[number]) if callable(change) else change
        return b" ".join(words) + b"\r\n"
    return filter


def other_digit(text):
    """Changes the last digit."""
    return text[:-1] + (b"1" if text[-1:] == b"0" else b"0")


class Wiretap(Listening):
    """A relay on a port of its own.

    up, down     functions of a clear line (with its line end) of one direction that return its
                 replacement; b"" drops the line.  RESET resets both connections.
    wire_up, wire_down   the same for the octets after the server's answer in 2.0, or after
                 `XCRYPT OK` in older versions
    split        everything is passed on in single octets
    host, source where the other end is, and from which address it is called
    listen       the port, where it has to be the same again
    """
    RESET = object()

    def __init__(self, port, up=None, down=None, wire_up=None, wire_down=None, split=False,
                 host="127.0.0.1", source=None, listen=0):
        self.behind, self.split = (host, port), split
        self.source = source and (source, 0)
        self.line_filters = {"up": up, "down": down}
        self.wire_filters = {"up": wire_up, "down": wire_down}
        self.meddles = up or down or wire_up or wire_down
        self.octets = {"up": bytearray(), "down": bytearray()}     # as they came, before any change
        self.calls = 0
        self.turns = []         # for each call: how often the direction changed
        self.listen(port=listen)

    def accepted(self, sock, peer):
        self.calls += 1
        try:
            far = socket.create_connection(self.behind, PATIENCE, self.source)
        except OSError:
            sock.close()
            return
        far.settimeout(None)
        in_background(Relay(self, sock, far).run)

    def encrypted(self):
        """Whether 2.0 was agreed on in any of the calls."""
        return bool(ANSWER_20.search(self.octets["down"]))

    def seen(self):
        return bytes(self.octets["up"] + self.octets["down"])


class Relay:
    def __init__(self, tap, near, far):
        self.last, self.number = None, len(tap.turns)
        tap.turns.append(0)
        up, down = self.ways = [Way(tap, self, "up", near, far), Way(tap, self, "down", far, near)]
        down.other = up
        for sock in (near, far):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def run(self):
        try:
            while any(way.open for way in self.ways):
                poll = select.poll()
                for way in self.ways:
                    if way.open:
                        poll.register(way.source, select.POLLIN)
                ready = [fd for fd, _ in poll.poll(60000 * PATIENCE)]
                for way in self.ways:
                    if way.source.fileno() in ready:
                        way.move()
        except ConnectionAbortedError:
            for way in self.ways:
                way.source.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        except OSError:
            pass
        for way in self.ways:
            way.source.close()


class Way:
    def __init__(self, tap, relay, name, source, sink):
        self.tap, self.relay, self.name, self.source, self.sink = tap, relay, name, source, sink
        self.open, self.held, self.encrypted = True, b"", False
        self.other = None       # the client's session, set in the server's

    def move(self):
        piece = self.source.recv(65536)
        self.tap.octets[self.name] += piece
        if piece and self.relay.last is not self:
            self.relay.last = self
            self.tap.turns[self.relay.number] += 1
        if not piece:
            self.send(self.held)
            self.close()
        elif self.encrypted or not self.tap.meddles:
            self.send(self.filter(self.tap.wire_filters, piece))
        else:
            self.move_lines(self.held + piece)

    def close(self):
        self.open = False
        try:
            self.sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass    # it was closed from the other end

    def move_lines(self, octets):
        while b"\n" in octets and not self.encrypted:
            line, octets = octets.split(b"\n", 1)
            line += b"\n"
            self.encrypted = b"XCRYPT OK" in line
            if self.other and ANSWER_20.match(line):
                self.encrypted = self.other.encrypted = True
            self.send(self.filter(self.tap.line_filters, line))
        self.held = b"" if self.encrypted else octets
        if self.encrypted and octets:
            self.send(self.filter(self.tap.wire_filters, octets))

    def filter(self, filters, octets):
        out = filters[self.name](octets) if filters[self.name] else octets
        if out is Wiretap.RESET:
            raise ConnectionAbortedError
        return out

    def send(self, octets):
        """To an end that is gone, nothing is sent; what it sent before is still passed on."""
        pieces = [octets[i:i + 1] for i in range(len(octets))] if self.tap.split else [octets]
        try:
            for piece in pieces:
                self.sink.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            self.open = False
