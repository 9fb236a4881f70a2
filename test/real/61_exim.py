# Claim: Debian's Exim receives behind blackponyd, as a program by -oMa and as a daemon by PROXY, and sees the true client; it sends through blackpony by a pipe transport (statement 31)
import socket

from kit import xcrypt
from kit.conn import Client

from checks import (DOORS, FOREIGN, RELAYS, far_host, judged_safe, knows_strangers, receives, sender_to,
                    sends)
from others import Exim
from private import enter


def receiver(w, **settings):
    """(machine, a, b): a sends with sendmail, and b is Exim behind blackponyd."""
    machine = enter(w)
    settings = {name.replace("_", "-"): value for name, value in settings.items()}
    b = Exim(w, "mx.b.example", DOORS[0], ["b.example"], relay=RELAYS, settings=settings)
    return machine, sender_to(w, b), b


def served(b, *program):
    if not program:
        b.daemon()
    judged_safe(b, *program)
    b.inetd(b.daemon_line(*program), addresses=DOORS)


def test_options(w):
    machine, a, b = receiver(w)
    served(b, *b.behind())
    receives(machine, a, b)


def test_daemon(w):
    machine, a, b = receiver(w, backend="127.0.0.1:10025", client_address="proxy-v2")
    served(b)
    receives(machine, a, b)


def test_strangers_to_a_program(w):
    _, _, b = receiver(w)
    served(b, *b.behind())
    knows_strangers(w, b, xcrypt.CHACHA)


def test_strangers_to_a_program_that_is_told_only(w):
    """On a socket pair, Exim relies on -oMa."""
    _, _, b = receiver(w, client_address="none")
    served(b, *b.behind())
    knows_strangers(w, b)


def test_strangers_to_a_daemon_by_proxy_v1(w):
    _, _, b = receiver(w, backend="127.0.0.1:10025", client_address="proxy-v1")
    served(b)
    knows_strangers(w, b)


def test_strangers_to_a_daemon_by_proxy_v2(w):
    _, _, b = receiver(w, backend="127.0.0.1:10025", client_address="proxy-v2")
    served(b)
    knows_strangers(w, b, xcrypt.CHACHA)


def test_open_program(w):
    """-t detects an open relay: on a socket pair and without -oMa, Exim relays for everybody."""
    _, _, b = receiver(w, client_address="none")
    line = b.daemon_line("/usr/sbin/exim4", "-bs")
    said = b.run(line[:1] + ["-t"] + line[1:], expect=1)
    assert "ACCEPTED" in said, said


def test_nobody_known(w):
    """A client without an address is not trusted."""
    _, _, b = receiver(w, client_address="none")
    ours, its = socket.socketpair()
    line = b.daemon_line(*b.behind())
    b.start(line, stdin=its, stdout=its)
    its.close()
    client = w.keep(Client(ours))
    greeting = client.reply()
    if greeting is not None and greeting.code == 220:
        client.ehlo()
        client.command("MAIL FROM:<mallory@stranger.example>")
        assert client.command("RCPT TO:<%s>" % FOREIGN).code == 550


def test_sending(w):
    machine, b = far_host(w)
    a = Exim(w, "mail.a.example", "192.0.2.10", ["a.example"])
    a.daemon()
    sends(machine, a, b)


def test_prdr(w):
    """PRDR means several replies to one message, so it is offered in the clear only; else one reply is for all."""
    machine, _, b = receiver(w, backend="127.0.0.1:10025", client_address="proxy-v2")
    b.write("/etc/exim4/exim4.conf", "prdr_enable = true\n" + open(b.folder + "/etc/exim4/exim4.conf").read())
    served(b)
    client = w.keep(Client(socket.create_connection((DOORS[0], 25))))
    client.greet()
    client.ehlo("stranger.example")
    assert b"PRDR" in client.ehlo_reply.keywords()
    client.xcrypt(xcrypt.CHACHA)
    client.ehlo("stranger.example")
    words = client.ehlo_reply.keywords()
    assert b"PRDR" not in words and b"PIPELINING" in words, words
    client.message(b"Subject: x\r\n\r\nx\r\n.\r\n", to=("bob@b.example", "carol@b.example"))
    client.quit()
    b.mailbox(2)
    assert machine.connections("blackponyd", 1)[0]["messages"] == "1"
