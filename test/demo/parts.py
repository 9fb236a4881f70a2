"""What stands around the two programs: a mailer with a mailbox, a super-server and a wiretap.

Each listens on a port of its own on loopback and serves every call in a thread.
"""
import re
import socket
import subprocess
import threading
import time

from kit.listening import Listening, in_background

PATIENCE = 20       # seconds for anything that ought to happen at once


class Listener(Listening):
    def __init__(self):
        self.listen()

    def accepted(self, sock, peer):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        in_background(self.serve, sock)


class Mailer(Listener):
    """SMTP in, one mbox file out."""
    REPLIES = {b"HELO": b"250 mx.b.example", b"MAIL": b"250 2.1.0 Sender ok", b"RCPT": b"250 2.1.5 Recipient ok",
               b"RSET": b"250 2.0.0 Reset", b"NOOP": b"250 2.0.0 Ok", b"QUIT": b"221 2.0.0 Bye",
               b"EHLO": b"250-mx.b.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8",
               b"DATA": b"354 Go ahead"}

    def __init__(self, path):
        self.path = path
        self.lock = threading.Lock()
        super().__init__()

    def serve(self, sock):
        with sock, sock.makefile("rb") as lines:
            sock.sendall(b"220 mx.b.example ESMTP\r\n")
            for line in lines:
                verb = line[:4].upper()
                sock.sendall(self.REPLIES.get(verb, b"500 5.5.1 What?") + b"\r\n")
                if verb == b"MAIL":
                    sender = line[10:].split(b">")[0]
                elif verb == b"DATA":
                    self.keep(sender, self.data(lines))
                    sock.sendall(b"250 2.0.0 In the mailbox\r\n")
                elif verb == b"QUIT":
                    return

    @staticmethod
    def data(lines):
        message = []
        for line in iter(lines.readline, b".\r\n"):
            if not line:
                raise EOFError("the end inside a message")
            message.append((line[1:] if line.startswith(b".") else line).replace(b"\r\n", b"\n"))
        return message

    def keep(self, sender, message):
        with self.lock, open(self.path, "ab") as mbox:
            mbox.write(b"From %s %s\n" % (sender, time.asctime(time.gmtime()).encode()))
            for line in message:
                mbox.write(b">" + line if re.match(b">*From ", line) else line)
            mbox.write(b"\n")

    def messages(self):
        """What a mail reader would make of the mailbox."""
        with self.lock, open(self.path, "rb") as mbox:
            pieces = re.split(rb"(?m)^From .*\n", mbox.read())[1:]
        return [re.sub(rb"(?m)^>(>*From )", rb"\1", piece)[:-1] for piece in pieces]


class Inetd(Listener):
    """Starts the program anew for each call, with the socket as its descriptors 0 and 1."""

    def __init__(self, argv, log):
        self.argv, self.log = argv, log
        self.ended = threading.Semaphore(0)
        super().__init__()

    def serve(self, sock):
        with sock, open(self.log, "ab") as log:
            child = subprocess.Popen(self.argv, stdin=sock, stdout=sock, stderr=log)
        child.wait()
        self.ended.release()


class Wiretap(Listener):
    """Stands on the line, passes everything on, and writes it down."""

    def __init__(self, port):
        self.port_behind = port
        self.recordings = []
        self.ended = threading.Semaphore(0)
        super().__init__()

    def serve(self, near):
        far = socket.create_connection(("127.0.0.1", self.port_behind))
        far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        recording = Recording()
        self.recordings.append(recording)
        with near, far:
            back = threading.Thread(target=self.copy, args=(recording, "<--", far, near), daemon=True)
            back.start()
            self.copy(recording, "-->", near, far)
            back.join()
        self.ended.release()

    @staticmethod
    def copy(recording, way, source, sink):
        try:
            while piece := source.recv(65536):
                recording.pieces.append((way, piece))
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass


class Recording:
    """One call: pieces of octets, each with its way, in the order in which they went by."""

    def __init__(self):
        self.pieces = []

    def octets(self):
        return b"".join(piece for _, piece in self.pieces)

    def octets_in_one(self, pattern):
        """Whether a piece matches the whole pattern."""
        return any(re.fullmatch(pattern, piece) for _, piece in self.pieces)

    def taken_apart(self):
        """(lines said in the clear, records behind them), each a list of (way, octets)."""
        lines, records = [], []
        held = {"-->": b"", "<--": b""}
        encrypted = set()
        for way, piece in self.pieces:
            held[way] += piece
            while way not in encrypted and b"\n" in held[way]:
                line, held[way] = held[way].split(b"\n", 1)
                lines.append((way, line.rstrip(b"\r")))
                # nothing follows this answer in the clear
                if re.match(rb"250 XCRYPT [0-9a-f]{64} ", line):
                    encrypted = {"-->", "<--"}
            while way in encrypted and len(held[way]) >= 5:
                length = 5 + int.from_bytes(held[way][3:5], "big")
                if len(held[way]) < length:
                    break
                records.append((way, held[way][:length]))
                held[way] = held[way][length:]
        return lines, records
