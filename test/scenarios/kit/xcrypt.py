"""XCRYPT generations 0.1, 1.0 and 2.0, written from the protocol and sharing nothing with src/.

Every step can be called alone, so that a scenario can do it wrongly.  Run as a program, this checks
itself against test/vectors/xcrypt.txt.
"""
import hashlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (Encoding, NoEncryption, PrivateFormat,
                                                          PublicFormat)

CHACHA = "chacha20poly1305_2.0"
AES = "aes256gcm_2.0"
ARSYFOR = "arsyfor_1.0"
ROTN = "rotn_0.1"

# RFC 2412 appendix E.1 says how it is made of pi; these are its digits
P = int("FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E"
        "3404DDEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A63A3620FFFF"
        "FFFFFFFFFFFF", 16)

# every u-coordinate of low order, non-canonical ones included (RFC 7748 section 6.1)
LOW_ORDER = [u.to_bytes(32, "little") for u in (
    0, 1, 2**255 - 20, 2**255 - 19, 2**255 - 18,
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823)]


class BadRecord(Exception):
    """A record that must end the connection."""


class Pair20:
    def __init__(self, private=None):
        self.key = X25519PrivateKey.from_private_bytes(private or os.urandom(32))
        self.public = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def agree(self, peer):
        return self.key.exchange(X25519PublicKey.from_public_bytes(peer))

    def private(self):
        return self.key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())


class Pair10:
    def __init__(self, private=None):
        self.r = int.from_bytes(private or os.urandom(96), "big") % (P - 3) + 2 \
            if private is None else int.from_bytes(private, "big")
        self.public = pow(2, self.r, P).to_bytes(96, "big")

    def agree(self, peer):
        return pow(int.from_bytes(peer, "big"), self.r, P).to_bytes(96, "big")


class NoPair:
    public = b""

    def agree(self, peer):
        return b""


class Rc4:
    def __init__(self, key):
        self.s, self.i, self.j = list(range(256)), 0, 0
        j = 0
        for i in range(256):
            j = (j + self.s[i] + key[i % len(key)]) % 256
            self.s[i], self.s[j] = self.s[j], self.s[i]

    def stream(self, octets):
        s, out = self.s, bytearray()
        for octet in octets:
            self.i = (self.i + 1) % 256
            self.j = (self.j + s[self.i]) % 256
            s[self.i], s[self.j] = s[self.j], s[self.i]
            out.append(octet ^ s[(s[self.i] + s[self.j]) % 256])
        return bytes(out)


class Rot:
    def __init__(self, places):
        upper, lower = bytes(range(65, 91)), bytes(range(97, 123))
        n = places % 26
        self.table = bytes.maketrans(upper + lower, upper[n:] + upper[:n] + lower[n:] + lower[:n])

    def stream(self, octets):
        return octets.translate(self.table)


class StreamWay:
    """One direction of a generation without records."""
    ended = True            # it has no way to say so

    def __init__(self, cipher):
        self.cipher = cipher

    def seal(self, octets):
        return self.cipher.stream(octets)

    def end(self):
        return b""

    def open(self, wire):
        """(plain octets, wire octets left over)"""
        return self.cipher.stream(wire), b""


class RecordWay:
    """One direction of generation 2.0."""

    def __init__(self, aead, iv):
        self.aead, self.iv = aead, iv
        self.number = 0
        self.ended = False
        self.lengths = []       # of the records opened, as their headers say

    def nonce(self, number):
        mask = number.to_bytes(12, "big")
        return bytes(a ^ b for a, b in zip(self.iv, mask))

    def record(self, inner, header=None):
        """Seals a whole plaintext (content, type and zeros) as it is given."""
        header = header or bytes((23, 3, 3)) + (len(inner) + 16).to_bytes(2, "big")
        sealed = self.aead.encrypt(self.nonce(self.number), inner, header)
        self.number += 1
        return header + sealed

    def seal(self, octets, content_type=23, pad_to=256):
        records = []
        for at in range(0, len(octets), 16383):
            inner = octets[at:at + 16383] + bytes((content_type,))
            records.append(self.record(inner + bytes(-len(inner) % pad_to)))
        return b"".join(records)

    def end(self):
        return self.seal(b"\x01\x00", 21)

    def open(self, wire):
        plain = b""
        while len(wire) >= 5:
            length = int.from_bytes(wire[3:5], "big")
            if wire[:3] != b"\x17\x03\x03" or not 17 <= length <= 16401:
                raise BadRecord("header %s" % wire[:5].hex())
            if len(wire) < 5 + length:
                break
            plain += self.open_one(wire[:5], wire[5:5 + length])
            wire = wire[5 + length:]
        return plain, wire

    def open_one(self, header, sealed):
        if self.ended:
            raise BadRecord("after close_notify")
        try:
            inner = self.aead.decrypt(self.nonce(self.number), sealed, header)
        except InvalidTag:
            raise BadRecord("does not verify")
        self.number += 1
        self.lengths.append(len(sealed))
        inner = inner.rstrip(b"\0")
        content, kind = inner[:-1], inner[-1:]
        if kind == b"\x15" and content == b"\x01\x00":
            self.ended = True
            return b""
        if kind != b"\x17" or not content:
            raise BadRecord("type %s, content of %d" % (kind.hex(), len(content)))
        return content


class Keys:
    """What comes out of a handshake."""

    def __init__(self, suite, z, na, nb, transcript=b""):
        self.suite = suite
        generation = suite.rsplit("_", 1)[1]
        if generation == "2.0":
            info = b"XCRYPT 2.0\0" + suite.encode() + b"\0" + transcript
            okm = HKDF(hashes.SHA256(), 120, na + nb, info).derive(z)
            self.key_ab, self.key_ba, self.iv_ab, self.iv_ba, self.confirm_a, self.confirm_b = (
                okm[:32], okm[32:64], okm[64:76], okm[76:88], okm[88:104], okm[104:])
        elif generation == "1.0":
            h = hashlib.sha1(z + na + nb).digest()
            self.key_ab, self.key_ba = h[:10], h[10:]
        else:
            self.places = (na[0] + nb[0]) % 26

    def ways(self):
        """Fresh directions: (a to b, b to a), each for sealing."""
        return self.way("ab"), self.way("ba")

    def way(self, which, opening=False):
        if self.suite == ROTN:
            return StreamWay(Rot(-self.places if opening else self.places))
        key = getattr(self, "key_" + which)
        if self.suite == ARSYFOR:
            return StreamWay(Rc4(key))
        aead = {CHACHA: ChaCha20Poly1305, AES: AESGCM}[self.suite](key)
        return RecordWay(aead, getattr(self, "iv_" + which))


class Handshake:
    """One side of one handshake.  Lines are octets without CRLF."""

    def __init__(self, suite, pair=None, nonce=None):
        self.suite = suite
        self.generation = suite.rsplit("_", 1)[1]
        self.pair = pair or {"2.0": Pair20, "1.0": Pair10}.get(self.generation, NoPair)()
        size = {"2.0": 32, "1.0": 10, "0.1": 1}[self.generation]
        self.nonce = nonce or (os.urandom(size) if size > 1 else bytes((os.urandom(1)[0] % 26,)))
        self.keys = None
        self.offer = self.choice_line = self.answer_line = None

    def fields(self, public=None, nonce=None):
        public = self.pair.public if public is None else public
        nonce = self.nonce if nonce is None else nonce
        if self.generation == "0.1":
            return b"0 %d" % nonce[0]
        return public.hex().encode() + b" " + nonce.hex().encode()

    def read_fields(self, text):
        key, nonce = text.split(b" ")
        if self.generation == "0.1":
            return b"", bytes((int(nonce),))
        return bytes.fromhex(key.decode()), bytes.fromhex(nonce.decode())

    def choice(self, **fields):
        self.choice_line = b"XCRYPT " + self.suite.encode() + b" " + self.fields(**fields)
        return self.choice_line

    def answer(self, **fields):
        self.answer_line = b"250 XCRYPT " + self.fields(**fields)
        return self.answer_line

    def derive(self, server, offer=None):
        """From the lines that went by.  `offer` is the XCRYPT line, from XCRYPT on."""
        offer = self.offer if offer is None else offer
        transcript = hashlib.sha256(b"".join(
            line + b"\n" for line in (offer or b"", self.choice_line, self.answer_line))).digest()
        fields = self.choice_line.split(b" ", 2)[2] if server else self.answer_line.split(b" ",
                                                                                          2)[2]
        peer, peer_nonce = self.read_fields(fields)
        z = self.pair.agree(peer)
        na, nb = (peer_nonce, self.nonce) if server else (self.nonce, peer_nonce)
        self.keys = Keys(self.suite, z, na, nb, transcript)
        return self.keys

    def ok(self, server, confirm=None):
        line = b"250 XCRYPT OK" if server else b"XCRYPT OK"
        if self.generation != "2.0":
            return line
        own = self.keys.confirm_b if server else self.keys.confirm_a
        return line + b" " + (confirm or own).hex().encode()

    def directions(self, server):
        """(to seal with, to open with)"""
        if server:
            return self.keys.way("ba"), self.keys.way("ab", opening=True)
        return self.keys.way("ab"), self.keys.way("ba", opening=True)


def read_vectors(path):
    sections, section = {}, None
    with open(path) as lines:
        for line in map(str.strip, lines):
            if line.startswith("["):
                section = sections[line[1:-1]] = {}
            elif line and not line.startswith("#"):
                name, value = line.split(" = ", 1)
                section[name] = value
    return sections


def check_vectors(path):
    """Raises AssertionError where this file and the known answers differ."""
    vectors = read_vectors(path)
    for suite in (CHACHA, AES):
        v = vectors[suite]
        hexes = {n: bytes.fromhex(x) for n, x in v.items()
                 if n not in ("offer", "choice", "answer")}
        a = Handshake(suite, Pair20(hexes["ra"]), hexes["na"])
        b = Handshake(suite, Pair20(hexes["rb"]), hexes["nb"])
        assert a.choice() == v["choice"].encode() and b.answer() == v["answer"].encode()
        a.answer_line, b.choice_line = b.answer_line, a.choice_line
        for side, server in ((a, False), (b, True)):
            keys = side.derive(server, v["offer"].encode())
            for name in "key-ab key-ba iv-ab iv-ba confirm-a confirm-b".split():
                assert getattr(keys, name.replace("-", "_")) == hexes[name], name
        sealer, _ = a.directions(False)
        _, opener = b.directions(True)
        for plain, wire in (("plain-ab", "wire-ab"), ("plain-ab-2", "wire-ab-2")):
            assert sealer.seal(hexes[plain]) == hexes[wire], wire
            assert opener.open(hexes[wire]) == (hexes[plain], b"")
        assert sealer.end() == hexes["wire-ab-end"]
        assert opener.open(hexes["wire-ab-end"]) == (b"", b"") and opener.ended
        assert b.directions(True)[0].seal(hexes["plain-ba"]) == hexes["wire-ba"]
    v = {n: bytes.fromhex(x) for n, x in vectors["1.0"].items()}
    a, b = Pair10(v["ra"]), Pair10(v["rb"])
    assert a.public == v["ka"] and b.public == v["kb"]
    assert a.agree(b.public) == b.agree(a.public) == v["z"]
    keys = Keys(ARSYFOR, v["z"], v["na"], v["nb"])
    for way in ("ab", "ba"):
        assert keys.way(way).seal(v["plain-" + way]) == v["arsyfor-wire-" + way]
    v = vectors["rotn_0.1"]
    keys = Keys(ROTN, b"", bytes((int(v["na"]),)), bytes((int(v["nb"]),)))
    assert keys.way("ab").seal(bytes.fromhex(v["plain"])) == bytes.fromhex(v["wire"])
    assert keys.way("ab", True).open(bytes.fromhex(v["wire"]))[0] == bytes.fromhex(v["plain"])


if __name__ == "__main__":
    here = os.path.dirname(os.path.abspath(__file__))
    check_vectors(os.path.join(here, "..", "..", "vectors", "xcrypt.txt"))
    print("agrees with test/vectors/xcrypt.txt")
