# Claim: names are looked up as MX: preference order, implicit and null MX, ourselves left out; no answer makes a message wait (statements 25 and 27)
from kit import xcrypt
from kit.dns import A, MX, SERVFAIL, NameServer, enter
from kit.mailer import FakeMailer


def names(w, zone):
    enter(w)
    return w.keep(NameServer(zone))


def host(w, last, **script):
    """Another host's mailer at 192.0.2.`last`, port 25."""
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
    result = delivered(w, "b.example", two)     # one is dead
    assert "two.b.example" in result.log
    one = host(w, 1)
    delivered(w, "b.example.", one)
    delivered(w, "B.Example", one)
    assert len(two.sessions) == 1 and not three.sessions


def test_equal_preferences_are_shuffled(w):
    names(w, {"b.example": {MX: [(10, "one.b.example"), (10, "two.b.example")]},
              "one.b.example": at(1), "two.b.example": at(2)})
    one, two = host(w, 1), host(w, 2)
    for _ in range(40):     # once in 2^39 this fails for no reason
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
    """The domain exists and takes mail, only not now."""
    names(w, {"b.example": {MX: [(10, "one.b.example"), (20, "two.b.example")]},
              "one.b.example": {},
              "two.b.example": SERVFAIL})
    waits(w, "b.example")


def test_name_without_anything(w):
    names(w, {"b.example": {}})
    waits(w, "b.example")


def test_ourselves_are_left_out(w):
    """And everything of the same or lower preference."""
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
    """policy.DOMAIN and policy..SUFFIX go by the domain that was asked for."""
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
