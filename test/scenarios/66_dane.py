# Claim: TLSA records that the DNS vouches for are binding: the host key or the certificate matches one, or the message waits; without DNSSEC nothing changes (statements 36 and 43)
import re

from kit import xcrypt
from kit.conn import SLOW
from kit.dane import ANOTHER, CERTIFICATE, TO, XCRYPT_KEY, Far, Plain, both_ways, goes, holds, record, start, waits
from kit.dns import A, AAAA, MX, SERVFAIL, TLSA, NameServer, enter
from kit.run import SENDER


def test_a_host_key_in_the_dns(w):
    """It authenticates XCRYPT at the first meeting, with one query more."""
    enter(w)
    far = Far(w, 1)
    dns = start(w, (far, [far.records[XCRYPT_KEY]]))
    for entry in goes(w, far.port, far, cache="off"):
        holds(entry, crypt=xcrypt.CHACHA, auth="dane", asked="dane", tlsa="matched", mx=None)
    once = ["b.example", far.name, far.name, "_%d._tcp.%s" % (far.port, far.name)]
    assert sorted(name for name, _ in dns.asked) == sorted(2 * once), dns.asked


def test_a_certificate_in_the_dns(w):
    """STARTTLS with a host without XCRYPT, also for a mailer that speaks SMTP through blackpony."""
    enter(w)
    far = Far(w, 1, policy="never")
    start(w, (far, [far.records[ANOTHER], far.records[CERTIFICATE]]))
    for policy in "may", "known", "must":
        before = len(far.messages)
        for entry in goes(w, far.port, policy=policy):
            holds(entry, crypt="starttls", auth="dane", asked="dane", tlsa="matched", end=entry["end"])
        assert len(far.messages) == before + 2


def test_another_host_key(w):
    """XCRYPT does not count, so STARTTLS on a new connection; likewise without a host key."""
    enter(w)
    far, keyless = Far(w, 1), Far(w, 2, key=False)
    for host in far, keyless:
        dns = start(w, (host, [host.records[CERTIFICATE]]))
        for policy in "may", "known", "must":
            before = len(host.messages)
            for delivered, said, entries, log in both_ways(w, host.port, policy=policy):
                assert delivered, (said, log)
                first, second = entries
                holds(first, crypt=xcrypt.CHACHA, auth="none", asked="dane", end="key-unmatched")
                holds(second, crypt="starttls", why="starttls-only", auth="dane", tlsa="matched")
            assert len(host.messages) == before + 2
        dns.close()


def test_nothing_matches(w):
    """A new key with the record of the old one: the message waits under every policy that looks."""
    enter(w)
    far, bare, plain = Far(w, 1), Far(w, 2, policy="never"), Far(w, 3, starttls="no")
    for host, words in ((far, b"certificate that matches none of its TLSA records"),
                        (bare, b"certificate that matches none of its TLSA records"),
                        (plain, b"host key that matches none of its TLSA records")):
        dns = start(w, (host, [host.records[ANOTHER]]))
        for policy in "may", "known", "must":
            for log in waits(w, host.port, b"4.7.5", words, policy=policy):
                assert "auth=none asked=dane tlsa=unmatched" in log, log
        dns.close()
        assert not host.messages


def test_no_starttls(w):
    """Records, and a host that does not encrypt, or whose STARTTLS fails or is refused."""
    enter(w)
    plain = w.keep(Plain(1, 2525))
    refusing = w.keep(Plain(2, 2525, keywords=(b"STARTTLS",), answers={"STARTTLS": b"454 4.7.0 not now"}))
    failing = w.keep(Plain(3, 2525, keywords=(b"STARTTLS",), answers={"STARTTLS": b"220 go\r\n-no TLS-"}))
    for host in plain, refusing, failing:
        dns = start(w, (host, [record(b"x")]))
        waits(w, host.port, b"4.7.5" if host is not failing else b"4.")
        dns.close()
        assert not host.messages and not [c for c in host.commands if c[:4] == b"MAIL"], host.commands


def test_refused_in_the_clear(w):
    """With records, a 5yz that came in the clear costs no message (statement 36)."""
    enter(w)
    for number, answers in enumerate(({"greeting": b"554 5.7.1 no"}, {"EHLO": b"550 5.5.1 no", "HELO": b"550 5.5.1 no"},
                                      {"MAIL": b"530 5.7.0 Must issue a STARTTLS command first"})):
        host = w.keep(Plain(number + 1, 2525, answers=answers))
        dns = start(w, (host, [record(b"x")]))
        waits(w, host.port, b"4.")
        dns.close()


def test_unusable_records(w):
    """Of other usages, of another length, or with octets after it: encryption is required, and nothing more."""
    enter(w)
    far, bare, plain = Far(w, 1), Far(w, 2, policy="never"), w.keep(Plain(3, 2525))
    good = record(b"x")
    unusable = [b"\0" + good[1:], b"\1" + good[1:], good + b"\0", good[:-1], b"\3\1\3" + good[3:], b"\3\2\1" + good[3:],
                b"\3\1", b""]
    for host, crypt in (far, xcrypt.CHACHA), (bare, "starttls"):
        dns = start(w, (host, unusable))
        for entry in goes(w, host.port, host):
            holds(entry, crypt=crypt, auth="none", asked="must", tlsa="unusable")
        dns.close()
    dns = start(w, (plain, unusable))
    waits(w, plain.port, b"4.7.5", b"has TLSA records, but does not encrypt")
    dns.close()
    # one of them usable: it has to match
    dns = start(w, (bare, unusable + [good]))
    waits(w, bare.port, b"4.7.5")
    dns.close()
    start(w, (bare, unusable + [bare.records[CERTIFICATE]]))
    goes(w, bare.port)


def test_the_look_up_fails(w):
    """SERVFAIL, or no answer before the deadline: the host is not called, and the message waits (statement 36)."""
    enter(w)
    far = Far(w, 1)
    for answer, words in (SERVFAIL, "SERVFAIL"), (5, "no\\x20answer"), (None, "no\\x20answer"):
        dns = start(w, (far, answer))
        for policy in "may", "must":
            for log in waits(w, far.port, b"4.7.5", policy=policy, dial_timeout="%ds" % SLOW):
                assert words in log and "end=tlsa-failed" in log, log
        dns.close()
    assert not far.mailer.sessions


def test_the_next_host(w):
    """Records that nothing matches, no STARTTLS or a look-up that fails: the next host, with records or without."""
    enter(w)
    far = Far(w, 1)
    servers = [w.keep(Plain(2, far.port)), w.keep(Plain(3, far.port)), w.keep(Plain(4, far.port))]
    good = [far.records[XCRYPT_KEY]]
    start(w, (servers[0], [record(b"x")]), (servers[1], SERVFAIL), (far, good), (servers[2], []))
    for entry in goes(w, far.port, far):
        holds(entry, host=far.name, auth="dane")
    assert not servers[1].sessions and not servers[2].sessions


def test_the_last_host_has_no_records(w):
    enter(w)
    far = Far(w, 1)
    last = w.keep(Plain(2, far.port))
    start(w, (far, [record(b"x")]), (last, []))
    for entry in goes(w, far.port):
        holds(entry, host=last.name, auth="none", asked="may", crypt="none")
    assert len(last.messages) == 2 and not far.messages


def test_what_is_reported(w):
    """The refusal of the host that answered, not the error of one that could not be reached."""
    enter(w)
    far = Far(w, 1)
    start(w, (far, [record(b"x")]), (w.keep(Plain(2, 2525)), []))
    waits(w, far.port, b"certificate that matches none of its TLSA records")


def test_pinned(w):
    """A record that matches is a pin; a pinned key needs no record; a certificate does not do."""
    enter(w)
    far, bare = Far(w, 1), Far(w, 2, policy="never")
    dns = start(w, (far, [far.records[XCRYPT_KEY]]))
    for entry in goes(w, far.port, far, policy="pinned"):
        holds(entry, auth="dane", asked="pinned")
    # a forged MX record could name any host that has records
    dns.secure.discard("b.example")
    waits(w, far.port, b"4.7.5", policy="pinned")
    dns.close()
    dns = start(w, (far, [far.records[CERTIFICATE]]))
    waits(w, far.port, b"4.7.5", policy="pinned")
    key = far.tool("-k", "show").split("\n")[0]
    assert w.run([SENDER] + w.calling() + ["-k", "pin", "--", far.name, key]).status == 0
    for policy in "pinned", "may":
        for entry in goes(w, far.port, policy=policy):
            holds(entry, auth="pinned", crypt=xcrypt.CHACHA)
    dns.close()
    start(w, (bare, [bare.records[CERTIFICATE]]))
    waits(w, bare.port, b"4.7.5", policy="pinned")


def test_never(w):
    """It asks for no record."""
    enter(w)
    far = Far(w, 1)
    dns = start(w, (far, [record(b"x")]))
    for entry in goes(w, far.port, far, policy="never"):
        holds(entry, crypt="none", auth="none", asked="never")
    assert TLSA not in [kind for _, kind in dns.asked]


def test_off(w):
    """dane = no, and auto with a name server elsewhere: as without DNSSEC."""
    enter(w)
    far = Far(w, 1)
    dns = start(w, (far, [record(b"x")]))
    goes(w, far.port, far, dane="no")
    assert TLSA not in [kind for _, kind in dns.asked]


def test_a_domain_without_dnssec(w):
    """The queries are the same with DANE and without (rule 3: no TLSA query); so with a resolver that shows no AD."""
    enter(w)
    far = Far(w, 1)
    dns = start(w, (far, SERVFAIL), secure=False)
    asked = []
    for dane in "no", "auto", "yes":
        goes(w, far.port, dane=dane)
        asked.append(sorted(dns.asked))
        del dns.asked[:]
    assert asked[0] == asked[1] == asked[2] and len(asked[0]) == 6, asked


def test_records_that_are_not_secure(w):
    """Addresses with AD, records without it: no DANE (rule 5)."""
    enter(w)
    far = Far(w, 1)
    dns = start(w, (far, [record(b"x")]))
    dns.secure.discard("_%d._tcp.%s" % (far.port, far.name))
    for entry in goes(w, far.port, far):
        holds(entry, auth="none", asked="may", tlsa=None)


def test_a_domain_that_is_not_secure(w):
    """The host is: its records count, and the log says that the domain was not verified (rule 2)."""
    enter(w)
    far = Far(w, 1)
    dns = start(w, (far, [far.records[XCRYPT_KEY]]))
    dns.secure.discard("b.example")
    for entry in goes(w, far.port, far):
        holds(entry, auth="dane", tlsa="matched", mx="insecure")
    dns.zone["_%d._tcp.%s" % (far.port, far.name)] = {TLSA: [record(b"x")]}
    waits(w, far.port, b"4.7.5")


def test_a_record_at_the_domain(w):
    """Instead of the host: it is not looked for."""
    enter(w)
    far = Far(w, 1)
    dns = start(w, (far, []))
    dns.zone["_%d._tcp.b.example" % far.port] = {TLSA: [record(b"x")]}
    dns.secure.add("_%d._tcp.b.example" % far.port)
    for entry in goes(w, far.port, far):
        holds(entry, auth="none", tlsa=None)


def test_the_port(w):
    """The record of port 25 says nothing of another one, and the other way round."""
    enter(w)
    far = Far(w, 1)
    dns = start(w, (far, []))
    dns.zone["_25._tcp." + far.name] = {TLSA: [record(b"x")]}
    dns.secure.add("_25._tcp." + far.name)
    goes(w, far.port, far)


def test_a_domain_that_is_the_host(w):
    """No MX (rule 1), and a host in brackets: the same rules."""
    enter(w)
    far = Far(w, 1)
    dns = start(w, (far, [far.records[XCRYPT_KEY]]))
    dns.zone["c.example"] = {A: [far.address]}
    dns.zone["_%d._tcp.c.example" % far.port] = {TLSA: [record(b"x")]}
    dns.secure |= {"c.example", "_%d._tcp.c.example" % far.port}
    result = w.send("c.example:%d" % far.port, TO)
    assert result.status == 75 and result.out.startswith(b"4.7.5"), result
    dns.zone["_%d._tcp.c.example" % far.port] = {TLSA: [far.records[XCRYPT_KEY]]}
    for operand in "c.example:%d" % far.port, "[%s]:%d" % (far.name, far.port):
        result = w.send(operand, TO)
        assert result.status == 0, result
        holds(result.entries[-1], auth="dane", mx=None)
    # an address has no records
    result = w.send("[%s]:%d" % (far.address, far.port), TO)
    assert result.status == 0, result
    holds(result.entries[-1], auth="none", tlsa=None)


def test_a_known_host(w):
    """Its key was remembered, and the records match only its certificate: STARTTLS is our choice, and no alarm."""
    enter(w)
    far = Far(w, 1)
    dns = start(w, (far, [far.records[XCRYPT_KEY]]))
    goes(w, far.port, policy="known")
    dns.zone["_%d._tcp.%s" % (far.port, far.name)] = {TLSA: [far.records[CERTIFICATE]]}
    for entry in goes(w, far.port, policy="known"):
        holds(entry, crypt="starttls", auth="dane", downgrade=None)
        assert "key-changed" not in entry, entry


def facts(out):
    return dict(line.split("=", 1) for line in out.decode().splitlines() if re.match(r"[a-z-]+=", line))


def test_what_t_prints(w):
    """One fact a line, name=value, as in the manual."""
    enter(w)
    far = Far(w, 1)
    name = "_%d._tcp.%s" % (far.port, far.name)
    dns = start(w, (far, [b"\1\1\1" + bytes(32), far.records[XCRYPT_KEY]]))

    def told(status):
        result = w.run([SENDER] + w.calling() + ["-t", "--", "b.example:%d" % far.port])
        assert result.status == status, result
        return facts(result.out)
    hexed = far.records[XCRYPT_KEY][3:].hex()
    said = told(0)
    expected = {"domain": "b.example", "host": far.name, "address": "[%s]:%d" % (far.address, far.port),
                "mx": "secure", "addresses": "secure", "resolver": "validates", "tlsa": "found", "tlsa-name": far.name,
                "tlsa-unusable": "1 1 1 " + "00" * 32, "tlsa-usable": "3 1 1 " + hexed, "tlsa-match": "matched",
                "tlsa-matched": "3 1 1 " + hexed, "crypt": xcrypt.CHACHA, "auth": "dane", "asked": "dane", "end": "done",
                "host-key": far.tool("-k", "show").split("\n")[0], "starttls-tlsa": "unmatched"}
    assert {key: said.get(key) for key in expected} == expected, said
    # both keys are there
    dns.zone[name] = {TLSA: [far.records[XCRYPT_KEY], far.records[CERTIFICATE]]}
    said = told(0)
    assert (said["crypt"], said["tlsa-match"], said["starttls-tlsa"]) == (xcrypt.CHACHA, "matched", "matched"), said
    for entry in goes(w, far.port, far, policy="known"):
        holds(entry, auth="dane", downgrade=None)
    dns.zone[name] = {TLSA: [record(b"x")]}
    said = told(75)
    assert (said["tlsa-match"], said["auth"], said["asked"]) == ("unmatched", "none", "dane"), said
    assert (said["crypt"], said["certificate"]) == ("starttls", "not-trusted"), said
    assert "certificate that matches none" in said["error"] and said["end"] == "not-trusted", said
    dns.zone[name] = {TLSA: SERVFAIL}
    said = told(75)
    assert (said["tlsa"], said["end"]) == ("failed", "tlsa-failed") and "crypt" not in said, said
    dns.secure.clear()
    said = told(0)
    assert (said["mx"], said["addresses"], said["tlsa"]) == ("insecure", "insecure", "none"), said
    assert said["resolver"] == "does-not-validate", said


def test_what_the_daemon_says_of_itself(w):
    """blackponyd -t compares its certificate and its host key with the DNS."""
    enter(w)
    far = Far(w, 1)
    far.mailer.script.answers["RCPT"] = b"550 5.7.1 Relaying denied"
    dns = start(w, (far, []))
    name = "_25._tcp." + far.name
    # `. NS`, by which the resolver shows that it validates
    dns.zone[""], dns.secure = {2: ["ns.example"]}, dns.secure | {"", name}
    certificate_fits, key_fits = "tlsa: a record matches the certificate", "tlsa: a record matches the host key"
    for records, status, words in (
            ([], 0, ["the DNS has no record"]), (SERVFAIL, 0, ["WARNING: the look-up"]),
            ([far.records[CERTIFICATE], far.records[XCRYPT_KEY]], 0, [certificate_fits, key_fits]),
            ([far.records[CERTIFICATE]], 0, [certificate_fits, "no record matches the host key"]),
            ([far.records[XCRYPT_KEY]], 1, ["no record matches the certificate", key_fits]),
            ([b"\0" + far.records[CERTIFICATE][1:]], 0, ["none of the records is usable"])):
        dns.zone[name] = {TLSA: records}
        said = far.tool("-t", status=status)
        for word in words:
            assert word in said, (word, said)
    dns.secure.clear()
    assert "does not validate" in far.tool("-t")


def test_a_name_server_that_drops_queries(w):
    """The other one is asked. If one says SERVFAIL and the other does not validate, neither is believed."""
    enter(w)
    far = Far(w, 1)
    dns = start(w, (far, [far.records[XCRYPT_KEY]]))
    name = "_%d._tcp.%s" % (far.port, far.name)
    other = w.keep(NameServer(dict(dns.zone), dns.secure, "127.0.0.2"))
    with open(w.path("resolv.conf"), "w") as out:
        out.write("nameserver 127.0.0.1\nnameserver 127.0.0.2\n")
    dns.zone[name] = {TLSA: None}
    for entry in goes(w, far.port, far, dial_timeout="%ds" % (8 * SLOW)):
        holds(entry, auth="dane")
    dns.zone[name] = {TLSA: SERVFAIL}
    other.secure.clear()
    waits(w, far.port, b"4.7.5")


def test_no_word_of_the_dns_in_time(w):
    """Where mail waits for encryption, no time-out makes it go: of the MX, the addresses or the records (statement 36)."""
    enter(w)
    far = Far(w, 1, starttls="no", policy="never")
    dns = start(w, (far, [far.records[XCRYPT_KEY]]))
    good = {name: dict(records) for name, records in dns.zone.items()}
    for name, kinds in ("b.example", (MX,)), (far.name, (A, AAAA)), ("_%d._tcp.%s" % (far.port, far.name), (TLSA,)):
        for answer in None, SERVFAIL:
            dns.zone[name] = {kind: answer for kind in kinds}
            for policy in "may", "known", "must", "pinned":
                waits(w, far.port, b"4.", policy=policy, dial_timeout="%ds" % SLOW)
        dns.zone[name] = good[name]
    assert not far.mailer.sessions


def test_one_family_is_secure(w):
    """Either is enough (rule 3)."""
    enter(w)
    far = Far(w, 1)
    for kind in A, AAAA:
        dns = start(w, (far, [record(b"x")]))
        dns.secure.discard(far.name)
        dns.secure.add((far.name, kind))
        waits(w, far.port, b"4.7.5")
        dns.close()
