# Claim: sslscan and testssl.sh find nothing to say against blackponyd's STARTTLS (statement 42)
import json
import os
import re
import subprocess

from kit.certificate import certificate
from kit.run import REPO, Skip

from private import MULTIARCH

ROOT = os.path.join(REPO, "bin/real/scanners")
# of the certificate, which is self-signed and short-lived here, and of the test's name and port
NOT_OURS = ("cert_", "scan", "engine", "DNS_", "overall", "service", "pre_", "id_", "optimal_proto")


def scanner(w, *argv, **more):
    why = os.environ.get("REAL_MISSING_scanners")
    if why:
        raise Skip(why)
    environment = dict(w.environment, LD_LIBRARY_PATH=ROOT + "/usr/lib/" + MULTIARCH, **more)
    environment["PATH"] = w.path("bin") + ":" + ROOT + "/usr/bin:" + ROOT + "/bin:" + environment["PATH"]
    return subprocess.run(argv, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          stdin=subprocess.DEVNULL, timeout=900, check=False).stdout


def served(w):
    return w.daemon(certificate(w.folder), backend=w.mailer())


def test_sslscan(w):
    server = served(w)
    said = scanner(w, ROOT + "/usr/bin/sslscan", "--starttls-smtp", "--no-colour", "127.0.0.1:%d" % server.port)
    for version in "SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1":
        assert re.search(r"^%s +disabled$" % re.escape(version), said, re.M), said
    assert re.search(r"^TLSv1.2 +enabled$", said, re.M), said
    ciphers = re.findall(r"^(?:Preferred|Accepted) +\S+ +\d+ bits +(\S+)", said, re.M)
    assert ciphers and all(re.match(r"ECDHE-.*(CHACHA20-POLY1305|GCM)|TLS_", x) for x in ciphers), said
    assert "Session renegotiation not supported" in said and "vulnerable to heartbleed" in said, said
    assert not re.search(r"(?<!not )vulnerable to", said), said


def need_time():
    if not os.environ.get("SCAN"):
        raise Skip("testssl.sh takes minutes; make scan runs this")


def testssl(w, enough, *what):
    """Nothing is against it in these groups of its tests, and so many things speak for it."""
    server = served(w)
    os.mkdir(w.path("bin"))
    # it wants to have a resolver, and does not use it for an address
    with open(w.path("bin/host"), "w") as out:
        out.write("#!/bin/sh\necho 127.0.0.1\n")
    os.chmod(w.path("bin/host"), 0o755)
    found = w.path("found.json")
    said = scanner(w, "bash", ROOT + "/usr/bin/testssl", "--quiet", "--color", "0", "--warnings", "off", "--nodns", "none",
                   "--ip", "127.0.0.1", "--openssl", ROOT + "/usr/bin/openssl", *what, "--jsonfile", found,
                   "-t", "smtp", "127.0.0.1:%d" % server.port, TESTSSL_INSTALL_DIR=ROOT + "/etc/testssl")
    assert os.path.exists(found), said
    with open(found) as lines:
        findings = json.load(lines)
    against = [x for x in findings if x["severity"] not in ("OK", "INFO", "WARN") and not x["id"].startswith(NOT_OURS)]
    assert not against, (against, said)
    good = [x["id"] for x in findings if x["severity"] == "OK"]
    assert len(good) >= enough, (good, said)


def test_testssl_protocols(w):
    testssl(w, 3, "-p")


def test_testssl_forward_secrecy(w):
    need_time()
    testssl(w, 1, "-f")


def test_testssl_old_faults(w):
    """Heartbleed, CCS injection, Ticketbleed, ROBOT, renegotiation."""
    need_time()
    testssl(w, 5, "-H", "-I", "-T", "-BB", "-R")


def test_testssl_downgrades(w):
    """POODLE, the fallback signal, DROWN."""
    need_time()
    testssl(w, 2, "-O", "-Z", "-D")


def test_testssl_weak_ciphers(w):
    """Sweet32, FREAK, Logjam, RC4."""
    need_time()
    testssl(w, 3, "-W", "-F", "-J", "-4")


def test_testssl_categories(w):
    """No cipher of the categories that it calls bad, and one at least of the good ones."""
    need_time()
    testssl(w, 1, "-s")


def test_testssl_server(w):
    """Extensions, tickets, session IDs, clock."""
    need_time()
    testssl(w, 0, "-S")
