# Claim: when the backend dies, stalls or sends nonsense, the session ends in time, nothing is lost and nothing is refused permanently (statements 10, 26, 27)
import concurrent.futures
import os
import traceback

from kit import xcrypt
from kit.conn import SLOW
from kit.mailer import DROP, RESET, STALL
from kit.run import World

STATES = ("greeting", "EHLO", "MAIL", "RCPT", "DATA", "inside", ".", "QUIT")
SHORT = {name: "%ds" % SLOW for name in ("command-timeout", "data-timeout", "final-timeout",
                                         "handshake-timeout", "idle-timeout")}
NONSENSE = {
    "words": b"what now", "octets": b"\xff\xfe\0\x80 \r", "digits": b"25", "no such code": b"999 why",
    "never ends": b"250-and\r\n250-so\r\n250-on", "another code inside": b"250-one\r\n450 two",
    "far too long": b"250 " + b"x" * 200000, "a flood": b"250 more\r\n" * 20000,
    "an empty line": b"", "another protocol": b"HTTP/1.1 400 Bad Request",
    "three replies": b"250 a\r\n250 b\r\n250 c",
}
# once the whole message was sent, a false receipt cannot be told from a true one
RECEIPTS = ("a flood", "three replies", "far too long")
MESSAGE = b"Subject: x\n\n" + b"words\n" * 3000
WIRE = MESSAGE.replace(b"\n", b"\r\n")


def inside_of(fault):
    """The backend accepts some of the message first. One that sent nonsense there does not get the rest."""
    def answer(session, line):
        session.conn.send(b"354 go\r\n")
        session.conn.exactly(1000)
        if not isinstance(fault, bytes):
            return fault
        session.conn.send(fault + b"\r\n")
        return DROP
    return answer


def broken(w, state, fault, **script):
    where, how = ("DATA", inside_of(fault)) if state == "inside" else (state, fault)
    return w.mailer(answers={where: how}, **script)


def attempt(w, mailer, target, settings):
    """One message, and what became of it."""
    result = w.send(target, ["bob@b.example"], MESSAGE, settings=settings)
    arrived = [m.body() for m in mailer.messages]
    assert result.status in (0, 75), result
    assert arrived in ([], [WIRE]), "not as it was"
    assert result.status != 0 or arrived, "lost"
    return result.status


def behind(w, state, fault, suites):
    """The backend behind blackponyd."""
    mailer = broken(w, state, fault)
    server = w.daemon(dict(SHORT, suites=suites), backend=mailer)
    status = attempt(w, mailer, server, SHORT)
    for index in range(len(server.started)):
        assert server.finish(index).status in (0, 1)
    for thing in (server, mailer):
        thing.close()
    return status


def beyond(w, state, fault, suites):
    """The server that blackpony calls, with XCRYPT of its own."""
    mailer = broken(w, state, fault, xcrypt=suites.split())
    status = attempt(w, mailer, mailer, SHORT)
    mailer.close()
    return status


def one_state(folder, place, case):
    """None, or what was wrong."""
    suites, state, (name, fault) = case
    os.mkdir(folder)
    w = World(folder)
    try:
        status = place(w, state, fault, suites)
        # what comes after the receipt does not matter
        assert status == 0 or state != "QUIT", status
        assert status == 75 or state == "QUIT" or name in NONSENSE, status
        wrong = []
    except Exception:
        wrong = [traceback.format_exc(), w.logs()]
    wrong += w.close()
    return wrong and ["%s at %s, %s" % (name, state, suites or "clear")] + wrong


def every_state(w, place, faults):
    """Several at a time, since they mostly wait."""
    cases = [(suites, state, fault) for suites in (xcrypt.CHACHA, "") for state in STATES
             for fault in faults.items() if state != "inside" or fault[0] not in RECEIPTS]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        folders = [w.path("case-%d" % number) for number in range(len(cases))]
        wrong = list(filter(None, pool.map(one_state, folders, [place] * len(cases), cases)))
    assert not wrong, "\n".join(sum(wrong, []))


def test_dies_behind(w):
    every_state(w, behind, {"closes": DROP, "resets": RESET})


def test_dies_beyond(w):
    every_state(w, beyond, {"closes": DROP, "resets": RESET})


def test_stalls_behind(w):
    every_state(w, behind, {"stalls": STALL})


def test_stalls_beyond(w):
    every_state(w, beyond, {"stalls": STALL})


def test_nonsense_behind(w):
    every_state(w, behind, NONSENSE)


def test_nonsense_beyond(w):
    every_state(w, beyond, NONSENSE)


def test_nonsense_in_the_handshake(w):
    """Under `may` the message is sent or waits; it is never lost."""
    for verb in ("XCRYPT", "pushed"):
        for name, fault in dict(NONSENSE, closes=DROP, resets=RESET).items():
            mailer = w.mailer(xcrypt=[xcrypt.CHACHA], answers={verb: fault})
            status = attempt(w, mailer, mailer, SHORT)
            assert status == 0 or verb == "pushed" or name == "three replies", name
            mailer.close()
