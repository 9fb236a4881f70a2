# Claim: swaks sends by STARTTLS through blackponyd, and verifies its certificate as any other (statement 42)
import glob
import os
import re
import shutil

from kit.certificate import certificate
from kit.conn import PATIENCE
from kit.run import REPO, Skip

from others import needs
from private import MULTIARCH

ROOT = os.path.join(REPO, "bin/real/swaks")
# swaks's own exit status for TLS that does not start
NO_TLS = 29


def swaks(w, server, *options):
    """Its exit status and what it shows of the dialogue."""
    needs("swaks")
    if not shutil.which("perl"):
        raise Skip("no perl here")
    modules = glob.glob("%s/usr/lib/%s/perl5/*" % (ROOT, MULTIARCH)) + [ROOT + "/usr/share/perl5"]
    environment = dict(w.environment, PERL5LIB=":".join(modules), LD_LIBRARY_PATH=ROOT + "/usr/lib/" + MULTIARCH,
                       SWAKS_HOME=w.folder)
    argv = ["perl", ROOT + "/usr/bin/swaks", "--server", "127.0.0.1", "--port", str(server.port),
            "--ehlo", "mail.a.example", "--from", "alice@a.example", "--to", "bob@b.example",
            "--header", "Subject: x", "--body", "words", "--hide-informational", *options]
    done = w.run(argv, patience=5 * PATIENCE, env=environment)
    return done.status, done.out.decode() + done.log


def verifying():
    """The option to verify the certificate; newer ones also compare its name, for --tls-verify, with the address."""
    needs("swaks")
    with open(ROOT + "/usr/bin/swaks") as program:
        return "--tls-verify-ca" if "'tls-verify-ca'" in program.read() else "--tls-verify"


def served(w):
    mailer = w.mailer()
    settings = certificate(w.folder)
    return w.daemon(settings, backend=mailer), mailer, settings["certificate"]


def test_sends(w):
    server, mailer, _ = served(w)
    status, said = swaks(w, server, "--tls")
    assert status == 0, said
    entry, = server.finish().entries
    assert (entry["crypt"], entry["messages"]) == ("starttls", "1"), entry
    message, = mailer.messages
    assert (message.sender, message.recipients) == (b"MAIL FROM:<alice@a.example>", [b"RCPT TO:<bob@b.example>"]), message
    assert b"\r\nSubject: x\r\n" in message.data and b"\r\n\r\nwords\r\n" in message.data, message
    assert b"STARTTLS" not in mailer.commands and re.search(rb"with ESMTPS \(TLSv1\.", message.data), message


def test_verifies(w):
    """By the certificate itself, which its administrator may trust."""
    server, mailer, path = served(w)
    status, said = swaks(w, server, "--tls", verifying(), "--tls-ca-path", path)
    assert status == 0 and len(mailer.messages) == 1, said


def test_refuses_a_self_made_one(w):
    """Which no authority has signed: no message."""
    server, mailer, _ = served(w)
    status, said = swaks(w, server, "--tls", verifying())
    assert status == NO_TLS and re.search("certificate verif(y|ication) failed", said), (status, said)
    assert not mailer.messages
    entry, = server.finish().entries
    # newer ones judge it after the handshake
    how = (entry["crypt"], entry["end"])
    assert how in (("none", "tls-failed"), ("starttls", "truncated"), ("starttls", "connection-broken")), entry
    assert not any(x.startswith(b"MAIL") for x in mailer.commands), mailer.commands
