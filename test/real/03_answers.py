# Claim: sendmail acts on what the server says of each recipient: refused ones bounce with its text, and a message that was not accepted waits (statements 24 and 27)
from host import end, two_hosts
from words import MESSAGE, RECIPIENTS, arrived

REFUSED = 'To:nobody@b.example\tERROR:5.1.1:"550 We have never heard of that person"\n'
STRAIGHT = dict.fromkeys(("b.example", "b2.example"), "blackpony:[192.0.2.25]")


def test_refused_recipient(w):
    machine, a, b, _ = two_hosts(w, for_b={"access": REFUSED})
    b.inetd(b.daemon_line(*b.behind()))
    a.send(MESSAGE, RECIPIENTS + ["nobody@b.example"])
    arrived(b.mailbox(2))
    bounce, = a.mailbox(1)
    assert bounce.recipient == "alice" and b"<nobody@b.example>" in bounce.body
    assert b"550 5.1.1 <nobody@b.example>... We have never heard of that person" in bounce.body, bounce
    assert b"carol" not in bounce.body.split(b"Received:")[0]
    assert a.queued() == []


def test_down_and_up_again(w):
    machine, a, b, _ = two_hosts(w, for_a={"table": STRAIGHT})
    a.send(MESSAGE, RECIPIENTS)
    assert a.queued() == sorted(RECIPIENTS), "waits"
    machine.logged(r"bob@b.example,.* dsn=4\..* stat=Deferred: 421 4.4.1 .*: Connection refused$")
    assert a.mailbox() == []
    inetd = b.inetd(b.daemon_line(*b.behind()))
    a.run_queue()
    arrived(b.mailbox(2))
    assert a.queued() == []
    end(inetd)
    a.submit(MESSAGE, RECIPIENTS)
    a.run_queue()
    assert a.queued() == sorted(RECIPIENTS)


def test_mailer_behind_down(w):
    """blackponyd runs, but the backend does not."""
    settings = {"backend": "127.0.0.1:2525", "client-address": "none"}
    machine, a, b, _ = two_hosts(w, for_b={"settings": settings})
    b.inetd(b.daemon_line())
    a.send(MESSAGE, RECIPIENTS)
    assert a.queued() == sorted(RECIPIENTS) and a.mailbox() == []
    machine.logged(r"^blackponyd\S* mailer 127.0.0.1:2525: it cannot be reached: Connection refused")
    b.daemon()
    a.run_queue()
    arrived(b.mailbox(2))


def test_must(w):
    """The remote host has no XCRYPT, and the policy requires it: the message waits."""
    _, a, b, tap = two_hosts(w, for_a={"settings": {"policy": "must"}})
    inetd = b.inetd(b.behind())
    a.send(MESSAGE, RECIPIENTS)
    assert a.queued() == sorted(RECIPIENTS) and a.mailbox() == [] and b.mailbox() == []
    assert b"alice" not in tap.seen()
    end(inetd)
    b.inetd(b.daemon_line(*b.behind()))
    a.run_queue()
    arrived(b.mailbox(2))
