# Claim: blackpony remembers where XCRYPT has worked and with which host key (blackpony.conf(5)); deferred messages name the command that accepts the new state (statements 24 and 25)
import os
import re
import resource
import signal

from kit import xcrypt
from kit.known import DAY, HERE, Site, copied, known, remember
from kit.run import SENDER

KNOWN, MAY = {"policy": "known"}, {"policy": "may"}
PLAIN = {"suites": ""}      # a blackponyd that no longer has XCRYPT


def send(w, port, settings=MAY):
    return w.send(port, ["bob@b.example"], settings=settings)


def sent(w, port, settings=MAY, crypt=xcrypt.CHACHA):
    result = send(w, port, settings)
    assert result.status == 0 and result.entries[-1]["crypt"] == crypt, result
    return result


def waits(w, port, settings=KNOWN):
    """The message waits; returns the text and the command in it."""
    result = send(w, port, settings)
    assert result.status == 75 and result.entries[-1]["end"] in ("not-trusted", "not-encrypted"), result
    text = result.out.decode().strip()
    assert text.startswith("4.7.5 ") and HERE in text or "cannot be read" in text, text
    pipe = w.pipe(port, settings)
    pipe.greet()
    reply = pipe.command("EHLO mail.a.example").text.decode()
    assert reply.replace("blackpony: ", "") == "421 " + text, (reply, text)
    assert not pipe.wait().out
    found = re.search(r"blackpony -k (.*) accepts", text)
    return text, found.group(1).split() if found else None


def shown(w, folder=None):
    status, out = known(w, "show", HERE, folder=folder)
    return dict(re.findall(r" (\S+?)=(\S+)", out)) if status == 0 else None


def test_binds_after_two_a_day_apart(w):
    """The second success is this program's own."""
    site = Site(w)
    for ago, binding in ((None, "no"), (60, "no"), (DAY - 60, "no"), (DAY + 60, "yes")):
        folder = w.path("known%s" % ago)
        if ago:
            remember(w, ago, site.key, folder=folder)
        sent(w, site, {"known": folder})
        found = shown(w, folder)
        assert (found["binding"], found["generation"], found["key"]) == (binding, "2.0", site.key), found


def test_only_a_finished_handshake_raises_it(w):
    for script in ({}, {"xcrypt": [xcrypt.CHACHA], "answers": {"XCRYPT": b"454 4.7.0 XCRYPT FAIL"}},
                   {"xcrypt": [xcrypt.CHACHA], "answers": {"XCRYPT": lambda s, line: s.hs.answer(confirm=bytes(16))}},
                   {"xcrypt": [xcrypt.ARSYFOR]}):
        send(w, w.mailer(**script), {"suites": xcrypt.CHACHA + " " + xcrypt.ARSYFOR})
        assert shown(w) is None, script
    sent(w, Site(w, key=False), {"policy": "never"}, "none")
    assert shown(w) is None


def test_lapses_after_60_days(w):
    plain = Site(w, "plain", settings=PLAIN)
    for last, lapsed in ((59, False), (61, True)):
        folder = w.path("known%d" % last)
        remember(w, (last + 2) * DAY, folder=folder)
        remember(w, last * DAY, folder=folder)
        result = send(w, plain, {"policy": "known", "known": folder})
        assert result.status == (0 if lapsed else 75), (last, result)


def test_recent_does_not_bind(w):
    remember(w, 60)
    sent(w, Site(w, settings=PLAIN), KNOWN, "none")
    assert shown(w)["binding"] == "no"


def test_may_says_it_once_and_loudly(w):
    plain, good = Site(w, "plain", settings=PLAIN), Site(w, "good")
    remember(w, 2 * DAY)
    remember(w, DAY // 2)
    for again in range(3):
        result = sent(w, plain, MAY, "none")
        loud = [line for line in result.log.splitlines() if "not as it was:" in line]
        assert len(loud) == (0 if again else 1), result
        assert result.entries[-1]["downgrade"] == "2.0", result
        assert again or "downgrade=2.0 why=not-offered" in loud[0]
        assert shown(w)["contradicted"] == "yes"
    result = sent(w, good)
    assert "downgrade" not in result.entries[-1] and "contradicted" not in shown(w)
    assert "not as it was:" in sent(w, plain, MAY, "none").log


def test_forgetting_accepts_a_downgrade(w):
    site = Site(w, settings=PLAIN)
    remember(w, 2 * DAY)
    remember(w, DAY // 2)
    for policy in ("known", "must", "pinned"):
        text, command = waits(w, site, {"policy": policy})
        if policy == "known":
            assert "no longer encrypts (not-offered)" in text and command == ["forget", "--", HERE], text
        else:
            assert "encryption is required" in text and command is None, text
    assert known(w, "forget", HERE)[0] == 0
    sent(w, site, KNOWN, "none")


def test_pinning_accepts_a_key(w):
    old, new = Site(w, "old"), Site(w, "new")
    remember(w, 2 * DAY, old.key)
    sent(w, old)
    text, command = waits(w, new)
    assert command == ["pin", "--", HERE, new.key] and "another host key" in text, text
    result = sent(w, new, MAY)
    assert result.entries[-1]["key-changed"] == old.key, result
    assert known(w, *command)[0] == 0
    sent(w, new, KNOWN)
    sent(w, new, {"policy": "pinned"})
    text, command = waits(w, old, {"policy": "pinned"})
    assert command == ["pin", "--", HERE, old.key], text
    text, command = waits(w, old, KNOWN)
    assert command == ["pin", "--", HERE, old.key], text


def test_pinned_from_the_first_message(w):
    """A message to a new host waits; -t shows what can be compared with blackponyd -k show there."""
    site = Site(w)
    text, command = waits(w, site, {"policy": "pinned"})
    assert command == ["pin", "--", HERE, site.key], text
    result = w.run([SENDER] + w.options({}) + ["-t", "[127.0.0.1]:%d" % site.port])
    assert result.status == 0 and ("host-key=" + site.key) in result.out.decode(), result
    assert known(w, *command)[0] == 0
    sent(w, site, {"policy": "pinned"})
    # a host without a key waits for good
    bare = Site(w, "bare", key=False)
    text, command = waits(w, bare, {"policy": "pinned"})
    assert command is None and "shows no host key" in text, text


def test_names_as_texts_have_them(w):
    """Every form of an address is accepted, as in texts and lists; a port or a list is not."""
    key = Site(w).key
    for written, shown in (("2001:db8::5", "2001:db8::5"), ("2001:DB8:0::6", "2001:db8::6"),
                           ("[2001:db8::7]", "2001:db8::7"), ("[ipv6:2001:db8::8]", "2001:db8::8"),
                           ("192.0.2.5", "192.0.2.5"), ("B.Example.", "b.example")):
        assert known(w, "pin", written, key)[0] == 0, written
        status, out = known(w, "show", shown)
        assert status == 0 and out.split()[0] == shown, out
        assert known(w, "forget", shown)[0] == 0, shown
    for wrong in ("b.example:25", "b.example:c.example", "[192.0.2.5]:25", ":25"):
        result = w.run([SENDER] + w.options({}) + ["-k", "pin", wrong, key])
        assert result.status == 1 and wrong in result.log and "null" not in result.log, result


def test_pins_of_one_destination(w):
    site = Site(w)
    settings = {"policy": "never", "policy.127.0.0.1": "pinned"}
    waits(w, site, settings)
    assert known(w, "pin", "[127.0.0.1]", site.key)[0] == 0
    sent(w, site, settings)


def test_a_key_changed_as_announced(w):
    site = Site(w)
    remember(w, 2 * DAY, site.key)
    following = site.keys("next")
    sent(w, site, KNOWN)
    assert shown(w)["next"] == following
    assert site.keys("change") == following
    sent(w, site, KNOWN)
    assert shown(w)["key"] == following and "next" not in shown(w)


def test_a_key_changed_without_a_word(w):
    site = Site(w)
    first = site.key
    remember(w, 2 * DAY, first)
    sent(w, site, KNOWN)
    os.remove(site.folder + "/host.key")
    second = site.keys("new")
    text, command = waits(w, site)
    assert command == ["pin", "--", HERE, second], text
    os.remove(site.folder + "/host.key")
    text, command = waits(w, site)
    assert "shows no host key, but did" in text and command == ["forget", "--", HERE], text
    assert shown(w)["key"] == first


def test_no_public_key_operation_twice(w):
    """With a pre-shared secret, the result of the verification is stored with it."""
    site = Site(w)
    remember(w, 2 * DAY, site.key)
    first, second = sent(w, site, KNOWN), sent(w, site, KNOWN)
    assert (first.entries[-1]["cache"], second.entries[-1]["cache"]) == ("miss", "hit")
    size = os.path.getsize(w.callers + "/keys.journal")
    sent(w, site, KNOWN)
    assert os.path.getsize(w.callers + "/keys.journal") == size


def spoil_mode(folder):
    os.chmod(folder, 0o755)


def spoil_database(folder):
    with open(folder + "/known.cdb", "wb") as out:
        out.write(b"not a database")


def spoil_journal(folder):
    os.remove(folder + "/known.journal")
    os.mkdir(folder + "/known.journal")


def spoil_entry(folder):
    with open(folder + "/known.journal", "r+b") as out:
        octets = bytearray(out.read())
        for at in [m.start() + 20 for m in re.finditer(b"H127.0.0.1", bytes(octets))]:
            octets[at + 20] ^= 1
        out.seek(0)
        out.write(octets)


def test_a_memory_that_cannot_be_read(w):
    """`may` delivers; policies that need known hosts wait, and no key is offered to be accepted."""
    site = Site(w)
    remember(w, 2 * DAY, site.key)
    sent(w, site)
    known(w, "pin", HERE, site.key)
    sent(w, site)
    for number, spoil in enumerate((None, spoil_mode, spoil_database, spoil_journal, spoil_entry)):
        folder = copied(w, "spoilt%d" % number) if spoil else "off"
        if spoil is spoil_entry:
            os.remove(folder + "/known.cdb")
            remember(w, 2 * DAY, site.key, folder=folder)
        if spoil:
            spoil(folder)
        for policy in ("known", "pinned"):
            text, command = waits(w, site, {"policy": policy, "known": folder})
            assert "cannot be read" in text and command is None, (spoil, text)
        for policy in ("may", "must"):
            sent(w, site, {"policy": policy, "known": folder})
    assert len(site.mailer.messages) == 2 + 5 * 2


def test_a_memory_that_cannot_be_written(w):
    """No new host is remembered, and those that are known remain known."""
    site, plain = Site(w), Site(w, "plain", settings=PLAIN)
    remember(w, 2 * DAY, site.key)
    sent(w, site)
    folder = copied(w, "full")
    size = os.path.getsize(folder + "/known.journal")

    def full():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    settings = {"known": folder, "cache": "off"}
    result = w.send(plain, ["bob@b.example"], settings=dict(settings, policy="known"), preexec_fn=full)
    assert result.status == 75 and "no longer encrypts" in result.out.decode(), result
    for policy in ("may", "known"):
        result = w.send(site, ["bob@b.example"], settings=dict(settings, policy=policy), preexec_fn=full)
        assert result.status == 0, result
    assert os.path.getsize(folder + "/known.journal") == size


def test_a_host_that_looks_like_an_option(w):
    """The commands named in a deferral end their options before the host."""
    site = Site(w)
    for name in "-C.example", "-oknown.example", "-V.example", "-t":
        assert known(w, "pin", "--", name, site.key)[0] == 0, name
        assert site.key in known(w, "show", "--", name)[1], name
        assert known(w, "forget", "--", name)[0] == 0, name
        assert known(w, "show", "--", name)[0] == 1, name
