"""ML-KEM-768 in plain Python, written from FIPS 203, without code from src/.

The names are those of the standard.  A polynomial is a list of 256 numbers below Q, also in the
NTT domain.  Nothing here runs in constant time: it is for tests only.
"""
import hashlib
import os

Q, K, DU, DV = 3329, 3, 10, 4
EK_SIZE, DK_SIZE, CT_SIZE = 1184, 2400, 1088


class BadKey(ValueError):
    """An encapsulation key that fails the check of section 7.2."""


def bit_rev7(i):
    return int(format(i, "07b")[::-1], 2)


ZETAS = [pow(17, bit_rev7(i), Q) for i in range(128)]
GAMMAS = [pow(17, 2 * bit_rev7(i) + 1, Q) for i in range(128)]

# The binomial sample with eta 2 for each value of four bits: two added, two subtracted
BINOMIAL = [((n & 1) + (n >> 1 & 1) - (n >> 2 & 1) - (n >> 3 & 1)) % Q for n in range(16)]


def g(octets):
    out = hashlib.sha3_512(octets).digest()
    return out[:32], out[32:]


def h(octets):
    return hashlib.sha3_256(octets).digest()


def j(octets):
    return hashlib.shake_256(octets).digest(32)


# Octets and polynomials (section 4.2.1)

def byte_encode(f, d):
    bits = 0
    for coefficient in reversed(f):
        bits = bits << d | coefficient
    return bits.to_bytes(32 * d, "little")


def byte_decode(octets, d):
    bits, mask = int.from_bytes(octets, "little"), (1 << d) - 1
    return [bits >> at & mask for at in range(0, 256 * d, d)]


def compress(f, d):
    return [((x << d) + Q // 2) // Q & (1 << d) - 1 for x in f]


def decompress(f, d):
    return [y * Q + (1 << d - 1) >> d for y in f]


def decode_vector(octets, d):
    return [byte_decode(octets[at:at + 32 * d], d) for at in range(0, 32 * d * K, 32 * d)]


# Sampling (section 4.2.2)

def sample_ntt(seed):
    """Samples uniformly below Q, from as many octets as needed."""
    f, length = [], 840
    while len(f) < 256:
        octets = hashlib.shake_128(seed).digest(length)
        f = []
        for a, b, c in zip(octets[::3], octets[1::3], octets[2::3]):
            f += (a | (b & 15) << 8, b >> 4 | c << 4)
        f = [x for x in f if x < Q]
        length *= 2
    return f[:256]


def sample_cbd(seed, n):
    f = []
    for octet in hashlib.shake_256(seed + bytes((n,))).digest(128):
        f += (BINOMIAL[octet & 15], BINOMIAL[octet >> 4])
    return f


def matrix(rho):
    return [[sample_ntt(rho + bytes((column, row))) for column in range(K)] for row in range(K)]


# The NTT (section 4.3)

def ntt(f):
    f, i, length = list(f), 1, 128
    while length >= 2:
        for start in range(0, 256, 2 * length):
            zeta = ZETAS[i]
            i += 1
            for at in range(start, start + length):
                t = zeta * f[at + length] % Q
                f[at + length] = (f[at] - t) % Q
                f[at] = (f[at] + t) % Q
        length //= 2
    return f


def ntt_inverse(f):
    f, i, length = list(f), 127, 2
    while length <= 128:
        for start in range(0, 256, 2 * length):
            zeta = ZETAS[i]
            i -= 1
            for at in range(start, start + length):
                t = f[at]
                f[at] = (t + f[at + length]) % Q
                f[at + length] = zeta * (f[at + length] - t) % Q
        length *= 2
    return [x * 3303 % Q for x in f]


def multiply(f, g):
    out = []
    for gamma, a0, a1, b0, b1 in zip(GAMMAS, f[::2], f[1::2], g[::2], g[1::2]):
        out += ((a0 * b0 + a1 * b1 * gamma) % Q, (a0 * b1 + a1 * b0) % Q)
    return out


def add(*polynomials):
    return [sum(xs) % Q for xs in zip(*polynomials)]


def subtract(f, g):
    return [(x - y) % Q for x, y in zip(f, g)]


def dot(v, w):
    return add(*map(multiply, v, w))


# K-PKE (section 5)

def pke_encrypt(ek, m, r):
    t, a = decode_vector(ek[:-32], 12), matrix(ek[-32:])
    y = [ntt(sample_cbd(r, n)) for n in range(K)]
    e1, e2 = [sample_cbd(r, K + n) for n in range(K)], sample_cbd(r, 2 * K)
    u = [add(ntt_inverse(dot([a[row][i] for row in range(K)], y)), e1[i]) for i in range(K)]
    v = add(ntt_inverse(dot(t, y)), e2, decompress(byte_decode(m, 1), 1))
    return b"".join(byte_encode(compress(f, DU), DU) for f in u) + byte_encode(compress(v, DV), DV)


def pke_decrypt(dk, c):
    cut = 32 * DU * K
    u = [decompress(f, DU) for f in decode_vector(c[:cut], DU)]
    v = decompress(byte_decode(c[cut:], DV), DV)
    w = subtract(v, ntt_inverse(dot(decode_vector(dk, 12), map(ntt, u))))
    return byte_encode(compress(w, 1), 1)


# ML-KEM (sections 6 and 7)

def keygen(d=None, z=None):
    """(encapsulation key, decapsulation key)"""
    d, z = d or os.urandom(32), z or os.urandom(32)
    rho, sigma = g(d + bytes((K,)))
    a = matrix(rho)
    s = [ntt(sample_cbd(sigma, n)) for n in range(K)]
    e = [ntt(sample_cbd(sigma, K + n)) for n in range(K)]
    t = [add(dot(a[i], s), e[i]) for i in range(K)]
    ek = b"".join(byte_encode(f, 12) for f in t) + rho
    return ek, b"".join(byte_encode(f, 12) for f in s) + ek + h(ek) + z


def check_ek(ek):
    if len(ek) != EK_SIZE or any(x >= Q for f in decode_vector(ek[:-32], 12) for x in f):
        raise BadKey


def encapsulate(ek, m=None):
    """(shared key, ciphertext)"""
    check_ek(ek)
    m = m or os.urandom(32)
    key, r = g(m + h(ek))
    return key, pke_encrypt(ek, m, r)


def decapsulate(dk, c):
    """The shared key; for a changed ciphertext another one (implicit rejection)."""
    at = 384 * K
    ek, digest, z = dk[at:-64], dk[-64:-32], dk[-32:]
    m = pke_decrypt(dk[:at], c)
    key, r = g(m + digest)
    return key if pke_encrypt(ek, m, r) == c else j(z + c)
