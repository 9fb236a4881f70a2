"""XCRYPT versions 0.1, 0.2, 1.0 and 2.0, written from xcrypt(7), without code from src/.

Each step can be called alone, so that a scenario can do it wrongly.  test/static/wire checks it
all against test/vectors.
"""
import base64
import hashlib
import hmac
import os

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import (Encoding, NoEncryption, PrivateFormat,
                                                          PublicFormat)

from . import mlkem
from .ciphers import BlowfishCfb, Rc4, Rot, SoberT32
from .records import BadRecord, RecordWay, StreamWay     # noqa: F401 (BadRecord is for importers)

CHACHA = "chacha20poly1305_2.0"
AES = "aes256gcm_2.0"
ARSYFOR = "arsyfor_1.0"
T32 = "t32_1.0"
BLOWFISH = "blowfish_0.2"
ROTN = "rotn_0.1"
HISTORIC = (ARSYFOR, T32, BLOWFISH)

# RFC 2412 appendix E.1 says how it is made of pi; these are its digits
P = int("FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E"
        "3404DDEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A63A3620FFFF"
        "FFFFFFFFFFFF", 16)

# every u-coordinate of low order, non-canonical ones included (RFC 7748 section 6.1)
LOW_ORDER = [u.to_bytes(32, "little") for u in (
    0, 1, 2**255 - 20, 2**255 - 19, 2**255 - 18,
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823)]


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


class Pair02:
    OAEP = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)

    def __init__(self):
        self.key = rsa.generate_private_key(65537, 2048)
        self.public = self.key.public_key().public_numbers().n.to_bytes(256, "big")

    def agree(self, peer):
        """There is no Z; the halves take its place."""
        return b""

    @classmethod
    def seal(cls, half, modulus):
        public = rsa.RSAPublicNumbers(65537, int.from_bytes(modulus, "big")).public_key()
        return public.encrypt(half, cls.OAEP)

    def open(self, sealed):
        return self.key.decrypt(sealed, self.OAEP)


class NoPair:
    public = b""

    def agree(self, peer):
        return b""


def generation(suite):
    return suite.rsplit("_", 1)[1]


def handshake(suite, pair=None, nonce=None, **more):
    """One side of a handshake, of the version that the suite has."""
    if generation(suite) == "2.0":
        return Meeting(suite, pair, nonce, **more)
    return Handshake(suite, pair, nonce)


class Keys:
    """The results of a handshake."""

    def __init__(self, suite, z, na, nb):
        self.suite = suite
        if generation(suite) in ("1.0", "0.2"):
            h = hashlib.sha1(z + na + nb).digest()
            self.key_ab, self.key_ba = h[:10], h[10:]
        else:
            self.places = (na[0] + nb[0]) % 26

    def way(self, which, opening=False):
        """A fresh direction."""
        if self.suite == ROTN:
            return StreamWay(Rot(-self.places if opening else self.places))
        key = getattr(self, "key_" + which)
        if self.suite == ARSYFOR:
            return StreamWay(Rc4(key))
        if self.suite == T32:
            return StreamWay(SoberT32(key))
        return StreamWay(BlowfishCfb(key, opening))


class Keys20:
    """The keys of version 2.0, see xcrypt(7)."""
    NAMES = (("key_ab", 32), ("key_ba", 32), ("iv_ab", 12), ("iv_ba", 12), ("confirm_b", 16), ("id", 16),
             ("r", 32))

    def __init__(self, suite, ikm, na, nb, transcript):
        self.suite, self.ikm, self.transcript = suite, ikm, transcript
        self.prk = hmac.digest(na + nb, ikm, "sha256")
        okm = self.expand(b"XCRYPT 2.0\0" + suite.encode() + b"\0" + transcript, 152)
        for name, size in self.NAMES:
            setattr(self, name, okm[:size])
            okm = okm[size:]

    def expand(self, info, size):
        """HKDF-Expand (RFC 5869 section 2.3)."""
        out = block = b""
        while len(out) < size:
            block = hmac.digest(self.prk, block + info + bytes((len(out) // 32 + 1,)), "sha256")
            out += block
        return out[:size]

    def way(self, which, opening=False):
        aead = {CHACHA: ChaCha20Poly1305, AES: AESGCM}[self.suite](getattr(self, "key_" + which))
        way = RecordWay(aead, getattr(self, "iv_" + which))
        if which == "ba":
            way.least = 1024
        return way


class Handshake:
    """One side of one handshake of a version before 2.0.  Lines are octets without CRLF."""

    def __init__(self, suite, pair=None, nonce=None):
        self.suite = suite
        self.generation = generation(suite)
        pairs = {"1.0": Pair10, "0.2": Pair02, "0.1": NoPair}
        self.pair = pair or pairs[self.generation]()
        size = {"1.0": 10, "0.2": 10, "0.1": 1}[self.generation]
        self.nonce = nonce or (os.urandom(size) if size > 1 else bytes((os.urandom(1)[0] % 26,)))
        self.keys = None
        self.halves = {}        # 0.2: the known halves, by the letter of their side
        self.hello = self.offer = self.choice_line = self.answer_line = None

    def fields(self, public=None, nonce=None):
        public = self.pair.public if public is None else public
        nonce = self.nonce if nonce is None else nonce
        if self.generation == "0.1":
            return b"0 %d" % nonce[0]
        if self.generation == "0.2":
            return base64.b64encode(public) + b" " + nonce.hex().encode()
        return public.hex().encode() + b" " + nonce.hex().encode()

    def read_fields(self, text):
        key, nonce = text.split(b" ")
        if self.generation == "0.1":
            return b"", bytes((int(nonce),))
        if self.generation == "0.2":
            return base64.b64decode(key, validate=True), bytes.fromhex(nonce.decode())
        return bytes.fromhex(key.decode()), bytes.fromhex(nonce.decode())

    def choice(self, **fields):
        self.choice_line = b"XCRYPT " + self.suite.encode() + b" " + self.fields(**fields)
        return self.choice_line

    def answer(self, **fields):
        self.answer_line = b"250 XCRYPT " + self.fields(**fields)
        return self.answer_line

    def derive(self, server):
        """Takes key and nonce from the lines that were sent."""
        line = self.choice_line if server else self.answer_line
        self.peer, peer_nonce = self.read_fields(line.split(b" ", 2)[2])
        z = self.pair.agree(self.peer)
        na, nb = (peer_nonce, self.nonce) if server else (self.nonce, peer_nonce)
        self.keys = Keys(self.suite, z, na, nb)
        self.nonces = na, nb
        return self.keys

    def take_answer(self, line):
        """The server's line, in which nothing is verified."""
        self.answer_line = line
        self.derive(server=False)
        return True

    def ok(self, server, confirm=None):
        """Our XCRYPT OK; in 0.2, `confirm` takes the place of the sealed half."""
        line = b"250 XCRYPT OK" if server else b"XCRYPT OK"
        if self.generation == "0.2":
            half = os.urandom(20)
            self.know("b" if server else "a", half)
            return line + b" " + base64.b64encode(confirm or self.pair.seal(half, self.peer))
        return line

    def take_ok(self, server, line):
        """Whether the other side's XCRYPT OK is right."""
        start = b"XCRYPT OK" if server else b"250 XCRYPT OK"
        if self.generation != "0.2":
            return line == start
        if not line.startswith(start + b" ") or len(line) != len(start) + 1 + 344:
            return False
        try:
            half = self.pair.open(base64.b64decode(line[-344:], validate=True))
        except ValueError:
            return False
        self.know("a" if server else "b", half)
        return len(half) == 20

    def know(self, side, half):
        self.halves[side] = half
        if len(self.halves) == 2:
            self.keys = Keys(self.suite, self.halves["a"] + self.halves["b"], *self.nonces)

    def directions(self, server):
        """(to seal with, to open with)"""
        if server:
            return self.keys.way("ba"), self.keys.way("ab", opening=True)
        return self.keys.way("ab"), self.keys.way("ba", opening=True)


# Version 2.0

BOTH_STATEMENTS = len(b"250-XCRYPT-ID ") + len(b"250-XCRYPT-NEXT ") + 2 * (88 + 1 + 10 + 1 + 88 + 2)


class Text(bytes):
    """A field that appears in the line as given, without encoding."""


class Refused(Exception):
    """The server's refusal of a choice."""

    def __init__(self, code, why):
        super().__init__(why)
        status = {501: "5.5.4", 454: "4.7.0", 450: "4.7.0"}[code]
        self.line = b"%d %s XCRYPT FAIL %s" % (code, status.encode(), why.encode())


class Kept:
    """A pre-shared secret: the server finds it by id, the client by host."""

    def __init__(self, id, r, short, keep=0, offer=None):
        self.id, self.r, self.short, self.keep, self.offer = id, r, short, keep, offer


def in_hex(octets):
    return octets if isinstance(octets, Text) else octets.hex().encode()


def in_base64(octets):
    return octets if isinstance(octets, Text) else base64.b64encode(octets)


def from_hex(text, size):
    octets = bytes.fromhex(text.decode("ascii")) if len(text) == 2 * size and text.isalnum() else None
    if octets is None:
        raise ValueError("%r is not %d octets in hex" % (text, size))
    return octets


def from_base64(text, size):
    octets = base64.b64decode(text, validate=True)
    if len(octets) != size or base64.b64encode(octets) != text:
        raise ValueError("not %d octets in base64" % size)
    return octets


def first_record(reply):
    """Minimum plaintext of a first record with this reply, as if it had both statements."""
    others = [line for line in reply.splitlines(True) if not line[4:].startswith((b"XCRYPT-ID ", b"XCRYPT-NEXT "))]
    size = sum(map(len, others)) + BOTH_STATEMENTS + 1
    return min(16384, max(1024, size + -size % 256))


class Meeting:
    """One side of one handshake of version 2.0.  Lines are octets without CRLF.

    pair     X25519, for this connection only: Ea or Eb
    short    the server's two-hour pair, Sb
    kem      the client's ML-KEM pair (ek, dk)
    kept     at the client: the pre-shared secret to use
    keep     the value of the server's keep field
    m        randomness of the encapsulation

    Each field of both lines can be overridden with octets, which are encoded, or with a Text,
    which is not.  If possible, the keys are then computed from the overridden line.
    """
    generation = "2.0"

    def __init__(self, suite, pair=None, nonce=None, short=None, kem=None, kept=None, keep=3600, m=None):
        self.suite, self.pair = suite, pair or Pair20()
        self.nonce = nonce or os.urandom(32)
        self.short, self.the_kem, self.kept, self.keep, self.m = short, kem, kept, keep, m
        self.hello = self.offer = self.choice_line = self.answer_line = self.whole_answer = None
        self.keys = self.sealed = self.peer_short = None
        self.secrets = {}       # secrets by name, for memory searches

    @property
    def kem(self):
        if self.the_kem is None:
            self.the_kem = mlkem.keygen()
        return self.the_kem

    # the client

    def choice(self, public=None, nonce=None, ek=None, id=None):
        """A first meeting with `ek`, a later handshake with `id`; default: as `kept` allows."""
        if id is None and ek is None and self.kept:
            id = self.kept.id
        self.met = id is not None
        self.nonce = nonce if nonce is not None and not isinstance(nonce, Text) else self.nonce
        last = b"=" + in_hex(id) if self.met else in_base64(self.kem[0] if ek is None else ek)
        self.choice_line = b" ".join((
            b"XCRYPT", self.suite.encode(), in_hex(self.pair.public if public is None else public),
            in_hex(self.nonce if nonce is None else nonce), last))
        return self.choice_line

    def take_answer(self, line):
        """Whether the confirmation is right.  ValueError: malformed, or a key is refused."""
        self.answer_line, confirm = line.rsplit(b" ", 1)
        words = line.split(b" ")
        if words[:2] != [b"250", b"XCRYPT"] or len(words) != (6 if self.met else 8):
            raise ValueError("not this form: %r" % line)
        self.peer, peer_nonce = from_hex(words[2], 32), from_hex(words[3], 32)
        if self.met:
            if words[4] != b"=":
                raise ValueError("no blank `=`: %r" % line)
            ikm = self.kept.r + self.agree("DH(Ea, Eb)", self.pair, self.peer)
        else:
            self.peer_short, sealed = from_hex(words[4], 32), from_base64(words[5], mlkem.CT_SIZE)
            self.keep = int(words[6])
            if b"%d" % self.keep != words[6] or not 0 <= self.keep <= 86400:
                raise ValueError("keep: %r" % words[6])
            self.secrets["K"] = mlkem.decapsulate(self.kem[1], sealed)
            ikm = self.secrets["K"] + self.agree("DH(Ea, Eb)", self.pair, self.peer) + \
                self.agree("DH(Ea, Sb)", self.pair, self.peer_short)
        self.derive(ikm, self.nonce, peer_nonce)
        return from_hex(confirm, 16) == self.keys.confirm_b

    def meeting(self):
        """The entry that a client stores after a first meeting."""
        assert not self.met
        return Kept(self.keys.id, self.keys.r, self.peer_short, self.keep, self.offer)

    # the server

    def take_choice(self, line, memory=None):
        """`memory` has the stored secrets by id.  Raises Refused."""
        self.choice_line = line
        try:
            _, _, public, nonce, last = line.split(b" ")
            self.peer, self.peer_nonce = from_hex(public, 32), from_hex(nonce, 32)
            self.met = last.startswith(b"=")
            told = from_hex(last[1:], 16) if self.met else from_base64(last, mlkem.EK_SIZE)
        except ValueError:
            raise Refused(501, "malformed")
        if self.peer[:31] + bytes((self.peer[31] & 127,)) in LOW_ORDER:
            raise Refused(454, "key refused")
        if self.met:
            self.kept = (memory or {}).get(told)
            if self.kept is None:
                raise Refused(450, "unknown id")
            return
        try:
            self.secrets["K"], self.sealed = mlkem.encapsulate(told, self.m)
        except mlkem.BadKey:
            raise Refused(454, "key refused")

    def answer(self, public=None, nonce=None, short=None, ct=None, keep=None, confirm=None, met=None):
        """The whole line; `met` selects the form, whatever form the choice has."""
        self.nonce = nonce if nonce is not None and not isinstance(nonce, Text) else self.nonce
        fields = [in_hex(self.pair.public if public is None else public),
                  in_hex(self.nonce if nonce is None else nonce)]
        if self.met if met is None else met:
            fields.append(b"=")
        else:
            self.keep = keep if isinstance(keep, int) else self.keep
            fields += [in_hex(self.short.public if short is None else short),
                       in_base64((self.sealed or bytes(mlkem.CT_SIZE)) if ct is None else ct),
                       keep if isinstance(keep, Text) else b"%d" % self.keep]
        self.answer_line = b"250 XCRYPT " + b" ".join(fields)
        if self.met:
            ikm = self.kept.r + self.agree("DH(Ea, Eb)", self.pair, self.peer)
        else:
            ikm = self.secrets["K"] + self.agree("DH(Ea, Eb)", self.pair, self.peer) + \
                self.agree("DH(Ea, Sb)", self.short, self.peer)
        self.derive(ikm, self.peer_nonce, self.nonce)
        self.whole_answer = self.answer_line + b" " + in_hex(self.keys.confirm_b if confirm is None else confirm)
        return self.whole_answer

    def keeps_in(self, memory):
        """Stores the secret of a first meeting, when the client's first record has verified."""
        if not self.met and self.keep:
            memory[self.keys.id] = Kept(self.keys.id, self.keys.r, self.short.public, self.keep, self.offer)

    # both

    def agree(self, name, pair, peer):
        self.secrets[name] = pair.agree(peer)
        return self.secrets[name]

    def transcript(self):
        lines = self.hello, self.offer, self.choice_line, self.answer_line
        return hashlib.sha256(b"".join((line or b"") + b"\n" for line in lines)).digest()

    def derive(self, ikm, na, nb):
        self.keys = Keys20(self.suite, ikm, na, nb, self.transcript())
        self.secrets.update(IKM=ikm, PRK=self.keys.prk)
        self.secrets["R"] = self.kept.r if self.met else self.keys.r

    def directions(self, server):
        """(to seal with, to open with)"""
        if server:
            return self.keys.way("ba"), self.keys.way("ab", opening=True)
        return self.keys.way("ab"), self.keys.way("ba", opening=True)
