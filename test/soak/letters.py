"""Messages that show whether they are complete; receive.c reads the same form."""
import base64
import hashlib

SIZES = (300, 3000, 30000, 200000)      # octets at most


def body(name, chance):
    """Lines of several lengths, some with a leading dot, and a checksum in the first."""
    text = base64.b64encode(chance.randbytes(int(chance.random() * chance.choice(SIZES))))
    lines, at = [], 0
    while at < len(text):
        cut = chance.choice((3, 72, 76, 900))
        lines.append(chance.choice((b"", b"", b"", b".", b"..")) + text[at:at + cut])
        at += cut
    rest = b"\n".join(lines + [b"end"]) + b"\n"
    return name.encode() + b" " + hashlib.sha256(rest).hexdigest().encode() + b"\n" + rest


def whole(text):
    """The name in a body (with LF) made by body(); None if it is not one."""
    first, _, rest = text.partition(b"\n")
    name, _, checksum = first.partition(b" ")
    return name.decode() if hashlib.sha256(rest).hexdigest().encode() == checksum else None


def on_the_wire(text):
    """With CRLF, dots doubled, and the final dot."""
    lines = text.split(b"\n")[:-1]
    return b"".join((b"." if line[:1] == b"." else b"") + line + b"\r\n" for line in lines) + b".\r\n"


def off_the_wire(octets):
    lines = octets.split(b"\r\n")[:-1]
    return b"".join((line[1:] if line[:1] == b"." else line) + b"\n" for line in lines)
