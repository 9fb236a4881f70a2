"""The wire between two ends: records all octets, and changes them when told to."""
import select
import socket

from .conn import PATIENCE
from .listening import Listening, in_background


class Wiretap(Listening):
    """A relay on a port of its own.

    up, down     functions of a clear line (with its line end) of one direction that return what
                 goes on instead; b"" drops the line.  RESET resets both connections.
    wire_up, wire_down   the same for pieces of octets after `XCRYPT OK`
    split        everything is passed on in single octets
    host, source where the other end is, and from which address it is called
    """
    RESET = object()

    def __init__(self, port, up=None, down=None, wire_up=None, wire_down=None, split=False,
                 host="127.0.0.1", source=None):
        self.behind, self.split = (host, port), split
        self.source = source and (source, 0)
        self.line_filters = {"up": up, "down": down}
        self.wire_filters = {"up": wire_up, "down": wire_down}
        self.meddles = up or down or wire_up or wire_down
        self.octets = {"up": bytearray(), "down": bytearray()}     # as they came, before any change
        self.calls = 0
        self.listen()

    def accepted(self, sock, peer):
        self.calls += 1
        try:
            far = socket.create_connection(self.behind, PATIENCE, self.source)
        except OSError:
            sock.close()
            return
        far.settimeout(None)
        in_background(Relay(self, sock, far).run)

    def seen(self):
        return bytes(self.octets["up"] + self.octets["down"])


class Relay:
    def __init__(self, tap, near, far):
        self.tap = tap
        self.ways = [Way(tap, "up", near, far), Way(tap, "down", far, near)]
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
    def __init__(self, tap, name, source, sink):
        self.tap, self.name, self.source, self.sink = tap, name, source, sink
        self.open, self.held, self.encrypted = True, b"", False

    def move(self):
        piece = self.source.recv(65536)
        self.tap.octets[self.name] += piece
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
