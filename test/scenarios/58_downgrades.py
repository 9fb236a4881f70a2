# Claim: whatever an attacker between two known hosts does, each policy treats the message as the table in xcrypt(7) says, and a message that waits was never readable on the wire (statements 5, 24 and 25)
import re
import shutil
import time

from kit import xcrypt
from kit.conn import SLOW
from kit.dns import A, MX, NameServer, enter
from kit.known import DAY, HERE, Site, known, remember
from kit.mailer import FakeMailer
from kit.middle import HostKey, Impostor, TlsMiddle
from kit.wiretap import ANSWER_20, Wiretap, in_field, other_digit

POLICIES = ("may", "known", "must", "pinned")
SECRET = (b"alice@a.example", b"bob@b.example", b"Subject: ", b"eyes only")
MESSAGE = b"Subject: x\n\nfor your eyes only\n"

def fresh(w, name):
    w.counter += 1
    return "%s-%d" % (name, w.counter)


# Changes to a line of the clear dialogue, by its direction

def stripped(line):
    return re.sub(rb"250([ -])XCRYPT .*\r\n", lambda m: b"" if m[1] == b"-" else b"250 HELP\r\n", line)


def offer(text):
    return lambda line: re.sub(rb"XCRYPT \S*_2\.0.*(?=\r)", text, line)


def twice(line):
    return b"250-" + line[4:] + line if re.match(rb"250[ -]XCRYPT cha", line) else line


def answered(out):
    """Drops the choice and answers with these octets, or ends the connection in this way."""
    return tapped(up=lambda line: b"NOOP\r\n" if line.startswith(b"XCRYPT ") else line,
                  down=lambda line: out if line == b"250 2.0.0 Ok\r\n" else line)


def masked(line):
    return b"XXXXXX" + line[6:] if line.startswith(b"XCRYPT") else line


def tapped(**filters):
    return lambda w, site: w.wiretap(site.port, **filters)


def impostor(statements, pair=None):
    return lambda w, site: w.keep(Impostor(site.port, lambda real: statements(site, real), pair))


def elsewhere(**how):
    return lambda w, site: Site(w, fresh(w, "site"), mailer=site.mailer, **how)


PAIR = xcrypt.Pair20()      # an impostor for which there is a statement by another host
ANOTHER = HostKey()


def expired(site, real):
    """An old statement of the real host about a short key that was stolen since."""
    return [site.stolen().statement(PAIR.public, int(time.time()) - 3600)]


# Outcomes for a message under may, known, must and pinned: "clear", "inside" or "later"
CLEAR = ("clear", "later", "later", "later")
LATER = ("later",) * 4
KEY = ("inside", "later", "inside", "later")

# name: (the attacker, the outcome, why= if it is in the clear, words in the text if `known` waits)
OFFER = {
    "stripped": (tapped(down=stripped), CLEAR, "not-offered", "no longer encrypts (not-offered)"),
    "offer masked": (tapped(down=offer(b"XXXXXXXXA")), CLEAR, "masked-on-the-way",
                     "no longer encrypts (masked-on-the-way)"),
    "offer emptied": (tapped(down=offer(b"XCRYPT")), CLEAR, "no-common-suite", "(no-common-suite)"),
    "offer changed": (tapped(down=offer(b"XCRYPT new_3.0")), CLEAR, "no-common-suite", "(no-common-suite)"),
    "offered twice": (tapped(down=twice), CLEAR, "two-offers", "(two-offers)"),
}
HANDSHAKE = {
    "command masked": (tapped(up=masked), CLEAR, "refused", "no longer encrypts (refused)"),
    "454": (answered(b"454 4.7.0 XCRYPT FAIL no\r\n"), CLEAR, "refused", "(refused)"),
    "500": (answered(b"500 5.5.1 what\r\n"), CLEAR, "refused", "(refused)"),
    "554": (answered(b"554 5.7.1 no\r\n"), CLEAR, "refused", "(refused)"),
    "450": (answered(b"450 4.7.0 XCRYPT FAIL unknown id\r\n"), CLEAR, "refused", "(refused)"),
    "421": (answered(b"421 4.3.2 bye\r\n"), CLEAR, "called-again", "(handshake-failed)"),
    "nonsense": (answered(b"250 2.0.0 Ok!\r\n"), CLEAR, "called-again", "(handshake-failed)"),
    "low order": (tapped(down=in_field(2, b"0" * 64)), CLEAR, "called-again", ""),
    "other of low order": (tapped(down=in_field(4, b"01" + b"0" * 62)), CLEAR, "called-again", ""),
    "reset": (tapped(down=lambda line: Wiretap.RESET if ANSWER_20.match(line) else line), CLEAR, "called-again",
              "(handshake-failed)"),
    "reset inside": (tapped(wire_down=lambda octets: Wiretap.RESET), CLEAR, "called-again",
                     "(handshake-failed)"),
}
SILENCE = {
    "stalled": (tapped(down=lambda line: b"" if ANSWER_20.match(line) else line, wire_down=lambda octets: b""), CLEAR,
                "called-again", "(handshake-failed)"),
    "stalled inside": (tapped(wire_down=lambda octets: b""), CLEAR, "called-again", "(handshake-failed)"),
}
KEYS = {
    "no statement": (impostor(lambda site, real: []), KEY, None, "shows no host key, but did"),
    "replayed statement": (impostor(lambda site, real: real), KEY, None, "cannot prove"),
    "expired statement": (impostor(expired, PAIR), KEY, None, "past its time"),
    "own key": (impostor(lambda site, real: [ANOTHER.statement(PAIR.public, int(time.time()) + 60)], PAIR),
                KEY, None, "shows another host key"),
    "own key among": (impostor(lambda site, real: real + [
        ANOTHER.statement(PAIR.public, int(time.time()) + 60)], PAIR), KEY, None, "shows no host key"),
    "own key announced": (impostor(lambda site, real: [
        ANOTHER.statement(PAIR.public, int(time.time()) + 60),
        ANOTHER.announcement(site.key.encode(), PAIR.public, int(time.time()) + 60)], PAIR),
        KEY, None, "shows another host key"),
    "another blackponyd": (elsewhere(), KEY, None, "shows another host key"),
    "blackponyd without": (elsewhere(key=False), KEY, None, "shows no host key"),
}
# Not downgrades but signs of tampering: no policy lets the message through
TAMPERING = {
    "offer cut": (tapped(down=offer(b"XCRYPT aes256gcm_2.0")), LATER, None, "keys of the two ends differ"),
    "hello changed": (tapped(up=lambda line: line.replace(b"EHLO ", b"ehlo ")), LATER, None, "keys of the two ends differ"),
    "answer changed": (tapped(down=in_field(3, other_digit)), LATER, None, "keys of the two ends differ"),
    "choice changed": (tapped(up=in_field(3, other_digit)), LATER, None, "keys of the two ends differ"),
    "wrong confirmation": (tapped(down=in_field(-1, b"0" * 32)), LATER, None, "keys of the two ends differ"),
    "octets behind": (tapped(down=lambda line: line + b"250 mx\r\n" if ANSWER_20.match(line) else line),
                      LATER, None, "changes what is encrypted"),
    "record damaged": (tapped(wire_down=lambda octets: octets[:-1] + bytes((octets[-1] ^ 1,))), LATER, None,
                       "encrypted data was changed"),
}


def acquainted(w, site, domain=HERE, host=HERE):
    """Makes it a known host by two successes two days apart, of which the second is real; pins its key for `pinned`."""
    remember(w, 2 * DAY, site.key, domain, host)
    operand = site.port if domain == HERE else "%s:%d" % (domain, site.port)
    result = w.send(operand, ["bob@b.example"])
    assert result.status == 0 and len(site.mailer.messages) == 1, result
    folder = shutil.copytree(w.path("known"), w.path("pins"))
    assert known(w, "pin", domain, site.key, folder=folder)[0] == 0


class Case:
    """A message under one policy, sent in one way, and its outcome."""

    def __init__(self, w, policy, pipes, operand, **settings):
        self.w, self.policy, self.pipes = w, policy, pipes
        self.folder = shutil.copytree(w.path("pins" if policy == "pinned" else "known"),
                                      w.path(fresh(w, "case")))
        self.settings = dict({"handshake-timeout": "%ds" % SLOW}, **settings)
        self.settings.update({"policy": policy, "known": self.folder})
        self.result, self.text = self.by_pipes(operand) if pipes else self.by_arguments(operand)
        self.entry = self.result.entries[-1]
        self.alarm = {name: self.entry[name] for name in ("downgrade", "key-changed") if name in self.entry}

    def by_arguments(self, operand):
        result = self.w.send(operand, ["bob@b.example"], MESSAGE, self.settings)
        text = result.out.decode()
        assert result.status == 0 or (result.status == 75 and text.startswith("4.7.5 ")), result
        return result, text if result.status else None

    def by_pipes(self, operand):
        pipe = self.w.pipe(operand, self.settings)
        pipe.greet()
        reply = pipe.command("EHLO mail.a.example")
        text = None
        if reply.code == 250:
            pipe.message(MESSAGE.replace(b"\n", b"\r\n") + b".\r\n")
            assert pipe.command("QUIT").code == 221
        else:
            text = reply.text.decode()
            assert text.startswith("421 4.7.5 ") and len(text) <= 510, text
        return pipe.wait(), text

    @property
    def outcome(self):
        if self.text is not None:
            return "later"
        return "clear" if self.entry["crypt"] == "none" else "inside"

    def check(self, outcome, alarm, why=None, words=""):
        assert self.outcome == outcome, self
        assert self.alarm == alarm, self
        loud = [line for line in self.result.log.splitlines() if "not as it was:" in line]
        assert len(loud) == len(alarm), self
        for name, value in alarm.items():
            assert " %s=%s" % (name, value) in loud[0], self
        assert outcome != "clear" or why is None or self.entry["why"] == why, self
        if outcome == "later" and self.policy == "known" and alarm:
            assert words in self.text and self.entry["end"] == "not-trusted", self
            assert re.search(r": blackpony -k (forget -- \S+|pin -- \S+ \S{88}) accepts (it|that)\s*$",
                             self.text), self

    def check_memory(self, site):
        """No attack changes what is remembered; afterwards everything is as before."""
        assert ("key=" + site.key) in known(self.w, "show", HERE, folder=self.folder)[1]
        result = self.w.send(site.port, ["bob@b.example"], settings=self.settings)
        assert result.status == 0 and "not as it was" not in result.log, result
        assert result.entries[-1]["crypt"] == xcrypt.CHACHA, result

    def __repr__(self):
        return "policy %s, by %s: %s, %r\n%r" % (self.policy, "pipes" if self.pipes else "arguments",
                                               self.outcome, self.text, self.result)


def check_wire(tap, middle, outcome, arrived):
    """A message that must not be readable was not, and arrives once or not at all."""
    seen = tap.seen()
    assert [words for words in SECRET if words in seen] == (list(SECRET) if outcome == "clear" else [])
    if outcome == "later" and hasattr(middle, "heard"):
        assert not [words for words in SECRET if words in middle.heard]
    assert not getattr(middle, "failed", None), middle.failed
    assert arrived == (outcome != "later"), arrived


def check(w, site, attacks, alarm, **settings):
    for name, (attack, becomes, why, words) in attacks.items():
        for policy, outcome in zip(POLICIES, becomes):
            for pipes in (False, True):
                before = len(site.mailer.messages)
                middle = attack(w, site)
                tap = w.wiretap(middle.port)        # logs everything
                print(name, policy, pipes, flush=True)
                case = Case(w, policy, pipes, tap, **settings)
                case.check(outcome, alarm, why, words)
                check_wire(tap, middle, outcome, len(site.mailer.messages) - before)
                if not pipes:
                    case.check_memory(site)


def test_nobody(w):
    site = Site(w)
    acquainted(w, site)
    check(w, site, {"nobody": (tapped(), ("inside",) * 4, None, "")}, {})


def test_the_offer(w):
    site = Site(w)
    acquainted(w, site)
    check(w, site, OFFER, {"downgrade": "2.0"})


def test_ehlo_refused(w):
    """So that only HELO is left, which has no offers."""
    site = Site(w)
    acquainted(w, site)
    tap = w.wiretap(site.port, up=lambda line: line.replace(b"EHLO", b"XXXX"))
    for policy, outcome in zip(POLICIES, CLEAR):
        Case(w, policy, False, tap).check(outcome, {"downgrade": "2.0"}, "no-ehlo", "(no-ehlo)")
        folder = shutil.copytree(w.path("pins" if policy == "pinned" else "known"), w.path(fresh(w, "case")))
        pipe = w.pipe(tap, {"policy": policy, "known": folder})
        pipe.greet()
        reply = pipe.command("EHLO mail.a.example")
        if policy == "may":         # as sendmail does then
            assert reply.code == 500, (policy, reply)
            reply = pipe.command("HELO mail.a.example")
        assert (reply.code == 250) == (policy == "may"), (policy, reply)
        assert reply.code == 250 or reply.text.startswith(b"421 4.7.5 "), (policy, reply)
        pipe.wait()


def test_the_handshake(w):
    site = Site(w)
    acquainted(w, site)
    check(w, site, HANDSHAKE, {"downgrade": "2.0"})


def test_silence(w):
    site = Site(w)
    acquainted(w, site)
    check(w, site, SILENCE, {"downgrade": "2.0"}, **{"command-timeout": "%ds" % SLOW})


def test_another_key(w):
    site = Site(w)
    acquainted(w, site)
    check(w, site, KEYS, {"key-changed": site.key})


def test_marks_of_tampering(w):
    site = Site(w)
    acquainted(w, site)
    check(w, site, TAMPERING, {})


def test_an_older_generation(w):
    """The offer has only an older version, enabled at both ends: it satisfies no policy but `may`."""
    suites = "%s %s" % (xcrypt.CHACHA, xcrypt.ARSYFOR)
    site = Site(w, settings={"suites": suites})
    acquainted(w, site)
    old = tapped(down=offer(b"XCRYPT " + xcrypt.ARSYFOR.encode()))
    check(w, site, {"old": (old, ("inside", "later", "later", "later"), None, "(no-common-suite)")},
          {"downgrade": "2.0"}, suites=suites)


def test_starttls_stripped_as_well(w):
    site = Site(w, keywords=(b"STARTTLS",))
    acquainted(w, site)

    def down(line):
        return b"250-HELP\r\n" if line == b"250-STARTTLS\r\n" else stripped(line)
    check(w, site, {"both": (tapped(down=down), CLEAR, "not-offered", "no longer encrypts (not-offered)")},
          {"downgrade": "2.0"})


def test_starttls_instead(w):
    """With a certificate of his own, the attacker can read all. It is encryption, as `must` requires, and no more."""
    site = Site(w)
    acquainted(w, site)
    # on pipes, under `may` and `known`, the local MTA decides whether to use STARTTLS
    for policy, pipes, outcome, words in (
            ("may", False, "inside", ""), ("must", False, "inside", ""), ("must", True, "inside", ""),
            ("known", False, "later", "has only STARTTLS"), ("known", True, "later", "no longer encrypts"),
            ("pinned", False, "later", ""), ("pinned", True, "later", "")):
        before = len(site.mailer.messages)
        middle = w.keep(TlsMiddle(site.mailer.port, w.folder))
        tap = w.wiretap(middle.port)
        case = Case(w, policy, pipes, tap)
        case.check(outcome, {"downgrade": "2.0"}, words=words)
        assert outcome == "later" or case.entry["crypt"] == "starttls", case
        check_wire(tap, middle, outcome, len(site.mailer.messages) - before)


def test_strangers_are_not_protected(w):
    """At the first meeting `known` is like `may`, and nobody can tell; `must` and `pinned` protect."""
    site = Site(w)
    for policy, outcome in zip(POLICIES, ("clear", "clear", "later", "later")):
        settings = {"policy": policy, "known": w.path("new-" + policy)}
        result = w.send(w.wiretap(site.port, down=stripped), ["bob@b.example"], settings=settings)
        assert result.status == (0 if outcome == "clear" else 75), (policy, result)
        assert "downgrade" not in result.entries[-1], result
    impostor_met = w.keep(Impostor(site.port, lambda real: []))
    for policy, status in zip(POLICIES, (0, 0, 0, 75)):
        result = w.send(impostor_met, ["bob@b.example"], settings={"policy": policy,
                                                                   "known": w.path("new-" + policy)})
        assert result.status == status, (policy, result)


# Forged answers of the DNS

EVIL = "192.0.2.66"


def at(address):
    return {A: [address]}


def resolved(w):
    """b.example with a known host, and the addresses to which it can be changed."""
    enter(w)
    zone = {"b.example": {MX: [(10, "mx.b.example")]}, "mx.b.example": at("192.0.2.1"),
            "mx.evil.example": at(EVIL)}
    w.keep(NameServer(zone))
    site = Site(w, address="192.0.2.1")
    acquainted(w, site, "b.example", "mx.b.example")
    return site, zone


def check_forged(w, port, becomes, alarm, words, **script):
    for policy, outcome in zip(POLICIES, becomes):
        for pipes in (False, True):
            evil = FakeMailer(EVIL, port, **script)
            case = Case(w, policy, pipes, "b.example:%d" % port)
            # a key pinned for the domain is required of every host
            pinned = alarm if policy != "pinned" or script else {"downgrade": "2.0"}
            case.check(outcome, pinned, words=words)
            sessions = evil.finished()
            if outcome == "later":
                assert not [c for s in sessions for c in s.commands if c.startswith(b"MAIL")], case
            evil.close()


def test_forged_exchangers(w):
    site, zone = resolved(w)
    zone["b.example"] = {MX: [(10, "mx.evil.example")]}
    moved, words = {"downgrade": "mx.b.example"}, "-k forget -- b.example"
    check_forged(w, site.port, CLEAR, {"downgrade": "mx.b.example"}, words)
    # with XCRYPT, whichever host it is: `must` requires no more
    zone["mx.evil.example"] = at(EVIL)
    for policy, outcome, alarm in (("may", "inside", moved), ("known", "later", moved),
                                   ("must", "inside", moved)):
        evil = FakeMailer(EVIL, site.port, xcrypt=[xcrypt.CHACHA])
        case = Case(w, policy, False, "b.example:%d" % site.port)
        case.check(outcome, alarm, words=words)
        evil.close()
    evil = FakeMailer(EVIL, site.port, xcrypt=[xcrypt.CHACHA])
    case = Case(w, "pinned", False, "b.example:%d" % site.port)
    case.check("later", {"key-changed": site.key})
    evil.close()


def test_forged_addresses(w):
    """The name stays, and its address is that of another host."""
    site, zone = resolved(w)
    zone["mx.b.example"] = at(EVIL)
    check_forged(w, site.port, CLEAR, {"downgrade": "2.0"}, "-k forget -- mx.b.example")
    check_forged(w, site.port, KEY, {"key-changed": site.key}, "-k forget -- mx.b.example",
                 xcrypt=[xcrypt.CHACHA])


def test_an_exchanger_added(w):
    """Beside a known host it is a new one. A domain with a pinned key has no new hosts."""
    site, zone = resolved(w)
    zone["b.example"] = {MX: [(5, "mx.evil.example"), (10, "mx.b.example")]}
    for policy, outcome, alarm in (("may", "clear", {}), ("known", "clear", {}), ("must", "later", {}),
                                   ("pinned", "later", {"downgrade": "2.0"})):
        evil = FakeMailer(EVIL, site.port)
        Case(w, policy, False, "b.example:%d" % site.port).check(outcome, alarm)
        evil.close()
