# Claim: Debian's OpenSMTPD receives behind blackponyd by PROXY version 2 and sees the true client (statement 31)
from kit import xcrypt

from checks import DOORS, RELAYS, judged_safe, knows_strangers, receives, sender_to
from host import end
from others import OpenSMTPD
from private import enter


def receiver(w, how="proxy-v2"):
    """(machine, a, b): a sends with sendmail, and b is OpenSMTPD behind blackponyd."""
    machine = enter(w)
    settings = {"backend": "127.0.0.1:10025", "client-address": how}
    b = OpenSMTPD(w, "mx.b.example", DOORS[0], ["b.example"], relay=RELAYS, settings=settings)
    return machine, sender_to(w, b), b


def served(b):
    daemon = b.daemon()
    judged_safe(b)
    b.inetd(b.daemon_line(), addresses=DOORS)
    return daemon


def test_message(w):
    machine, a, b = receiver(w)
    served(b)
    # (it cannot defer a recipient)
    receives(machine, a, b, waits=())


def test_strangers(w):
    _, _, b = receiver(w)
    served(b)
    knows_strangers(w, b, xcrypt.CHACHA)


def test_strangers_in_the_clear(w):
    _, _, b = receiver(w)
    served(b)
    knows_strangers(w, b)


def test_mailer_stopped(w):
    """421, and the message waits at the sender."""
    _, a, b = receiver(w)
    end(served(b))
    a.send(b"Subject: x\n\nx\n", ["bob@b.example"])
    assert a.queued() == ["bob@b.example"] and a.mailbox() == []
    b.daemon()
    a.run_queue()
    assert a.queued() == [] and b.mailbox(1)


def test_version_1(w):
    """It accepts version 2 only. -t says so, and no client gets through under another address."""
    machine, a, b = receiver(w, "proxy-v1")
    b.daemon()
    line = b.daemon_line()
    b.run(line[:1] + ["-t"] + line[1:], expect=1)
    b.inetd(line)
    a.send(b"Subject: x\n\nx\n", ["bob@b.example"])
    assert a.queued() == ["bob@b.example"] and b.mailbox() == []
