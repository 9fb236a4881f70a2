"""A mail host elsewhere that says yes to everything, unless its habits are others."""
from kit.listening import Listening, in_background

from checks import FAR


class FarEnd(Listening):
    """habit(connection, verb) goes before each answer.  Knows what it was told."""

    def __init__(self, w, habit=None):
        self.habit, self.commands, self.messages = habit, [], 0
        self.listen(FAR, 25)
        w.keep(self)

    def accepted(self, sock, peer):
        in_background(self.talk, sock)

    def talk(self, connection):
        message = False
        try:
            connection.sendall(b"220 far.example ESMTP\r\n")
            for line in connection.makefile("rb"):
                if message and line != b".\r\n":
                    continue
                verb = line[:4].strip().upper()
                self.commands.append(line.rstrip(b"\r\n"))
                if self.habit:
                    self.habit(connection, verb)
                self.messages += message
                message = verb == b"DATA"
                connection.sendall(b"354 go on\r\n" if message else b"250 2.0.0 good\r\n")
        except OSError:
            pass        # it has gone, as it should
