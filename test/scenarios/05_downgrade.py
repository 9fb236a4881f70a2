# Claim: a change of the offer, choice or answer is detected; the highest common version is used; `must` accepts no older one (statement 5)
import itertools

from kit import xcrypt
from kit.mailer import FakeMailer
from kit.wiretap import in_field, other_digit

OLD = "%s %s" % (xcrypt.ARSYFOR, xcrypt.ROTN)
NEW = "%s %s" % (xcrypt.CHACHA, xcrypt.AES)


def changed(w, up=None, down=None):
    """blackpony and blackponyd with an attacker between them who changes lines: the message waits."""
    mailer = w.mailer()
    server = w.daemon(backend=mailer)
    tap = w.wiretap(server.port, up=up, down=down)
    result = w.send(tap, ["bob@b.example"], settings={"cache": "off"})
    assert result.status == 75, result
    assert tap.calls == 1, "called again"
    assert not mailer.messages
    assert b"MAIL FROM" not in tap.seen()


def test_offer_changed(w):
    for old, new in ((b"chacha20poly1305_2.0 ", b""), (b" aes256gcm_2.0", b""),
                     (NEW.encode(), b"aes256gcm_2.0 chacha20poly1305_2.0"),
                     (NEW.encode(), NEW.encode() + b" new_3.0"), (b"250 XCRYPT ", b"250 xcrypt ")):
        changed(w, down=lambda line, o=old, n=new: line.replace(o, n) if b"_2.0" in line else line)


def test_choice_changed(w):
    changed(w, up=lambda line: line.replace(b"chacha20poly1305", b"aes256gcm"))


def test_hello_changed(w):
    changed(w, up=lambda line: line.replace(b"mail.a.example", b"mail.c.example"))
    changed(w, up=lambda line: line.replace(b"EHLO", b"ehlo"))


def letter_at(at):
    """Replaces one base64 letter by another one that is valid too."""
    def change(text):
        letters = bytearray(text)
        letters[at] = ord("A") if letters[at] != ord("A") else ord("B")
        return bytes(letters)
    return change


def test_fields_changed(w):
    """Changes one digit or letter in each field of both lines."""
    for number, change in ((2, other_digit), (3, other_digit), (4, letter_at(-20))):
        changed(w, up=in_field(number, change))
    for number, change in ((2, other_digit), (3, other_digit), (4, other_digit), (5, letter_at(0)), (5, letter_at(-10)),
                           (6, other_digit), (7, other_digit)):
        changed(w, down=in_field(number, change))


def test_case_of_digits_changed(w):
    """A digit in the other case has the same value, but the transcript differs."""
    for number in (2, 3):
        changed(w, up=in_field(number, bytes.upper))
        changed(w, down=in_field(number, bytes.upper))
    changed(w, down=in_field(4, bytes.upper))


def test_keys_changed(w):
    """The attacker's own key in each field, without a matching confirmation."""
    own = xcrypt.Pair20().public.hex().encode()
    changed(w, up=in_field(2, own))
    changed(w, down=in_field(2, own))
    changed(w, down=in_field(4, own))


def test_a_later_meeting_changed(w):
    """With a pre-shared secret: the message waits, and the next connection is a first meeting."""
    mailer = w.mailer()
    server = w.daemon(backend=mailer)
    doing = {"up": None, "down": None}
    tap = w.wiretap(server.port, up=lambda line: (doing["up"] or bytes)(line),
                    down=lambda line: (doing["down"] or bytes)(line))
    for way, number in (("up", 2), ("up", 3), ("down", 2), ("down", 3), ("down", -1)):
        result = w.send(tap, ["bob@b.example"])
        assert result.status == 0, result
        before, calls = len(mailer.messages), tap.calls
        doing[way] = in_field(number, other_digit)
        result = w.send(tap, ["bob@b.example"])
        doing[way] = None
        assert result.status == 75 and tap.calls == calls + 1, result
        assert len(mailer.messages) == before
        result = w.send(tap, ["bob@b.example"])
        assert result.status == 0 and result.entries[-1]["cache"] == "miss", result


def test_client_takes_the_highest(w):
    """By the server's order within a version; unknown names are skipped."""
    for offer, accept, taken in (
            ("rotn_0.1 arsyfor_1.0 aes256gcm_2.0 chacha20poly1305_2.0", NEW + " " + OLD,
             xcrypt.AES),
            ("rotn_0.1 arsyfor_1.0", OLD, xcrypt.ARSYFOR),
            ("rotn_0.1 t16_1.0", NEW + " " + OLD, xcrypt.ROTN),
            ("new_3.0 CHACHA20POLY1305_2.0 chacha20poly1305_2.0", NEW, xcrypt.CHACHA),
            ("chacha20poly1305_2.0 aes256gcm_2.0", xcrypt.AES, xcrypt.AES),
            ("arsyfor_1.0", NEW, None), ("new_3.0", NEW, None), ("", NEW, None)):
        mailer = w.keep(FakeMailer(xcrypt=offer.split(" ")))
        result = w.send(mailer, ["bob@b.example"], settings={"suites": accept, "cache": "off"})
        assert result.status == 0, result
        assert mailer.messages[0].encrypted == taken, (offer, mailer.messages[0].encrypted)
        assert len(mailer.sessions) == 1


def test_must_of_the_client_takes_no_older(w):
    for offer in (xcrypt.ARSYFOR, xcrypt.ROTN):
        mailer = w.mailer(xcrypt=[offer])
        result = w.send(mailer, ["bob@b.example"], settings={"suites": NEW + " " + OLD,
                                                             "policy": "must"})
        assert result.status == 75 and not mailer.messages, result
        assert not [c for c in mailer.commands if c.startswith(b"MAIL")]


def test_must_of_the_server_takes_no_older(w):
    for suite in (xcrypt.ARSYFOR, xcrypt.ROTN):
        mailer = w.mailer()
        server = w.daemon({"suites": NEW + " " + OLD, "policy": "must"}, backend=mailer)
        client = w.session(server)
        assert client.offered() == NEW.split(" ")
        assert client.ask(suite).code == 504
        assert client.command("MAIL FROM:<alice@a.example>").code == 530
        client.close()
        assert not [c for c in mailer.commands if c.startswith(b"MAIL")]


def test_must_with_nothing_newer(w):
    """1.0 satisfies `must` if suites names no newer version; 0.1 never does."""
    for suite, good in ((xcrypt.ARSYFOR, True), (xcrypt.ROTN, False)):
        settings = {"suites": suite, "policy": "must"}
        mailer = w.mailer(xcrypt=[suite])
        result = w.send(mailer, ["bob@b.example"], settings=settings)
        assert result.status == (0 if good else 75), result
        assert len(mailer.messages) == good
        behind = w.mailer()
        client = w.session(w.daemon(settings, backend=behind))
        if suite in client.offered():
            client.xcrypt(suite)
            client.ehlo()
        reply = client.command("MAIL FROM:<alice@a.example>")
        assert reply.code == (250 if good else 530), reply
        client.close()


def test_invalid_offers(w):
    """An offer on the first line, two offers, or another keyword."""
    offer = b"XCRYPT chacha20poly1305_2.0"
    for lines in ([offer, b"SIZE 100000"], [b"x", offer, offer],
                  [b"x", offer, b"xcrypt aes256gcm_2.0"],
                  [b"x", b"XCRYPT-chacha20poly1305_2.0"], [b"x", b"XCRYPTO chacha20poly1305_2.0"],
                  [b"x", b"XCRYPT"], [b"x", b"XCRYPT=chacha20poly1305_2.0"]):
        text = b"\r\n".join(b"250" + (b" " if i == len(lines) - 1 else b"-") + t
                            for i, t in enumerate(lines))
        mailer = w.keep(FakeMailer(answers={"EHLO": text}))
        result = w.send(mailer, ["bob@b.example"])
        assert result.status == 0, result
        assert not [c for c in mailer.commands if c.startswith(b"XCRYPT")], (text, mailer.commands)


def test_offer_in_any_place_and_case(w):
    for place, word in itertools.product((0, 1), (b"XCRYPT", b"xcrypt", b"XCrypt")):
        def reply(session, line, place=place, word=word):
            if session.suite:
                return b"250 mailer.example"
            session.offer = word + b" chacha20poly1305_2.0"
            lines = [b"SIZE 1000000", b"HELP"]
            lines.insert(place, session.offer)
            return b"250-mailer.example\r\n250-%s\r\n250-%s\r\n250 %s" % tuple(lines)
        mailer = w.keep(FakeMailer(xcrypt=[xcrypt.CHACHA], answers={"EHLO": reply}))
        result = w.send(mailer, ["bob@b.example"])
        assert result.status == 0, result
        assert mailer.messages[0].encrypted == xcrypt.CHACHA
