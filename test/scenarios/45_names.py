# Claim: names are looked up as MX: by preference, with implicit and null MX and ourselves left out; without an answer the message waits (statements 25 and 27)
import subprocess

from kit import xcrypt
from kit.dns import A, MX, NXDOMAIN, SERVFAIL, NameServer, enter, may
from kit.mailer import FakeMailer
from kit.run import SENDER, Skip


def only_ours():
    """Skips with glibc, whose resolver is not ours."""
    said = subprocess.run([SENDER, "-V"], stdout=subprocess.PIPE, check=True).stdout
    if b"libc musl" not in said.splitlines()[0]:
        raise Skip("built with glibc, whose resolver it is")


def names(w, zone):
    enter(w)
    return w.keep(NameServer(zone))


def write_resolv(w, line):
    """The file is mounted, so it is written in place."""
    with open(w.path("resolv.conf"), "w") as out:
        out.write("nameserver 127.0.0.1\n%s\n" % line)


def host(w, last, **script):
    """Another host's mail server at 192.0.2.`last`, port 25."""
    return w.keep(FakeMailer("192.0.2.%d" % last, 25, **script))


def at(*lasts):
    return {A: ["192.0.2.%d" % last for last in lasts]}


def delivered(w, operand, mailer, **how):
    before = len(mailer.messages)
    result = w.send(operand, ["bob@b.example"], **how)
    assert result.status == 0, result
    assert len(mailer.messages) == before + 1
    return result


def waits(w, operand):
    result = w.send(operand, ["bob@b.example"])
    assert result.status == 75, result
    pipe = w.pipe(operand)
    reply = pipe.reply()
    assert reply.code == 421, reply
    pipe.wait()


def fails_for_good(w, operand):
    result = w.send(operand, ["bob@b.example"])
    assert result.status == 68 and result.out.startswith(b"5.1."), result
    pipe = w.pipe(operand)
    reply = pipe.reply()
    assert reply.code == 554, reply
    pipe.wait()


def test_preference(w):
    names(w, {"b.example": {MX: [(20, "two.b.example"), (10, "one.b.example"),
                                 (30, "three.b.example")]},
              "one.b.example": at(1), "two.b.example": at(2), "three.b.example": at(3)})
    two, three = host(w, 2, xcrypt=[xcrypt.CHACHA]), host(w, 3)
    result = delivered(w, "b.example", two)     # the first one is dead
    assert "two.b.example" in result.log
    one = host(w, 1)
    delivered(w, "b.example.", one)
    delivered(w, "B.Example", one)
    assert len(two.sessions) == 1 and not three.sessions


class Together(NameServer):
    """Answers questions for addresses when `count` of them have come."""
    count, held = 1, ()

    def serve(self):
        try:
            while True:
                query, peer = self.sock.recvfrom(4096)
                answer = self.answer(query)
                if self.asked[-1][1] == MX:
                    self.sock.sendto(answer, peer)
                    continue
                self.held = (*self.held, (answer, peer))
                if len(self.held) >= self.count:
                    for one in self.held:
                        self.sock.sendto(*one)
                    self.held = ()
        except OSError:
            return


def test_all_addresses_are_asked_for_together(w):
    """One question for MX, and then those for both families of all hosts."""
    only_ours()
    enter(w)
    zone = {"h%d.b.example" % n: at(n) for n in range(1, 9)}
    for n in 1, 2, 5, 8:
        zone["d%d.example" % n] = {MX: [(i, "h%d.b.example" % i) for i in range(1, n + 1)]}
    server, one = w.keep(Together(zone)), host(w, 1)
    for n in 1, 2, 5, 8:
        server.count, server.asked = 2 * n, []
        delivered(w, "d%d.example" % n, one)
        assert len(server.asked) == 1 + 2 * n, server.asked


def test_equal_preferences_are_shuffled(w):
    names(w, {"b.example": {MX: [(10, "one.b.example"), (10, "two.b.example")]},
              "one.b.example": at(1), "two.b.example": at(2)})
    one, two = host(w, 1), host(w, 2)
    for _ in range(40):     # fails without cause once in 2^39 runs
        assert w.send("b.example", ["bob@b.example"]).status == 0
    assert one.messages and two.messages


def test_several_addresses(w):
    names(w, {"b.example": {MX: [(10, "one.b.example")]}, "one.b.example": at(7, 1)})
    delivered(w, "b.example", host(w, 1))


def test_implicit_mx(w):
    names(w, {"b.example": at(1)})
    delivered(w, "b.example", host(w, 1))


def test_brackets_are_no_mx(w):
    names(w, {"b.example": at(1) | {MX: [(10, "two.b.example")]}, "two.b.example": at(2)})
    one, two = host(w, 1), host(w, 2)
    delivered(w, "[b.example]", one)
    delivered(w, "b.example", two)


def test_null_mx(w):
    names(w, {"b.example": at(1) | {MX: [(0, "")]}})
    one = host(w, 1)
    fails_for_good(w, "b.example")
    assert not one.sessions


def test_no_such_domain(w):
    names(w, {})
    fails_for_good(w, "nowhere.example")
    fails_for_good(w, "[nowhere.example]")


def test_no_answer(w):
    names(w, {"b.example": SERVFAIL})
    waits(w, "b.example")
    waits(w, "[b.example]")


def test_no_server(w):
    enter(w)
    waits(w, "b.example")


def test_mx_without_address(w):
    """The domain exists and accepts mail, but not now."""
    names(w, {"b.example": {MX: [(10, "one.b.example"), (20, "two.b.example")]},
              "one.b.example": {},
              "two.b.example": SERVFAIL})
    waits(w, "b.example")


def test_name_without_anything(w):
    names(w, {"b.example": {}})
    waits(w, "b.example")


def test_ourselves_are_left_out(w):
    """Hosts of the same or lower preference are left out as well."""
    names(w, {"b.example": {MX: [(10, "one.b.example"), (20, "self.b.example"),
                                 (20, "two.b.example"),
                                 (30, "three.b.example")]},
              "one.b.example": at(1), "two.b.example": at(2), "three.b.example": at(3),
              "self.b.example": {A: ["127.0.0.1"]}})
    two, three = host(w, 2), host(w, 3)
    loop = w.keep(FakeMailer("127.0.0.1", 25))
    waits(w, "b.example")
    one = host(w, 1)
    delivered(w, "b.example", one)
    assert not two.sessions and not three.sessions and not loop.sessions


def test_only_ourselves(w):
    names(w, {"b.example": {MX: [(10, "self.b.example")]}, "self.b.example": {A: ["127.0.0.1"]},
              "c.example": {A: ["127.0.0.1"]}})
    loop = w.keep(FakeMailer("127.0.0.1", 25))
    waits(w, "b.example")
    waits(w, "c.example")
    assert not loop.sessions


def test_list_of_domains(w):
    names(w, {"dead.example": at(9), "b.example": {MX: [(10, "one.b.example")]},
              "one.b.example": at(1)})
    one = host(w, 1)
    delivered(w, "dead.example:b.example", one)
    delivered(w, "nowhere.example:b.example", one)
    delivered(w, "[dead.example]:[one.b.example]:25", one)


def test_ports(w):
    names(w, {"b.example": {MX: [(10, "one.b.example")]}, "one.b.example": at(1)})
    other = w.keep(FakeMailer("192.0.2.1"))
    delivered(w, "b.example:%d" % other.port, other)


def test_policy_by_destination(w):
    """policy.DOMAIN and policy..SUFFIX apply to the domain that was asked for."""
    names(w, {"b.example": {MX: [(10, "one.c.example")]},
              "sub.b.example": {MX: [(10, "one.c.example")]},
              "one.c.example": at(1)})
    one = host(w, 1)
    for operand, settings, status in (
            ("b.example", {"policy.b.example": "must"}, 75),
            ("b.example.", {"policy.b.example": "must"}, 75),
            ("B.EXAMPLE", {"policy.b.example": "must"}, 75),
            ("sub.b.example", {"policy.b.example": "must"}, 0),
            ("sub.b.example", {"policy..b.example": "must"}, 75),
            ("b.example", {"policy..b.example": "must"}, 0),
            ("sub.b.example", {"policy..b.example": "must", "policy.sub.b.example": "may"}, 0),
            ("b.example", {"policy.b.example": "may", "policy": "must"}, 0)):
        result = w.send(operand, ["bob@b.example"], settings=settings)
        assert result.status == status, (operand, settings, result)
    assert len(one.messages) == 4


def test_a_name_without_a_dot(w):
    """It is looked up in every domain of the search list; a final dot for the root does not matter."""
    only_ours()
    names(w, {"smart.two.example": at(1), "smart": NXDOMAIN})
    one = host(w, 1)
    for search in ("two.example", "two.example.", "one.example two.example", ". two.example"):
        write_resolv(w, "search %s" % search)
        delivered(w, "smart", one)
        fails_for_good(w, "dumb")
    write_resolv(w, "search .")
    fails_for_good(w, "smart")
    delivered(w, "[smart.two.example]", one)


def test_doubtful_answers(w):
    """The answer that a name does not exist counts only if the reply says nothing else."""
    only_ours()
    class Contradictory(NameServer):
        def answer(self, query):
            self.zone = {"b.example": {MX: [(10, "one.b.example")]}}
            octets = bytearray(super().answer(query))
            octets[3] |= NXDOMAIN
            return bytes(octets)

    enter(w)
    w.keep(Contradictory({}))
    waits(w, "b.example")
    fails_for_good(w, "c.example")


def test_scoped_addresses_in_the_hosts_file(w):
    only_ours()
    with open(w.path("hosts"), "w") as out:
        out.write("fe80::1%lo b.example\n")
    enter(w, lambda: may("mount", "--bind", w.path("hosts"), "/etc/hosts"))
    w.keep(NameServer({}))
    waits(w, "b.example")       # nobody listens there, but the name exists
    fails_for_good(w, "c.example")
