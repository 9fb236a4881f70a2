# Claim: records have the padded sizes, for payloads of one octet to over 16 KiB (statement 22)
import re

from kit import xcrypt
from kit.known import Site
from kit.wiretap import behind_answer


def sizes(wire):
    """The sizes of the records, from their headers."""
    found, at = [], 0
    while at < len(wire):
        assert wire[at:at + 3] == b"\x17\x03\x03", wire[at:at + 5]
        found.append(int.from_bytes(wire[at + 3:at + 5], "big"))
        at += 5 + found[-1]
    assert at == len(wire)
    return found


def right(lengths):
    for length in lengths:
        assert length % 256 == 16 and 272 <= length <= 16400, length


def of_length(length):
    """A reply with that many letters, in lines of permitted length."""
    lines = [b"v" * min(1000, length - at) for at in range(0, length, 1000)]
    return b"\r\n".join(b"250" + (b" " if i == len(lines) - 1 else b"-") + line
                        for i, line in enumerate(lines))


def test_replies_of_the_server(w):
    lengths = (1, 2, 200, 240, 254, 255, 256, 257, 500, 4000, 16370, 16383, 16384, 40000)
    for suite in (xcrypt.CHACHA, xcrypt.AES):
        answers = {"VRFY": lambda s, line: of_length(int(line.split(b" ")[1]))}
        client = w.session(w.daemon(backend=w.mailer(answers=answers)), suite)
        for length in lengths:
            reply = client.command("VRFY %d" % length)
            assert b"".join(reply.lines).count(b"v") == length
        assert client.command("QUIT").code == 221
        client.rest()
        right(client.opener.lengths)
        assert client.opener.ended
        client.finish()


def first_size(w, keywords, server):
    client = w.session(server, xcrypt.CHACHA)
    assert b"".join(client.ehlo_reply.lines).count(b"X" * 50) == len(keywords)
    size = client.opener.lengths[0]
    assert len(client.opener.lengths) == 1 or sum(map(len, keywords)) > 15000, client.opener.lengths
    client.quit()
    return size


def test_the_pushed_reply(w):
    """One record, whose size does not show whether there is a host key or a successor."""
    for count in (0, 1, 2, 4, 6, 7, 8, 9, 12, 100, 300):
        keywords = tuple(b"HELP " + b"X" * 50 for _ in range(count))
        mailer = w.mailer(keywords=keywords)
        bare, keyed = (Site(w, "%s%d" % (name, count), key=key, mailer=mailer) for name, key in (("bare", False), ("keyed", True)))
        sizes = [first_size(w, keywords, bare), first_size(w, keywords, keyed)]
        keyed.keys("next")
        sizes.append(first_size(w, keywords, keyed))
        assert len(set(sizes)) == 1 and sizes[0] >= 1040, (count, sizes)
        right(sizes)


def test_commands_of_blackpony(w):
    """Each command is one record of the same size, close_notify too; a message has as few records as possible."""
    for suite in (xcrypt.CHACHA, xcrypt.AES):
        mailer = w.mailer(xcrypt=[suite], keywords=())
        result = w.send(mailer, ["bob@b.example", "c" * 60 + "@b.example"], b"x\n" * 60000)
        assert result.status == 0, result
        found = sizes(behind_answer(bytes(mailer.session().conn.octets_in)))
        right(found)
        assert found[:4] == [272] * 4, found[:8]
        assert found[-1] == 272
        assert len(found) < 40, found


def test_pipes(w):
    mailer = w.mailer(xcrypt=[xcrypt.CHACHA])
    pipe = w.pipe(mailer)
    pipe.greet()
    pipe.ehlo()
    for length in (1, 100, 250, 251, 252, 300):
        pipe.command(b"NOOP " + b"n" * length)
    pipe.command("QUIT")
    pipe.wait()
    found = sizes(behind_answer(bytes(mailer.session().conn.octets_in)))
    right(found)
    assert found == [272] * 2 + [272 + 256 * (n > 248) for n in (250, 251, 252,
                                                                 300)] + [272] * 2, found


def test_wiretap_sees_no_word(w):
    """Nothing of the envelope or the message is readable on the wire."""
    mailer = w.mailer()
    tap = w.wiretap(w.daemon(backend=mailer).port)
    result = w.send(tap, ["secretary@hidden.example"], b"Subject: merger\n\nplan\n",
                    sender="ceo@quiet.example")
    assert result.status == 0, result
    seen = re.sub(rb"[A-Za-z0-9+/]{1000,}", b"", tap.seen())   # base64 keys may contain any word
    for word in (b"secretary", b"hidden", b"merger", b"plan", b"ceo", b"quiet", b"MAIL", b"RCPT",
                 b"DATA", b"QUIT",
                 b"Taken", b"221 "):
        assert word not in seen, word
    for way in ("up", "down"):
        right(sizes(behind_answer(bytes(tap.octets[way]))))
    assert mailer.messages[0].body() == b"Subject: merger\r\n\r\nplan\r\n"


def test_old_generation_hides_words(w):
    for suite, status in ((xcrypt.ARSYFOR, 0), (xcrypt.ROTN, 0)):
        mailer = w.mailer()
        tap = w.wiretap(w.daemon({"suites": suite}, backend=mailer).port)
        result = w.send(tap, ["secretary@hidden.example"], b"Subject: merger\n\nplan\n",
                        settings={"suites": suite})
        assert result.status == status, result
        assert result.entries[0]["crypt"] == suite
        if suite == xcrypt.ARSYFOR:
            assert b"merger" not in tap.seen()
        assert mailer.messages[0].body() == b"Subject: merger\r\n\r\nplan\r\n"
