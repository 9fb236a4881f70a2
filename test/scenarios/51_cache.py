# Claim: the cache saves public-key operations, and its faults lose no mail (statements 19 and 28)
import os
import stat
import time

from kit import xcrypt


def exchange(w, server, settings, suite=None):
    """Sends a message; returns both programs' log entries, and the keys and nonces on the wire."""
    if not hasattr(server, "tap"):      # one port, because secrets are stored by port
        server.tap = w.wiretap(server.port)
    before = len(server.tap.octets["up"]), len(server.tap.octets["down"])
    result = w.send(server.tap, ["bob@b.example"], settings=settings)
    assert result.status == 0, result
    behind = server.finish(len(server.started) - 1)
    seen = server.tap.octets["up"][before[0]:] + server.tap.octets["down"][before[1]:]
    lines = [line for line in bytes(seen).split(b"\r\n") if line.startswith((b"XCRYPT ", b"250 XCRYPT ")) and len(line) > 100]
    fields = [field for line in lines for field in line.split(b" ")[2:4]]
    return result.entries[0], behind.entries[0], fields


def two_hosts(w, **settings):
    """Both have a cache of their own."""
    other = w.path("other-cache")
    if not os.path.exists(other):
        os.mkdir(other, 0o700)
    mailer = w.mailer()
    return mailer, w.daemon(settings, backend=mailer), dict(settings, cache=other)


def test_miss_then_hit(w):
    for suite in (xcrypt.CHACHA, xcrypt.AES, xcrypt.ARSYFOR):
        mailer, server, settings = two_hosts(w, suites=suite)
        first = exchange(w, server, settings)
        rest = [exchange(w, server, settings) for _ in range(3)]
        assert (first[0]["cache"], first[1]["cache"]) == ("miss", "miss"), first
        for ours, theirs, _ in rest:
            assert (ours["cache"], theirs["cache"]) == ("hit", "hit"), (ours, theirs)
            assert ours["crypt"] == theirs["crypt"] == suite
        assert len(mailer.messages) == 4
        ka, na, kb, nb = zip(first[2], *[r[2] for r in rest])
        # 1.0 keeps its keys; 2.0 sends keys of this connection only
        assert len(set(ka)) == len(set(kb)) == (1 if suite == xcrypt.ARSYFOR else 4), (ka, kb)
        assert len(set(na + nb)) == 8, "a nonce twice"


def test_off(w):
    mailer, server, settings = two_hosts(w)
    server = w.daemon({"cache": "off"}, backend=mailer)
    settings = {"cache": "off"}
    seen = [exchange(w, server, settings) for _ in range(3)]
    for ours, theirs, _ in seen:
        assert (ours["cache"], theirs["cache"]) == ("off", "off"), (ours, theirs)
    assert len({fields[i] for _, _, fields in seen for i in (0, 2)}) == 6, "a key twice"


def test_keys_are_replaced(w):
    _, server, settings = two_hosts(w, **{"key-lifetime": "1s"})
    first = exchange(w, server, settings)
    time.sleep(2.1)     # file times have a resolution of seconds
    second = exchange(w, server, settings)
    assert (second[0]["cache"], second[1]["cache"]) == ("miss", "miss"), second
    assert not set(first[2]) & set(second[2])


def test_one_side_forgets(w):
    """Whichever side forgets: the handshake works, and afterwards both have the secret again."""
    for forget in (0, 1):
        _, server, settings = two_hosts(w)
        exchange(w, server, settings)
        folder = (w.cache, settings["cache"])[forget]
        for name in os.listdir(folder):
            os.unlink(os.path.join(folder, name))
        exchange(w, server, settings)
        ours, theirs, _ = exchange(w, server, settings)
        assert (ours["cache"], theirs["cache"]) == ("hit", "hit")


def test_shared_by_both_programs(w):
    """In 1.0 the sender uses secrets that the server stored."""
    settings = {"suites": xcrypt.ARSYFOR}
    server = w.daemon(settings, backend=w.mailer())
    pair = xcrypt.Pair10()
    client = w.session(server)
    client.xcrypt(xcrypt.ARSYFOR, pair=pair)
    client.ehlo()
    client.quit()
    assert server.finish().entries[0]["cache"] == "miss"
    far = w.mailer(xcrypt=[xcrypt.ARSYFOR], pair=pair)
    result = w.send(far, ["bob@b.example"], settings=dict(settings, cache=w.cache))
    assert result.status == 0 and result.entries[0]["cache"] == "hit", result


def test_no_secret_before_the_end(w):
    """A handshake that does not finish leaves no secret."""
    server = w.daemon({"suites": xcrypt.ARSYFOR}, backend=w.mailer())
    pair = xcrypt.Pair10()
    client = w.session(server)
    client.ask(xcrypt.ARSYFOR, pair=pair)
    assert client.command(b"XCRYPT OK x").code == 454
    client.close()
    client = w.session(server)
    client.xcrypt(xcrypt.ARSYFOR, pair=pair)
    client.ehlo()
    client.quit()
    assert server.finish(1).entries[0]["cache"] == "miss"


FAULTS = {
    "too open": lambda folder: os.chmod(folder, 0o755),
    "not there": os.rmdir,
    "a file": lambda folder: (os.rmdir(folder), open(folder, "w").close()),
    "somebody else's": lambda folder: os.chown(folder, 65534, 65534),
}


def test_folders_that_are_not_used(w):
    for name, spoil in FAULTS.items():
        if name == "somebody else's" and os.getuid() != 0:
            continue
        folder = w.path("spoilt " + name.replace(" ", "-").replace("'", "")).replace(" ", "-")
        os.mkdir(folder, 0o700)
        spoil(folder)
        mailer = w.mailer()
        result = w.send(w.daemon({"cache": folder}, backend=mailer), ["bob@b.example"],
                        settings={"cache": "off"})
        assert result.status == 0 and result.entries[0]["crypt"] == xcrypt.CHACHA, (name, result)
        mailer = w.mailer(xcrypt=[xcrypt.CHACHA])
        result = w.send(mailer, ["bob@b.example"], settings={"cache": folder})
        assert result.status == 0, (name, result)
        if name != "not there":     # whether it was created depends on whether its parent directory permits that
            assert result.entries[0]["cache"] == "off", (name, result)
            assert folder in result.log, "nothing in the log about it"


def test_made_where_there_is_none(w):
    folder = w.path("fresh")
    assert w.send(w.mailer(xcrypt=[xcrypt.CHACHA]), ["bob@b.example"],
                  settings={"cache": folder}).status == 0
    assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
    for name in os.listdir(folder):
        assert stat.S_IMODE(os.stat(os.path.join(folder, name)).st_mode) & 0o077 == 0, name


def test_spoilt_files(w):
    """With garbage, half a file or an empty one, the worst is another key exchange."""
    def rubbish(path):
        with open(path, "r+b") as f:
            f.write(os.urandom(4096))

    def half(path):
        os.truncate(path, os.path.getsize(path) // 2)

    def empty(path):
        os.truncate(path, 0)

    def tail(path):
        with open(path, "ab") as f:
            f.write(b"\xff" * 1000)
    for spoil in (rubbish, half, empty, tail):
        mailer, server, settings = two_hosts(w)
        exchange(w, server, settings)
        for folder in (w.cache, settings["cache"]):
            for name in os.listdir(folder):
                spoil(os.path.join(folder, name))
        for _ in range(2):
            ours, theirs, _ = exchange(w, server, settings)
            assert ours["crypt"] == theirs["crypt"] == xcrypt.CHACHA
        assert len(mailer.messages) == 3
