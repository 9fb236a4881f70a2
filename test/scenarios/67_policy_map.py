# Claim: where the policy map says `secure`, a message goes only to a host that it names and that has proved its name or is known by its host key, and else waits; no answer of the daemon leads to less than the settings demand (statements 36 and 45)
import os
import time

from kit import dns
from kit.conn import PATIENCE
from kit.dane import record, spki
from kit.known import DAY, known, remember
from kit.run import DAEMON, SENDER
from kit.sts import DOMAIN, GONE, NAME, SILENT, Gate, Hosts, PolicyDaemon, both, netstring, sends

SECURE = "OK secure match=%s servername=hostname" % NAME
SUITE = "chacha20poly1305_2.0"


def asking(w, answer=SECURE, policy="may", **how):
    """Settings with a daemon that gives that answer about b.example."""
    daemon = w.keep(PolicyDaemon({DOMAIN: answer}, **how))
    return daemon, {"policy-map": daemon.place, "policy": policy}


def call(result):
    """The last connection in the log."""
    return result.entries[-1]


def in_the_clear(mailer):
    """What the host heard of a message outside of TLS: its mailer is behind it, so by what the log of its session says."""
    return [entry for i in range(len(mailer.server.started)) for entry in mailer.server.finish(i).entries
            if entry["crypt"] == "none" and entry.get("messages", "0") != "0"]


def arrives(w, mailer, settings, auth, crypt="starttls", asked="sts"):
    for sent, result in both(w, settings):
        assert sent, result
        entry = call(result)
        assert (entry["crypt"], entry["auth"], entry["asked"]) == (crypt, auth, asked), result
    assert len(mailer.messages) == 2 and not in_the_clear(mailer)


def waits(w, mailers, settings, calls=None, word=None):
    """Both ways: nothing is sent, and the reply says why."""
    for sent, result in both(w, settings):
        assert not sent and not any(mailer.messages for mailer in mailers), result
        said = result.reply.text if hasattr(result, "reply") else result.out
        assert b"4.7.5 " in said and (word is None or word in said), result
        assert calls is None or len(result.entries) == calls, result
    for mailer in mailers:
        assert not in_the_clear(mailer)


def test_a_valid_certificate(w):
    hosts = Hosts(w)
    mailer = hosts.add()
    daemon, settings = asking(w)
    arrives(w, mailer, settings, "sts")
    assert daemon.asked == ["postfix b.example"] * 2, daemon.asked


def test_by_a_local_socket(w):
    """And the answer may name hosts by their domain, or by the destination's."""
    hosts = Hosts(w)
    mailer = hosts.add()
    for i, answer in enumerate(("OK secure match=.b.example", "OK secure", "OK secure match=a.example:.B.Example policy_type=sts")):
        _, settings = asking(w, answer, path=w.path("map-%d" % i))
        sent, result = sends(w, settings, False)
        assert sent and call(result)["auth"] == "sts", (answer, result)
    assert len(mailer.messages) == 3


def test_a_certificate_that_is_not_valid(w):
    for i, (how, word) in enumerate((({"trusted": False}, "not-trusted"), ({"name": "mx.c.example"}, "wrong-name"),
                                     ({"begins": -9, "ends": -1}, "expired"))):
        hosts = Hosts(w) if i == 0 else hosts
        mailer = hosts.add(**how)
        for policy in "may", "known", "must":
            _, settings = asking(w, policy=policy)
            waits(w, [mailer], settings, calls=1, word=b"certificate")
        _, result = sends(w, settings, False)
        assert call(result)["certificate"] == word and call(result)["auth"] == "none", result
        mailer.server.close()


def test_no_starttls(w):
    """Nothing goes in the clear, whatever the policy of the settings is."""
    hosts = Hosts(w)
    mailer = hosts.add(tls=False)
    for policy in "may", "known", "must":
        waits(w, [mailer], asking(w, policy=policy)[1])


def test_starttls_that_breaks(w):
    """No call in the clear follows."""
    Hosts(w)
    for keyword, answer in ((b"STARTTLS", b"220 2.0.0 Go\r\nnot TLS"), (b"STARTTLS", b"454 4.7.0 Not now"),
                            (b"STARTTLS", None), (b"HELP", None)):
        mailer = w.mailer("192.0.2.1", 25, keywords=[keyword], answers={"STARTTLS": answer} if answer else {})
        for sent, result in both(w, asking(w)[1]):
            assert not sent, result
        assert not mailer.messages and not [line for line in mailer.commands if line.startswith((b"MAIL", b"RCPT", b"DATA"))]
        mailer.close()


def test_only_hosts_that_it_names(w):
    """Another host is not even called; the next one is."""
    hosts = Hosts(w, exchangers=("mx.c.example", NAME))
    gate = w.keep(Gate("192.0.2.1"))
    mailer = hosts.add(last=2)
    arrives(w, mailer, asking(w)[1], "sts")
    waits(w, [], asking(w, "OK secure match=mx.d.example")[1], calls=0, word=b"mx.b.example")
    waits(w, [], asking(w, "OK secure match=.c.b.example")[1], calls=0)
    assert gate.calls == 0 and len(mailer.server.started) == 2


def test_the_next_host(w):
    """After a certificate that is not valid."""
    hosts = Hosts(w, exchangers=("mx1.b.example", "mx2.b.example"))
    first = hosts.add(last=1, name="mx.c.example")
    second = hosts.add(last=2, name="mx2.b.example")
    arrives(w, second, asking(w, "OK secure match=.b.example")[1], "sts")
    assert not first.messages and len(first.server.started) == 2


def test_without_an_answer(w):
    """The policy of the settings applies, and a line in the log says why."""
    hosts = Hosts(w)
    mailer = hosts.add(tls=False)
    dead = {"policy-map": "inet:127.0.0.1:9", "policy": "may"}
    cases = [(asking(w, answer)[1], word) for answer, word in (
        ("TEMP no \x1bidea", "temporary\\x20failure"), ("TIMEOUT", "timeout"), (GONE, "error="))]
    for settings, word in cases + [(dead, "refused"), ({"policy-map": "unix:" + w.path("none"), "policy": "may"}, "No\\x20such")]:
        for pipes in False, True:
            sent, result = sends(w, settings, pipes)
            assert sent and call(result)["crypt"] == "none" and call(result)["asked"] == "may", result
            line, = [x for x in result.log.splitlines() if " policy-map " in x]
            assert word in line and "\x1b" not in line, result
            sent, result = sends(w, dict(settings, policy="must"), pipes)
            assert not sent, result
    assert len(mailer.messages) == 2 * (len(cases) + 2)


def test_a_silent_daemon(w):
    """It costs ten seconds at most, or what is left of dial-timeout."""
    hosts = Hosts(w)
    hosts.add()
    _, settings = asking(w, SILENT)
    began = time.monotonic()
    sent, result = sends(w, settings, False)
    assert sent and 9 < time.monotonic() - began < 9 + PATIENCE and "timed" in result.log, result
    began = time.monotonic()
    sends(w, dict(settings, **{"dial-timeout": "1s"}), False)
    assert time.monotonic() - began < 9, "dial-timeout"


def test_not_understood(w):
    """The message waits, and nobody is called."""
    hosts = Hosts(w)
    mailer = hosts.add()
    for answer, raw in (("PERM no such map", False), ("OK verify", False), ("OK fingerprint match=aa:bb", False), ("OK ", False),
                        ("OK secure what=1", False), ("OK secure servername=mx.c.example", False), ("FOUND secure", False),
                        (b"220 mx.c.example ESMTP\r\n", True), (b"1:ab", True), (netstring(b"OK " + b"a" * 20000), True)):
        for policy in "may", "must":
            _, settings = asking(w, answer, policy, raw=raw)
            waits(w, [mailer], settings, calls=0, word=b"policy map")
    assert not mailer.server.started


def test_no_entry(w):
    """And entries that demand nothing: the settings apply."""
    hosts = Hosts(w)
    mailer = hosts.add(tls=False)
    for answer in "NOTFOUND ", "NOTFOUND", "OK may", "OK none", "OK dane":
        sent, result = sends(w, asking(w, answer)[1], False)
        assert sent and call(result)["asked"] == "may" and " policy-map " not in result.log, result
    assert len(mailer.messages) == 5


def test_encrypt(w):
    """Any certificate will do, and no session in the clear."""
    hosts = Hosts(w)
    mailer = hosts.add(trusted=False)
    arrives(w, mailer, asking(w, "OK encrypt")[1], "none", asked="must")
    mailer.server.close()
    mailer = hosts.add(tls=False)
    waits(w, [mailer], asking(w, "OK encrypt")[1])


def test_dane_only(w):
    """Without TLSA records the message waits, whatever the certificate is."""
    hosts = Hosts(w)
    mailer = hosts.add()
    waits(w, [mailer], asking(w, "OK dane-only")[1], word=b"TLSA")


def records_of(hosts, name, records):
    """The TLSA records of a host."""
    record_name = "_25._tcp." + name
    hosts.names.zone[record_name] = {dns.TLSA: records}
    hosts.names.secure.add(record_name)


def test_dane_comes_first(w):
    """Records that match are enough for a host; where none does, a valid certificate is not."""
    hosts = Hosts(w, secure=True)
    mailer = hosts.add(trusted=False)
    records_of(hosts, NAME, [record(spki(mailer.certificate))])
    for answer in SECURE, "OK dane-only", "OK secure match=mx.d.example":
        for sent, result in both(w, asking(w, answer)[1]):
            assert sent and (call(result)["auth"], call(result)["asked"]) == ("dane", "dane"), (answer, result)
    # the domain was not verified, so the entry says which host it is
    hosts.names.secure.discard(DOMAIN)
    sent, result = sends(w, asking(w)[1], False)
    assert sent and call(result)["auth"] == "dane", result
    assert len(mailer.messages) == 7
    waits(w, [], asking(w, "OK secure match=mx.d.example")[1], calls=0)
    mailer.server.close()
    mailer = hosts.add()
    records_of(hosts, NAME, [record(b"another")])
    waits(w, [mailer], asking(w)[1], word=b"TLSA")


def test_a_failure_of_dane_is_final(w):
    """It never becomes MTA-STS: the host is not called."""
    hosts = Hosts(w, secure=True)
    mailer = hosts.add()
    for failure in dns.SERVFAIL, 5:
        records_of(hosts, NAME, failure)
        waits(w, [mailer], asking(w)[1], calls=0, word=b"TLSA")
    assert not mailer.server.started


def test_records_of_which_none_is_usable(w):
    """The entry has to be content as well."""
    hosts = Hosts(w, secure=True)
    mailer = hosts.add()
    records_of(hosts, NAME, [b"\1\1\1" + bytes(32)])
    arrives(w, mailer, asking(w)[1], "sts")
    waits(w, [], asking(w, "OK dane-only")[1], word=b"TLSA")
    mailer.server.close()
    mailer = hosts.add(trusted=False)
    waits(w, [mailer], asking(w)[1], word=b"certificate")


def with_key(w, hosts, **how):
    """A host with XCRYPT and a host key.  Returns its mailer and its key."""
    conf = w.path("keyed")
    os.mkdir(conf, 0o700)
    path = conf + "/blackpony.conf"
    with open(path, "w") as out:
        out.write("user = root\n" if os.geteuid() == 0 else "")
    made = w.run([DAEMON, "-C", path, "-k", "new"])
    assert made.status == 0, made
    mailer = hosts.add(suites=SUITE, **how)
    argv = mailer.server.argv
    argv[argv.index("-C") + 1] = path
    shown = w.run([DAEMON, "-C", path, "-k", "show"]).out.decode().splitlines()
    return mailer, [line for line in shown if "TLSA" not in line][-1].split()[-1]


def test_a_host_that_is_known(w):
    """By XCRYPT: pinned or remembered, but not new.  A new one has to prove its name."""
    hosts = Hosts(w)
    mailer, key = with_key(w, hosts)
    _, settings = asking(w)
    sent, result = sends(w, settings, False)
    assert sent and [entry["crypt"] for entry in result.entries] == [SUITE, "starttls"], result
    assert call(result)["auth"] == "sts", result
    remember(w, 3 * DAY, key, DOMAIN, NAME)
    remember(w, 1 * DAY, key, DOMAIN, NAME)
    sent, result = sends(w, settings, True)
    assert sent and (call(result)["crypt"], call(result)["auth"]) == (SUITE, "tofu"), result
    assert known(w, "pin", NAME, key)[0] == 0
    sent, result = sends(w, dict(settings, policy="pinned"), False)
    assert sent and (call(result)["crypt"], call(result)["auth"]) == (SUITE, "pinned"), result
    # a host that the map does not name is no host of the domain, known or not
    waits(w, [], dict(settings, **asking(w, "OK secure match=mx.c.example")[1]), calls=0)
    assert len(mailer.messages) == 3


def test_a_host_that_is_new(w):
    """With XCRYPT alone it cannot prove its name."""
    hosts = Hosts(w)
    mailer, _ = with_key(w, hosts, tls=False)
    waits(w, [mailer], asking(w)[1])


def test_never(w):
    """Nothing is asked of such a destination, nor is the daemon."""
    hosts = Hosts(w)
    mailer = hosts.add()
    daemon, settings = asking(w, policy="never")
    sent, result = sends(w, settings, False)
    assert sent and call(result)["crypt"] == "none" and not daemon.asked, result
    daemon, settings = asking(w)
    sent, result = sends(w, dict(settings, **{"policy." + DOMAIN: "never"}), False)
    assert sent and call(result)["crypt"] == "none" and not daemon.asked, result
    assert len(mailer.messages) == 2


def test_only_domains_are_asked_about(w):
    hosts = Hosts(w)
    mailer = hosts.add()
    daemon, settings = asking(w)
    for host in "[mx.b.example]", "[192.0.2.1]":
        sent, result = sends(w, settings, False, host=host)
        assert sent and call(result)["asked"] == "may", result
    assert not daemon.asked and len(mailer.messages) == 2
    sends(w, settings, False, host="B.Example.")
    assert daemon.asked == ["postfix b.example"], daemon.asked


def test_each_domain_of_a_list(w):
    """What is demanded for one is not demanded for the other."""
    hosts = Hosts(w, zone={"c.example": {dns.MX: [(10, "mx.c.example")]}, "mx.c.example": {dns.A: ["192.0.2.3"]}})
    first, second = hosts.add(trusted=False), hosts.add(last=3, tls=False)
    daemon, settings = asking(w)
    sent, result = sends(w, settings, False, host="b.example:c.example")
    assert sent and len(second.messages) == 1 and not first.messages, result
    assert [entry["asked"] for entry in result.entries] == ["sts", "may"], result
    assert daemon.asked == ["postfix b.example", "postfix c.example"], daemon.asked


def test_a_domain_that_is_not_there(w):
    """The DNS may be forged: the message waits, as under must."""
    hosts = Hosts(w, zone={DOMAIN: dns.NXDOMAIN})
    for sent, result in both(w, asking(w)[1]):
        assert not sent and result.status == 75, result
    result = w.send(DOMAIN, ["bob@b.example"], settings=asking(w, "NOTFOUND ")[1])
    assert result.status == 68 and hosts.names.asked, result


def test_report(w):
    """-t says what is demanded."""
    hosts = Hosts(w)
    hosts.add()
    for answer, words in ((SECURE, (b"policy-map=secure\n", b"auth=sts\n", b"asked=sts\n")), ("NOTFOUND ", (b"policy-map=none\n",)),
                          ("OK verify", (b"policy-map=unknown\n",))):
        settings = asking(w, answer)[1]
        told = w.run([SENDER] + w.calling(settings) + ["-t", "--", DOMAIN])
        for word in words:
            assert word in told.out, told
        assert (told.status == 75) == (answer == "OK verify"), told


def test_settings(w):
    for value in "127.0.0.1:8461", "inet:map.example:8461", "unix:map", "inet:127.0.0.1", "socketmap:inet:127.0.0.1:8461:postfix":
        result = w.send("[127.0.0.1]:9", ["bob@b.example"], settings={"policy-map": value})
        assert result.status == 75 and b"policy-map = " in result.out, result
