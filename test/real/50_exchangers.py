# Claim: the MX records of a real name server give the right hosts in the right order
from kit import xcrypt
from kit.dns import A, MX
from nsd import (SERVER, calls, delivered, fails_for_good, host, hosts, is_truncated, names, resolv,
                 send, waits)

ONE = """
one.b.example A 192.0.2.1
two.b.example A 192.0.2.2
three.b.example A 192.0.2.3
four.b.example A 192.0.2.4
"""


def test_preference(w):
    """By number, whatever the order of the records and the form of the numbers."""
    names(w, ONE + """
b.example MX 100 three.b.example
b.example MX 20 two.b.example
b.example MX 65535 four.b.example
b.example MX 0 one.b.example
""")
    result = send(w, "b.example")
    assert result.status == 75, result
    assert [name for name, _ in calls(result)] == \
        ["one.b.example", "two.b.example", "three.b.example", "four.b.example"], result
    three, four = host(w, 3, xcrypt=[xcrypt.CHACHA]), host(w, 4)
    result = delivered(w, "b.example", three)
    assert result.entries[-1]["crypt"] == xcrypt.CHACHA and result.entries[-1]["to"] == "b.example"
    one = host(w, 1)
    delivered(w, "b.example", one)
    assert not four.sessions


def test_every_order_of_equals(w):
    """All hosts are dead, so the log tells the order. By chance alone this fails once in a million runs."""
    names(w, ONE + """
b.example MX 10 one.b.example
b.example MX 10 two.b.example
b.example MX 10 three.b.example
b.example MX 20 four.b.example
b.example MX 5 nobody.b.example
nobody.b.example A 192.0.2.9
""")
    seen = {}
    for _ in range(120):
        order = [name.split(".")[0] for name, _ in calls(send(w, "b.example"))]
        assert order[0] == "nobody" and order[4] == "four" and len(order) == 5, order
        seen[tuple(order[1:4])] = seen.get(tuple(order[1:4]), 0) + 1
    assert len(seen) == 6 and max(seen.values()) < 48 and min(seen.values()) > 2, seen


def test_implicit(w):
    names(w, "b.example A 192.0.2.1\nc.example AAAA 2001:db8::1\nc.example A 192.0.2.2\n")
    delivered(w, "b.example", host(w, 1))
    delivered(w, "c.example", host(w, 2))


def test_mx_hides_the_address(w):
    """If there is an MX, the domain's own address is not used, even if the MX is dead."""
    names(w, "b.example A 192.0.2.1\nb.example MX 10 dead.b.example\ndead.b.example A 192.0.2.9\n"
             "c.example A 192.0.2.1\nc.example MX 10 none.b.example\n")
    one = host(w, 1)
    waits(w, "b.example")
    waits(w, "c.example")
    assert not one.sessions


def test_null_mx(w):
    names(w, "b.example MX 0 .\nb.example A 192.0.2.1\nb.example AAAA 2001:db8::1\n"
             "alias.example CNAME b.example\n")
    one = host(w, 1)
    fails_for_good(w, "b.example", b"5.1.10")
    fails_for_good(w, "alias.example", b"5.1.10")
    assert not one.sessions
    delivered(w, "[b.example]", one)


def test_null_mx_among_others(w):
    """RFC 7505: a null MX must be the only one; a domain with others accepts mail."""
    names(w, ONE + "b.example MX 0 .\nb.example MX 10 one.b.example\n")
    delivered(w, "b.example", host(w, 1))


def test_null_mx_beside_nonsense(w):
    """It is not the only one then, whatever the other means: the message waits."""
    names(w, "b.example MX 0 .\nb.example MX 10 no\\032host.b.example\n"
             "c.example MX 10 no\\032host.b.example\n")
    waits(w, "b.example")
    waits(w, "c.example")


def test_no_such_domain(w):
    names(w, "b.example A 192.0.2.1\nalias.example CNAME nowhere.example\n")
    for operand in ("nowhere.example", "nowhere.example.", "sub.b.example", "[nowhere.example]",
                    "nowhere.example:2525", "nowhere.example:elsewhere.example", "alias.example"):
        fails_for_good(w, operand, b"5.1.2")


def test_names_without_hosts(w):
    """The name exists, so the message waits."""
    names(w, 'b.example TXT "x"\nx.c.example A 192.0.2.1\nd.example MX 10 nowhere.example\n'
             'e.example MX 10 b.example\n')
    for operand in ("b.example", "c.example", "d.example", "e.example", "[b.example]",
                    "nowhere.example:b.example"):
        waits(w, operand)


def test_null_and_none_in_a_list(w):
    """Permanent only if every element of the list says so."""
    names(w, "null.example MX 0 .\nb.example A 192.0.2.1\n")
    fails_for_good(w, "null.example:nowhere.example")
    waits(w, "null.example:b.example")
    delivered(w, "null.example:nowhere.example:b.example", host(w, 1))


def test_several_addresses(w):
    names(w, "b.example MX 10 one.b.example\nb.example MX 20 two.b.example\n"
             "one.b.example A 192.0.2.9\none.b.example A 192.0.2.8\n"
             "one.b.example A 192.0.2.1\ntwo.b.example A 192.0.2.2\n")
    two = host(w, 2)
    result = delivered(w, "b.example", two)
    found = calls(result)
    assert sorted(found[:3]) == [("one.b.example", "192.0.2.%d" % n) for n in (1, 8, 9)], found
    one = host(w, 1)
    delivered(w, "b.example", one)
    assert len(two.sessions) == 2


def test_an_address_under_two_names(w):
    names(w, "b.example MX 10 one.b.example\nb.example MX 20 uno.b.example\n"
             "one.b.example A 192.0.2.1\nuno.b.example A 192.0.2.1\n")
    delivered(w, "b.example", host(w, 1))


def test_aliases(w):
    """CNAMEs of the domain, two in a row, and of its mail host, which is wrong but common."""
    names(w, ONE + """
b.example MX 10 mail.b.example
mail.b.example CNAME one.b.example
alias.example CNAME b.example
second.example CNAME alias.example
implicit.example CNAME one.b.example
""")
    one = host(w, 1)
    for operand in ("b.example", "alias.example", "second.example", "implicit.example",
                    "[alias.b.example]:second.example", "[mail.b.example]"):
        delivered(w, operand, one)


def test_an_alias_of_itself(w):
    names(w, "b.example CNAME c.example\nc.example CNAME b.example\n")
    waits(w, "b.example")


def test_wildcards(w):
    names(w, ONE + "*.b.example MX 10 one.b.example\n")
    one = host(w, 1)
    delivered(w, "anything.b.example", one)
    delivered(w, "any.thing.b.example", one)


def many(count):
    return "*.mail-hosts.example A 192.0.2.9\n" + \
        "".join("b.example MX %d %s-%02d.mail-hosts.example\n" % (n, "x" * 40, n)
                for n in range(1, count + 1))


def test_many_exchangers_come_over_tcp(w):
    names(w, many(29) + ONE + "b.example MX 30 one.b.example\n")
    assert is_truncated(SERVER, "b.example", MX)
    one = host(w, 1)
    result = delivered(w, "b.example", one)
    assert len(calls(result)) == 30, result


def test_more_exchangers_than_are_looked_at(w):
    """The surplus ones are not called; the rest are tried."""
    names(w, many(200))
    result = waits(w, "b.example")
    assert len(calls(result)) == 64, len(calls(result))


def test_many_addresses_come_over_tcp(w):
    names(w, "b.example A 192.0.2.1\n" +
          "".join("b.example A 192.0.2.%d\n" % n for n in range(150, 190)))
    assert is_truncated(SERVER, "b.example", A)
    result = delivered(w, "b.example", host(w, 1))
    assert calls(result)[-1][1] == "192.0.2.1"


def test_brackets(w):
    """`[mx.example.net]` is called itself, whatever its MX."""
    names(w, ONE + "mx.example.net A 192.0.2.1\nmx.example.net MX 10 two.b.example\n")
    one, two = host(w, 1), host(w, 2)
    for operand in ("[mx.example.net]", "[mx.example.net.]", "[MX.Example.NET]:25"):
        delivered(w, operand, one)
    assert not two.sessions
    delivered(w, "mx.example.net", two)
    assert len(one.sessions) == 6


def test_lists(w):
    names(w, "smart1.example MX 10 one.b.example\nsmart2.example A 192.0.2.2\n"
             "one.b.example A 192.0.2.1\n")
    two = host(w, 2)
    delivered(w, "smart1.example:smart2.example", two)
    delivered(w, "nowhere.example:smart2.example.", two)
    delivered(w, "[smart1.example]:[smart2.example]", two)
    one = host(w, 1)
    result = delivered(w, "smart1.example:smart2.example", one)
    assert calls(result) == [("one.b.example", "192.0.2.1")]
    other = host(w, 2, port=2525)
    delivered(w, "[smart2.example]:2525:smart1.example", other)
    assert len(two.sessions) == 6 and len(one.sessions) == 2


def test_trailing_dot_and_case(w):
    names(w, ONE + "b.example MX 10 one.b.example\n")
    one = host(w, 1)
    for operand in ("b.example.", "B.EXAMPLE", "B.Example."):
        delivered(w, operand, one)


def test_search_list(w):
    """A name with a dot is complete, whatever the search list is."""
    names(w, ONE + "*.wild.example MX 10 one.b.example\n*.wild.example A 192.0.2.1\n"
             "b.example A 192.0.2.2\nsmart.local.example A 192.0.2.2\n")
    one, two = host(w, 1), host(w, 2)
    resolv(w, "nameserver %s\nsearch wild.example\noptions ndots:5\n" % SERVER)
    fails_for_good(w, "nowhere.example")
    fails_for_good(w, "[nowhere.example]")
    delivered(w, "b.example", two)
    delivered(w, "[b.example]", two)
    assert not one.sessions
    resolv(w, "nameserver %s\nsearch local.example\n" % SERVER)
    delivered(w, "smart", two)


def test_hosts_file(w):
    """The file gives addresses, and a negative answer of the DNS costs no message."""
    names(w, ONE + "b.example MX 10 one.b.example\n")
    hosts(w, "192.0.2.2 inside.example smart one.b.example\n")
    two = host(w, 2)
    for operand in ("inside.example", "[inside.example]", "smart", "b.example"):
        delivered(w, operand, two)


def test_a_name_beyond_ascii(w):
    names(w, ONE + "xn--mnchen-3ya.example MX 10 one.b.example\n")
    one = host(w, 1, xcrypt=[xcrypt.CHACHA])
    for operand in "münchen.example", "MÜNCHEN.example.", "xn--mnchen-3ya.example":
        result = delivered(w, operand, one)
        assert result.entries[-1]["to"] == "xn--mnchen-3ya.example", result
    settings = {"policy.münchen.example": "never"}
    assert send(w, "münchen.example", **settings).entries[-1]["crypt"] == "none"
