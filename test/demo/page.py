"""How the demonstration looks, on a terminal of 80 columns."""
import os
import sys
import textwrap

WIDTH = 80
BOLD, PLAIN = ("\033[1m", "\033[0m") if sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb" \
    else ("", "")


def heading(text):
    print("\n%s--- %s %s%s" % (BOLD, text, "-" * (WIDTH - 5 - len(text)), PLAIN))


def paragraph(text, indent=0):
    print(textwrap.fill(" ".join(text.split()), WIDTH, initial_indent=" " * indent,
                        subsequent_indent=" " * indent))


def printable(octets):
    """A line of somebody's, with nothing in it that a terminal would obey."""
    text = octets.decode("utf-8", "replace").expandtabs()
    return "".join(c if c.isprintable() else "?" for c in text)


def wrapped(octets, first, most=4):
    """Wraps a long line at the same column; a very long one is left out in the middle."""
    text, room = printable(octets), WIDTH - len(first)
    rows = [text[at:at + room] for at in range(0, len(text), room)] or [""]
    if len(rows) > most + 2:
        left_out = len(text) - (most + 1) * room
        rows = rows[:most] + ["... %s characters more ..." % format(left_out, ","), text[-room:]]
    print((first + rows[0]).rstrip())
    for row in rows[1:]:
        print(" " * len(first) + row)


def command(words):
    print(textwrap.fill(words, WIDTH, initial_indent="$ ", subsequent_indent="    ",
                        break_long_words=False, break_on_hyphens=False))


def lines(octets, most=40):
    """The first lines of a message."""
    all_lines = octets.decode("latin-1").split("\n")
    for line in all_lines[:most]:
        wrapped(line.encode("latin-1"), "| ", most=20)
    if len(all_lines) > most:
        print("  ... and %d more lines" % (len(all_lines) - most))


def dialogue(said, most=200):
    """(way, line) pairs."""
    for way, line in said[:most]:
        wrapped(line, way + " ")
    if len(said) > most:
        print("... and %d more lines" % (len(said) - most))


def dump(octets, most):
    for at in range(0, min(len(octets), most), 16):
        row = octets[at:min(at + 16, most)]
        digits = " ".join(row[i:i + 2].hex() for i in range(0, len(row), 2))
        text = "".join(chr(o) if 32 <= o < 127 else "." for o in row)
        print("      %04x  %-39s  %s" % (at, digits, text))
    if len(octets) > most:
        print("      ...")


def records(found, dumped=6, most=12, octets=64):
    """Records with their sizes, and the beginnings of the first ones."""
    for way, record in found[:most]:
        print("%s record of %s octets" % (way, format(len(record), ",")))
        if dumped > 0:
            dump(record, octets)
            dumped -= 1
    if len(found) > most:
        print("... and %d more records" % (len(found) - most))


def log_line(text):
    """name=value pairs, cut between them."""
    print(textwrap.fill(text, WIDTH, initial_indent="  ", subsequent_indent="      ",
                        break_long_words=False, break_on_hyphens=False))


def verdict(good, text):
    mark = "  yes  " if good else "  NO   "
    print(textwrap.fill(text, WIDTH, initial_indent=mark, subsequent_indent=" " * len(mark)))
