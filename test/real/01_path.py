# Claim: a message from sendmail through blackpony and blackponyd to sendmail arrives once for each recipient, unchanged, and unreadable on the wire; the second needs no new keys
from host import Host, two_hosts
from private import enter
from words import BODY, HEADER, MESSAGE, RECIPIENTS, SUITE, arrived, told, traces


def whole_path(machine, a, b, tap):
    for number, cache in ((1, "miss"), (2, "hit")):
        a.send(MESSAGE, RECIPIENTS)
        assert a.queued() == []
        messages = b.mailbox(2 * number)
        arrived(messages, RECIPIENTS * number, BODY)
        for program in ("blackpony", "blackponyd"):
            entry = machine.connections(program, number)[-1]
            assert (entry["crypt"], entry["cache"], entry["end"]) == (SUITE, cache, "done"), entry
    for message in messages:
        assert HEADER in message.text, message
        trace, = traces(message)
        assert trace.startswith("from mail.a.example ([192.0.2.10]) by mx.b.example with ESMTP "
                                "(XCRYPT %s); " % SUITE), trace
    assert tap.calls == 2, "both recipients in one call"
    assert tap.encrypted() and told(tap.seen()) == []


def test_inetd_and_a_program(w):
    machine, a, b, tap = two_hosts(w)
    b.inetd(b.daemon_line(*b.behind()))
    whole_path(machine, a, b, tap)
    assert all("[192.0.2.10]" in m.fields("Received")[0] for m in b.mailbox())


def test_inetd_and_a_daemon(w):
    settings = {"backend": "127.0.0.1:2525", "client-address": "none"}
    how = {"settings": settings, "access": "Connect:127.0.0.1\tRELAY\n"}
    machine, a, b, tap = two_hosts(w, for_b=how)
    b.daemon()
    b.inetd(b.daemon_line())
    whole_path(machine, a, b, tap)
    assert all("[127.0.0.25]" in m.fields("Received")[0] for m in b.mailbox())


def test_a_smart_host(w):
    """Mail for it uses another sendmail mailer than other outgoing mail."""
    machine = enter(w)
    b = Host(w, "mx.b.example", "192.0.2.25", ["c.example"])
    b.inetd(b.daemon_line(*b.behind()))
    a = Host(w, "mail.a.example", "192.0.2.10", ["a.example"],
             more="define(`SMART_HOST', `[192.0.2.25]')dnl\ndefine(`confRELAY_MAILER', `blackpony')dnl\n")
    a.send(MESSAGE, ["bob@c.example"])
    assert a.queued() == []
    arrived(b.mailbox(1), ["bob@c.example"], BODY)
    entry, = machine.connections("blackpony", 1)
    assert (entry["to"], entry["crypt"]) == ("192.0.2.25", SUITE), entry
