# Claim: where mail must not go in the clear, nothing said in the clear by the DNS or by a host refuses a message: under `must`, `pinned`, and `known` with an established host it waits, and an alarm is logged (statement 36)
import shutil

from kit.dns import A, MX, NameServer, enter
from kit.known import DAY, HERE, Site, known, remember

GREETING = b"554 5.7.1 We take no mail"
REFUSED = b"550 5.7.1 Not you"
KEEPS = ("known", "must", "pinned")


class Words:
    """The results under one policy, with both ways to send."""

    def __init__(self, w, folder=None):
        self.w, self.folder, self.count = w, folder or w.path("known"), 0

    def settings(self, policy, folder=None):
        self.count += 1
        copy = self.w.path("words-%d" % self.count)
        shutil.copytree(folder or self.folder, copy)
        return {"policy": policy, "known": copy}

    def arguments(self, operand, policy, folder=None):
        return self.w.send(operand, ["bob@b.example"], settings=self.settings(policy, folder))

    def pipes(self, operand, policy, folder=None):
        """The last reply to a local MTA that does all it can, and what blackpony has left."""
        pipe = self.w.pipe(operand, self.settings(policy, folder))
        reply = pipe.reply()
        for line in "EHLO mail.a.example", "HELO mail.a.example":
            if reply.code != 220 and line.startswith("EHLO") or reply.code in (250, 421):
                break
            reply = pipe.command(line)
        return reply, pipe.wait()

    def wait(self, operand, policy, alarm, folder=None):
        result = self.arguments(operand, policy, folder)
        reply, left = self.pipes(operand, policy, folder)
        assert result.status == 75 and result.out.startswith(b"4."), (policy, result)
        assert reply.code == 421, (policy, reply)
        for log in result.log, left.log:
            assert (" %s" % alarm in log and "not as it was:" in log and "mail waits" in log) == bool(alarm), \
                (policy, log)
        return result, reply

    def lost(self, operand, policy, text):
        reply, left = self.pipes(operand, policy)
        assert reply.code >= 500 and text in reply.text, (policy, reply, left)


def meets(w, site, domain=HERE, host=HERE):
    """Makes the host an established one, and pins its key in a copy."""
    remember(w, 2 * DAY, site.key, domain, host)
    operand = site.port if domain == HERE else "%s:%d" % (domain, site.port)
    assert w.send(operand, ["bob@b.example"]).status == 0
    pins = shutil.copytree(w.path("known"), w.path("pins"))
    assert known(w, "pin", domain, site.key, folder=pins)[0] == 0
    return pins


def test_greetings_and_hellos(w):
    pins = meets(w, Site(w))
    words = Words(w)
    for answers, text in (({"greeting": GREETING}, b"554 5.7.1"), ({"EHLO": REFUSED, "HELO": REFUSED}, b"550 5.7.1"),
                          ({"EHLO": b"500 What?", "HELO": REFUSED}, b"550 5.7.1")):
        evil = w.mailer(answers=answers)
        words.lost(evil, "may", text)
        for policy in KEEPS:
            words.wait(evil, policy, "downgrade=2.0", pins if policy == "pinned" else None)
        assert not [c for s in evil.finished() for c in s.commands if c.startswith(b"MAIL")]
        evil.close()


def test_a_greeting_is_passed_on(w):
    """So that people see which host said it."""
    evil = w.mailer(answers={"greeting": GREETING})
    pipe = w.pipe(evil, {"policy": "must"})
    assert pipe.reply().text == b"421 4.3.2 blackpony: 127.0.0.1 said " + GREETING
    pipe.wait()


def test_strangers(w):
    """Of a new host, `known` expects nothing."""
    words = Words(w)
    Site(w)
    w.send(w.mailer(), ["bob@b.example"])
    for answers in {"greeting": GREETING}, {"EHLO": REFUSED, "HELO": REFUSED}:
        evil = w.mailer(answers=answers)
        words.lost(evil, "known", b"5.7.1")
        for policy in "must", "pinned":
            words.wait(evil, policy, None)
        evil.close()


def test_inside_without_a_key(w):
    """A refusal inside shows no host key: any host could have sent it."""
    site = Site(w)
    pins = meets(w, site)
    words = Words(w)
    evil = w.mailer(xcrypt=["chacha20poly1305_2.0"], answers={
        "EHLO": lambda session, line: REFUSED if session.suite else None,
        "HELO": lambda session, line: REFUSED if session.suite else None})
    for policy in "known", "pinned":
        words.wait(evil, policy, "key-changed=" + site.key, pins if policy == "pinned" else None)
    words.lost(evil, "must", b"550 5.7.1")


def test_the_dns(w):
    """Forged NXDOMAIN and null MX, for a domain that is known by its mail host or pinned itself."""
    enter(w)
    zone = {"b.example": {MX: [(10, "mx.b.example")]}, "mx.b.example": {A: ["192.0.2.1"]}}
    w.keep(NameServer(zone))
    site = Site(w, address="192.0.2.1")
    pins = meets(w, site, "b.example", "mx.b.example")
    words = Words(w)
    del zone["mx.b.example"]
    for forged, why, status in ((None, "no-such-domain", b"5.1.2"), ({MX: [(0, "")]}, "null-mx", b"5.1.10")):
        if forged is None:
            del zone["b.example"]
        else:
            zone["b.example"] = forged
        for operand in "b.example", "b.example:%d" % site.port, "nowhere.example:b.example":
            words.lost(operand, "may", status)
            assert words.arguments(operand, "may").status == 68
            result, reply = words.wait(operand, "known", "downgrade=mx.b.example")
            text = "is gone from the DNS (%s): blackpony -k forget -- b.example accepts that" % why
            assert reply.text.decode() == "421 4.7.5 " + text, reply
            assert result.out.decode() == "4.7.5 %s\n" % text, result
            assert " end=not-trusted" in result.log, result
            words.wait(operand, "must", "downgrade=mx.b.example")
            words.wait(operand, "pinned", "downgrade=2.0", pins)
        words.lost("c.example" if forged is None else "nowhere.example", "known", b"5.1.2")
        words.wait("nowhere.example", "must", None)
        # the text names the right command
        forgotten = shutil.copytree(w.path("known"), w.path("forgotten-" + why))
        assert known(w, "forget", "b.example", folder=forgotten)[0] == 0
        assert words.arguments("b.example", "known", forgotten).status == 68


def test_a_mail_host_that_could_not_be_asked(w):
    """One host greets with 554, and the other's address cannot be found: not every host has refused."""
    enter(w)
    zone = {"b.example": {MX: [(5, "mx1.b.example"), (10, "mx2.b.example")]}, "mx2.b.example": {A: ["192.0.2.2"]},
            "mx1.b.example": 2}
    w.keep(NameServer(zone))
    evil = w.mailer("192.0.2.2", answers={"greeting": GREETING})
    words = Words(w)
    w.send(evil, ["bob@b.example"])
    reply, left = words.pipes("b.example:%d" % evil.port, "may")
    assert reply.text == b"421 4.3.2 blackpony: mx2.b.example said " + GREETING, (reply, left)
    del zone["mx1.b.example"]
    words.lost("b.example:%d" % evil.port, "may", GREETING)
