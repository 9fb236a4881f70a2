# Claim: two stock sendmails that authenticate deliver through both programs: inside, AUTH offers no mechanism with a security layer that would hide the lines, and the others work (statements 14 and 34)
import os
import subprocess

from host import two_hosts
from kit.run import Skip
from others import ROOTS, needs
from private import LIBRARIES, MULTIARCH, mount, write
from words import MESSAGE, RECIPIENTS, SUITE, arrived

LAYERED = "DIGEST-MD5"
# what Debian's sendmail-base installs for a server, except for the place of the secrets
SASL = """pwcheck_method: auxprop
auxprop_plugin: sasldb
sasldb_path: /srv/sasl/db
mech_list: %s
"""


def sasl(w, mechanisms):
    """Cyrus SASL with its plugins, and a secret that both hosts know."""
    needs("sasl")
    root = ROOTS + "sasl"
    os.makedirs("/srv/sasl/sasl2")
    write("/srv/sasl/sasl2/Sendmail.conf", SASL % mechanisms)
    environment = dict(w.environment, LD_LIBRARY_PATH="%s:%s/usr/lib/%s" % (LIBRARIES, root, MULTIARCH))
    lib = "/usr/lib/" + MULTIARCH
    try:
        mount("overlay", lib, "overlay", options="lowerdir=/srv/sasl:%s%s:%s" % (root, lib, lib))
    except OSError as why:
        raise Skip("no overlay here: %s" % why)
    subprocess.run([root + "/usr/sbin/saslpasswd2", "-p", "-c", "-f", "/srv/sasl/db", "-u", "mx.b.example", "alice"],
                   input=b"secret", env=environment, check=True)
    os.chmod("/srv/sasl/db", 0o600)


def hosts(w, mechanisms):
    auth = "define(`confAUTH_MECHANISMS', `%s')dnl\n" % mechanisms
    info = "FEATURE(`authinfo', `hash -o /srv/mail.a.example/authinfo')dnl\n"
    machine, a, b, _ = two_hosts(w, for_a={"more": auth + info},
                                 for_b={"more": auth + "TRUST_AUTH_MECH(`%s')dnl\n" % mechanisms})
    sasl(w, mechanisms)
    a.make_map("authinfo", 'AuthInfo:\t"U:alice" "P:secret" "R:mx.b.example" "M:%s"\n' % mechanisms)
    os.chmod("/srv/mail.a.example/authinfo.db", 0o600)
    return machine, a, b


def delivers(w, mechanisms, used):
    """The message arrives, encrypted by us, and b's sendmail has authenticated a by that mechanism."""
    machine, a, b = hosts(w, mechanisms)
    b.inetd(b.daemon_line(*b.behind()))
    a.send(MESSAGE, RECIPIENTS)
    arrived(b.mailbox(2))
    assert a.queued() == []
    assert machine.connections("blackponyd", 1)[0]["crypt"] == SUITE
    said = [line for line in machine.log if "AUTH=server" in line and "authid=" in line]
    assert [("mech=%s," % used) in line for line in said] == ([True] if used else []), said


def test_directly_the_layer_is_used(w):
    """Without this, the other tests would prove nothing."""
    machine, a, b = hosts(w, "DIGEST-MD5 CRAM-MD5")
    b.inetd(b.behind())
    a.send(MESSAGE, RECIPIENTS)
    arrived(b.mailbox(2))
    machine.logged(r"AUTH=server, .*authid=alice.*mech=DIGEST-MD5, bits=[1-9]")


def test_the_next_mechanism_is_used(w):
    delivers(w, "DIGEST-MD5 CRAM-MD5", "CRAM-MD5")


def test_plain(w):
    delivers(w, "DIGEST-MD5 PLAIN", "PLAIN")


def test_login(w):
    delivers(w, "DIGEST-MD5 LOGIN", "LOGIN")


def test_without_any(w):
    """No mechanism is left, so there is no AUTH: mail is sent as from an outsider."""
    delivers(w, "DIGEST-MD5", None)
