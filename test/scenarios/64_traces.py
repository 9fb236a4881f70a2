# Claim: -v shows each change of state in one line, from a known list of names, and never a word of a message, a key, or what is said inside (statement 23)
import re

from kit import xcrypt
from kit.run import SENDER

STATES = {
    "client-handshake": {"greeting", "greeted", "ehlo", "answer", "say-ok", "ok", "fail", "starttls", "tls", "inside",
                         "inside-ehlo", "helo", "ready", "refused", "over"},
    "deliver": {"handshake", "envelope", "data", "body", "final", "quit"},
    "transparent": {"handshake", "may-starttls", "starttls", "follows", "softens"},
    "follow": {"command", "waits", "continuation", "message", "quit", "lost"},
    "relay-input": {"command", "continuation", "message", "chunk", "skip", "over"},
    "relay-crypt": {"not-yet", "answered", "given-up", "on"},
}
WORDS = b"thimblerigger", b"borborygmus"
MESSAGE = b"Subject: %s\r\n\r\n%s\r\n" % WORDS


def traces(log, machine):
    """[(from, to)] of that machine; the others are looked at for their form."""
    found = []
    for line in log.splitlines():
        if ": state " not in line:
            continue
        name, before, after = re.fullmatch(r"blackponyd?\[\d+\]: state ([a-z-]+): ([a-z-]+) -> ([a-z-]+)", line).groups()
        assert before != after, line
        if name in STATES:
            assert {before, after} <= STATES[name], line
        if name == machine:
            found.append((before, after))
    return found


def path(log, machine):
    """The states of that machine in order; each begins where the one before it ended."""
    steps = traces(log, machine)
    assert all(a[1] == b[0] for a, b in zip(steps, steps[1:])), steps
    return [steps[0][0]] + [after for _, after in steps]


def has_no_secret(log, *more):
    for word in WORDS + more:
        assert word.decode() not in log, word


def test_delivery(w):
    mailer = w.mailer(xcrypt=[xcrypt.CHACHA])
    result = w.send(mailer, ["secret@b.example"], MESSAGE)
    assert result.status == 0, result
    assert path(result.log, "client-handshake") == [
        "greeting", "greeted", "ehlo", "answer", "inside-ehlo", "ready"], result
    assert path(result.log, "deliver") == ["handshake", "envelope", "data", "body", "final", "quit"], result
    assert traces(result.log, "session") == [("clear", "xcrypt"), ("dialogue", "sent")], result
    has_no_secret(result.log, b"secret@")


def test_relay(w):
    """The server: a message by DATA inside, and what octets belong to meanwhile."""
    daemon = w.daemon(backend=w.mailer())
    client = w.session(daemon, xcrypt.CHACHA)
    client.message(MESSAGE + b".\r\n", to=["secret@b.example"])
    client.command("QUIT")
    result = daemon.finish()
    assert path(result.log, "relay-crypt") == ["not-yet", "on"], result
    assert path(result.log, "relay-input") == ["command", "message", "command"], result
    assert traces(result.log, "session") == [("clear", "xcrypt"), ("dialogue", "done")], result
    has_no_secret(result.log, b"secret@")


def test_pipe(w):
    """In the clear the server becomes a pipe, and the client at an odd command; a pipe has no states."""
    for odd in (), ("ETRN b.example",):
        daemon = w.daemon(backend=w.mailer())
        pipe = w.pipe(daemon.port, settings={"policy": "never"})
        pipe.greet()
        pipe.ehlo()
        for command in odd:
            pipe.command(command)
        pipe.message(MESSAGE + b".\r\n")
        pipe.command("QUIT")
        log = pipe.wait().log
        assert path(log, "transparent") == ["handshake", "follows"], log
        assert path(log, "follow") == ["command"] + (["lost"] if odd else ["waits", "message", "command", "quit"]), log
        assert traces(log, "session")[-1] == ("pipe" if odd else "dialogue", "done"), log
        has_no_secret(log)
        log = daemon.finish().log
        assert traces(log, "session")[-2:] == [("dialogue", "pipe"), ("pipe", "done")], log
        has_no_secret(log)


def test_nothing_without_v(w):
    mailer = w.mailer(xcrypt=[xcrypt.CHACHA])
    options = [word for word in w.options({}, hostname="mail.a.example") if word != "-v"]
    result = w.run([SENDER] + options + ["-f", "", "--", "[127.0.0.1]:%d" % mailer.port, "bob@b.example"], MESSAGE)
    assert result.status == 0 and result.log == "", result
