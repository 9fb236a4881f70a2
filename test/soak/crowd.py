"""Clients of all kinds, each a thread that connects again and again until it is told to stop."""
import random
import socket
import threading

from kit import xcrypt
from kit.conn import Client, PATIENCE, TooSlow

from letters import body, on_the_wire

DRIP = 1.0          # seconds for an octet
PAUSE = 2.0         # seconds at most that an honest client waits after its message
AGAIN = 0.3         # seconds before a client that was turned away connects again


class Full(Exception):
    """421: there are too many connections."""


class Member(threading.Thread):
    def __init__(self, crowd, number):
        super().__init__(daemon=True)
        self.crowd, self.number = crowd, number
        self.chance = random.Random(crowd.chance.random())

    def run(self):
        while not self.crowd.over.is_set():
            try:
                self.call()
            except Full:
                self.crowd.count("turned away")
                self.crowd.over.wait(AGAIN)
            except (AssertionError, TooSlow, OSError, EOFError, xcrypt.BadRecord):
                self.crowd.count("%s: sessions cut" % self.name_of_kind)

    def call(self):
        source = "127.%d.%d.1" % (self.kind, self.number % 250)
        sock = socket.create_connection(("127.0.0.1", self.crowd.port), PATIENCE, (source, 0))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = Client(sock, patience=6 * PATIENCE)
        try:
            greeting = client.reply()
            if greeting and greeting.code == 421:
                raise Full
            if greeting:
                self.crowd.count("%s: sessions" % self.name_of_kind)
                self.talk(client)
        finally:
            client.close()

    def wait(self, client):
        """Waits until the other end closes."""
        while not self.crowd.over.is_set() and not (client.readable(DRIP) and client.rest(DRIP) is not None):
            pass

    def drip(self, client, octets):
        for octet in octets:
            client.send_raw(bytes((octet,)))
            if self.crowd.over.is_set() or client.broken or client.readable(DRIP):
                break


class Slow(Member):
    """Sends an octet a second, before, during and after the handshake, in commands and in messages."""
    kind, name_of_kind = 1, "slow clients"

    def talk(self, client):
        stage = self.chance.randrange(5)
        if stage == 0:
            return self.drip(client, b"EHLO " + b"x" * 400)
        client.ehlo()
        if stage == 1:
            return self.drip(client, client.start() + b"\r\n")
        if stage >= 3:
            client.xcrypt()
            client.ehlo()
        if stage == 2:
            return self.drip(client, b"NOOP " + b"x" * 400)
        if stage == 3:
            return self.drip(client, client.sealer.seal(b"NOOP " + b"x" * 400))
        for line in ("MAIL FROM:<alice@a.example>", "RCPT TO:<bob@b.example>", "DATA"):
            client.command(line)
        return self.drip(client, client.sealer.seal(b"x" * 1000))


class HalfOpen(Member):
    """Goes some way into the handshake, and no further."""
    kind, name_of_kind = 2, "half-open handshakes"

    def talk(self, client):
        stage = self.chance.randrange(5)
        if stage > 0:
            client.ehlo()
        if stage == 2:
            client.send_raw(client.start()[:30])
        if stage >= 3:
            client.ask()
        if stage == 4:
            client.confirm()
            client.send_raw(client.sealer.seal(b"NOOP\r\n")[:20])
        self.wait(client)


class Caller(Member):
    """A connection too many: looks whether there is room, and leaves."""
    kind, name_of_kind = 3, "callers beyond the limit"

    def talk(self, client):
        pass

    def run(self):
        while not self.crowd.over.wait(self.chance.random()):
            try:
                self.call()
            except Full:
                self.crowd.count("turned away")
            except (TooSlow, OSError):
                pass


class Sender(Member):
    """Sends a message, encrypted, in a session of its own."""
    kind, name_of_kind = 4, "honest clients"
    messages = 0

    def one(self, client):
        self.messages += 1
        name = "k%dn%dm%d" % (self.kind, self.number, self.messages)
        client.message(on_the_wire(body(name, self.chance)))
        with self.crowd.lock:
            self.crowd.taken.add(name)

    def talk(self, client):
        client.ehlo()
        client.xcrypt()
        client.ehlo()
        self.one(client)
        self.crowd.over.wait(self.chance.random() * PAUSE)
        client.quit()


class Mailer(Sender):
    """The local MTA of a real blackpony, in one long session."""
    kind, name_of_kind = 5, "blackpony"

    def __init__(self, crowd, number, pipe):
        super().__init__(crowd, number)
        self.pipe = pipe

    def run(self):
        self.pipe.greet()
        self.pipe.ehlo()
        while not self.crowd.over.wait(0.2):
            self.one(self.pipe)
            self.crowd.count("blackpony: messages in sessions that last")
            self.pipe.octets_in.clear()
            self.pipe.octets_out.clear()
        self.pipe.command("QUIT")


class Crowd:
    def __init__(self, port, chance):
        self.port, self.chance = port, chance
        self.over, self.lock = threading.Event(), threading.Lock()
        self.counts, self.taken = {}, set()
        self.members = []

    def count(self, what):
        with self.lock:
            self.counts[what] = self.counts.get(what, 0) + 1

    def add(self, kind, number, *more):
        self.members += [kind(self, i, *(x[i] for x in more)) for i in range(number)]

    def start(self):
        for member in self.members:
            member.start()

    def stop(self):
        self.over.set()
        for member in self.members:
            member.join(6 * PATIENCE)
        assert not [m for m in self.members if m.is_alive()], "clients that do not end"
