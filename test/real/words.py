"""A message, and whether any of it is readable."""
import re

SUITE = "chacha20poly1305_2.0"
SENDER = "alice@a.example"
RECIPIENTS = ["bob@b.example", "carol@b2.example"]
BODY = b"""Nobody between us shall read this.

\tA tab, trailing blanks,   \x20
.
..a line with dots, and a last one.
"""
HEADER = b"""From: Alice Liddell <alice@a.example>
To: Robert <bob@b.example>
Subject: Privileged correspondence
X-Folded: one
 two
"""
MESSAGE = HEADER + b"\n" + BODY


def told(wire):
    """The words of the message and the addresses that are readable in these octets."""
    addresses = [word.encode() for word in RECIPIENTS + [SENDER, "alice", "carol", "b2.example"]]
    words = re.findall(rb"[A-Za-z]{5,}", MESSAGE.replace(b"example", b""))
    wire = re.sub(rb"[A-Za-z0-9+/]{1000,}", b"", wire)      # base64 keys may contain any word
    return sorted({word for word in words + addresses if word.lower() in wire.lower()})


def arrived(messages, recipients=RECIPIENTS, body=BODY):
    """Each recipient has it once, unchanged."""
    assert sorted(m.recipient for m in messages) == sorted(r.split("@")[0] for r in recipients), messages
    for message in messages:
        assert message.body == body, message


def traces(message):
    return [trace for trace in message.fields("Received") if "XCRYPT" in trace]
