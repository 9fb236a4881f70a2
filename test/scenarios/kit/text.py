"""Messages that are hard to carry, and what they must become."""

# statement 8: ten sequences, each of which some server has accepted as the end of a message
SEQUENCES = (b"\n.\n", b"\r.\r", b"\r.\n", b"\n.\r", b"\n.\r\n", b"\r\n.\n", b"\r.\r\n", b"\r\n.\r",
             b"\r\n\0.\r\n", b"\r\n.\0\r\n")

DOT = b"\r\n.\r\n"

HARD = {
    "nuls": b"a\0\0b\0\r\n\0\r\n\0",
    "every octet": bytes(range(256)) * 3,
    "a megabyte": b"x" * (1 << 20),
    "long dots": b"\r\n" + b"." * 70000 + b"\r\n..\r\n...",
    "blank": b"\r\n\r\n\r\n",
}

LOOKALIKES = (b"Subject: what looks like commands\r\n\r\n"
              b"XCRYPT chacha20poly1305_2.0 " + b"0" * 64 + b" " + b"1" * 64 + b"\r\n"
              b"XCRYPT OK\r\nXCRYPT FAIL\r\nSTARTTLS\r\nQUIT\r\nDATA\r\nRSET\r\nEHLO x\r\n"
              b"MAIL FROM:<injected@c.example>\r\n250 XCRYPT OK\r\n354 go\r\n221 bye\r\n..\r\n")


def sequences():
    """Each of the ten, inside a message that continues after it."""
    return [b"Subject: s\r\n\r\nbefore" + s + b"behind" for s in SEQUENCES]


def with_dots(text):
    """A message with LF or CRLF line ends as it is on the wire, without the final dot."""
    lines = text.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    out = []
    for line in lines:
        line = line[:-1] if line.endswith(b"\r") else line
        out.append((b"." if line.startswith(b".") else b"") + line + b"\r\n")
    return b"".join(out)
