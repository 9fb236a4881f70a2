"""The stream ciphers of the versions before 2.0, step by step as their descriptions specify."""
import os
import warnings

from cryptography.hazmat.primitives.ciphers import Cipher, modes

try:    # newer versions of the package keep old ciphers here
    from cryptography.hazmat.decrepit.ciphers.algorithms import Blowfish
except ImportError:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")     # the deprecation is known
        from cryptography.hazmat.primitives.ciphers.algorithms import Blowfish

VECTORS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "vectors")


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


class SoberT32:
    """Step by step as the description has it; the register really shifts."""
    sbox, products = [], []

    def __init__(self, key):
        if not self.sbox:
            self.make_tables()
        self.r, self.konst = [1, 1], 0
        while len(self.r) < 17:
            self.r.append(self.r[-1] + self.r[-2] & 0xffffffff)
        self.load(key)
        self.step()
        self.konst = self.filter()
        self.keyed = list(self.r)
        self.control = self.fields = 0
        self.spare = b""

    @classmethod
    def make_tables(cls):
        with open(os.path.join(VECTORS, "t32-sbox.txt")) as lines:
            cls.sbox += [int(w, 16) for line in lines if line[0] != "#" for w in line.split()]
        cls.products += [[cls.product(octet << shift) for octet in range(256)]
                         for shift in (0, 8, 16, 24)]

    @staticmethod
    def product(word):
        out, power = 0, 0xC2DB2AA3
        while word:
            out ^= power if word & 1 else 0
            power = power << 1 ^ (0x165656565 if power >> 31 else 0)
            word >>= 1
        return out

    def step(self):
        w, p = self.r[0], self.products
        self.r.append(self.r[15] ^ self.r[4] ^ p[0][w & 255] ^ p[1][w >> 8 & 255] ^
                      p[2][w >> 16 & 255] ^ p[3][w >> 24])
        del self.r[0]

    def filter(self):
        r = self.r
        t = r[0] + r[16] & 0xffffffff
        t = self.sbox[t >> 24] ^ (t & 0xffffff)
        return ((t + r[1] + r[6] & 0xffffffff) ^ self.konst) + r[13] & 0xffffffff

    def mix(self):
        self.step()
        self.r[4] ^= self.filter()

    def load(self, octets):
        h = len(octets) % 4
        words = [octets[:h]] if h else []
        words += [octets[at:at + 4] for at in range(h, len(octets), 4)]
        for word in [int.from_bytes(w, "big") for w in words] + [len(octets)]:
            self.r[15] = self.r[15] + word & 0xffffffff
            self.mix()
        for _ in range(16):
            self.mix()

    def nonce(self, octets):
        self.r = list(self.keyed)
        self.load(octets)
        self.fields, self.spare = 0, b""

    def word(self):
        while True:
            if not self.fields:
                self.step()
                self.control, self.fields = self.filter(), 16
            field = self.control & 3
            self.control >>= 2
            self.fields -= 1
            self.step()
            if field == 1:
                out = self.filter() ^ 0x6996C53A
                self.step()
                return out
            if field == 2:
                self.step()
                return self.filter()
            if field == 3:
                return self.filter() ^ 0x96693AC5

    def stream(self, octets):
        out = self.spare
        while len(out) < len(octets):
            out += self.word().to_bytes(4, "big")
        self.spare = out[len(octets):]
        return bytes(a ^ b for a, b in zip(octets, out))


class BlowfishCfb:
    def __init__(self, key, opening):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            cipher = Cipher(Blowfish(key), modes.CFB(bytes(8)))
        self.stream = (cipher.decryptor() if opening else cipher.encryptor()).update


class Rot:
    def __init__(self, places):
        upper, lower = bytes(range(65, 91)), bytes(range(97, 123))
        n = places % 26
        self.table = bytes.maketrans(upper + lower, upper[n:] + upper[:n] + lower[n:] + lower[:n])

    def stream(self, octets):
        return octets.translate(self.table)
