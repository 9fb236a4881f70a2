# Claim: keys that no honest host has are refused in both roles: degenerate ones, those of a wrong length, and our own (statements 17 and 18)
from kit import xcrypt
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


def refuses(w, suite, answer, policy="may"):
    """blackpony answers with XCRYPT FAIL, and continues in the clear if it may."""
    mailer = w.keep(FakeMailer(xcrypt=[suite], answers={"XCRYPT": answer}))
    result = w.send(mailer, ["bob@b.example"], settings={"suites": suite, "policy": policy})
    session = mailer.session()
    assert b"XCRYPT FAIL" in session.commands, session.commands
    assert not [c for c in session.commands if c.startswith(b"XCRYPT OK")]
    if policy == "may":
        assert result.status == 0, result
        assert len(mailer.messages) == 1 and len(mailer.sessions) == 1
    else:
        assert result.status == 75 and not mailer.messages, result


def hexed(key, nonce):
    return b"250 XCRYPT " + key.hex().encode() + b" " + nonce.hex().encode()


def test_old_keys_at_the_client(w):
    for key in BAD_10:
        refuses(w, xcrypt.ARSYFOR, hexed(key, bytes(10)))
    refuses(w, xcrypt.ARSYFOR, hexed(BAD_10[0], bytes(10)), "must")


def test_low_order_points_at_the_client(w):
    for key in xcrypt.LOW_ORDER:
        refuses(w, xcrypt.CHACHA, hexed(key, bytes(32)))
    refuses(w, xcrypt.CHACHA, hexed(xcrypt.LOW_ORDER[0], bytes(32)), "must")


def test_own_key_and_nonce_sent_back(w):
    def mirror(session, line):
        return b"250 XCRYPT " + line.split(b" ", 2)[2]
    for suite in (xcrypt.CHACHA, xcrypt.AES, xcrypt.ARSYFOR):
        refuses(w, suite, mirror)
        refuses(w, suite, mirror, "must")


def test_own_key_with_another_nonce_is_good(w):
    """A host that calls itself: both programs use the same key pair."""
    mailer = w.mailer()
    server = w.daemon(backend=mailer)
    tap = w.wiretap(server.port)
    result = w.send(tap, ["bob@b.example"])
    assert result.status == 0, result
    lines = tap.seen().split(b"\r\n")
    keys = [line.split(b" ")[2] for line in lines if len(line) > 100 and
            line.startswith((b"XCRYPT c", b"250 XCRYPT "))]
    assert len(keys) == 2 and keys[0] == keys[1], keys
    assert result.entries[0]["crypt"] == xcrypt.CHACHA
