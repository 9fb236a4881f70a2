# Claim: a host that falls silent, or does not close at the end, delays sendmail's queue run no longer than sendmail itself
# would be delayed; one that then sends octet after octet, no longer than command-timeout (statement 26)
import time

from checks import FAR
from far_end import FarEnd
from host import Host
from private import add_address, enter
from words import MESSAGE

PATIENCE = "define(`confTO_DATAFINAL', `3s')dnl\ndefine(`confTO_QUIT', `3s')dnl\n"


def wait_behind_the_dot(connection, verb):
    if verb == b".":
        time.sleep(100)


def stay_behind_quit(connection, verb):
    if verb == b"QUIT":
        connection.sendall(b"221 bye\r\n")
        time.sleep(100)


def trickle_behind_quit(connection, verb):
    if verb == b"QUIT":
        connection.sendall(b"221 bye\r\n")
        for _ in range(200):
            time.sleep(.5)
            connection.sendall(b"x")


def send(w, habit):
    enter(w)
    add_address(FAR)
    FarEnd(w, habit)
    host = Host(w, "mail.a.example", "192.0.2.10", ["a.example"],
                table={"b.example": "blackpony:[%s]" % FAR}, more=PATIENCE,
                settings={"command-timeout": "5s"})
    begun = time.monotonic()
    host.send(MESSAGE, ["bob@b.example"])
    took = time.monotonic() - begun
    assert took < 40, "sendmail was held for %.1f s" % took
    return host.queued()


def test_one_that_says_no_more(w):
    assert send(w, wait_behind_the_dot) == ["bob@b.example"]


def test_one_that_stays(w):
    assert send(w, stay_behind_quit) == []


def test_one_that_trickles(w):
    assert send(w, trickle_behind_quit) == []
