# Claim: a stored id saves a round trip, a bad one costs no message (statements 19 and 28)
import base64
import os
import shutil
import socket
import time

from kit import xcrypt
from kit.conn import Client, PATIENCE, SLOW
from kit.known import DAY, Site, remember
from kit.mailer import DROP, RIDER
from kit.middle import is_signed
from kit.wiretap import Wiretap

ONE = [xcrypt.CHACHA]
BOTH = [xcrypt.CHACHA, xcrypt.AES]
COMPACT_AT = 256    # records in the journal (store.h)


def sent(w, host, settings=None, crypt=xcrypt.CHACHA):
    result = w.send(host, ["bob@b.example"], settings=settings)
    assert result.status == 0 and result.entries[-1]["crypt"] == crypt, result
    return result


def sessions(mailer):
    """The commands in the clear of each session, and whether it used a pre-shared secret."""
    return [("".join(c.decode("latin-1")[0] for c in s.clear), bool(s.hs and s.hs.met)) for s in mailer.finished()]


def met(w, server, suite=xcrypt.CHACHA):
    """Returns what a client stores after a first meeting with blackponyd."""
    client = w.session(server, suite)
    assert client.command("NOOP").code == 250
    client.quit()
    return client.kept


def knows(w, server, kept, suite=xcrypt.CHACHA):
    """Whether blackponyd knows the id."""
    client = w.session(server)
    reply = client.ask(suite, kept=kept)
    assert reply.code in (250, 450), reply
    if reply.code == 450:
        assert reply.text.startswith(b"450 4.7.0 XCRYPT FAIL") and len(reply.lines) == 1, reply
        client.xcrypt(suite)        # on the same connection
    else:
        client.confirm()
    client.message(b"Subject: x\r\n\r\nx\r\n.\r\n")
    client.quit()
    return reply.code == 250


# blackpony

def test_blackpony_goes_back(w):
    """blackpony sends EHLO and XCRYPT in one write."""
    rode = []
    mailer = w.mailer(xcrypt=BOTH, answers={"EHLO": lambda s, line: rode.append(bool(RIDER.fullmatch(s.conn.got)))
                                            if not s.suite else None})
    entries = [sent(w, mailer).entries[-1] for _ in range(3)]
    assert [e["cache"] for e in entries] == ["miss", "hit", "hit"], entries
    assert sessions(mailer) == [("EX", False), ("EX", True), ("EX", True)]
    assert rode == [False, True, True], rode
    assert not [g for s in mailer.sessions for g in s.grouped]
    assert len({s.hs.kept.id for s in mailer.sessions[1:]}) == 1, "an id for each session"
    pipe = w.pipe(mailer)
    pipe.greet()
    pipe.ehlo()
    pipe.message(b"Subject: x\r\n\r\nx\r\n.\r\n")
    pipe.command("QUIT")
    pipe.wait()
    assert sessions(mailer)[3] == ("EX", True)


def test_blackpony_knows_who_is_called(w):
    """blackpony finds a secret by name, address and port, not by address alone."""
    one, other = w.mailer(xcrypt=ONE), w.mailer(xcrypt=ONE)
    for mailer in (one, other, one, other):
        sent(w, mailer)
    assert sessions(one) == sessions(other) == [("EX", False), ("EX", True)]
    sent(w, "[localhost]:%d" % one.port)
    assert sessions(one)[2] == ("EX", False)


def test_blackpony_after_a_450(w):
    """blackpony continues with an ek on the same connection and stores the new id."""
    mailer = w.mailer(xcrypt=ONE)
    sent(w, mailer)
    mailer.script.memory.clear()
    for _ in range(2):
        sent(w, mailer)
    assert sessions(mailer) == [("EX", False), ("EXX", False), ("EX", True)]
    first, second = [c.split(b" ") for c in mailer.sessions[1].clear if c.startswith(b"XCRYPT")]
    assert first[1] == second[1] and first[4].startswith(b"=") and len(second[4]) == 1580
    assert [m.encrypted for m in mailer.messages] == ONE * 3


def test_blackpony_after_two_450(w):
    """A second 450 is a clean refusal."""
    mailer = w.mailer(xcrypt=ONE)
    sent(w, mailer)
    mailer.script.answers["XCRYPT"] = b"450 4.7.0 XCRYPT FAIL unknown id"
    result = w.send(mailer, ["bob@b.example"], settings={"policy": "must"})
    assert result.status == 75, result
    sent(w, mailer, crypt="none")       # the id has been removed
    assert sessions(mailer)[1][0].startswith("EXX"), sessions(mailer)
    assert mailer.finished()[2].clear[1].split(b" ")[4][:1] != b"=", mailer.sessions[2].clear
    assert [m.encrypted for m in mailer.messages] == [xcrypt.CHACHA, None]


def test_a_450_in_several_lines_is_none(w):
    mailer = w.mailer(xcrypt=ONE)
    sent(w, mailer)
    mailer.script.answers["XCRYPT"] = lambda s, line: b"450-4.7.0 XCRYPT FAIL\r\n450 4.7.0 no" if len(mailer.sessions) == 2 else None
    result = w.send(mailer, ["bob@b.example"], settings={"policy": "must"})
    assert result.status in (0, 75), result
    assert len(mailer.messages) == 1 + (result.status == 0)
    assert sessions(mailer)[1][0] in ("EX", "EXQ"), "said something behind it"


def test_another_offer(w):
    """If the offer has changed, blackpony calls once more and sends XCRYPT after EHLO."""
    for change in (lambda s: s.xcrypt.reverse(), lambda s: s.xcrypt.append("new_3.0"), lambda s: s.xcrypt.remove(xcrypt.AES)):
        mailer = w.mailer(xcrypt=BOTH)
        sent(w, mailer)
        change(mailer.script)
        sent(w, mailer, crypt=mailer.script.xcrypt[0])
        found = sessions(mailer)
        assert len(found) == 3 and found[2][0] == "EX", found
        assert [m.encrypted for m in mailer.sessions[1].messages] == []
        mailer.close()


def test_another_offer_is_remembered(w):
    """A changed offer costs one call more, once, and not for each message."""
    for name in ("reverse", "new"):
        mailer = w.mailer(xcrypt=BOTH)
        sent(w, mailer)
        mailer.script.xcrypt[:] = BOTH[::-1] if name == "reverse" else BOTH + ["new_3.0"]
        for calls in (3, 4, 5):
            sent(w, mailer, crypt=mailer.script.xcrypt[0])
            assert len(mailer.finished()) == calls, (name, sessions(mailer))
        assert sessions(mailer)[3:] == [("EX", True)] * 2, sessions(mailer)
        mailer.close()


def test_no_offer_any_more(w):
    """The host no longer offers XCRYPT: the next call sends EHLO alone."""
    mailer = w.mailer(xcrypt=ONE)
    sent(w, mailer)
    mailer.script.xcrypt[:] = []
    sent(w, mailer, crypt="none")
    assert [s.clear[0][:4] for s in mailer.finished()] == [b"EHLO"] * 3
    assert not [c for c in mailer.sessions[2].clear if c.startswith(b"XCRYPT")], mailer.sessions[2].clear


def test_anything_but_250_to_each(w):
    """EHLO or XCRYPT gets another reply on that connection; the next call succeeds."""
    def second(reply):
        return lambda s, line: reply if s.number == 1 and not s.suite else None
    for verb, reply in (("EHLO", b"421 4.3.2 busy"), ("EHLO", b"451 4.3.0 later"), ("EHLO", b"502 5.5.1 What?"),
                        ("EHLO", b"250 mailer.example"), ("XCRYPT", b"454 4.7.0 XCRYPT FAIL no"), ("XCRYPT", b"500 What?"),
                        ("XCRYPT", b"503 5.5.1 XCRYPT FAIL early"), ("XCRYPT", b"421 4.3.2 busy"), ("XCRYPT", b"250 2.0.0 Ok")):
        mailer = w.mailer(xcrypt=ONE, answers={verb: second(reply)})
        sent(w, mailer)
        result = w.send(mailer, ["bob@b.example"], settings={"policy": "must"})
        assert result.status == 0 and result.entries[-1]["crypt"] == xcrypt.CHACHA, (verb, reply, result)
        assert len(mailer.sessions) == 3, (verb, reply, mailer.commands)
        assert len(mailer.messages) == 2
        mailer.close()


def test_offer_stripped_on_the_way(w):
    """The id was already sent and reveals nothing; the missing offer is a downgrade."""
    mailer = w.mailer()
    doing = []
    tap = w.wiretap(w.daemon(backend=mailer).port, down=lambda line: doing[0](line) if doing else line)
    sent(w, tap)
    doing.append(lambda line: line.replace(b"XCRYPT cha", b"XCLEAR cha"))
    result = w.send(tap, ["bob@b.example"], settings={"policy": "must"})
    assert result.status == 75 and len(mailer.messages) == 1, result
    assert b"MAIL FROM" not in tap.seen()


def test_blackpony_keeps_no_longer(w):
    """Limits: `keep`, blackpony's own key-lifetime, and a time of storing in the future."""
    for settings, script, there in (({}, {"keep": 1}, False), ({"key-lifetime": "1s"}, {}, False), ({}, {"keep": 0}, False),
                                    ({}, {"keep": 600}, True), ({"cache": "off"}, {}, False)):
        mailer = w.mailer(xcrypt=ONE, **script)
        sent(w, mailer, settings)
        if there is False and script.get("keep") != 0 and "cache" not in settings:
            time.sleep(2.1)     # the times in the files are in seconds
        sent(w, mailer, settings)
        assert sessions(mailer) == [("EX", False), ("EX", there)], (settings, script, sessions(mailer))
        mailer.close()


def test_blackpony_keeps_what_was_confirmed(w):
    """blackpony stores nothing until a reply to its own first record has verified."""
    for answers in ({"XCRYPT": lambda s, line: s.hs.answer(confirm=bytes(16))}, {"pushed": b"421 4.3.2 busy", "QUIT": DROP}):
        mailer = w.mailer(xcrypt=ONE, answers=answers)
        assert w.send(mailer, ["bob@b.example"]).status == 75
        mailer.script.answers.clear()
        sent(w, mailer)
        assert sessions(mailer)[-1] == ("EX", False), sessions(mailer)
        mailer.close()


def test_what_is_tampered_with_is_forgotten(w):
    """After a wrong confirmation or record, the next call is a first meeting."""
    def wrong_record(session, line):
        session.conn.send_raw(bytes(1045))
        return b"421 bye"
    for verb, how in (("XCRYPT", lambda s, line: s.hs.answer(confirm=bytes(16))), ("pushed", wrong_record)):
        mailer = w.mailer(xcrypt=ONE)
        sent(w, mailer)
        mailer.script.answers[verb] = how
        result = w.send(mailer, ["bob@b.example"])
        assert result.status == 75 and len(mailer.sessions) == 2 and mailer.finished()[1].hs.met, result
        mailer.script.answers.clear()
        sent(w, mailer)
        assert sessions(mailer)[-1] == ("EX", False), sessions(mailer)
        mailer.close()


# blackponyd

def test_blackponyd_goes_back(w):
    """An id can be used many times, and with any suite of 2.0 that the server offers."""
    mailer = w.mailer()
    server = w.daemon(backend=mailer)
    kept = met(w, server)
    assert 0 < kept.keep <= 7200, kept.keep
    for suite in (xcrypt.CHACHA, xcrypt.AES, xcrypt.CHACHA):
        assert knows(w, server, kept, suite)
    assert [server.finish(number).entries[0]["cache"] for number in range(4)] == ["miss"] + ["hit"] * 3
    assert len(mailer.messages) == 3
    client = w.session(w.daemon({"suites": xcrypt.AES}, backend=mailer))
    assert client.ask(xcrypt.CHACHA, kept=kept).code == 504
    client.close()


def test_blackponyd_takes_both_in_one_write(w):
    mailer = w.mailer()
    server = w.daemon(backend=mailer)
    kept = met(w, server)
    for id in (kept, xcrypt.Kept(bytes(16), bytes(32), kept.short)):
        client = w.call(server)
        client.greet()
        ehlo, reply = client.ride(id)
        assert ehlo.code == 250 and reply.code == (250 if id is kept else 450), (ehlo, reply)
        if id is not kept:
            client.xcrypt()
        else:
            client.confirm()
        client.message(b"x\r\n.\r\n")
        client.quit()
    assert len(mailer.messages) == 2


def test_an_id_of_another_host(w):
    other = w.path("third-cache")
    os.mkdir(other, 0o700)
    mailer = w.mailer()
    one, two = w.daemon(backend=mailer), w.daemon({"cache": other}, backend=mailer)
    kept = met(w, one)
    assert not knows(w, two, kept)
    assert knows(w, one, kept)
    assert len(mailer.messages) == 2


def test_an_id_of_the_other_role(w):
    """Secrets that blackpony stored are unknown to the blackponyd that shares its cache."""
    far = w.mailer(xcrypt=ONE)
    sent(w, far, {"cache": w.cache})
    (id, kept), = far.script.memory.items()
    server = w.daemon(backend=w.mailer())
    assert not knows(w, server, kept)
    # and blackpony has no entry for a secret that blackponyd stored
    kept = met(w, server)
    sent(w, far, {"cache": w.cache})
    assert far.finished()[-1].hs.kept.id == id and id != kept.id


def test_blackponyd_keeps_no_longer(w):
    """blackponyd keeps a secret no longer than its key pair, and `keep` says so."""
    server = w.daemon({"key-lifetime": "2s"}, backend=w.mailer())
    kept = met(w, server)
    assert 0 < kept.keep <= 2, kept.keep
    time.sleep(3.1)
    assert not knows(w, server, kept)
    server = w.daemon({"cache": "off"}, backend=w.mailer())
    client = w.session(server, xcrypt.CHACHA)
    assert client.hs.keep == 0 and client.kept is None
    forced = client.hs.meeting()
    client.quit()
    assert not knows(w, server, forced)


def test_keep_is_less_with_time(w):
    server = w.daemon({"key-lifetime": "1h"}, backend=w.mailer())
    first = met(w, server)
    time.sleep(2.1)
    later = met(w, server)
    assert first.keep - 5 * SLOW <= later.keep < first.keep <= 3600, (first.keep, later.keep)
    assert later.short == first.short


def test_blackponyd_forgets_nothing_that_is_only_said(w):
    """An id is sent in the clear: an attacker can replay it, and can do nothing else with it."""
    mailer = w.mailer()
    server = w.daemon(backend=mailer)
    kept = met(w, server)
    stolen = xcrypt.Kept(kept.id, bytes(32), kept.short)
    for wire in (b"", bytes(300), b"QUIT\r\n"):
        client = w.session(server)
        assert client.ask(kept=stolen).code == 250 and not client.confirmed
        client.send(wire)
        client.shut()
        client.rest()
        client.close()
    assert knows(w, server, kept)


def test_blackponyd_keeps_what_was_confirmed(w):
    """blackponyd stores a secret when the client's first record has verified."""
    server = w.daemon(backend=w.mailer())
    client = w.session(server, xcrypt.CHACHA)
    assert not knows(w, server, client.kept)
    assert client.command("NOOP").code == 250
    assert knows(w, server, client.kept)
    client.quit()


def from_address(w, server, address):
    sock = socket.create_connection(("127.0.0.1", server.port), PATIENCE, (address, 0))
    client = w.keep(Client(sock))
    client.greet()
    client.ehlo()
    client.xcrypt()
    assert client.command("NOOP").code == 250
    client.quit()
    return client.kept


def test_one_address_pushes_out_nobody_else(w):
    """After compaction, a server has only the newest few secrets for one client address."""
    server = w.daemon(backend=w.mailer())
    other = from_address(w, server, "127.0.0.2")
    kept = [from_address(w, server, "127.0.0.1") for _ in range(COMPACT_AT + 10)]
    assert knows(w, server, other) and knows(w, server, kept[-1])
    assert not knows(w, server, kept[0])


# both programs, with an attacker between them

class Balancer(Wiretap):
    """One address for several hosts, which get the calls in the given order."""

    def __init__(self, ports, order):
        self.ports, self.order = ports, order
        super().__init__(ports[0])

    def accepted(self, sock, peer):
        self.behind = ("127.0.0.1", self.ports[self.order[self.calls]])
        super().accepted(sock, peer)


def cluster(w, order, **settings):
    """(two hosts with one host key, their address)"""
    one, two = Site(w, "one"), Site(w, "two", settings=settings)
    shutil.copy(one.folder + "/host.key", two.folder + "/host.key")
    return one, two, w.keep(Balancer([one.port, two.port], order))


def test_a_cluster_behind_one_address(w):
    """An id of another host costs only one more round trip, on the same connection."""
    order = (0, 0, 1, 1, 0, 1, 1)
    one, two, address = cluster(w, order * 3)
    remember(w, 2 * DAY, one.key)
    for policy in ("may", "must", "known"):
        settings = {"policy": policy, "cache": w.path("cache-" + policy)}
        os.mkdir(settings["cache"], 0o700)
        results = [sent(w, address, settings) for _ in order]
        assert [r.entries[-1]["cache"] for r in results] == ["miss", "hit", "miss", "hit", "miss", "miss", "hit"], policy
        assert not [r for r in results if len(r.entries) > 1 or "not as it was" in r.log], policy
    assert address.calls == 3 * len(order)
    assert len(one.mailer.messages) == 9 and len(two.mailer.messages) == 12


def test_a_cluster_that_offers_two_things(w):
    """The hosts prefer different suites: some calls are repeated, all messages are encrypted."""
    order = (0, 1, 1, 1, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0)
    one, two, address = cluster(w, order, suites=xcrypt.AES)
    for _ in range(7):
        result = w.send(address, ["bob@b.example"], settings={"policy": "must"})
        assert result.status == 0 and len(result.entries) <= 2, result
    assert address.calls <= 14 and len(one.mailer.messages) + len(two.mailer.messages) == 7
    assert all(m.data.startswith(b"Received: ") for m in one.mailer.messages + two.mailer.messages), "not inside"



def test_the_host_key_of_a_meeting(w):
    """Later sessions repeat the statement about the Sb of the first meeting; both lines verify."""
    site = Site(w)
    site.keys("next")
    kept = None
    for _ in range(2):
        client = w.session(site)
        client.xcrypt(kept=kept)
        words = {k.split(b" ")[0]: k.split(b" ") for k in client.ehlo_reply.keywords() if k.startswith(b"XCRYPT-")}
        assert sorted(words) == [b"XCRYPT-ID", b"XCRYPT-NEXT"], words
        _, key, until, signature = words[b"XCRYPT-ID"]
        _, following, until_too, other = words[b"XCRYPT-NEXT"]
        assert until == until_too and len(until) == 10 and key.decode() == site.key
        assert time.time() < int(until) <= time.time() + 7200 + 600
        kept = kept or client.kept
        assert is_signed(key, b"XCRYPT ID\0" + kept.short + b"\0" + until, signature)
        assert is_signed(key, b"XCRYPT NEXT\0" + kept.short + b"\0" + until + b"\0" + base64.b64decode(following), other)
        again = client.ehlo().keywords()
        assert [k for k in again if k.startswith(b"XCRYPT-")] == [b" ".join(v) for v in words.values()]
        client.quit()
    clear = w.session(site)
    assert not [k for k in clear.ehlo_reply.keywords() if k.startswith(b"XCRYPT-")]
    clear.quit()


def test_a_450_loses_no_host_key(w):
    """After a 450 the client removes the id, and keeps what it knows of the host key."""
    site = Site(w)
    remember(w, 2 * DAY, site.key)
    settings = {"policy": "known"}
    assert sent(w, site, settings).entries[-1]["cache"] == "miss"
    assert sent(w, site, settings).entries[-1]["cache"] == "hit"
    for name in os.listdir(site.folder + "/cache"):
        os.unlink(os.path.join(site.folder, "cache", name))
    for cache in ("miss", "hit"):
        result = sent(w, site, settings)
        assert result.entries[-1]["cache"] == cache and "not as it was" not in result.log, result


def test_a_host_key_that_is_gone_from_later_sessions(w):
    """The statement must come in every session: an earlier one does not vouch for this one."""
    site = Site(w)
    remember(w, 2 * DAY, site.key)
    sent(w, site, {"policy": "known"})
    os.rename(site.folder + "/host.key", site.folder + "/away")
    result = w.send(site, ["bob@b.example"], settings={"policy": "known"})
    assert result.status == 75 and b"shows no host key" in result.out, result
    os.rename(site.folder + "/away", site.folder + "/host.key")
    assert sent(w, site, {"policy": "known"}).entries[-1]["crypt"] == xcrypt.CHACHA


def test_turns_on_the_wire(w):
    """Encryption costs one round trip at a first meeting, and none with a pre-shared secret."""
    until_dot = []          # up to the end of the message; QUIT comes with it, and nobody waits for 221

    def noted(session, line):
        until_dot.append(tap.turns[-1])
    mailer = w.mailer(answers={".": noted})
    tap = w.wiretap(w.daemon(backend=mailer).port)
    sizes = []
    for settings, crypt in (({"policy": "never"}, "none"), ({}, xcrypt.CHACHA), ({}, xcrypt.CHACHA), ({}, xcrypt.CHACHA)):
        octets = len(tap.octets["up"])
        sent(w, tap, settings, crypt)
        sizes.append(len(tap.octets["up"]) - octets)
    clear, first, *later = until_dot
    assert first == clear + 2 and later == [clear, clear], until_dot
    assert sizes[1] > sizes[2] + 1500, sizes
    assert len(mailer.messages) == 4
