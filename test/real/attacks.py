"""What attackers send, as octets: COMMANDS, NAMES and TEXTS, each with a name and the steps of a session.

Each step is sent whole once the previous one has been answered; after the last one come QUIT and the end.
Bytewise steps are sent one octet a segment.  CLEAR and INSIDE say where we refuse what the mail server itself
may accept, and our reply; without them the result must be exactly the same.
"""
from kit.text import SEQUENCES

CLEAR, INSIDE = "in the clear", "inside"
NUL = b"500 5.5.2 Command contains NUL, bare CR or bare LF"
LONG = b"500 5.5.2 Line too long"
SIZE = b"501 5.5.4 Invalid BDAT chunk size"
BEHIND = b"503 5.5.1 XCRYPT FAIL improper command pipelining"
EARLY = b"503 5.5.1 Improper command pipelining"
UNOFFERED = b"502 5.5.1 CHUNKING not offered"     # inside, to any BDAT if the backend has no CHUNKING
CLOSED = b""            # without a reply, where the backend sees an end inside a message

EHLO = b"EHLO stranger.example\r\n"
MAIL = b"MAIL FROM:<a@a.example>\r\n"
RCPT = b"RCPT TO:<bob@b.example>\r\n"
DATA = b"DATA\r\n"
TEXT = b"Subject: s\r\n\r\nwords\r\n"
DOT = b".\r\n"
VICTIM = b"RCPT TO:<victim@elsewhere.example>\r\n"
GROUP = MAIL + RCPT + DATA      # as PIPELINING permits
WHOLE = GROUP + TEXT + DOT      # as nothing permits
SMUGGLED = b"MAIL FROM:<smuggled@c.example>\r\nRCPT TO:<carol@b.example>\r\n" \
    b"DATA\r\nSubject: smuggled\r\n\r\nsmuggled\r\n.\r\n"
NEXT = b"MAIL FROM:<smuggled@c.example>\r\nRCPT TO:<carol@b.example>\r\nBDAT 10 LAST\r\nsmuggled\r\n"
CHOICE = b"XCRYPT chacha20poly1305_2.0 " + b"1" * 64 + b" " + b"2" * 64 + b"\r\n"
KEYED = CHOICE[:-2] + b" " + b"A" * 1579 + b"=\r\n"
V2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x7f\0\0\1\x7f\0\0\1\1\1\0\x19"


class Bytewise(bytes):
    """Sent in as many segments as it has octets."""


class Replies(bytes):
    """Expects that many replies; by default one for each line, ended by CRLF or LF, and for a message or chunk."""

    def __new__(cls, count, octets):
        step = super().__new__(cls, octets)
        step.count_of_replies = count
        return step


class Attack:
    def __init__(self, name, steps, less, as_if):
        self.name, self.steps, self.less, self.as_if = name, steps, less, as_if


COMMANDS, NAMES, TEXTS = [], [], []
ATTACKS = COMMANDS


def attack(name, *steps, as_if=None, **less):
    """
    less    clear=WORDS, inside=WORDS or both=WORDS: our reply if we refuse
    as_if   the steps that have the same result then; by default, all but the refused ones
    """
    words = {CLEAR: less.get("clear", less.get("both")), INSIDE: less.get("inside", less.get("both"))}
    ATTACKS.append(Attack(name, steps, words, as_if))


def message(name, octets, **less):
    """The octets of a message, followed by the true end."""
    attack(name, EHLO, MAIL, RCPT, DATA, octets + b"\r\n.\r\n", **less)


def envelope(name, line, **less):
    """A line in the place of MAIL, and then a whole message."""
    attack(name, EHLO, line, MAIL, RCPT, DATA, TEXT + DOT, **less)


def recipient(name, line, **less):
    attack(name, EHLO, MAIL, line, RCPT, DATA, TEXT + DOT, **less)


def chunk(name, *octets, **less):
    attack(name, EHLO, MAIL, RCPT, *octets, **less)


# Nothing to find: the yardstick.

attack("a message", EHLO, MAIL, RCPT, DATA, TEXT + DOT)
attack("two messages", EHLO, *2 * (MAIL, RCPT, DATA, TEXT + DOT))
attack("octet by octet", *map(Bytewise, (EHLO, MAIL, RCPT, DATA, TEXT + DOT)))

# Commands after commands, in one packet (statements 1 and 4; CVE-2011-0411, CVE-2014-3556).

attack("behind XCRYPT", EHLO, CHOICE + GROUP, TEXT + DOT, clear=BEHIND)
attack("behind XCRYPT with all its keys", EHLO, KEYED + GROUP, TEXT + DOT, clear=BEHIND)
attack("behind XCRYPT, a message", EHLO, CHOICE + WHOLE, clear=BEHIND, inside=EARLY)
attack("behind XCRYPT, half a line", EHLO, CHOICE + b"RSET", clear=BEHIND)
attack("behind XCRYPT OK", EHLO, CHOICE, b"XCRYPT OK " + b"0" * 32 + b"\r\n" + GROUP, TEXT + DOT, clear=BEHIND)
attack("behind XCRYPT FAIL", EHLO, CHOICE, b"XCRYPT FAIL\r\n" + GROUP, TEXT + DOT, clear=BEHIND)
attack("behind XCRYPT, EHLO with it", EHLO + CHOICE + GROUP, TEXT + DOT, clear=BEHIND, inside=EARLY)
attack("behind XCRYPT, which is torn", EHLO, CHOICE.replace(b" ", b"\0", 1) + GROUP, TEXT + DOT, both=NUL,
       as_if=(EHLO, GROUP, TEXT + DOT))
attack("behind XCRYPT, with LF only", EHLO, CHOICE.replace(b"\r", b"") + GROUP, TEXT + DOT, clear=BEHIND, inside=NUL)
attack("behind a refused XCRYPT", EHLO, b"XCRYPT nosuch_9.9 1 2\r\n", MAIL, RCPT, DATA, TEXT + DOT)
attack("an attempt given up", EHLO, CHOICE, MAIL, RCPT, DATA, TEXT + DOT)
attack("behind STARTTLS", EHLO, b"STARTTLS\r\n" + GROUP, TEXT + DOT)
attack("behind STARTTLS, its envelope", EHLO, b"STARTTLS\r\n" + MAIL + RCPT, DATA, TEXT + DOT)
attack("behind EHLO", EHLO + GROUP, TEXT + DOT, inside=EARLY)
attack("behind HELO", b"HELO stranger.example\r\n" + GROUP, TEXT + DOT, inside=EARLY)
for words in (b"NOOP", b"RSET", b"VRFY bob", b"HELP", b"QUIT", b"AUTH PLAIN AGEAYQ==", b"AUTH LOGIN", b"XYZZY"):
    attack("behind " + words.decode(), EHLO, words + b"\r\n" + GROUP, TEXT + DOT)
attack("behind DATA", EHLO, MAIL, RCPT, DATA + TEXT + DOT, inside=EARLY)
attack("behind DATA, an octet", EHLO, MAIL, RCPT, DATA + b"x", b"\r\n.\r\n", inside=EARLY)
attack("behind DATA, commands", EHLO, MAIL, RCPT, DATA + SMUGGLED, inside=EARLY)
attack("behind DATA, without a recipient", EHLO, MAIL, DATA + TEXT + DOT, inside=EARLY)
attack("behind the final dot", EHLO, MAIL, RCPT, DATA, Replies(4, TEXT + DOT + GROUP), TEXT + DOT)
attack("behind the final dot, a message", EHLO, MAIL, RCPT, DATA, TEXT + DOT + SMUGGLED, inside=EARLY,
       as_if=(EHLO, MAIL, RCPT, DATA, TEXT + DOT))
attack("RSET inside an envelope", EHLO, MAIL, RCPT, b"RSET\r\n", DATA, RCPT)
attack("EHLO inside an envelope", EHLO, MAIL, RCPT, EHLO, DATA, RCPT)
attack("no hello", MAIL, RCPT, DATA, TEXT + DOT)

ATTACKS = TEXTS

# Sequences that do not end a message (statements 8 and 10; CVE-2023-51764, -5 and -6).

for sequence in SEQUENCES:
    shown = repr(sequence)[2:-1]
    message("smuggling by " + shown, b"Subject: s\r\n\r\nwords" + sequence + SMUGGLED)
    message("smuggling by %s, commands with LF" % shown,
            b"Subject: s\r\n\r\nwords" + sequence + SMUGGLED.replace(b"\r", b""))
    message("%s at the start" % shown, sequence + b"words")
    message("%s and the end" % shown, b"Subject: s\r\n\r\nwords" + sequence)
attack("smuggling octet by octet", EHLO, MAIL, RCPT, DATA,
       Bytewise(b"Subject: s\r\n\r\nwords\n.\r\n" + SMUGGLED + b"\r\n.\r\n"), inside=CLOSED)
message("dots", b"Subject: s\r\n\r\n..\r\n...\r\n.a\r\n. \r\n.\t\r\n..a")
message("a NUL in the text", b"Subject: s\r\n\r\na\0b")
message("a NUL in the header", b"Subject: s\0X: y\r\n\r\nb")
message("a CR in the header", b"Subject: s\rX: y\r\n\r\nb")
message("an LF in the header", b"Subject: s\nX: y\r\n\r\nb")
message("8-bit in the header", b"Subject: \xe9\xff\r\n\r\nb")
message("every octet but NUL", b"Subject: s\r\n\r\n" + bytes(range(1, 256)))
message("what looks like commands", b"Subject: s\r\n\r\n" + EHLO + CHOICE + b"XCRYPT OK\r\nSTARTTLS\r\nQUIT\r\n" + WHOLE[:-3])
message("a line of 998", b"Subject: s\r\n\r\n" + b"x" * 998)
message("a line of 2,047", b"Subject: s\r\n\r\n" + b"x" * 2047)
message("a line of 70,000", b"Subject: s\r\n\r\n" + b"x" * 70000)
message("a header line of 70,000", b"Subject: " + b"x" * 70000 + b"\r\n\r\nb")
message("no header", b"words")
message("nothing", b"")
message("a blank line first", b"\r\nwords")
message("a folded line first", b" words\r\nSubject: s\r\n\r\nb")
message("a tab first", b"\twith ESMTP (XCRYPT none)\r\nSubject: s\r\n\r\nb")
message("a mailbox's From line first", b"From a@a.example Sat Nov 21 18:00:00 2026\r\nSubject: s\r\n\r\nb")
message("a colon first", b": words\r\nSubject: s\r\n\r\nb")
message("a trace line of somebody else's", b"Received: from x by y with ESMTP (XCRYPT z); now\r\nSubject: s\r\n\r\nb")

ATTACKS = NAMES

# Contents of names, addresses and parameters (statement 15).

for name, words in (("empty", b""), ("a CR", b" a\rReceived: evil"), ("an LF", b" a\nReceived: evil"), ("a NUL", b" a\0b"),
                    ("8-bit", b" \xff\xfe"), ("a comment", b" (a) by evil"), ("several words", b" a b c"),
                    ("brackets", b" [127.0.0.1]"), ("our own", b" mx.b.example"), ("localhost", b" localhost"),
                    ("a tab", b"\ta"), ("a newline's encoding", b" a%0d%0aX:"), ("a control", b" a\x1b[31m"),
                    ("255 octets", b" " + b"x" * 255), ("500 octets", b" " + b"x" * 500), ("2,100 octets", b" " + b"x" * 2100)):
    torn = {"a CR": {"both": NUL}, "an LF": {"inside": NUL}, "a NUL": {"both": NUL}}.get(name, {})
    attack("EHLO: " + name, EHLO, b"EHLO" + words + b"\r\n", MAIL, RCPT, DATA, TEXT + DOT, **torn)
attack("HELO: nothing", EHLO, b"HELO\r\n", MAIL, RCPT, DATA, TEXT + DOT)
attack("HELO: a comment", EHLO, b"HELO (a) by evil\r\n", MAIL, RCPT, DATA, TEXT + DOT)
attack("HELO: a NUL", EHLO, b"HELO a\0b\r\n", MAIL, RCPT, DATA, TEXT + DOT, both=NUL)
attack("EHLO behind blanks", b"  " + EHLO, MAIL, RCPT, DATA, TEXT + DOT)
attack("ehlo, small", EHLO.lower(), MAIL, RCPT, DATA, TEXT + DOT)
attack("EHLOX", EHLO, b"EHLOX a\r\n", MAIL, RCPT, DATA, TEXT + DOT)
attack("EHLO of 13,000 octets", b"EHLO " + b"x" * 13000 + b"\r\n", EHLO, MAIL, RCPT, DATA, TEXT + DOT, both=LONG)
attack("a blank line", EHLO, b"\r\n", MAIL, RCPT, DATA, TEXT + DOT)
attack("blanks", EHLO, b"   \r\n", MAIL, RCPT, DATA, TEXT + DOT)
attack("a NUL", EHLO, b"\0\r\n", MAIL, RCPT, DATA, TEXT + DOT, both=NUL)

attack("all with LF", (EHLO + WHOLE).replace(b"\r", b""), inside=NUL)
attack("all with CR", (EHLO + WHOLE).replace(b"\n", b"") + b"\n", both=NUL)
attack("LF from MAIL on", EHLO, WHOLE.replace(b"\r", b""), inside=NUL)
attack("MAIL and RCPT by LF", EHLO, (MAIL + RCPT).replace(b"\r\n", b"\n", 1), DATA, TEXT + DOT, inside=NUL)
attack("MAIL and RCPT by CR", EHLO, (MAIL + RCPT).replace(b"\r\n", b"\r", 1), DATA, TEXT + DOT, both=NUL)
attack("NOOP and MAIL by LF", EHLO, b"NOOP\n" + MAIL, RCPT, DATA, TEXT + DOT, inside=NUL)
attack("NOOP and MAIL by CR", EHLO, b"NOOP\r" + MAIL, RCPT, DATA, TEXT + DOT, both=NUL)
attack("NOOP and MAIL by NUL", EHLO, b"NOOP\0" + MAIL, RCPT, DATA, TEXT + DOT, both=NUL)
envelope("MAIL: a NUL in the address", b"MAIL FROM:<a\0b@a.example>\r\n", both=NUL)
envelope("MAIL: a NUL behind it", b"MAIL FROM:<a@a.example>\0<b@a.example>\r\n", both=NUL)
envelope("MAIL: 8-bit", b"MAIL FROM:<\xe9@a.example>\r\n")
envelope("MAIL: a header", b'MAIL FROM:<"a\r\nX: y"@a.example>\r\n')
envelope("MAIL: a header by LF", b'MAIL FROM:<"a\nX: y"@a.example>\r\n', inside=NUL)
envelope("MAIL: 600 octets", b"MAIL FROM:<%s@a.example>\r\n" % (b"x" * 600))
envelope("MAIL: 2,100 octets", b"MAIL FROM:<%s@a.example>\r\n" % (b"x" * 2100))
envelope("MAIL: 13,000 octets", b"MAIL FROM:<%s@a.example>\r\n" % (b"x" * 13000), both=LONG)
for name, words in (("SIZE: negative", b"SIZE=-1"), ("SIZE: 2^63", b"SIZE=9223372036854775808"),
                    ("SIZE: 10^40", b"SIZE=1" + b"0" * 40), ("SIZE: none", b"SIZE="), ("BODY: unknown", b"BODY=XBIT"),
                    ("BODY: binary", b"BODY=BINARYMIME"), ("BODY: 8-bit", b"BODY=8BITMIME"), ("SMTPUTF8", b"SMTPUTF8"),
                    ("ENVID: a line end", b"RET=HDRS ENVID=a+0D+0AX-Evil:+20y"), ("ENVID: a NUL", b"ENVID=a+00b"),
                    ("AUTH=<>", b"AUTH=<>"), ("AUTH of root", b"AUTH=root@b.example"), ("unknown", b"XYZZY=1"),
                    ("2,000 octets", b"ENVID=" + b"x" * 2000)):
    attack("MAIL parameter: " + name, EHLO, MAIL[:-2] + b" " + words + b"\r\n", RCPT, DATA, TEXT + DOT)
recipient("RCPT: a NUL", b"RCPT TO:<carol\0@b.example>\r\n", inside=NUL)
recipient("RCPT: a CR", b'RCPT TO:<"carol\rX: y"@b.example>\r\n', inside=NUL)
recipient("RCPT: a pipe", b'RCPT TO:<|"/bin/sh -c true"@b.example>\r\n')
recipient("RCPT: a file", b"RCPT TO:</etc/passwd@b.example>\r\n")
recipient("RCPT: an option", b"RCPT TO:<-oQ/tmp@b.example>\r\n")
recipient("RCPT: a route", b"RCPT TO:<@b.example:victim@elsewhere.example>\r\n")
recipient("RCPT: a percent sign", b"RCPT TO:<victim%elsewhere.example@b.example>\r\n")
recipient("RCPT: a bang", b"RCPT TO:<elsewhere.example!victim>\r\n")
recipient("RCPT: quoted", b'RCPT TO:<"victim@elsewhere.example">\r\n')
recipient("RCPT: another's", VICTIM)
recipient("ORCPT: a line end", RCPT[:-2] + b" NOTIFY=SUCCESS ORCPT=rfc822;a+0D+0AX:+20y\r\n")
for octets in 512, 513, 998, 2048, 4096, 12288, 12289, 70000:
    words = {"both": LONG} if octets > 12288 else {}
    attack("NOOP of %d octets" % octets, EHLO, b"NOOP " + b"x" * (octets - 7) + b"\r\n", MAIL, RCPT, DATA, TEXT + DOT, **words)
    attack("NOOP of %d octets and MAIL" % octets, EHLO, b"NOOP " + b"x" * (octets - 5 - len(MAIL)) + MAIL, RCPT, DATA, TEXT + DOT,
           **words)

ATTACKS = TEXTS

# Chunks (statement 11; see CVE-2026-45185 and Mailu 1766).

CHUNKS = TEXT + DOT + SMUGGLED
chunk("BDAT", b"BDAT %d LAST\r\n" % len(TEXT) + TEXT)
chunk("BDAT, then another message", b"BDAT %d LAST\r\n" % len(TEXT) + TEXT + NEXT)
chunk("BDAT with commands in it", b"BDAT %d LAST\r\n" % len(CHUNKS) + CHUNKS)
chunk("BDAT with commands in two", b"BDAT 20\r\n" + CHUNKS[:20] + b"BDAT %d LAST\r\n" % len(CHUNKS[20:]) + CHUNKS[20:])
chunk("BDAT octet by octet", Bytewise(b"BDAT 20\r\n" + CHUNKS[:20] + b"BDAT %d LAST\r\n" % len(CHUNKS[20:]) + CHUNKS[20:]))
chunk("BDAT with NULs", b"BDAT 6 LAST\r\na\0b\r\n\0")
chunk("BDAT of what is nearly an end", b"BDAT 20 LAST\r\n" + b"a\n.\nb\r.\rc\r\n.\r\nd\n.\r\ne"[:20])
chunk("BDAT that leaves a CR behind", b"BDAT %d\r\n" % (len(TEXT) - 1) + TEXT[:-1] + b"BDAT 1 LAST\r\n\n")
chunk("BDAT 0 LAST", b"BDAT 0 LAST\r\n" + NEXT)
chunk("BDAT 0", b"BDAT 0\r\n" + NEXT)
chunk("BDAT 0, text, 0 LAST", b"BDAT 0\r\nBDAT %d\r\n" % len(TEXT) + TEXT + b"BDAT 0 LAST\r\n")
chunk("BDAT, RSET", b"BDAT %d\r\n" % len(TEXT) + TEXT + b"RSET\r\n" + NEXT)
attack("BDAT behind a refused one, in a flight", EHLO,
       Replies(7, MAIL + VICTIM + b"BDAT 5\r\nxxxxxRSET\r\n" + MAIL + RCPT + b"BDAT %d\r\n" % len(TEXT) + TEXT),
       b"BDAT 5 LAST\r\ny: z\n")
chunk("BDAT, a refused RSET, BDAT", b"BDAT %d\r\n" % len(TEXT) + TEXT + b"RSET x\r\nBDAT 5 LAST\r\ny: z\n")
chunk("BDAT, a refused EHLO, BDAT", b"BDAT %d\r\n" % len(TEXT) + TEXT, b"EHLO\r\n", b"BDAT 5 LAST\r\ny: z\n")
chunk("BDAT, a nested MAIL, BDAT", b"BDAT %d\r\n" % len(TEXT) + TEXT + MAIL + b"BDAT 5 LAST\r\ny: z\n")
chunk("BDAT, DATA", b"BDAT %d\r\n" % len(TEXT) + TEXT + DATA + b"x\r\n.\r\n")
chunk("BDAT, MAIL", b"BDAT %d\r\n" % len(TEXT) + TEXT + NEXT)
chunk("BDAT, QUIT", b"BDAT %d\r\n" % len(TEXT) + TEXT)
chunk("BDAT cut short", b"BDAT %d LAST\r\n" % (len(TEXT) + 100) + TEXT)
attack("BDAT one too many", EHLO, MAIL, RCPT, b"BDAT %d LAST\r\n" % (len(TEXT) - 1) + TEXT + NEXT, inside=NUL,
       as_if=(EHLO, MAIL, RCPT, b"BDAT %d LAST\r\n" % (len(TEXT) - 1) + TEXT[:-1]))
attack("BDAT without a recipient", EHLO, MAIL, b"BDAT %d LAST\r\n" % len(SMUGGLED) + SMUGGLED)
attack("BDAT without MAIL", EHLO, b"BDAT %d LAST\r\n" % len(SMUGGLED) + SMUGGLED, MAIL, RCPT, DATA, TEXT + DOT)
attack("BDAT behind HELO", b"HELO stranger.example\r\n", MAIL, RCPT, b"BDAT %d LAST\r\n" % len(SMUGGLED) + SMUGGLED)
attack("BDAT behind EHLO and HELO", EHLO, b"HELO stranger.example\r\n", MAIL, RCPT,
       b"BDAT %d LAST\r\n" % len(SMUGGLED) + SMUGGLED)
attack("BDAT of another's", EHLO, MAIL, VICTIM, b"BDAT %d LAST\r\n" % len(SMUGGLED) + SMUGGLED)
chunk("BDAT with LF", b"BDAT %d LAST\n" % len(SMUGGLED) + SMUGGLED, inside=SIZE)
chunk("BDAT with a tab", b"BDAT\t%d LAST\r\n" % len(TEXT) + TEXT)
chunk("bdat, small", b"bdat %d last\r\n" % len(TEXT) + TEXT)
chunk("BDAT with leading zeros", b"BDAT 0000000000000000000%d LAST\r\n" % len(TEXT) + TEXT)
chunk("BDAT with two blanks", b"BDAT  %d  LAST \r\n" % len(TEXT) + TEXT)
for number in 2**31 - 1, 2**31, 2**32, 2**32 + len(TEXT), 2**63 - 1:
    chunk("BDAT %d" % number, b"BDAT %d LAST\r\n" % number + TEXT + NEXT)
for number in 2**63, 2**64 - 1, 2**64, 2**64 + len(TEXT), 10**40:
    chunk("BDAT %d" % number, b"BDAT %d LAST\r\n" % number + TEXT + NEXT, inside=SIZE)
for words in (b"", b" LAST", b" -5 LAST", b" +5 LAST", b" 0x5 LAST", b" 5x LAST", b" x", b" 5 5 LAST", b" 5 FIRST",
              b" 5 LAST LAST", b" 5,LAST", b" 1e1 LAST", b" 5\tLAST", b" 5.0 LAST", b" \xd9\xa5 LAST", b" 5\0 LAST"):
    chunk("BDAT%s" % repr(words)[2:-1], b"BDAT" + words + b"\r\n" + NEXT, inside=SIZE)

ATTACKS = COMMANDS

# Claims about who is calling (statement 31), and commands that were holes in the past.

for name, line in (("XCLIENT", b"XCLIENT ADDR=127.0.0.1 NAME=localhost\r\n"), ("XCLIENT, its address alone", b"XCLIENT ADDR=127.0.0.1\r\n"),
                   ("XCLIENT LOGIN", b"XCLIENT LOGIN=root\r\n"), ("XFORWARD", b"XFORWARD ADDR=127.0.0.1 NAME=localhost\r\n"),
                   ("PROXY", b"PROXY TCP4 127.0.0.1 127.0.0.1 257 25\r\n"), ("ETRN", b"ETRN elsewhere.example\r\n"),
                   ("TURN", b"TURN\r\n"), ("ATRN", b"ATRN elsewhere.example\r\n"), ("WIZ", b"WIZ\r\n"), ("DEBUG", b"DEBUG\r\n"),
                   ("XEXCH50", b"XEXCH50 5 2\r\n"), ("XUSR", b"XUSR\r\n")):
    attack(name, EHLO, line, MAIL, VICTIM, RCPT, DATA, TEXT + DOT)
    attack(name + " at once", line, EHLO, MAIL, VICTIM, RCPT, DATA, TEXT + DOT)
    attack(name + " and all behind it", EHLO, line + MAIL + VICTIM + RCPT + DATA, TEXT + DOT)
attack("PROXY in two", EHLO, V2 + MAIL, RCPT, DATA, TEXT + DOT, inside=NUL, as_if=(EHLO, b"\r\n", RCPT, DATA, TEXT + DOT))
attack("PROXY in two at once", V2 + EHLO + GROUP, TEXT + DOT, inside=NUL,
       as_if=(b"\r\n", MAIL, RCPT, DATA, TEXT + DOT))
for verb in b"GET", b"POST", b"CONNECT":
    request = verb + b" / HTTP/1.1\r\nHost: mx.b.example\r\n\r\n"
    attack("a %s of HTTP" % verb.decode(), EHLO, request + GROUP, TEXT + DOT)
    attack("a %s of HTTP at once" % verb.decode(), request + EHLO + GROUP, TEXT + DOT)
