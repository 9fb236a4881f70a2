"""Checks the Python implementation against the known answers of test/vectors."""
import hashlib
import os

from . import mlkem
from .ciphers import VECTORS, SoberT32
from .xcrypt import (AES, ARSYFOR, BLOWFISH, CHACHA, ROTN, T32, Keys, Kept, Meeting, Pair10, Pair20)

TEXTS = "hello", "offer", "choice", "answer"


def read(name):
    sections, section = {}, None
    with open(os.path.join(VECTORS, name)) as lines:
        for line in map(str.strip, lines):
            if line.startswith("["):
                section = sections[line[1:line.index("]")]] = {}
            elif line and not line.startswith("#"):
                name, value = line.split(" = ", 1)
                section[name] = value
    return sections


def octets_of(section):
    return {n: v.encode() if n in TEXTS else bytes.fromhex(v) for n, v in section.items()}


def check_keys(side, v):
    keys = side.keys
    assert keys.ikm == v["ikm"] and keys.transcript == v["transcript"]
    for name in ("key-ab", "key-ba", "iv-ab", "iv-ba") + (() if side.met else ("id", "r")):
        assert getattr(keys, name.replace("-", "_")) == v[name], name


def check_wire(sealer, opener, v, way):
    """Each side opens what the other side sends."""
    for at in ("", "-2"):
        if "plain-%s%s" % (way, at) in v:
            wire = v["wire-%s%s" % (way, at)]
            assert sealer.seal(v["plain-%s%s" % (way, at)]) == wire, (way, at)
            assert opener.open(wire) == (v["plain-%s%s" % (way, at)], b"")
    assert sealer.end() == v["wire-%s-end" % way]
    assert opener.open(v["wire-%s-end" % way]) == (b"", b"") and opener.ended


def check_meeting(suite, v, first=None):
    """Checks both sides and every octet on the wire of a first meeting or a later handshake."""
    kept = first and Kept(v["kept-id"], v["kept-r"], None)
    assert kept is None or (kept.id, kept.r) == (first["id"], first["r"])
    nonces = [bytes.fromhex(v[line].split(b" ")[3].decode()) for line in ("choice", "answer")]
    a, b = Meeting(suite, Pair20(v["ea-private"]), nonces[0], kept=kept), \
        Meeting(suite, Pair20(v["eb-private"]), nonces[1])
    if not kept:
        a.the_kem = mlkem.keygen(v["mlkem-d"], v["mlkem-z"])
        b.short, b.m, b.keep = Pair20(v["sb-private"]), v["mlkem-m"], int(v["answer"].split(b" ")[6])
    for side in (a, b):
        side.hello, side.offer = v["hello"], v["offer"]
    assert a.choice() == v["choice"]
    b.take_choice(v["choice"], {kept.id: kept} if kept else {})
    assert b.answer() == v["answer"]
    assert a.take_answer(v["answer"])
    assert kept or a.secrets["K"] == b.secrets["K"] == v["mlkem-k"]
    for side in (a, b):
        check_keys(side, v)
    (a_seals, a_opens), (b_seals, b_opens) = a.directions(False), b.directions(True)
    check_wire(a_seals, b_opens, v, "ab")
    check_wire(b_seals, a_opens, v, "ba")
    wrong = v["answer"][:-1] + (b"1" if v["answer"][-1:] == b"0" else b"0")
    assert not a.take_answer(wrong)


def check_older(vectors):
    v = plain = octets_of(vectors["1.0"])
    a, b = Pair10(v["ra"]), Pair10(v["rb"])
    assert a.public == v["ka"] and b.public == v["kb"]
    assert a.agree(b.public) == b.agree(a.public) == v["z"]
    for suite in (ARSYFOR, T32):
        keys = Keys(suite, v["z"], v["na"], v["nb"])
        for way in ("ab", "ba"):
            wire = v["%s-wire-%s" % (suite.split("_")[0], way)]
            assert keys.way(way).seal(v["plain-" + way]) == wire
            assert keys.way(way, True).open(wire)[0] == v["plain-" + way]
    v = octets_of(vectors["0.2"])
    keys = Keys(BLOWFISH, v["sa"] + v["sb"], v["na"], v["nb"])
    assert (keys.key_ab, keys.key_ba) == (v["key-ab"], v["key-ba"])
    for way in ("ab", "ba"):
        wire = v["blowfish-wire-" + way]
        assert keys.way(way).seal(plain["plain-" + way]) == wire
        assert keys.way(way, True).open(wire)[0] == plain["plain-" + way]
    v = vectors["rotn_0.1"]
    keys = Keys(ROTN, b"", bytes((int(v["na"]),)), bytes((int(v["nb"]),)))
    assert keys.way("ab").seal(bytes.fromhex(v["plain"])) == bytes.fromhex(v["wire"])
    assert keys.way("ab", True).open(bytes.fromhex(v["wire"]))[0] == bytes.fromhex(v["plain"])


def check_wire_vectors():
    """All of xcrypt.txt."""
    vectors = read("xcrypt.txt")
    for suite in (CHACHA, AES):
        first = octets_of(vectors[suite + " first meeting"])
        check_meeting(suite, first)
        check_meeting(suite, octets_of(vectors[suite + " met"]), first)
    check_older(vectors)


def check_t32():
    """The first published vector, which has a longer key, and a nonce."""
    v = read("t32.txt")["vector 1"]
    cipher = SoberT32(v["key_ascii"].encode())
    assert "%08x" % cipher.konst == v["konst"]
    cipher.nonce(bytes.fromhex(v["nonce"]))
    assert cipher.stream(bytes(40)).hex() == v["keystream40"]


def check_case(v):
    ek, dk = mlkem.keygen(v["d"], v["z"])
    key, c = mlkem.encapsulate(ek, v["m"])
    for name, octets in (("ek", ek), ("dk", dk), ("c", c)):
        assert v.get(name, octets) == octets and hashlib.sha256(octets).digest() == v[name + "-hash"], name
    assert key == v["k"] == mlkem.decapsulate(dk, c)
    bad = bytearray(c)
    bad[v["bad-octet"]] ^= 1 << v["bad-bit"]
    assert mlkem.decapsulate(dk, bytes(bad)) == v["bad-k"]


def check_refused(ek, coefficients):
    for name, value in coefficients.items():
        at = int(name.split("-")[1])
        f = mlkem.decode_vector(ek[:-32], 12)
        f[at // 256][at % 256] = int(value)
        bad = b"".join(mlkem.byte_encode(part, 12) for part in f) + ek[-32:]
        for key in (bad, ek[:-1], ek + b"\0"):
            try:
                mlkem.check_ek(key)
            except mlkem.BadKey:
                continue
            raise AssertionError("taken: " + name)


def accumulated(rounds):
    stream = hashlib.shake_128().digest(rounds * (96 + 1088))
    out = hashlib.shake_128()
    for at in range(0, len(stream), 96 + 1088):
        d, z, m, ct = (stream[at + a:at + b] for a, b in ((0, 32), (32, 64), (64, 96), (96, 96 + 1088)))
        ek, dk = mlkem.keygen(d, z)
        key, c = mlkem.encapsulate(ek, m)
        out.update(ek + c + key + mlkem.decapsulate(dk, ct))
    return out.hexdigest(32)


def check_mlkem(rounds=100):
    """All of mlkem768.txt, except the larger numbers of rounds."""
    vectors = read("mlkem768.txt")
    for name, section in vectors.items():
        if name.startswith("case "):
            check_case({n: int(v) if n in ("bad-octet", "bad-bit") else bytes.fromhex(v) for n, v in section.items()})
    check_refused(bytes.fromhex(vectors["case 0"]["ek"]), vectors["refused"])
    assert accumulated(rounds) == vectors["accumulated"]["rounds-%d" % rounds]
