# Claim: with the setting tlsrpt, each session with TLS and each host that TLS keeps from being called is one datagram of JSON, sent without waiting; reports themselves are not reported on (statement 25)
import json

from kit import dns
from kit.dane import record, spki
from kit.run import SENDER
from kit.sts import DOMAIN, NAME, Collector, Hosts, PolicyDaemon, both, sends

RECORD = b"v=TLSRPTv1; rua=mailto:reports@b.example"
WANTED = {"_smtp._tls." + DOMAIN: {dns.TXT: [RECORD]}}
SECURE = "OK secure match=" + NAME


def strictly(octets):
    """A datagram's object: no name twice, no number that JSON lacks, ASCII only."""
    def unique(pairs):
        assert len({name for name, _ in pairs}) == len(pairs), pairs
        return dict(pairs)

    def unknown(word):
        raise AssertionError(word)
    octets.decode("ascii")
    return json.loads(octets, object_pairs_hook=unique, parse_constant=unknown)


class Reports:
    def __init__(self, w):
        self.collector = w.keep(Collector(w.path("tlsrpt")))
        self.settings = {"tlsrpt": w.path("tlsrpt")}

    def one(self, count=1):
        """The policy of the datagrams, which are the same."""
        found = [strictly(octets) for octets in self.collector.got()]
        assert len(found) == count and all(x == found[0] for x in found), found
        datagram = found[0]
        assert set(datagram) == {"dpv", "d", "pr", "policies"} and datagram["dpv"] == "1", datagram
        assert datagram["d"] == DOMAIN and datagram["pr"] == RECORD.decode(), datagram
        policy, = datagram["policies"]
        assert policy["t"] == len(policy.get("failure-details", [])) and policy["f"] == min(policy["t"], 1), policy
        return policy

    def none(self):
        found = self.collector.got()
        assert not found, found


def detail(policy):
    failure, = policy["failure-details"]
    assert failure["n"] == NAME and failure["r"] == "192.0.2.1", failure
    return failure


def test_a_success(w):
    """One for each of both ways of sending, where STARTTLS is ours to use."""
    hosts = Hosts(w, zone=WANTED)
    hosts.add(trusted=False)
    reports = Reports(w)
    for sent, result in both(w, dict(reports.settings, policy="must")):
        assert sent, result
    assert reports.one(2) == {"policy-type": 9, "policy-domain": DOMAIN, "t": 0, "f": 0}
    sent, result = sends(w, reports.settings, False)
    assert sent and reports.one()["f"] == 0, result
    # the local MTA may use STARTTLS itself, which is not seen here
    assert sends(w, reports.settings, True)[0]
    reports.none()


def test_no_starttls(w):
    hosts = Hosts(w, zone=WANTED)
    hosts.add(tls=False)
    reports = Reports(w)
    assert sends(w, reports.settings, False)[0]
    assert detail(reports.one())["c"] == 201
    for sent, result in both(w, dict(reports.settings, policy="must")):
        assert not sent, result
    assert detail(reports.one(2))["c"] == 201


def test_starttls_that_breaks(w):
    """The call in the clear that follows is not another session with TLS."""
    Hosts(w, zone=WANTED)
    reports = Reports(w)
    # the usual answer echoes what follows
    for answer, code in ((b"454 4.7.0 Not now", 201), (None, 205)):
        mailer = w.mailer("192.0.2.1", 25, keywords=[b"STARTTLS"], answers={"STARTTLS": answer} if answer else {})
        sent, result = sends(w, reports.settings, False)
        assert sent, result
        failure = detail(reports.one())
        assert failure["c"] == code, (answer, failure)
        mailer.close()


def test_certificates_under_a_policy(w):
    hosts = Hosts(w, zone=WANTED)
    reports = Reports(w)
    daemon = w.keep(PolicyDaemon({DOMAIN: SECURE + ":.c.example"}))
    settings = dict(reports.settings, **{"policy-map": daemon.place})
    patterns = [NAME, "*.c.example"]
    for how, code in (({}, None), ({"trusted": False}, 203), ({"name": "mx.c.example"}, 202), ({"begins": -9, "ends": -1}, 204)):
        mailer = hosts.add(**how)
        sends(w, settings, False)
        policy = reports.one()
        assert (policy["policy-type"], policy["policy-domain"], policy["mx-host"]) == (2, DOMAIN, patterns), policy
        assert code is None and policy["f"] == 0 or detail(policy)["c"] == code, (how, policy)
        mailer.server.close()


def test_a_host_that_the_policy_does_not_name(w):
    """One datagram, and one line in the log, for all of its addresses."""
    hosts = Hosts(w, zone=WANTED)
    hosts.names.zone[NAME] = {dns.A: ["192.0.2.1", "192.0.2.2"]}
    hosts.add()
    reports = Reports(w)
    daemon = w.keep(PolicyDaemon({DOMAIN: "OK secure match=mx.d.example"}))
    for sent, result in both(w, dict(reports.settings, **{"policy-map": daemon.place})):
        assert not sent and result.log.count("end=not-permitted") == 1, result
    policy = reports.one(2)
    assert policy["policy-type"] == 2 and detail(policy)["c"] == 205, policy


def test_records_that_are_required(w):
    hosts = Hosts(w, zone=WANTED)
    hosts.add()
    reports = Reports(w)
    daemon = w.keep(PolicyDaemon({DOMAIN: "OK dane-only"}))
    assert not sends(w, dict(reports.settings, **{"policy-map": daemon.place}), False)[0]
    policy = reports.one()
    assert policy["policy-type"] == 1 and detail(policy)["c"] == 306, policy


def test_records(w):
    """The policy is the records then, as in a zone file."""
    hosts = Hosts(w, zone=WANTED, secure=True)
    mailer = hosts.add(trusted=False)
    reports = Reports(w)
    for records, text, code in (([record(spki(mailer.certificate))], "3 1 1 ", None), ([record(b"another")], "3 1 1 ", 203),
                                ([b"\1\0\2" + bytes(64)], "1 0 2 " + "00" * 64, 304), (dns.SERVFAIL, None, 305)):
        hosts.names.zone["_25._tcp." + NAME] = {dns.TLSA: records}
        hosts.names.secure.add("_25._tcp." + NAME)
        for _, result in both(w, reports.settings):
            assert result.status in (0, 75), result
        policy = reports.one(2)
        assert (policy["policy-type"], policy["policy-domain"]) == (1, NAME), policy
        assert code is None and policy["f"] == 0 or detail(policy)["c"] == code, (records, policy)
        assert text is None or [string[:len(text)] for string in policy["policy-string"]] == [text], policy


def test_xcrypt_is_not_tls(w):
    hosts = Hosts(w, zone=WANTED)
    mailer = hosts.add(suites="chacha20poly1305_2.0")
    reports = Reports(w)
    for sent, result in both(w, reports.settings):
        assert sent and result.entries[-1]["crypt"] == "chacha20poly1305_2.0", result
    assert len(mailer.messages) == 2
    reports.none()


def test_who_wants_none_gets_none(w):
    """Without the record, or with two; and without the setting the DNS is not asked for it."""
    hosts = Hosts(w)
    hosts.add(trusted=False)
    reports = Reports(w)
    name = "_smtp._tls." + DOMAIN
    for records in (dns.NXDOMAIN, dns.SERVFAIL, {}, {dns.TXT: [b"v=TLSRPTv2; rua=mailto:a@b.example"]}, {dns.TXT: [RECORD, RECORD]}):
        hosts.names.zone[name] = records
        assert sends(w, reports.settings, False)[0], records
        reports.none()
    asked = [query for query in hosts.names.asked if query[0] == name]
    assert set(asked) == {(name, dns.TXT)}, asked
    sends(w, {}, False)
    sends(w, dict(reports.settings, policy="never"), False)
    sends(w, reports.settings, False, host="[mx.b.example]")
    assert [query for query in hosts.names.asked if query[0] == name] == asked


def test_reports_themselves(w):
    """RFC 8460, section 3: by the field TLS-Report-Domain."""
    hosts = Hosts(w, zone=WANTED)
    hosts.add(trusted=False)
    reports = Reports(w)
    text = b"x\nTLS-Report-Domain: b.example\nTLS-Report-Submitter: a.example"
    settings = dict(reports.settings, policy="must")
    for pipes in False, True:
        assert sends(w, settings, pipes, text=text)[0]
        reports.none()
        assert sends(w, settings, pipes, text=b"Subject: TLS-Report-Domain: no field")[0]
        assert reports.one()["f"] == 0


def test_nobody_there(w):
    """The log says so, and the DNS is not asked."""
    hosts = Hosts(w, zone=WANTED)
    mailer = hosts.add(trusted=False)
    for sent, result in both(w, {"tlsrpt": w.path("none"), "policy": "must"}):
        assert sent and result.log.count("reports are lost") == 1, result
    assert len(mailer.messages) == 2 and not [name for name, _ in hosts.names.asked if name.startswith("_smtp")]


def test_full(w):
    """Mail does not wait: the report is lost, and one line says so."""
    hosts = Hosts(w, exchangers=("mx1.b.example", NAME), zone=WANTED)
    first = hosts.add(last=1, trusted=False, tls=False)
    second = hosts.add(last=2, trusted=False)
    reports = Reports(w)
    reports.collector.fill()
    for sent, result in both(w, dict(reports.settings, policy="must")):
        lines = [line for line in result.log.splitlines() if "reports are lost" in line]
        assert len(lines) == 1 and "tlsrpt: " in lines[0], result
    assert len(second.messages) <= 2 and not first.messages
    assert set(reports.collector.got()) == {b"{}"}


def test_the_daemon_ends(w):
    """Between start and report, as when it is restarted."""
    hosts = Hosts(w, zone=WANTED)
    reports = Reports(w)
    mailer = w.mailer(answers={"MAIL": lambda session, line: reports.collector.close()})
    hosts.add(trusted=False, mailer=mailer)
    sent, result = sends(w, dict(reports.settings, policy="must"), False)
    assert sent and "reports are lost" in result.log, result


def test_a_test_sends_none(w):
    """-t is not a session with a message."""
    hosts = Hosts(w, zone=WANTED)
    hosts.add(trusted=False)
    reports = Reports(w)
    told = w.run([SENDER] + w.calling(reports.settings) + ["-t", "--", DOMAIN])
    assert told.status == 0 and b"tlsrpt=wanted\n" in told.out, told
    reports.none()
