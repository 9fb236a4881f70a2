# Claim: dead and silent hosts are skipped in time, over IPv4 and IPv6, and blackpony never calls this host itself
import time

from kit import xcrypt
from kit.dns import may
from nsd import OWN, OWN6, calls, delivered, host, names, names_and_ipv6, send, silent, waits

OURSELVES = """
one.b.example A 192.0.2.1
two.b.example A 192.0.2.2
three.b.example A 192.0.2.3
self.b.example A %s
""" % OWN


def seconds(function, *args, **how):
    began = time.monotonic()
    result = function(*args, **how)
    return time.monotonic() - began, result


def test_refused_and_silent_hosts_first(w):
    names(w, "b.example MX 1 refusing.b.example\nb.example MX 2 silent.b.example\n"
             "b.example MX 3 one.b.example\nrefusing.b.example A 192.0.2.9\n"
             "silent.b.example A 192.0.2.8\none.b.example A 192.0.2.1\n")
    one = host(w, 1, xcrypt=[xcrypt.AES])
    silent(w, 8)
    took, result = seconds(send, w, "b.example", connect_timeout="1s")
    assert result.status == 0 and one.messages[0].encrypted == xcrypt.AES, result
    assert [name for name, _ in calls(result)] == \
        ["refusing.b.example", "silent.b.example", "one.b.example"], result
    assert "refused" in result.log, result
    assert "timed" in result.log, result
    assert 0.9 < took < 6, took
    delivered(w, "b.example", one, connect_timeout="1s")


def test_unreachable_hosts_first(w):
    """No route, and routes that reject."""
    def routes():
        may("ip", "route", "add", "unreachable", "203.0.113.1")
        may("ip", "route", "add", "prohibit", "203.0.113.2")
    names(w, "b.example MX 1 x.b.example\nb.example MX 2 y.b.example\nb.example MX 3 z.b.example\n"
             "b.example MX 4 one.b.example\nx.b.example A 198.51.100.1\ny.b.example A 203.0.113.1\n"
             "z.b.example A 203.0.113.2\nz.b.example AAAA 2001:db8:1::1\n"
             "one.b.example A 192.0.2.1\n", routes)
    result = delivered(w, "b.example", host(w, 1))
    assert len(calls(result)) == 5, result


def test_all_silent(w):
    """All together may take dial-timeout."""
    names(w, "".join("b.example MX %d x%d.b.example\nx%d.b.example A 192.0.2.%d\n" % (n, n, n, n)
                     for n in range(1, 9)))
    for last in range(1, 9):
        silent(w, last)
    took, result = seconds(send, w, "b.example", connect_timeout="1s", dial_timeout="3s")
    assert result.status == 75 and 2.5 < took < 6, (took, result)
    took, result = seconds(send, w, "b.example", connect_timeout="30s", dial_timeout="2s")
    assert result.status == 75 and 1.5 < took < 5, (took, result)
    waits(w, "b.example", connect_timeout="1s", dial_timeout="1s")


def test_ourselves(w):
    """This host, and all of the same or lower preference, are left out."""
    names(w, OURSELVES + "b.example MX 10 one.b.example\nb.example MX 20 two.b.example\n"
                         "b.example MX 20 self.b.example\nb.example MX 30 three.b.example\n")
    two, three, loop = host(w, 2), host(w, 3), host(w, OWN)
    for _ in range(10):     # two are before us and two after us by chance
        assert send(w, "b.example").status == 75
    waits(w, "b.example")
    delivered(w, "b.example", host(w, 1))
    assert not two.sessions and not three.sessions and not loop.sessions


def test_ourselves_among_many(w):
    """However many there are, and wherever the best one and this host are among them."""
    many = "".join("b.example MX 20 x%d.b.example\nx%d.b.example A 192.0.2.9\n" % (n, n) for n in range(70))
    many += "".join("c.example MX %d x%d.b.example\n" % (100 - n, n) for n in range(70))
    names(w, OURSELVES + many + "b.example MX 20 self.b.example\nb.example MX 10 one.b.example\n"
                                "c.example MX 10 one.b.example\n")
    for domain in "b.example", "c.example":
        assert {address for _, address in calls(waits(w, domain, connect_timeout="1s"))} <= {"192.0.2.1", "192.0.2.9"}
    assert {name for name, _ in calls(waits(w, "b.example"))} == {"one.b.example"}
    one = host(w, 1)
    delivered(w, "b.example", one)
    assert len(calls(delivered(w, "c.example", one))) == 1


def test_only_ourselves(w):
    """By interface, by loopback, as an implicit MX, and as the second address of a host."""
    names(w, OURSELVES + """
b.example MX 10 self.b.example
c.example A %s
d.example MX 10 loop.b.example
loop.b.example A 127.0.0.99
e.example MX 10 both.b.example
both.b.example A 192.0.2.1
both.b.example A %s
f.example MX 10 zero.b.example
zero.b.example A 0.0.0.0
g.example MX 10 alias.b.example
alias.b.example CNAME self.b.example
h.example MX 10 localhost
""" % (OWN, OWN))
    one, loop, local = host(w, 1), host(w, OWN), host(w, "127.0.0.1")
    for domain in "bcdefgh":
        result = waits(w, domain + ".example")
        assert not calls(result), result
    assert not loop.sessions and not local.sessions and not one.sessions


def test_ourselves_by_intent(w):
    """A bracketed name, a literal or another port may be on this host."""
    names(w, OURSELVES + "b.example MX 10 self.b.example\n")
    loop, other = host(w, OWN), host(w, OWN, port=2525)
    delivered(w, "[self.b.example]", loop)
    delivered(w, "[%s]" % OWN, loop)
    delivered(w, "b.example:2525", other)


def test_ourselves_in_a_list(w):
    """The next element of the list is another destination."""
    names(w, OURSELVES + "b.example MX 10 self.b.example\nc.example MX 10 one.b.example\n")
    one = host(w, 1)
    delivered(w, "b.example:c.example", one)


def test_both_families(w):
    """The address that works is reached, and the dead one costs no more than a refusal."""
    names_and_ipv6(w, """
b.example MX 10 one.b.example
one.b.example A 192.0.2.1
one.b.example AAAA 2001:db8::1
c.example AAAA 2001:db8::1
d.example MX 10 six.b.example
d.example MX 20 four.b.example
six.b.example AAAA 2001:db8::6
four.b.example A 192.0.2.1
""")
    dead = calls(waits(w, "b.example"))
    assert {address for _, address in dead} == {"192.0.2.1", "2001:db8::1"}
    four = host(w, 1)
    delivered(w, "b.example", four)
    waits(w, "c.example")
    assert calls(delivered(w, "d.example", four))[0][1] == "2001:db8::6"
    four.close()
    six = host(w, "2001:db8::1", xcrypt=[xcrypt.CHACHA])
    result = delivered(w, "b.example", six)
    assert result.entries[-1]["crypt"] == xcrypt.CHACHA, result
    delivered(w, "c.example", six)


def test_silent_ipv6(w):
    """As many hosts behind a broken tunnel have it."""
    names_and_ipv6(w, "b.example MX 10 one.b.example\none.b.example A 192.0.2.1\n"
                      "one.b.example AAAA 2001:db8::1\n")
    four = host(w, 1)
    silent(w, "2001:db8::1")
    took, result = seconds(send, w, "b.example", connect_timeout="1s")
    assert result.status == 0 and took < 6, (took, result)
    assert four.messages


def test_ipv6_without_a_route(w):
    names_and_ipv6(w, "b.example AAAA 2001:db8:1::1\nb.example A 192.0.2.1\n")
    delivered(w, "b.example", host(w, 1))


def test_ipv6_literals(w):
    names_and_ipv6(w, "six.b.example AAAA 2001:db8::5\n")
    six, four = host(w, "2001:db8::5"), host(w, 5)
    for operand in ("[ipv6:2001:db8::5]", "[IPv6:2001:DB8::5]:25", "[six.b.example]",
                    "six.b.example", "[192.0.2.9]:[ipv6:2001:db8::5]"):
        delivered(w, operand, six)
    delivered(w, "[192.0.2.5]", four)
    delivered(w, "[ipv6:2001:db8::9]:[192.0.2.5]", four)


def test_ourselves_by_ipv6(w):
    names_and_ipv6(w, """
b.example MX 10 self.b.example
self.b.example AAAA %s
c.example MX 10 both.b.example
both.b.example AAAA %s
both.b.example A 192.0.2.1
d.example MX 10 loop.b.example
loop.b.example AAAA ::1
e.example MX 10 mapped.b.example
mapped.b.example AAAA ::ffff:127.0.0.1
f.example MX 10 zero.b.example
zero.b.example AAAA ::
g.example MX 10 mine.b.example
mine.b.example AAAA ::ffff:192.0.2.100
""" % (OWN6, OWN6))
    one, loop, local, four = host(w, 1), host(w, OWN6), host(w, "::1"), host(w, "127.0.0.1")
    for domain in "bcdefg":
        result = waits(w, domain + ".example")
        assert not calls(result), result
    assert not (one.sessions or loop.sessions or local.sessions or four.sessions)
