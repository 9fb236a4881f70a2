# Claim: who says no more, or stays when all is said, holds sendmail's queue run no longer than sendmail itself
# would wait, and who sends octet after octet then no longer than command-timeout (statement 26)
import socket
import threading
import time

from host import Host
from private import add_address, enter
from words import MESSAGE

FAR = "192.0.2.77"
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


def talk(connection, habit):
    connection.sendall(b"220 far.example ESMTP\r\n")
    message = False
    try:
        for line in connection.makefile("rb"):
            if message and line != b".\r\n":
                continue
            message = line[:4].upper() == b"DATA"
            habit(connection, line[:4].strip().upper())
            connection.sendall(b"354 go on\r\n" if message else b"250 2.0.0 good\r\n")
    except OSError:
        pass        # it has gone, as it should


def far_end(habit):
    server = socket.create_server((FAR, 25))

    def accept():
        while True:
            connection, _ = server.accept()
            threading.Thread(target=talk, args=(connection, habit), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


def send(w, habit):
    enter(w)
    add_address(FAR)
    far_end(habit)
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
