# Claim: every historic suite works in both programs and both roles, with `must` and without a cache; a sealed half that cannot be opened is a FAIL
import base64
import os

from kit import text, xcrypt
from kit.mailer import FakeMailer
from kit.run import DAEMON, Skip


def built_in(w, suite):
    """mbedTLS 3 has no Blowfish."""
    if suite.encode() not in w.run([DAEMON, "-V"]).out:
        raise Skip("%s is not built in" % suite)


def keys_on(tap):
    """The public keys on the wire: (client's, server's)."""
    lines = [line for line in bytes(tap.seen()).split(b"\r\n") if b"XCRYPT " in line]
    choice = [line for line in lines if line.startswith(b"XCRYPT ") and line.count(b" ") == 3]
    answer = [line for line in lines if line.startswith(b"250 XCRYPT ") and line.count(b" ") == 3]
    return choice[0].split(b" ")[2], answer[0].split(b" ")[2]


def test_both_programs(w):
    """Under `must` as well, as no newer version is named."""
    for suite in w.historic():
        for policy in ("may", "must"):
            settings = {"suites": suite, "policy": policy}
            mailer = w.mailer()
            server = w.daemon(settings, backend=mailer)
            tap = w.wiretap(server.port)
            for message in text.sequences() + [text.HARD["every octet"]]:
                result = w.send(tap, ["bob@b.example"], message, settings=settings)
                assert result.status == 0, result
                assert result.entries[0]["crypt"] == suite, result
                assert mailer.messages[-1].body() == text.with_dots(message)
            assert b"(XCRYPT %s)" % suite.encode() in mailer.messages[0].data
            assert server.finish().entries[0]["crypt"] == suite
            assert b"bob@b.example" not in bytes(tap.seen())


def test_foreign_client(w):
    """An independent implementation against blackponyd."""
    octets = os.urandom(20000).replace(b"\r", b"").replace(b"\n", b"")
    for suite in w.historic():
        mailer = w.mailer()
        server = w.daemon({"suites": suite}, backend=mailer)
        client = w.session(server, suite)
        client.message(octets + b"\r\n.\r\n")
        client.message(b"two\r\n.\r\n")
        client.quit()
        assert [m.body() for m in mailer.messages] == [octets + b"\r\n", b"two\r\n"]
        assert server.finish().entries[0]["crypt"] == suite


def test_foreign_server(w):
    """An independent implementation against blackpony."""
    for suite in w.historic():
        mailer = w.mailer(xcrypt=[suite])
        result = w.send(mailer, ["bob@b.example"], b"x" * 900 + b"\n" + b"words\n" * 2000,
                        settings={"suites": suite, "policy": "must"})
        assert result.status == 0 and result.entries[0]["crypt"] == suite, result
        message = mailer.messages[0]
        assert message.encrypted == suite
        assert message.data == b"x" * 900 + b"\r\n" + b"words\r\n" * 2000


def test_highest_generation(w):
    """The highest version that both have is used."""
    old = w.historic()
    everything = " ".join([xcrypt.ROTN] + old[::-1] + [xcrypt.CHACHA])
    mailer = w.mailer()
    server = w.daemon({"suites": everything}, backend=mailer)
    for suites, chosen in ((everything, xcrypt.CHACHA),
                           (" ".join(old), xcrypt.T32),    # in the server's order
                           (xcrypt.ROTN + " " + old[-1], old[-1])):
        result = w.send(server, ["bob@b.example"], settings={"suites": suites})
        assert result.status == 0 and result.entries[0]["crypt"] == chosen, result


def test_must_and_something_newer(w):
    """If a newer version is named, an older one does not satisfy `must`."""
    for suite in w.historic():
        settings = {"suites": "%s %s" % (suite, xcrypt.CHACHA), "policy": "must"}
        result = w.send(w.mailer(xcrypt=[suite]), ["bob@b.example"], settings=settings)
        assert result.status == 75, result
        client = w.session(w.daemon(settings, backend=w.mailer()))
        assert client.offered() == [xcrypt.CHACHA]
        client.quit()


def test_rsa_key_is_kept(w):
    """Both programs and all connections use one; with the cache off, each connection makes its own."""
    built_in(w, xcrypt.BLOWFISH)
    settings = {"suites": xcrypt.BLOWFISH}
    for cache in (w.cache, "off"):
        settings["cache"] = cache
        server = w.daemon(settings, backend=w.mailer())
        seen = []
        for _ in range(3):
            tap = w.wiretap(server.port)
            assert w.send(tap, ["bob@b.example"], settings=settings).status == 0
            seen += keys_on(tap)
        assert len(set(seen)) == (6 if cache == "off" else 1), seen
        assert all(len(key) == 344 for key in seen)


def test_rsa_key_is_made_on_demand(w):
    """A host that does not use it never makes one, and the cache does not grow."""
    built_in(w, xcrypt.BLOWFISH)

    def octets():
        return sum(os.path.getsize(os.path.join(w.cache, name)) for name in os.listdir(w.cache))
    settings = {"suites": "%s %s" % (xcrypt.CHACHA, xcrypt.BLOWFISH)}
    server = w.daemon(settings, backend=w.mailer())
    client = w.session(server)
    client.quit()
    server.finish()
    before = octets()
    for suite, grows in ((xcrypt.CHACHA, False), (xcrypt.BLOWFISH, True), (xcrypt.BLOWFISH, False)):
        client = w.session(server, suite)
        client.quit()
        server.finish(len(server.started) - 1)
        assert (octets() - before > 500) == grows, (suite, before, octets())
        before = octets()


def test_two_servers_make_a_key_at_once(w):
    """Both answer with the same key."""
    built_in(w, xcrypt.BLOWFISH)
    server = w.daemon({"suites": xcrypt.BLOWFISH}, backend=w.mailer())
    clients = [w.session(server) for _ in range(6)]
    for client in clients:
        client.send(client.start(xcrypt.BLOWFISH) + b"\r\n")
    for client in clients:
        client.take_answer(client.reply())
    for client in clients:
        client.confirm()
        client.ehlo()
        client.quit()
    assert len({client.hs.peer for client in clients}) == 1


def test_moduli_at_the_server(w):
    built_in(w, xcrypt.BLOWFISH)
    mailer = w.mailer()
    server = w.daemon({"suites": xcrypt.BLOWFISH}, backend=mailer)
    good = xcrypt.Pair02().public
    for key in (good[:-1] + bytes((good[-1] & 0xfe,)), bytes((good[0] & 0x7f,)) + good[1:],
                bytes(256)):
        client = w.session(server)
        reply = client.ask(xcrypt.BLOWFISH, public=key)
        assert reply.text.startswith(b"454 4.7.0 XCRYPT FAIL"), reply
        client.message(b"x\r\n.\r\n")
        client.quit()
    nonce = b" " + b"0" * 20
    whole = base64.b64encode(good)
    for field in (whole[:-4], whole + b"AAAA", whole[:-2], whole[:-1], whole[:-3] + b"===",
                  whole[:100] + b"*" + whole[101:], good.hex().encode()[:340], b"0"):
        client = w.session(server)
        reply = client.command(b"XCRYPT blowfish_0.2 " + field + nonce)
        assert reply.text.startswith(b"501 5.5.4 XCRYPT FAIL"), (field, reply)
        client.quit()
    assert len(mailer.messages) == 3


def test_moduli_at_the_client(w):
    built_in(w, xcrypt.BLOWFISH)
    good = xcrypt.Pair02().public
    for key in (good[:-1] + bytes((good[-1] & 0xfe,)), bytes((good[0] & 0x7f,)) + good[1:]):
        answer = b"250 XCRYPT " + base64.b64encode(key) + b" " + b"0" * 20
        mailer = w.keep(FakeMailer(xcrypt=[xcrypt.BLOWFISH], answers={"XCRYPT": answer}))
        result = w.send(mailer, ["bob@b.example"], settings={"suites": xcrypt.BLOWFISH})
        assert result.status == 0 and len(mailer.messages) == 1, result
        assert b"XCRYPT FAIL" in mailer.session().commands


def spoilt_halves(public):
    """Halves that cannot be opened: sealed to another key, changed, of another length, or missing."""
    sealed = xcrypt.Pair02.seal(bytes(20), public)
    return {
        "another key's": xcrypt.Pair02.seal(bytes(20), xcrypt.Pair02().public),
        "changed": sealed[:100] + bytes((sealed[100] ^ 1,)) + sealed[101:],
        "too short": xcrypt.Pair02.seal(bytes(19), public),
        "too long": xcrypt.Pair02.seal(bytes(21), public),
        "zeros": bytes(256),
        "above the modulus": b"\xff" * 256,
        "cut": sealed[:255],
    }


def test_halves_that_the_server_cannot_open(w):
    """Whatever is wrong with one, the client gets 454 and the end."""
    built_in(w, xcrypt.BLOWFISH)
    server = w.daemon({"suites": xcrypt.BLOWFISH}, backend=w.mailer())
    client = w.session(server)
    client.ask(xcrypt.BLOWFISH)
    said = set()
    for name, half in spoilt_halves(client.hs.peer).items():
        client = w.session(server)
        assert client.ask(xcrypt.BLOWFISH).code == 250
        client.send(client.hs.ok(False, half) + b"\r\n")
        reply = client.reply()
        assert reply.code == 454, (name, reply)
        assert client.rest() == b"", name
        said.add(reply.text)
    assert len(said) == 1, said


def test_halves_that_the_client_cannot_open(w):
    """The client calls again without XCRYPT; under `must` it does not, and the message waits."""
    built_in(w, xcrypt.BLOWFISH)
    pair = xcrypt.Pair02()
    for name in spoilt_halves(pair.public):
        def answer(session, _, name=name):
            half = spoilt_halves(session.hs.peer)[name]
            return b"250 XCRYPT OK " + base64.b64encode(half)
        for policy in ("may", "must") if name == "changed" else ("may",):
            mailer = w.keep(FakeMailer(xcrypt=[xcrypt.BLOWFISH], pair=pair,
                                       answers={"XCRYPT OK": answer}))
            result = w.send(mailer, ["bob@b.example"],
                            settings={"suites": xcrypt.BLOWFISH, "policy": policy})
            if policy == "may":
                assert result.status == 0 and len(mailer.messages) == 1, (name, result)
                assert len(mailer.sessions) == 2 and not mailer.messages[0].encrypted
            else:
                assert result.status == 75 and not mailer.messages, (name, result)


def test_own_key_and_nonce_sent_back(w):
    for suite in w.historic()[1:]:
        def mirror(session, line):
            return b"250 XCRYPT " + line.split(b" ", 2)[2]
        mailer = w.keep(FakeMailer(xcrypt=[suite], answers={"XCRYPT": mirror}))
        result = w.send(mailer, ["bob@b.example"], settings={"suites": suite})
        assert result.status == 0 and b"XCRYPT FAIL" in mailer.session().commands, result


def test_reserved_names(w):
    """An error explains why there are no suites of these names."""
    for suite in ("t16_1.0", "sober_1.0"):
        result = w.run([DAEMON, "-o", "suites=" + suite, "-t", "/bin/true"])
        assert result.status == 1 and suite in result.log and "reserved" in result.log, result


def test_what_is_built_in(w):
    """One line for each: version, key exchange, cipher, key size and standing."""
    lines = w.run([DAEMON, "-V"]).out.decode().splitlines()
    rows = dict(line.split(": ", 1) for line in lines[1:])
    for suite, words in ((xcrypt.CHACHA, ("2.0", "X25519", "ChaCha20", "256-bit", "default")),
                         (xcrypt.AES, ("2.0", "X25519", "AES", "256-bit", "default")),
                         (xcrypt.ARSYFOR, ("1.0", "Diffie", "arsyfor", "80-bit", "historic")),
                         (xcrypt.T32, ("1.0", "Diffie", "t32", "80-bit", "historic")),
                         (xcrypt.ROTN, ("0.1", "none", "rotation", "26 keys", "by hand"))):
        assert all(word in rows[suite] for word in words), rows[suite]
    if xcrypt.BLOWFISH in rows:
        for word in ("0.2", "RSA", "Blowfish", "80-bit", "historic"):
            assert word in rows[xcrypt.BLOWFISH], rows
