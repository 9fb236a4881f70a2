# Claim: only an exact `250 XCRYPT` switches, and only exact commands count (statement 6)
import base64

from kit import mlkem, xcrypt
from kit.wiretap import other_digit

KEY, OTHER = (xcrypt.Pair20().public.hex().encode() for _ in range(2))
NONCE = b"5a" * 32
EK = base64.b64encode(mlkem.keygen()[0])
CT = base64.b64encode(bytes(1088))
CONFIRM = b"c3" * 16


def line(*fields):
    return b" ".join((b"250", b"XCRYPT") + fields)


FIRST = KEY, NONCE, OTHER, CT, b"3600", CONFIRM
MET = KEY, NONCE, b"=", CONFIRM


def spoilt(fields, number):
    """Texts that are invalid for this field."""
    field = fields[number]
    wrong = [b"", field[:-1], field[:-1] + b"\0", field[:-1] + b"\xe9", field + b"\0", field + b" ", b" " + field]
    if field == b"=":
        wrong = wrong[4:] + [b"==", b"=" + CONFIRM, b"0"]
    elif number == 4 and len(fields) == 6:
        wrong = wrong[2:] + [b"", b"-1", b"+1", b"03600", b"00", b"86401", b"100000", b"99999999999999999999", b"1.0", b"0x10", b"3600s"]
    elif field == CT:
        wrong += [field + b"=", field.rstrip(b"="), b"-" + field[1:], b"_" + field[1:], field[:-4], field + b"AAAA",
                  field[:-2] + b"==", b"=" + field[1:]]
    else:
        wrong += [field + b"0", field[:-1] + b"g", field[:-2], field + b"00", b"0x" + field[2:], b" " + field[1:]]
    return [fields[:number] + (text,) + fields[number + 1:] for text in wrong]


NO_ANSWER = [line(*fields) for number in range(6) for fields in spoilt(FIRST, number)] + [
    line(*FIRST[:count]) for count in range(6)] + [line(*FIRST, b"x"), line(*FIRST) + b" " * 500] + [
    line(*FIRST).replace(b"250 ", code, 1) for code in (b"354 ", b"220 ", b"251 ", b"2500 ", b"250  ", b"250\t", b"")] + [
    line(*FIRST).replace(b"XCRYPT ", word) for word in (b"XCRYPT\0", b"XCRYPT\t", b"XCRYPT  ", b"XCRYPT OK ", b"")] + [
    line(*MET),     # the short form does not answer a first meeting
    line(*FIRST).replace(b"250 ", b"250-", 1) + b"\r\n" + line(*FIRST), b"250-hello\r\n" + line(*FIRST),
    line(KEY, NONCE), b"250 2.0.0 Ok", b"250 XCRYPT", b"250 XCRYPT ", b"250 XCRYPT OK", b"250 XCRYPT OK " + CONFIRM,
    b"250 XCRYPT " + b"0" * 3000, b""]


def answers_so(w, policy, answer):
    """The session is not encrypted, and the message is not lost."""
    mailer = w.mailer(xcrypt=[xcrypt.CHACHA], answers={"XCRYPT": answer})
    result = w.send(mailer, ["bob@b.example"], settings={"policy": policy})
    status = 75 if policy == "must" else 0
    assert not [c for c in mailer.commands if c.startswith((b"XCRYPT OK", b"\x17"))], answer
    assert result.status == status, (answer, result)
    assert [m.encrypted for m in mailer.messages] == [None] * (status == 0), answer
    mailer.close()


def test_no_answer_to_a_choice(w):
    for answer in NO_ANSWER:
        answers_so(w, "may", answer)


def test_no_answer_under_must(w):
    for answer in NO_ANSWER[::5]:
        answers_so(w, "must", answer)


NO_ANSWER_TO_AN_ID = [line(*fields) for number in range(4) for fields in spoilt(MET, number)] + [
    line(*MET[:count]) for count in range(4)] + [line(*MET, b"x"), line(*FIRST), line(KEY, NONCE, CONFIRM)]


def test_no_answer_to_an_id(w):
    """The same with a pre-shared secret: no sign of tampering, so `may` retries in the clear."""
    for answer in NO_ANSWER_TO_AN_ID:
        mailer = w.mailer(xcrypt=[xcrypt.CHACHA])
        assert w.send(mailer, ["bob@b.example"]).status == 0
        mailer.script.answers["XCRYPT"] = answer
        for policy, encrypted in (("must", [xcrypt.CHACHA]), ("may", [xcrypt.CHACHA, None])):
            result = w.send(mailer, ["bob@b.example"], settings={"policy": policy})
            assert result.status == (0 if policy == "may" else 75), (answer, result)
            assert [m.encrypted for m in mailer.messages] == encrypted, answer
        mailer.close()


WRONG = [lambda s, line: s.hs.answer(confirm=bytes(16)), lambda s, line: other_digit(s.hs.whole_answer),
         lambda s, line: s.hs.answer(confirm=s.hs.keys.id), lambda s, line: s.hs.answer(short=xcrypt.Pair20().public),
         lambda s, line: s.hs.answer(public=xcrypt.Pair20().public), lambda s, line: s.hs.answer(ct=bytes(1088)),
         lambda s, line: line_of_another(s)]


def line_of_another(session):
    """The right confirmation with another nonce."""
    words = session.hs.whole_answer.split(b" ")
    return b" ".join(words[:3] + [other_digit(words[3])] + words[4:])


def test_wrong_confirmations(w):
    """2.0: a wrong confirmation in a well-formed answer is tampering, and the message waits."""
    for answer in WRONG:
        mailer = w.mailer(xcrypt=[xcrypt.CHACHA], answers={"XCRYPT": answer})
        result = w.send(mailer, ["bob@b.example"])
        assert result.status == 75, (answer, result)
        assert len(mailer.sessions) == 1 and not mailer.messages
        session = mailer.session()
        assert [c.split(b" ")[0] for c in session.commands] == [b"EHLO", b"XCRYPT"], session.commands
        assert session.conn.octets_in.endswith(b"\n"), "went on behind a wrong confirmation"
        mailer.close()


def test_right_confirmation_in_capitals(w):
    """Hex digits are accepted in either case."""
    def answer(session, line):
        return session.hs.answer(confirm=xcrypt.Text(session.hs.keys.confirm_b.hex().upper().encode()))
    mailer = w.mailer(xcrypt=[xcrypt.AES], answers={"XCRYPT": answer})
    assert w.send(mailer, ["bob@b.example"]).status == 0
    assert mailer.messages[0].encrypted == xcrypt.AES


CHOICE, AGAIN = (KEY, NONCE, EK), (KEY, NONCE, b"=" + CONFIRM)


def choices(fields):
    last = fields[2]
    wrong = [text for number in (0, 1) for text in spoilt(fields + (b"",) * 3, number)]
    wrong = [text[:3] for text in wrong]
    if last.startswith(b"="):
        ends = [last[:-1], last + b"0", last[:-1] + b"g", b"=", b"==" + CONFIRM, b"= " + CONFIRM, last[1:], last + b"\0", last + b" ",
                last + b" x", b"=" + CONFIRM * 2]
    else:
        ends = [last[:-1], last.rstrip(b"="), last + b"=", last + b"AAAA", last[:-4], b"-" + last[1:], last[:-2] + b"\0=", last + b" ",
                last + b" x", b"=" + last[1:], last[:-2] + b"=="]
    return wrong + [fields[:2] + (text,) for text in ends]


BAD_CHOICES = [b"%s " + b" ".join(fields) for form in (CHOICE, AGAIN) for fields in choices(form)] + [
    b"%s", b"%s ", b"%s " + KEY, b"%s " + KEY + b" ", b"%s " + KEY + b" " + NONCE, b"%s " + KEY + b" " + NONCE + b" ",
    b"%s  " + b" ".join(CHOICE), b"%s\t" + b" ".join(CHOICE), b"%s 0 7", b"%s " + b"0" * 600, b"%s " + b"0" * 3000]


def test_server_takes_exact_choices_only(w):
    mailer = w.mailer()
    server = w.daemon(backend=mailer)
    for choice in BAD_CHOICES:
        client = w.session(server)
        reply = client.command(b"XCRYPT " + choice.replace(b"%s", xcrypt.CHACHA.encode()))
        assert reply.code in (500, 501, 504), (choice[:200], reply)
        if reply.code != 500:
            assert b"XCRYPT FAIL" in reply.text
        client.message(b"x\r\n.\r\n")
        client.quit()
    assert not [c for c in mailer.commands if b"XCRYPT" in c.upper()]
    assert len(mailer.messages) == len(BAD_CHOICES)


def test_suite_names_as_they_are(w):
    server = w.daemon(backend=w.mailer())
    for name in (b"CHACHA20POLY1305_2.0", b"chacha20poly1305", b"chacha20poly1305_2",
                 b"chacha20poly1305_2.00",
                 b"rotn_0.1", b"arsyfor_1.0", b"_", b"x" * 200):
        client = w.session(server)
        reply = client.command(b"XCRYPT " + name + b" " + b" ".join(CHOICE))
        assert reply.text.startswith(b"504 5.5.4 XCRYPT FAIL"), (name, reply)
        client.close()


def test_ok_of_the_old_generations(w):
    """XCRYPT OK has nothing after it, not even a space."""
    for suite in (xcrypt.ARSYFOR, xcrypt.ROTN):
        server = w.daemon({"suites": suite}, backend=w.mailer())
        for ok in (b"XCRYPT OK ", b"XCRYPT OK x", b"XCRYPT OK  "):
            client = w.session(server)
            assert client.ask(suite).code == 250
            reply = client.command(ok)
            assert reply.text.startswith(b"454 4.7.0 XCRYPT FAIL"), (ok, reply)
            assert client.rest() == b""
        for ok in (b"250 XCRYPT OK ", b"250 XCRYPT OK x", b"251 XCRYPT OK",
                   b"250-XCRYPT OK\r\n250 XCRYPT OK"):
            mailer = w.mailer(xcrypt=[suite], answers={"XCRYPT OK": ok})
            result = w.send(mailer, ["bob@b.example"], settings={"suites": suite})
            assert result.status == 0 and len(mailer.sessions) == 2, (ok, result)
            assert mailer.messages[0].encrypted is None


def test_rotn_numbers(w):
    for fields, code in (("0 26", 501), ("0 07", 501), ("0 -1", 501), ("1 7", 501), ("0 7 7", 501),
                         ("00 7", 501), ("0 0", 250), ("0 25", 250)):
        client = w.session(w.daemon({"suites": xcrypt.ROTN}, backend=w.mailer()))
        reply = client.command("XCRYPT rotn_0.1 " + fields)
        assert reply.code == code or (code == 501 and reply.code == 454), (fields, reply)
        client.close()
