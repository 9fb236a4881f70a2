"""An attacker between two hosts: XCRYPT or TLS ends at him and begins anew."""
import base64
import datetime
import select
import socket
import ssl
import threading
import time

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from . import xcrypt
from .conn import Client, Conn, PATIENCE
from .listening import Listening, in_background


class HostKey:
    """A host key, the attacker's own or one that he has stolen (the text of a host.key)."""

    def __init__(self, text=None):
        if text is None:
            self.key = ec.generate_private_key(ec.SECP256R1())
        else:
            self.key = ec.derive_private_key(
                int.from_bytes(base64.b64decode(text.split()[1]), "big"), ec.SECP256R1())
        point = self.key.public_key().public_bytes(serialization.Encoding.X962,
                                                   serialization.PublicFormat.UncompressedPoint)
        self.public = base64.b64encode(point)

    def sign(self, octets):
        r, s = decode_dss_signature(self.key.sign(octets, ec.ECDSA(hashes.SHA256())))
        return base64.b64encode(r.to_bytes(32, "big") + s.to_bytes(32, "big"))

    def statement(self, short, until):
        """XCRYPT-ID about that short key, until that Unix time."""
        until = b"%d" % until
        signature = self.sign(b"XCRYPT ID\0" + short + b"\0" + until)
        return b"XCRYPT-ID " + self.public + b" " + until + b" " + signature

    def announcement(self, following, short, until):
        """XCRYPT-NEXT for that host key, with short key and `until` of the XCRYPT-ID."""
        until = b"%d" % until
        signature = self.sign(b"XCRYPT NEXT\0" + short + b"\0" + until + b"\0" + base64.b64decode(following))
        return b"XCRYPT-NEXT " + following + b" " + until + b" " + signature


def is_signed(public, octets, signature):
    """Whether that host key (as in a line) made the signature."""
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), base64.b64decode(public))
    r, s = (int.from_bytes(base64.b64decode(signature)[at:at + 32], "big") for at in (0, 32))
    try:
        key.verify(encode_dss_signature(r, s), octets, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


class Middle(Listening):
    """Listens, and handles each connection in its own thread. `heard` is what he could read of the client's octets."""

    def __init__(self, port):
        self.behind = port
        self.heard = bytearray()
        self.calls = 0
        self.failed = []
        self.listen()

    def accepted(self, sock, peer):
        self.calls += 1
        in_background(self.meet, sock)

    def meet(self, near):
        try:
            self.handle(near)
        except (OSError, EOFError, AttributeError):     # the peer has closed
            pass
        except BaseException as what:
            self.failed.append(what)
        near.close()

    def reach(self):
        sock = socket.create_connection(("127.0.0.1", self.behind), PATIENCE)
        return Client(sock)


class Impostor(Middle):
    """Two XCRYPT sessions, one with each end, and everything readable between them.

    pair        the impostor's short key
    statements  a function that gets the real host's XCRYPT- lines and returns those to send
    keep        the value of the impostor's keep field
    """

    def __init__(self, port, statements, pair=None, keep=0):
        self.pair, self.statements, self.keep = pair or xcrypt.Pair20(), statements, keep
        self.memory = {}
        super().__init__(port)

    def handle(self, near):
        near, far = Conn(near), self.reach()
        near.send(far.greet().text + b"\r\n")
        hello = self.line(near)
        far.ehlo(hello.split(b" ", 1)[1].decode())
        near.send(b"\r\n".join(far.ehlo_reply.lines) + b"\r\n")
        hs = self.shake(near, hello, far.offer)
        if hs is None:
            return
        far.xcrypt(hs.suite)
        lines = [line[4:] for line in far.ehlo_reply.lines]
        words = [line for line in lines if not line.startswith(b"XCRYPT-")]
        words += self.statements([line for line in lines if line.startswith(b"XCRYPT-")])
        reply = b"".join(b"250%c%s\r\n" % (b" -"[i + 1 < len(words)], word)
                         for i, word in enumerate(words))
        near.sealer.least = xcrypt.first_record(reply)
        near.send(reply)
        back = threading.Thread(target=self.pump, args=(far, near, bytearray()), daemon=True)
        back.start()
        self.pump(near, far, self.heard)
        hs.keeps_in(self.memory)
        back.join(PATIENCE)
        far.close()

    def shake(self, near, hello, offer):
        """The server's part, with the impostor's own keys."""
        line = self.line(near)
        while line.startswith(b"XCRYPT "):
            hs = xcrypt.handshake(line.split(b" ")[1].decode(), short=self.pair, keep=self.keep)
            hs.hello, hs.offer = hello, offer
            try:
                hs.take_choice(line, self.memory)
            except xcrypt.Refused as what:
                near.send(what.line + b"\r\n")
                line = self.line(near)
                continue
            near.send(hs.answer() + b"\r\n")
            near.encrypt(*hs.directions(server=True))
            return hs
        return None

    def line(self, near):
        line = near.line()
        if line is None:
            raise EOFError
        self.heard += line + b"\r\n"
        return line

    @staticmethod
    def pump(source, sink, copy):
        try:
            while source.got or source.fill(time.monotonic() + 6 * PATIENCE):
                copy += source.got
                sink.send(source.got)
                source.got = b""
            sink.finish()
        except (OSError, xcrypt.BadRecord):
            sink.shut()


class TlsMiddle(Middle):
    """Offers STARTTLS instead of XCRYPT, with his own certificate; the host behind him speaks neither."""

    def __init__(self, port, folder):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(make_certificate(folder + "/middle.pem"))
        super().__init__(port)

    def handle(self, near):
        near.settimeout(PATIENCE)
        far = self.reach()
        near.sendall(far.greet().text + b"\r\n")
        self.take(near)
        near.sendall(b"250-mx.b.example\r\n250 STARTTLS\r\n")
        if not self.take(near).startswith(b"STARTTLS"):
            return
        near.sendall(b"220 2.0.0 Go\r\n")
        near = self.context.wrap_socket(near, server_side=True)
        self.carry(near, far, self.heard)

    def take(self, near):
        piece = near.recv(4096)
        self.heard += piece
        return piece

    @staticmethod
    def carry(near, far, heard):
        """Both directions in one thread, as a TLS socket is not for two threads."""
        patience = 6 * PATIENCE
        while True:
            inside = isinstance(near, ssl.SSLSocket) and near.pending() > 0
            ready = [near] if inside else select.select([near, far.reader], [], [], patience)[0]
            if near in ready:
                piece = near.recv(65536)
                if not piece:
                    break
                heard += piece
                far.send(piece)
            if far.reader in ready and not TlsMiddle.back(far, near):
                break
            if not ready:
                break
        far.shut()
        while TlsMiddle.back(far, near):
            pass
        near.close()

    @staticmethod
    def back(far, near):
        """What has come from there; False after the end."""
        try:
            if not far.fill(time.monotonic() + 6 * PATIENCE):
                return False
            near.sendall(far.got)
            far.got = b""
        except OSError:
            return False
        return True


def make_certificate(path):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mx.b.example")])
    now = datetime.datetime.utcnow()
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(
        key.public_key()).serial_number(1).not_valid_before(now - datetime.timedelta(1)).not_valid_after(
        now + datetime.timedelta(1)).sign(key, hashes.SHA256())
    with open(path, "wb") as out:
        out.write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                    serialization.NoEncryption()))
        out.write(made.public_bytes(serialization.Encoding.PEM))
    return path
