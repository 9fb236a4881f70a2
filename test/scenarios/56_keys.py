# Claim: -k manages this host's key and the known hosts, as the manuals say (blackpony(8), blackponyd(8))
import base64
import hashlib
import os
import stat

from kit.run import DAEMON, SENDER, need_root


def own(w, *words, conf=None, **settings):
    return w.run([DAEMON, "-C", conf or w.path("empty.conf")] + w.options(settings)[3:]
                 + ["-k"] + list(words))


def known(w, *words, **settings):
    return w.run([SENDER] + w.options(settings) + ["-k"] + list(words))


def lines(result):
    assert result.status == 0, result
    return result.out.decode().splitlines()


def shown(result):
    """The keys that -k show prints, and the data of the TLSA records."""
    said = lines(result)
    return [x for x in said if " TLSA " not in x], [x.split()[-1] for x in said if " TLSA " in x]


def record(key):
    """The data of 3 1 1 (RFC 6698) for a key in base64, computed anew."""
    head = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")
    return hashlib.sha256(head + base64.b64decode(key)).hexdigest()


def is_key(text):
    point = base64.b64decode(text, validate=True)
    return len(text) == 88 and len(point) == 65 and point[0] == 4


def test_a_host_key_through_its_life(w):
    assert own(w, "show").status == 1
    for early in ("next", "change"):
        assert own(w, early).status == 1
    assert sorted(f for f in os.listdir(w.folder) if f.startswith("host.")) == []
    first, = lines(own(w, "new"))
    assert is_key(first)
    assert shown(own(w, "show")) == ([first], [record(first)])
    result = own(w, "new")
    assert result.status == 1 and "host.key" in result.log, result
    following, = lines(own(w, "next"))
    assert is_key(following) and following != first
    assert own(w, "next").status == 1
    assert shown(own(w, "show")) == ([first, "next " + following], [record(first), record(following)])
    assert lines(own(w, "change")) == [following]
    assert shown(own(w, "show")) == ([following], [record(following)])
    assert own(w, "change").status == 1
    assert shown(own(w, "show")) == ([following], [record(following)])


def test_host_key_files_are_secret(w):
    own(w, "new")
    path = w.path("host.key")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    for mode in (0o640, 0o604, 0o660):
        os.chmod(path, mode)
        result = own(w, "show")
        assert result.status == 1 and "0600" in result.log and not result.out, result
    os.chmod(path, 0o600)
    assert own(w, "show").status == 0
    with open(path, "w") as spoilt:
        spoilt.write("not a key\n")
    assert own(w, "show").status == 1


def test_host_key_belongs_to_user(w):
    need_root()
    assert own(w, "new", user="nobody").status == 0
    assert os.stat(w.path("host.key")).st_uid == 65534
    assert own(w, "show", user="nobody").status == 0
    result = own(w, "show", user="")
    assert result.status == 1 and "another user" in result.log, result
    assert own(w, "next", user="no-such-user").status == 1


def test_no_more_words_than_there_are(w):
    for words in (["show", "host.key"], ["new", "."], ["change", "now"]):
        result = own(w, *words)
        assert result.status == 1 and "usage" in result.log and not result.out, (words, result)
    result = w.run([DAEMON] + w.options({}) + ["-x", "now"])
    assert result.status == 1 and "usage" in result.log, result
    assert not os.path.exists(w.path("host.key")), "made for nothing"


def test_words_that_are_none(w):
    for words in (["newer"], [""], ["list"], ["NEW"]):
        assert own(w, *words).status == 1
    for words in (["lists"], ["list", "mx.b.example"], ["show"], ["pin", "mx.b.example"], ["forget"],
                  ["pin", "mx.b.example", "key", "more"], ["new"]):
        result = known(w, *words)
        assert result.status == 1 and "usage" in result.log, (words, result)
    assert not os.path.exists(w.path("known")), "made for nothing"


def test_nothing_printed_to_a_client(w):
    """-k under a super-server is a mistake, and a client must not see its output."""
    server = w.daemon(backend=w.mailer())
    server.argv += ["-k", "show"]
    client = w.call(server)
    assert client.rest() == b""
    assert server.finish().status == 1


def test_pins(w):
    key, = lines(own(w, "new"))
    other, = lines(own(w, "next"))
    assert lines(known(w, "list")) == []
    for name in ("mx.b.example", "MX2.b.example.", "[mx3.b.example]", "[192.0.2.5]"):
        assert lines(known(w, "pin", name, key)) == []
    listed = [line.split()[0] for line in lines(known(w, "list"))]
    assert sorted(listed) == ["192.0.2.5", "mx.b.example", "mx2.b.example", "mx3.b.example"]
    assert lines(known(w, "show", "Mx2.B.example")) == ["mx2.b.example pinned=" + key]
    lines(known(w, "pin", "mx2.b.example", other))
    assert lines(known(w, "show", "mx2.b.example")) == ["mx2.b.example pinned=" + other]
    assert stat.S_IMODE(os.stat(w.path("known")).st_mode) == 0o700
    assert lines(known(w, "forget", "mx2.b.example")) == []
    assert known(w, "show", "mx2.b.example").status == 1
    assert known(w, "forget", "mx2.b.example").status == 1
    assert len(lines(known(w, "list"))) == 3


def test_bad_pins(w):
    key, = lines(own(w, "new"))
    point = bytearray(base64.b64decode(key))
    point[-1] ^= 1
    for bad in ("", "x", key[:-1], key + "=", key.lower(), key.replace("=", " "),
                base64.b64encode(point).decode()):
        result = known(w, "pin", "mx.b.example", bad)
        assert result.status == 1 and "host key" in result.log, (bad, result)
    for name in ("", "mx b", "mx.b.example:25", "a:b", "mx..b", "[mx", "x" * 300, "a\nb"):
        result = known(w, "pin", name, key)
        assert result.status == 1, (name, result)
    assert not os.path.exists(w.path("known")) or lines(known(w, "list")) == []


def test_memory_that_cannot_be_used(w):
    for setting in ("off", w.path("empty.conf"), "/proc/nowhere"):
        result = known(w, "list", known=setting)
        assert result.status == 1 and setting in result.log, result
    os.mkdir(w.path("open"), 0o755)
    assert known(w, "list", known=w.path("open")).status == 1


def test_memory_belongs_to_user(w):
    need_root()
    os.chmod(w.folder, 0o755)
    folder = w.path("theirs")
    os.mkdir(folder, 0o700)
    os.chown(folder, 65534, 65534)
    key, = lines(own(w, "new"))
    assert known(w, "pin", "mx.b.example", key, known=folder, user="nobody").status == 0
    assert known(w, "list", known=folder, user="").status == 1
    for name in os.listdir(folder):
        assert os.stat(os.path.join(folder, name)).st_uid == 65534


RUBBISH = (b"", b"\0" * 3000, os.urandom(5000))


def spoil(w, name, octets):
    with open(w.path("known/" + name), "wb") as out:
        out.write(octets)


def test_a_spoilt_journal(w):
    """It may have been torn by a crash: the keys pinned after that are known."""
    key, = lines(own(w, "new"))
    for rubbish in RUBBISH:
        known(w, "pin", "mx.b.example", key)
        spoil(w, "known.journal", rubbish)
        assert known(w, "list").status == 0
        assert lines(known(w, "pin", "mx.b.example", key)) == []
        assert lines(known(w, "show", "mx.b.example")) == ["mx.b.example pinned=" + key]


def test_a_spoilt_database(w):
    """Nothing overwrites it, and each command reports it, until it is restored or removed."""
    key, = lines(own(w, "new"))
    known(w, "pin", "mx.b.example", key)
    with open(w.path("known/known.cdb"), "rb") as whole:
        good = whole.read()
    flipped = good[:2048] + bytes([good[2048] ^ 1]) + good[2049:]
    for rubbish in RUBBISH + (flipped,):
        spoil(w, "known.cdb", rubbish)
        for words in (["list"], ["show", "mx.b.example"], ["pin", "mx.c.example", key], ["forget", "mx.b.example"]):
            result = known(w, *words)
            assert result.status == 1 and ": damaged; restore known.cdb" in result.log, (words, result)
            with open(w.path("known/known.cdb"), "rb") as left:
                assert left.read() == rubbish
        spoil(w, "known.cdb", good)
        assert lines(known(w, "show", "mx.b.example")) == ["mx.b.example pinned=" + key]
