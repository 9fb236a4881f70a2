# Claim: both roles refuse degenerate, wrongly sized and own keys (statements 17 and 18)
from kit import mlkem, xcrypt
from kit.mailer import FakeMailer

P = xcrypt.P
BAD_10 = [n.to_bytes(96, "big") for n in (0, 1, P - 1, P, P + 1, 2**768 - 1)]


def test_old_keys_at_the_server(w):
    mailer = w.mailer()
    server = w.daemon({"suites": xcrypt.ARSYFOR}, backend=mailer)
    for key in BAD_10:
        client = w.session(server)
        reply = client.ask(xcrypt.ARSYFOR, public=key)
        assert reply.text.startswith(b"454 4.7.0 XCRYPT FAIL"), reply
        client.message(b"x\r\n.\r\n")
        client.quit()
    for key in (b"", b"\2", bytes(94) + b"\2", bytes(96) + b"\2", b"\2" * 200):
        client = w.session(server)
        reply = client.ask(xcrypt.ARSYFOR, public=key)
        assert reply.text.startswith(b"501 5.5.4 XCRYPT FAIL"), reply
        client.message(b"x\r\n.\r\n")
        client.quit()
    for key in (2, 3, P - 2):
        client = w.session(server)
        assert client.ask(xcrypt.ARSYFOR, public=key.to_bytes(96, "big")).code == 250
        client.close()
    assert len(mailer.messages) == len(BAD_10) + 5


def test_low_order_points_at_the_server(w):
    mailer = w.mailer()
    server = w.daemon(backend=mailer)
    points = xcrypt.LOW_ORDER + [p[:31] + bytes((p[31] | 128,)) for p in xcrypt.LOW_ORDER]
    for key in points:
        client = w.session(server)
        reply = client.ask(public=key)
        assert reply.text.startswith(b"454 4.7.0 XCRYPT FAIL"), (key.hex(), reply)
        client.message(b"x\r\n.\r\n")
        client.quit()
    assert len(mailer.messages) == len(points)


def test_encapsulation_keys_at_the_server(w):
    """FIPS 203 section 7.2: a coefficient out of range is refused at every position."""
    mailer = w.mailer()
    server = w.daemon(backend=mailer)
    good, _ = mlkem.keygen()
    bad = []
    for at in (0, 1, 255, 256, 511, 767):
        for value in (3329, 4095):
            number = int.from_bytes(good[:1152], "little")
            number += value - (number >> 12 * at & 4095) << 12 * at
            bad.append(number.to_bytes(1152, "little") + good[1152:])
    for ek in bad + [b"\xff" * 1184]:
        client = w.session(server)
        reply = client.ask(ek=ek)
        assert reply.text.startswith(b"454 4.7.0 XCRYPT FAIL"), reply
        client.message(b"x\r\n.\r\n")
        client.quit()
    assert len(mailer.messages) == len(bad) + 1
    for ek in (bytes(1184), bytes(1152) + good[1152:]):     # valid; weak for its owner only
        client = w.session(server)
        assert client.ask(ek=ek).code == 250
        client.close()


def test_low_order_points_beside_an_id(w):
    mailer = w.mailer()
    server = w.daemon(backend=mailer)
    first = w.session(server, xcrypt.CHACHA)
    first.quit()
    kept = first.kept
    for key in xcrypt.LOW_ORDER:
        client = w.session(server)
        reply = client.ask(public=key, kept=kept)
        assert reply.text.startswith(b"454 4.7.0 XCRYPT FAIL"), (key.hex(), reply)
        client.message(b"x\r\n.\r\n")
        client.quit()
    client = w.session(server)
    client.xcrypt(kept=kept)
    assert client.hs.met, "it has forgotten what was said by anybody"
    client.quit()


def refuses(w, suite, answer, policy="may"):
    """blackpony sends XCRYPT FAIL and may go on in the clear; in 2.0 it closes and calls again."""
    mailer = w.keep(FakeMailer(xcrypt=[suite], answers={"XCRYPT": answer}))
    result = w.send(mailer, ["bob@b.example"], settings={"suites": suite, "policy": policy})
    session, newest = mailer.session(), xcrypt.generation(suite) == "2.0"
    assert (b"XCRYPT FAIL" in session.commands) != newest, session.commands
    assert not [c for c in session.commands if c.startswith(b"XCRYPT OK")]
    if policy == "may":
        assert result.status == 0, result
        assert [m.encrypted for m in mailer.messages] == [None] and len(mailer.sessions) == 1 + newest
    else:
        assert result.status == 75 and not mailer.messages, result


def hexed(key, nonce):
    return b"250 XCRYPT " + key.hex().encode() + b" " + nonce.hex().encode()


def test_old_keys_at_the_client(w):
    for key in BAD_10:
        refuses(w, xcrypt.ARSYFOR, hexed(key, bytes(10)))
    refuses(w, xcrypt.ARSYFOR, hexed(BAD_10[0], bytes(10)), "must")


def test_low_order_points_at_the_client(w):
    """A low-order point is refused as Eb and as Sb; a short answer has only Eb."""
    for key in xcrypt.LOW_ORDER + [p[:31] + bytes((p[31] | 128,)) for p in xcrypt.LOW_ORDER]:
        for field in ("public", "short"):
            refuses(w, xcrypt.CHACHA, lambda s, line: s.hs.answer(**{field: key}))
    for field in ("public", "short"):
        refuses(w, xcrypt.CHACHA, lambda s, line: s.hs.answer(**{field: xcrypt.LOW_ORDER[0]}), "must")
    mailer = w.mailer(xcrypt=[xcrypt.CHACHA])
    assert w.send(mailer, ["bob@b.example"]).status == 0
    mailer.script.answers["XCRYPT"] = lambda s, line: s.hs.answer(public=xcrypt.LOW_ORDER[0])
    assert w.send(mailer, ["bob@b.example"], settings={"policy": "must"}).status == 75
    assert w.send(mailer, ["bob@b.example"]).status == 0
    assert [m.encrypted for m in mailer.messages] == [xcrypt.CHACHA, None]


def test_own_key_and_nonce_sent_back(w):
    def mirror(session, line):
        if session.hs.generation == "2.0":
            return session.hs.answer(public=session.hs.peer, nonce=xcrypt.Text(line.split(b" ")[3]))
        return b"250 XCRYPT " + line.split(b" ", 2)[2]
    for suite in (xcrypt.CHACHA, xcrypt.AES, xcrypt.ARSYFOR):
        refuses(w, suite, mirror)
        refuses(w, suite, mirror, "must")


def test_own_key_sent_back_with_another_nonce(w):
    for suite in (xcrypt.CHACHA, xcrypt.AES):
        refuses(w, suite, lambda s, line: s.hs.answer(public=s.hs.peer))


def test_a_call_handed_back(w):
    """A host that calls itself: in 2.0 the client refuses its own two-hour key as Sb."""
    mailer = w.mailer()
    server = w.daemon(backend=mailer)
    w.session(server, xcrypt.CHACHA).quit()     # makes the key pair
    result = w.send(server, ["bob@b.example"], settings={"cache": w.cache, "policy": "must"})
    assert result.status == 75 and not mailer.messages, result
    result = w.send(server, ["bob@b.example"], settings={"cache": w.cache})
    assert result.status == 0 and result.entries[-1]["crypt"] == "none", result
    # in 1.0 both programs share one pair
    server = w.daemon({"suites": xcrypt.ARSYFOR}, backend=mailer)
    result = w.send(server, ["bob@b.example"], settings={"cache": w.cache, "suites": xcrypt.ARSYFOR})
    assert result.status == 0 and result.entries[-1]["crypt"] == xcrypt.ARSYFOR, result
