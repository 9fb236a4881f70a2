# Claim: in 2.0 nothing of one connection is valid on another (statements 5, 6 and 19)
from kit import xcrypt
from kit.mailer import DROP, SENT

BOTH = (xcrypt.CHACHA, xcrypt.AES)
RECORD = b"\x17\x03\x03\x01\x10" + bytes(range(1, 10)) * 30 + b"\r\n"


def waits(w, mailer, settings=None):
    """A sign of tampering: blackpony closes and does not call again, whatever the policy."""
    sessions, messages = len(mailer.sessions), len(mailer.messages)
    for policy in ("may", "must"):
        result = w.send(mailer, ["bob@b.example"], settings=dict(settings or {}, policy=policy))
        assert result.status == 75, result
    assert len(mailer.sessions) == sessions + 2 and len(mailer.messages) == messages, mailer.commands


def calls_again(w, mailer):
    """An unexpected reply: waits under must; under may it is sent once without XCRYPT."""
    result = w.send(mailer, ["bob@b.example"], settings={"policy": "must"})
    assert result.status == 75 and not mailer.messages and len(mailer.sessions) == 1, result
    result = w.send(mailer, ["bob@b.example"])
    assert result.status == 0 and len(mailer.sessions) == 3, result
    assert [m.encrypted for m in mailer.messages] == [None]
    assert not [c for c in mailer.sessions[2].commands if c.startswith(b"XCRYPT")]


def answer_to_another(w, mailer, kept=None):
    """The fields of an answer that the same mailer gave on another client's connection."""
    client = w.call(mailer)
    client.greet()
    client.ehlo()
    reply = client.ask(mailer.script.xcrypt[0], kept=kept)
    assert reply.code == 250 and client.confirmed
    client.close()
    return reply.text.split(b" ")


def put_in(number, field):
    def answer(session, line):
        words = session.hs.whole_answer.split(b" ")
        words[number] = field
        return b" ".join(words)
    return answer


def test_parts_of_the_answer_to_another(w):
    for suite in BOTH:
        for number in (2, 3, 4, 5, 7):
            mailer = w.mailer(xcrypt=[suite])
            words = answer_to_another(w, mailer)
            if number == 4:     # Sb is the same in both answers unless the pair was replaced
                words[4] = xcrypt.Pair20().public.hex().encode()
            mailer.script.answers["XCRYPT"] = put_in(number, words[number])
            waits(w, mailer)
            mailer.close()


def test_all_of_the_answer_to_another(w):
    """The answer of another connection, with the records that followed it."""
    mailer = w.mailer(xcrypt=[xcrypt.CHACHA])
    tap = w.wiretap(mailer.port)
    first = w.call(tap)
    first.greet()
    first.ehlo()
    first.xcrypt()
    first.quit()
    said = bytes(tap.octets["down"])
    said = said[said.index(b"250 XCRYPT " + first.hs.answer_line.split(b" ")[2]):]

    def answer(session, line):
        session.conn.send_raw(said)
        return DROP
    mailer.script.answers["XCRYPT"] = answer
    waits(w, mailer)


def test_parts_of_the_answer_to_another_id(w):
    """The same with a pre-shared secret."""
    for number in (2, 3, 5):
        mailer = w.mailer(xcrypt=[xcrypt.CHACHA])
        client = w.session(mailer.port, xcrypt.CHACHA)
        client.quit()
        assert w.send(mailer, ["bob@b.example"]).status == 0
        words = answer_to_another(w, mailer, client.kept)
        assert len(words) == 6
        mailer.script.answers["XCRYPT"] = lambda s, line: \
            put_in(number, words[number])(s, line) if s.hs.met else b"454 4.7.0 XCRYPT FAIL not now"
        result = w.send(mailer, ["bob@b.example"])
        assert result.status == 75 and mailer.finished()[-1].hs.met, result
        # blackpony has removed the id
        result = w.send(mailer, ["bob@b.example"])
        assert result.status == 0 and not mailer.finished()[-1].hs.met, result
        assert [m.encrypted for m in mailer.messages] == [xcrypt.CHACHA, None]
        mailer.close()


def test_parts_of_the_choice_of_another(w):
    """A choice combined from those of two clients is answered, but neither has the keys."""
    mailer = w.mailer()
    server = w.daemon(backend=mailer)
    for number in (2, 3, 4):
        one, other = w.session(server), w.session(server)
        words, others = one.start().split(b" "), other.start().split(b" ")
        sent = words[:number] + [others[number]] + words[number + 1:]
        reply = one.command(b" ".join(sent))
        assert reply.code == 250, reply
        one.take_answer(reply)      # the client whose own line was another one
        assert not one.confirmed
        one.hs.choice_line = b" ".join(sent)
        one.take_answer(reply)      # knows the combined line, but lacks a key or the nonce
        assert not one.confirmed
        one.send(b"VRFY bad\r\n")
        one.rest()
        one.close()
        other.close()
    assert not [c for c in mailer.commands if b"bad" in c]


def replay(w, server, client, wire):
    """Replays a client's lines and the records after them on another connection."""
    again = w.session(server)
    reply = again.command(client.hs.choice_line)
    assert reply.code == 250, reply
    assert reply.text.split(b" ")[2:4] != client.hs.answer_line.split(b" ")[2:4], "keys twice"
    again.send(wire)
    octets = again.rest()
    again.close()
    return octets


def test_a_replayed_session(w):
    """Replays of a first meeting and of a handshake with a pre-shared secret."""
    mailer = w.mailer()
    server = w.daemon(backend=mailer)
    for suite in BOTH:
        first = w.session(server, suite)
        before = len(first.octets_out)
        first.message(b"x\r\n.\r\n")
        first_wire = bytes(first.octets_out[before:])
        first.quit()
        later = w.session(server)
        later.xcrypt(suite, kept=first.kept)
        before = len(later.octets_out)
        later.message(b"x\r\n.\r\n")
        later_wire = bytes(later.octets_out[before:])
        later.quit()
        arrived = len(mailer.messages)
        replay(w, server, first, first_wire)
        replay(w, server, later, later_wire)
        assert len(mailer.messages) == arrived
        again = w.session(server)
        again.xcrypt(suite, kept=first.kept)
        assert again.hs.met, "what anybody can say made the server forget"
        again.quit()


def test_a_record_instead_of_the_answer(w):
    for record in (RECORD, b"\x17\x03\x03\0\x12" + b"x" * 16 + b"\r\n"):
        calls_again(w, w.mailer(xcrypt=[xcrypt.CHACHA], answers={"XCRYPT": record[:-2]}))


def test_records_and_nothing_else(w):
    """Records without a line end, and then the end of the connection."""
    def answer(session, line):
        session.conn.send_raw(session.hs.directions(True)[0].seal(b"250 mailer.example\r\n").replace(b"\n", b"\r"))
        return DROP
    calls_again(w, w.mailer(xcrypt=[xcrypt.CHACHA], answers={"XCRYPT": answer}))


def test_a_record_in_front_of_the_answer(w):
    def answer(session, line):
        session.conn.send_raw(session.hs.directions(True)[0].seal(b"250 mailer.example\r\n").replace(b"\n", b"\r"))
        return session.hs.whole_answer
    mailer = w.mailer(xcrypt=[xcrypt.CHACHA], answers={"XCRYPT": answer})
    result = w.send(mailer, ["bob@b.example"])
    assert result.status in (0, 75), result
    assert [m.encrypted for m in mailer.messages] == [None] * (result.status == 0)


def test_an_answer_in_front_of_the_choice(w):
    """An answer that arrives before the choice, after the reply to EHLO, is ignored or refused."""
    mailer = w.mailer(xcrypt=[xcrypt.CHACHA], behind={"EHLO": b"250 XCRYPT " + b"1" * 64 + b" " + b"2" * 64 + b" = " + b"3" * 32 +
                                                      b"\r\n"})
    for policy in ("must", "may"):
        result = w.send(mailer, ["bob@b.example"], settings={"policy": policy})
        assert result.status in (0, 75) and (policy == "may" or result.status == 75), result
    assert not [m for m in mailer.messages if m.encrypted]
    assert len(mailer.messages) < 2


def test_two_answers(w):
    def answer(session, line):
        session.conn.send(session.hs.whole_answer + b"\r\n")
        session.conn.send(session.hs.whole_answer + b"\r\n")
        return SENT
    waits(w, w.mailer(xcrypt=[xcrypt.CHACHA], answers={"XCRYPT": answer}))


def test_fields_repeated(w):
    mailer = w.mailer()
    server = w.daemon(backend=mailer)
    for number in (1, 2, 3, 4):
        client = w.session(server)
        words = client.start().split(b" ")
        reply = client.command(b" ".join(words[:number + 1] + words[number:]))
        assert reply.code in (500, 501), (number, reply)
        client.message(b"x\r\n.\r\n")
        client.quit()
    for number in range(2, 8):
        def answer(session, line):
            words = session.hs.whole_answer.split(b" ")
            return b" ".join(words[:number + 1] + words[number:])
        calls_again(w, w.mailer(xcrypt=[xcrypt.CHACHA], answers={"XCRYPT": answer}))


def test_any_keep_that_is_one(w):
    for keep in (0, 1, 7200, 86400):
        mailer = w.mailer(xcrypt=[xcrypt.AES], keep=keep)
        result = w.send(mailer, ["bob@b.example"], settings={"policy": "must"})
        assert result.status == 0 and mailer.messages[0].encrypted == xcrypt.AES, (keep, result)
        mailer.close()


def test_what_the_server_answers(w):
    """Checks the form of the server's answers, and that no value occurs twice."""
    server = w.daemon({"key-lifetime": "2h"}, backend=w.mailer())
    seen, shorts = [], set()
    for suite in BOTH * 2:
        client = w.session(server, suite)
        words = client.hs.answer_line.split(b" ")
        assert len(words) == 7 and [len(x) for x in words[2:6]] == [64, 64, 64, 1452], words
        assert all(x == x.lower() for x in words[2:5]) and 0 < client.hs.keep <= 7200 + 600, words
        seen += words[2:4] + words[5:6] + [client.kept.id, client.kept.r, client.hs.keys.key_ab]
        shorts.add(words[4])
        client.command("NOOP")      # until then the server stores nothing
        again = w.session(server)
        again.xcrypt(suite, kept=client.kept)
        words = again.hs.answer_line.split(b" ")
        assert len(words) == 5 and words[4] == b"=", words
        seen += words[2:4] + [again.hs.keys.key_ab]
        client.quit()
        again.quit()
    assert len(seen) == len(set(seen)) and len(shorts) == 1, "twice"


def test_what_blackpony_says(w):
    """The same for the client's choices; each is one line, and one is enough."""
    mailer = w.mailer(xcrypt=list(BOTH))
    for _ in range(4):
        assert w.send(mailer, ["bob@b.example"]).status == 0
    assert w.send(mailer, ["bob@b.example"], settings={"cache": "off"}).status == 0
    choices = [c.split(b" ") for s in mailer.finished() for c in s.clear if c.startswith(b"XCRYPT")]
    assert len(choices) == 5 and [len(c) for c in choices] == [5] * 5
    assert [c[4].startswith(b"=") for c in choices] == [False, True, True, True, False], choices
    assert all(len(c[2]) == len(c[3]) == 64 for c in choices)
    assert [len(c[4]) for c in choices] == [1580, 33, 33, 33, 1580]
    for number in (2, 3):
        assert len({c[number] for c in choices}) == 5, "twice"
    assert choices[0][4] != choices[4][4]
