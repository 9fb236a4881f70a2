# Claim: an unmodified sendmail behind blackponyd sees the true client over IPv4 and IPv6 and applies its rules to it; where the kernel forbids that, nobody is served (statement 31)
import os
import shutil
import socket

from kit import xcrypt
from kit.conn import Client, PATIENCE

from host import Host, SENDMAIL
from private import PROGRAMS, add_address, enter

FOREIGN = "victim@elsewhere.example"
OUTSIDERS = {"198.51.100.7": "[198.51.100.7]", "2001:db8:7::7": "[IPv6:2001:db8:7:0:0:0:0:7]"}
RELAYS = {"198.51.100.5": "198.51.100.5", "2001:db8:5::5": "IPv6:2001:db8:5:0:0:0:0:5"}
UNWELCOME = {"198.51.100.6": "198.51.100.6", "2001:db8:6::6": "IPv6:2001:db8:6:0:0:0:0:6"}
NOBODY = 65534


def server(w, **how):
    machine = enter(w)
    for address in list(OUTSIDERS) + list(RELAYS) + list(UNWELCOME):
        add_address(address)
    access = "".join("Connect:%s\tERROR:5.7.1:\"550 You are not welcome\"\n" % address
                     for address in UNWELCOME.values())
    b = Host(w, "mx.b.example", "192.0.2.25", ["b.example"], relay=RELAYS.values(), access=access,
             **how)
    return machine, b


def served(b, *launcher, **how):
    b.inetd(list(launcher) + b.daemon_line(*b.behind()),
            addresses=["192.0.2.25", "2001:db8::25"], **how)


def call(w, source, suite=None):
    """A client with that address that has sent MAIL."""
    to = "2001:db8::25" if ":" in source else "192.0.2.25"
    client = w.keep(Client(socket.create_connection((to, 25), PATIENCE, (source, 0))))
    client.greet()
    client.ehlo("stranger.example")
    if suite:
        client.xcrypt(suite)
        client.ehlo("stranger.example")
    assert client.command("MAIL FROM:<mallory@stranger.example>").code == 250
    return client


def outsider_is_outside(w, machine, b, suite=None):
    for number, (source, shown) in enumerate(OUTSIDERS.items(), 1):
        client = call(w, source, suite)
        port = client.reader.getsockname()[1]
        reply = client.command("RCPT TO:<%s>" % FOREIGN)
        assert reply.text.startswith(b"550 5.7.1 ") and b"Relaying denied" in reply.text, reply
        assert client.command("RSET").code == 250
        client.message(b"Subject: x\r\n\r\nx\r\n.\r\n")
        client.quit()
        message = b.mailbox(number)[-1]
        assert any(shown in m.fields("Received")[0] for m in b.mailbox()), message
        pattern = shown.strip("[]").replace(".", r"\.")
        machine.logged(r"^sendmail\[.*: from=<alice@a.example>, .*relay=.*\[%s\]" % pattern)
        machine.logged(r"^blackponyd\[.*: session client=\S+:%d " % port)


def test_outsiders(w):
    machine, b = server(w)
    served(b)
    outsider_is_outside(w, machine, b, xcrypt.CHACHA)


def test_outsiders_in_the_clear(w):
    machine, b = server(w)
    served(b)
    outsider_is_outside(w, machine, b)


def test_named_explicitly(w):
    machine, b = server(w, settings={"client-address": "netns"})
    served(b)
    outsider_is_outside(w, machine, b)


def test_relay_domains(w):
    """Clients that may relay by sendmail's own rules may relay here."""
    _, b = server(w)
    served(b)
    for source in RELAYS:
        client = call(w, source, xcrypt.CHACHA)
        assert client.command("RCPT TO:<%s>" % FOREIGN).code == 250
        client.quit()


def test_access_map(w):
    _, b = server(w)
    served(b)
    for source in UNWELCOME:
        client = call(w, source, xcrypt.CHACHA)
        reply = client.command("RCPT TO:<bob@b.example>")
        assert reply.text == b"550 5.7.1 <bob@b.example>... You are not welcome", reply


def test_without_root(w):
    """For users other than root, a user namespace suffices."""
    machine, b = nobodys_server(w)
    served(b, user="nobody")
    outsider_is_outside(w, machine, b, xcrypt.CHACHA)


def nobodys_server(w):
    machine, b = server(w, settings={"cache": "off"})
    for name in os.listdir(b.folder):
        shutil.chown(b.folder + "/" + name, NOBODY)
    return machine, b


def test_without_user_namespaces(w):
    """root needs none."""
    machine, b = server(w)
    served(b, inside(), "capable")
    outsider_is_outside(w, machine, b, xcrypt.CHACHA)


def test_without_user_namespaces_and_root(w):
    """These capabilities suffice."""
    machine, b = nobodys_server(w)
    some = "+sys_admin,+net_admin,+net_bind_service"
    served(b, inside(), "capable", "/usr/bin/setpriv", "--reuid=%d" % NOBODY, "--clear-groups",
           "--inh-caps=" + some, "--ambient-caps=" + some)
    outsider_is_outside(w, machine, b, xcrypt.CHACHA)


def inside():
    here = os.path.dirname(os.path.abspath(__file__))
    return shutil.copy(os.path.join(here, "inside.py"), PROGRAMS)


def test_neither(w):
    """421, and the log says what to do; nothing is started that could trust the client."""
    machine, b = server(w)
    served(b, inside(), "powerless")
    for source in OUTSIDERS:
        to = "2001:db8::25" if ":" in source else "192.0.2.25"
        client = w.keep(Client(socket.create_connection((to, 25), PATIENCE, (source, 0))))
        assert client.reply().text.startswith(b"421 4.3.0 ")
        assert client.rest() == b""
    said, = {m.string.split(": ", 1)[1] for m in machine.logged(r"^blackponyd\[.*: mailer ", 2)}
    assert said.startswith("mailer %s: " % SENDMAIL), said
    for words in ("user.max_user_namespaces", "as root", "client-address = none", "-t"):
        assert words in said, said
    assert not [line for line in machine.log if "NOQUEUE" in line], "no sendmail was asked"
