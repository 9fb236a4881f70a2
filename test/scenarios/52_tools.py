# Claim: -t, -V and -x report the facts in their output and exit code (blackpony(8), blackponyd(8))
import os
import re
import time

from kit import xcrypt
from kit.mailer import dead_port
from kit.run import DAEMON, SENDER


def test_version(w):
    for program in (DAEMON, SENDER):
        result = w.run([program, "-V"])
        assert result.status == 0, result
        for name in (xcrypt.CHACHA, xcrypt.AES, xcrypt.ARSYFOR, xcrypt.ROTN):
            assert name.encode() in result.out, result.out
        assert re.match(rb"\S+ \S+, libc \w+, mbedTLS [\d.]+, libsodium [\d.]+", result.out), result.out


def probe(w, host, settings=None):
    return w.run([SENDER] + w.options(settings, hostname="mail.a.example") + ["-t", "--", host])


def test_probe(w):
    for offered, status, word in (([xcrypt.CHACHA], 0, xcrypt.CHACHA.encode()), ([], 1, b"none"),
                                  (["new_3.0"], 1, b"new_3.0")):
        mailer = w.mailer(xcrypt=offered)
        result = probe(w, "[127.0.0.1]:%d" % mailer.port)
        assert result.status == status, result
        assert (word in result.out or status == 1) and b"127.0.0.1" in result.out, result
        assert not [c for c in mailer.commands if c[:4] in (b"MAIL", b"RCPT")]
        assert mailer.commands[-1] == b"QUIT"


def test_probe_of_nobody(w):
    sock, port = dead_port()
    w.keep(sock)
    assert probe(w, "[127.0.0.1]:%d" % port).status == 75


def test_probe_of_our_own_server(w):
    server = w.daemon(backend=w.mailer())
    for expected in (b"miss", b"hit"):
        result = probe(w, "[127.0.0.1]:%d" % server.port, {"cache": w.path("own")})
        assert result.status == 0, result
        assert expected in result.out, result


def relay_test(w, settings=None, **script):
    mailer = w.mailer(**script)
    result = w.run([DAEMON] + w.options(settings, **{"backend": "127.0.0.1:%d" % mailer.port,
                                                    "client-address": "none"}) + ["-t"])
    return mailer, result


def test_relay_refused(w):
    for reply in (b"550 5.7.1 Relaying denied", b"454 4.7.1 Relaying denied", b"451 later"):
        mailer, result = relay_test(w, answers={"RCPT": reply})
        assert result.status == 0, result
        assert result.out.strip()
        assert [c for c in mailer.commands if c.startswith(b"RCPT")]
        assert b"DATA" not in mailer.commands and not mailer.messages


def test_open_relay(w):
    mailer, result = relay_test(w)
    assert result.status == 1, result
    words = [c.split(b" ")[0].split(b":")[0] for c in mailer.commands]
    assert words.index(b"RSET") > words.index(b"RCPT"), words
    assert b"DATA" not in words


def test_relay_test_of_nobody(w):
    sock, port = dead_port()
    w.keep(sock)
    result = w.run([DAEMON] + w.options({"backend": "127.0.0.1:%d" % port,
                                         "client-address": "none"}) + ["-t"])
    assert result.status != 0 and result.out + result.log.encode(), result


def test_missing_user_and_cache(w):
    """The user, without which there is no session; the cache, without which there is one."""
    mailer = w.mailer(answers={"RCPT": b"550 5.7.1 Relaying denied"})
    options = w.options({"cache": "/proc/nowhere", "backend": "127.0.0.1:%d" % mailer.port, "client-address": "none"})
    result = w.run([DAEMON] + options + ["-t"])
    assert result.status == 0 and b"cache: /proc/nowhere: cannot be used" in result.out, result
    if os.geteuid() == 0:
        result = w.run([DAEMON] + options + ["-o", "user=nobody-at-all", "-t"])
        assert result.status == 1 and b"good" not in result.out, result
        assert "user nobody-at-all: there is no such user" in result.log, result


def test_the_host_key_a_session_would_have(w):
    mailer = w.mailer(answers={"RCPT": b"550 5.7.1 Relaying denied"})
    options = w.options({"backend": "127.0.0.1:%d" % mailer.port, "client-address": "none"})
    key = lambda *words: w.run([DAEMON] + options + ["-k"] + list(words)).out
    told = lambda: w.run([DAEMON] + options + ["-t"])
    assert told().status == 0 and b"host key: none; blackponyd -k new" in told().out, told()
    first, following = key("new"), key("next")
    result = told()
    assert result.status == 0, result
    assert b"host key: " + first + b"host key: next " + following + b"starttls: ours, " in result.out, result
    for name in ("host.next", "host.key"):
        os.chmod(w.path(name), 0o644)
        result = told()
        assert result.status == 1 and (name + ": not used: ").encode() in result.out, result


def test_relay_test_of_a_program(w):
    result = w.run([DAEMON] + w.options({"client-address": "none"}) + ["-t"] + w.program())
    assert result.status == 1, result
    assert "RSET" in w.reports()[0]["commands"]


def test_expire(w):
    mailer = w.mailer(xcrypt=[xcrypt.CHACHA])
    settings = {"key-lifetime": "1s", "cache": w.cache}
    assert w.send(mailer, ["bob@b.example"], settings=settings).status == 0
    before = {name: open(os.path.join(w.cache, name), "rb").read() for name in os.listdir(w.cache)}
    assert any(before.values())
    time.sleep(2.1)
    result = w.run([DAEMON] + w.options(settings) + ["-x"])
    assert result.status == 0, result
    after = {name: open(os.path.join(w.cache, name), "rb").read() for name in os.listdir(w.cache)}
    assert after != before
    assert not after.get("keys.journal"), "the journal is not emptied"


def test_expire_young(w):
    """Entries that have not expired stay."""
    mailer = w.mailer(xcrypt=[xcrypt.CHACHA])
    settings = {"cache": w.cache}
    assert w.send(mailer, ["bob@b.example"], settings=settings).status == 0
    assert w.run([DAEMON] + w.options(None) + ["-x"]).status == 0
    result = w.send(mailer, ["bob@b.example"], settings=settings)
    assert result.entries[0]["cache"] == "hit", result


def test_expire_without_a_cache(w):
    result = w.run([DAEMON] + w.options({"cache": "/proc/nowhere"}) + ["-x"])
    assert "cache /proc/nowhere: cannot be renewed" in result.log, result
    assert result.status != 0 and result.log.strip(), result
