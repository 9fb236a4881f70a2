"""One direction of an encrypted session: a stream of octets, or the records of version 2.0."""
from cryptography.exceptions import InvalidTag


class BadRecord(Exception):
    """A record that must end the connection."""


class StreamWay:
    """One direction of a version without records."""
    ended = True            # a stream has no end mark

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
    """One direction of version 2.0."""

    def __init__(self, aead, iv):
        self.aead, self.iv = aead, iv
        self.number = 0
        self.least = 0          # minimum length of the first record's plaintext
        self.ended = False
        self.lengths = []       # length fields of the records received

    def nonce(self, number):
        mask = number.to_bytes(12, "big")
        return bytes(a ^ b for a, b in zip(self.iv, mask))

    def record(self, inner, header=None):
        """Seals a plaintext (content, type and zeros) as given."""
        header = header or bytes((23, 3, 3)) + (len(inner) + 16).to_bytes(2, "big")
        sealed = self.aead.encrypt(self.nonce(self.number), inner, header)
        self.number += 1
        return header + sealed

    def seal(self, octets, content_type=23, pad_to=256):
        records = []
        for at in range(0, len(octets), 16383):
            inner = octets[at:at + 16383] + bytes((content_type,))
            inner += bytes(-len(inner) % pad_to)
            if self.number == 0:
                inner += bytes(max(0, self.least - len(inner)))
            records.append(self.record(inner))
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
