# Claim: with the sample configurations for Postfix and Exim, and with sendmail, mail is deferred if the remote host is silent or slow, or if blackpony is killed or cannot start (statements 26 and 27); quoted addresses arrive unchanged
import itertools
import os
import time

from kit.run import eventually

from checks import FAR
from far_end import FarEnd
from host import Host
from nsd import Nsd
from others import Exim, Postfix
from private import enter, ip, write
from words import MESSAGE

# An hour lasts two seconds: final-timeout, message-timeout, and the limits of the samples and Postfix.
SCALED = {"final-timeout": "2s", "message-timeout": "6s"}
TIMES = {Postfix: {"blackpony_time_limit=4h": "blackpony_time_limit=8s"}, Exim: {"timeout = 4h": "timeout = 8s"}}
DAEMONS = {Postfix: "command_time_limit = 1s\ndaemon_timeout = 10s\n", Exim: ""}
# what its log says of a recipient
OUTCOME = {Postfix: r"^postfix/pipe\[.*: to=<%s>.* status=(deferred|bounced)",
           Exim: r"^exim\[.*: \S+ \S+ \S+ (==|\*\*) %s (?!.*Retry time)"}


def silent_after_the_dot(_connection, verb):
    if verb == b".":
        time.sleep(60)


def slow(_connection, _verb):
    time.sleep(2.5)


def sender(w, kind, program=None, settings=None):
    """(machine, a), where FAR is the mail host of b.example, and a's MTA sends through blackpony or that program."""
    machine = enter(w)
    ip("route add local %s/32 dev lo" % FAR)
    w.keep(Nsd(w, "b.example MX 10 mx.b.example\nmx.b.example A %s\n" % FAR))

    class A(kind):
        edits = TIMES[kind]

        def sender(self):
            return program or super().sender()
    a = A(w, "mail.a.example", "192.0.2.10", ["a.example"], more=DAEMONS[kind], settings=dict(SCALED, **settings or {}))
    a.daemon()
    return machine, a


def waits(machine, a, kind):
    """The message stays in the queue, and nothing has bounced."""
    match, = machine.logged(OUTCOME[kind] % "bob@b.example")[:1]
    assert match.group(1) in ("deferred", "=="), match.string
    eventually(lambda: a.queued() == ["bob@b.example"], "bob in the queue")
    assert a.mailbox() == []


def timed_out(w, kind, habit, **settings):
    machine, a = sender(w, kind, settings=settings)
    FarEnd(w, habit)
    a.submit(MESSAGE, ["bob@b.example"])
    machine.logged(r"^blackpony\[\d+\]: call .* end=timeout")
    waits(machine, a, kind)


def test_postfix_and_one_that_is_silent(w):
    timed_out(w, Postfix, silent_after_the_dot)


def test_exim_and_one_that_is_silent(w):
    timed_out(w, Exim, silent_after_the_dot)


def test_postfix_and_one_that_is_slow(w):
    """Each reply comes in time, but all of them together take too long."""
    timed_out(w, Postfix, slow)


def test_exim_and_one_that_is_slow(w):
    timed_out(w, Exim, slow)


# what becomes of it, by the recipient
PROGRAM = """#!/bin/sh
for recipient; do :; done
case $recipient in
exit*)	recipient=${recipient#exit}; exit ${recipient%@*} ;;
fault*)	kill -SEGV $$ ;;
kill*)	kill -KILL $$ ;;
both*)	kill -KILL $PPID; exit 67 ;;
esac
exit 67
"""
FAILURES = ["exit%d@b.example" % status for status in (1, 64, 66, 70, 71, 73, 74, 78, 99, 126, 127, 139, 255)] + \
           ["fault@b.example", "kill@b.example", "both@b.example"]


def failures(w, kind):
    machine, a = sender(w, kind, "/srv/program")
    write("/srv/program", PROGRAM)
    os.chmod("/srv/program", 0o755)
    for recipient in FAILURES:
        a.submit(MESSAGE, [recipient])
    machine.logged(OUTCOME[kind] % r"\S+@b.example", len(FAILURES))
    assert a.queued() == sorted(FAILURES) and a.mailbox() == []
    a.submit(MESSAGE, ["refused@b.example"])
    match, = machine.logged(OUTCOME[kind] % "refused@b.example")
    assert match.group(1) in ("bounced", "**"), match.string


def test_postfix_and_failures(w):
    failures(w, Postfix)


def test_exim_and_failures(w):
    failures(w, Exim)


def cannot_be_started(w, kind):
    """First the program is missing, then it is not executable."""
    machine, a = sender(w, kind, "/srv/program")
    a.submit(MESSAGE, ["bob@b.example"])
    waits(machine, a, kind)
    write("/srv/program", "#!/bin/sh\nexit 67\n")
    a.submit(MESSAGE, ["bob@b.example"])
    machine.logged(OUTCOME[kind] % "bob@b.example", 2)
    assert a.queued() == 2 * ["bob@b.example"] and a.mailbox() == []


def test_postfix_and_one_that_cannot_be_started(w):
    cannot_be_started(w, Postfix)


def test_exim_and_one_that_cannot_be_started(w):
    cannot_be_started(w, Exim)


# replies of the remote host, and what the local MTA is told
ADDRESSES = ('"john doe"@b.example', '"a@b"@b.example', '"a\\"b"@b.example', '"a,b:;"@b.example', 'Bob.Smith@b.example',
             "bob+a=b@b.example", '"<x>"@b.example')


def quotes(w, kind):
    _, a = sender(w, kind, settings={"command-timeout": "10s", "message-timeout": "60s"})
    far = FarEnd(w)
    for recipient in ADDRESSES:
        a.submit(MESSAGE, [recipient], sender='"x: y"@a.example')
    eventually(lambda: far.messages == len(ADDRESSES), "%d messages" % len(ADDRESSES))
    said = {command.decode() for command in far.commands if command[:4] in (b"MAIL", b"RCPT")}
    assert said == {"RCPT TO:<%s>" % x for x in ADDRESSES} | {'MAIL FROM:<"x: y"@a.example>'}, said


def test_quotes_through_postfix(w):
    quotes(w, Postfix)


def test_quotes_through_exim(w):
    quotes(w, Exim)


def test_sendmail_and_failures(w):
    """sendmail speaks SMTP with the program: however that dies, the message stays."""
    enter(w)
    program = "/srv/fails.sh"
    for text in ("exit 127", "exit 67", "kill -SEGV $$", None):
        if text is not None:
            write(program, "#!/bin/sh\n" + text + "\n")
            os.chmod(program, 0o755)
        name = "mail%d.a.example" % next(NUMBERS)
        host = Host(w, name, "192.0.2.10", ["a.example"], table={"b.example": "blackpony:[%s]" % FAR},
                    program=program if text is not None else "/srv/nothing")
        said = host.send(MESSAGE, ["bob@b.example"])
        assert host.queued() == ["bob@b.example"], (text, said)
        assert host.mailbox() == [], text


NUMBERS = itertools.count(1)
