# Claim: without a socket it is one session by hand, with bare line feeds; anywhere else a bare line feed ends no command (blackponyd.8)
import subprocess

from kit import xcrypt
from kit.conn import Client
from kit.run import DAEMON


def by_hand(w, mailer, settings=None):
    argv = [DAEMON] + w.options(settings, **{"backend": "127.0.0.1:%d" % mailer.port,
                                             "client-address": "none"})
    child = w.spawn(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                    stderr=w.log_file("blackponyd"))
    return w.keep(Client(child.stdout, child.stdin)), child


def say(client, line):
    client.send(line.encode() + b"\n")
    return client.reply()


def test_bare_line_feeds(w):
    mailer = w.mailer()
    client, child = by_hand(w, mailer)
    client.greet()
    assert b"XCRYPT chacha20poly1305_2.0" in say(client, "EHLO me").text
    assert say(client, "NOOP").code == 250
    assert say(client, "QUIT").code == 221
    assert client.rest() == b""
    client.writer.close()
    assert child.wait(10) == 0


def test_in_the_head(w):
    """Generation 0.1, as it was meant: two numbers added up."""
    mailer = w.mailer()
    client, child = by_hand(w, mailer, {"suites": xcrypt.ROTN})
    client.greet()
    assert b"XCRYPT rotn_0.1" in say(client, "EHLO me").text
    reply = say(client, "XCRYPT rotn_0.1 0 6").text
    assert reply.startswith(b"250 XCRYPT 0 "), reply
    n = (6 + int(reply.split(b" ")[-1])) % 26
    assert say(client, "XCRYPT OK").text == b"250 XCRYPT OK"
    turn = xcrypt.Rot(n).stream
    client.send(turn(b"QUIT\n"))
    line = client.line()
    assert line == turn(b"221 2.0.0 Bye"), line
    client.writer.close()
    child.wait(10)


def test_not_on_a_socket(w):
    """The two lines are one there, and the mailer hears no second command of ours."""
    mailer = w.mailer()
    client = w.session(w.daemon({"policy": "must"}, backend=mailer))
    client.send(b"NOOP\nRSET\n")
    assert not client.readable(0.3), client.got
    client.send(b"\r\n")
    reply = client.reply()
    assert reply.code in (250, 500, 501, 530), reply
    client.command("QUIT")
    assert b"RSET" not in mailer.commands
