# Claim: the deadlines end a session that sends one octet a second, and a stalled backend too, but not a patient one (statement 26)
import threading
import time

from kit import xcrypt
from kit.conn import SLOW
from kit.mailer import DROP, STALL

PACE = 0.1 * SLOW
SHORT = {"command-timeout": "%ds" % SLOW}


def drip(client, octets, until):
    """Sends an octet at a time until the other end has closed; returns how long that took."""
    began = time.monotonic()
    for octet in octets:
        client.send_raw(bytes((octet,)))
        if client.broken or time.monotonic() - began > until:
            break
        if client.readable(PACE) and not client.fill(time.monotonic() + 1):
            break
    return time.monotonic() - began


def ends_in_time(w, client, server, octets):
    """The session ends although octets keep coming, with 421 or without a reply."""
    took = drip(client, octets, 20 * SLOW)
    assert took < 10 * SLOW, "%d seconds" % took
    assert b"\n" not in client.got or b"421 " in client.got, client.got
    client.close()
    return server.finish()


def test_silent_client(w):
    server = w.daemon(SHORT, backend=w.mailer())
    client = w.call(server)
    client.greet()
    reply = client.reply()
    assert reply is None or reply.code == 421
    assert client.rest() == b""
    assert "timeout" in server.finish().log.replace("-", "")


def test_slow_commands(w):
    for suite in (None, xcrypt.CHACHA):
        server = w.daemon(SHORT, backend=w.mailer())
        client = w.session(server, suite)
        octets = b"NOOP " + b"x" * 2000
        ends_in_time(w, client, server, client.sealer.seal(octets) if suite else octets)


def test_slow_handshake(w):
    """handshake-timeout applies from the offer to the 250 line, command-timeout after that."""
    settings = {"handshake-timeout": "%ds" % SLOW, "command-timeout": "%ds" % SLOW}
    server = w.daemon(settings, backend=w.mailer())
    client = w.session(server)
    ends_in_time(w, client, server, client.start())
    for first in (b"", b"\x17\x03\x03\x01\x10" + bytes(20)):
        client = w.session(server)
        client.xcrypt()
        client.send_raw(first)
        said = client.rest()
        assert said == b"" or said.startswith(b"421 "), said


def test_slow_handshake_of_an_old_generation(w):
    """handshake-timeout applies from the offer to the first encrypted octet."""
    settings = {"handshake-timeout": "%ds" % SLOW, "suites": xcrypt.ARSYFOR}
    server = w.daemon(settings, backend=w.mailer())
    client = w.session(server)
    assert client.ask(xcrypt.ARSYFOR).code == 250
    ends_in_time(w, client, server, b"XCRYPT OK" * 100)
    client = w.session(server)
    client.xcrypt(xcrypt.ARSYFOR)
    said = client.rest()
    assert said == b"" or said.startswith(b"421 "), said


def test_slow_message(w):
    settings = {"data-timeout": "%ds" % SLOW}
    mailer = w.mailer()
    server = w.daemon(settings, backend=mailer)
    client = w.session(server, xcrypt.AES)
    for line in ("MAIL FROM:<alice@a.example>", "RCPT TO:<bob@b.example>", "DATA"):
        client.command(line)
    ends_in_time(w, client, server, client.sealer.seal(b"x" * 2000) * 4)
    assert not mailer.messages


def test_message_in_time(w):
    """A slow client is served if it sends a block in each data-timeout."""
    settings = {"data-timeout": "%ds" % (2 * SLOW)}
    mailer = w.mailer()
    client = w.session(w.daemon(settings, backend=mailer), xcrypt.AES)
    for line in ("MAIL FROM:<alice@a.example>", "RCPT TO:<bob@b.example>", "DATA"):
        client.command(line)
    for _ in range(6):
        client.send(b"x" * 70000 + b"\r\n")
        time.sleep(0.5 * SLOW)
    client.send(b".\r\n")
    assert client.reply().code == 250
    client.quit()
    assert len(mailer.messages) == 1


def test_stalled_mailer_behind(w):
    for verb, settings in (("MAIL", SHORT), (".", {"final-timeout": "%ds" % SLOW})):
        server = w.daemon(settings, backend=w.mailer(answers={verb: STALL}))
        client = w.session(server, xcrypt.CHACHA)
        client.send(b"MAIL FROM:<alice@a.example>\r\nRCPT TO:<bob@b.example>\r\nDATA\r\n")
        if verb == ".":
            assert [client.reply().code for _ in range(3)] == [250, 250, 354]
            client.send(b"x\r\n.\r\n")
        said = client.rest()
        assert said == b"" or said.startswith(b"421 "), said
        client.close()
        server.finish()


def test_idle_pipe(w):
    """The connection is closed, and nothing is inserted."""
    server = w.daemon({"idle-timeout": "%ds" % SLOW}, backend=w.mailer())
    client = w.session(server)
    assert client.command("MAIL FROM:<alice@a.example>").code == 250
    assert client.rest() == b""
    server.finish()


def test_pipe_that_is_not_idle(w):
    server = w.daemon({"idle-timeout": "%ds" % (2 * SLOW), "command-timeout": "%ds" % SLOW},
                      backend=w.mailer())
    client = w.session(server)
    for _ in range(6):
        assert client.command("MAIL FROM:<alice@a.example>").code == 250
        time.sleep(0.5 * SLOW)
    client.quit()


def slowly(reply):
    def answer(session, line):
        for octet in reply:
            if session.conn.broken:
                break
            session.conn.send(bytes((octet,)))
            threading.Event().wait(PACE)
        return b""
    return answer


def test_slow_replies(w):
    """At blackpony, the deadline for a reply starts with its first octet."""
    for offered in ((), (xcrypt.CHACHA,)):
        for verb in ("greeting", "MAIL", "DATA"):
            mailer = w.mailer(xcrypt=offered, answers={verb: slowly(b"250 " + b"x" * 1000)})
            began = time.monotonic()
            result = w.send(mailer, ["bob@b.example"], settings=SHORT)
            assert result.status == 75, result
            assert time.monotonic() - began < 10 * SLOW
            mailer.close()


def test_a_slow_record(w):
    """Octets of a record that is never complete do not restart the deadline."""
    def answer(session, line):
        if session.suite:
            slowly_raw(session.conn, session.conn.sealer.seal(b"250 " + b"x" * 1000))
    mailer = w.mailer(xcrypt=[xcrypt.AES], answers={"MAIL": answer})
    began = time.monotonic()
    result = w.send(mailer, ["bob@b.example"], settings=SHORT)
    assert result.status == 75, result
    assert time.monotonic() - began < 10 * SLOW


def slowly_raw(conn, octets):
    for octet in octets:
        if conn.broken:
            break
        conn.send_raw(bytes((octet,)))
        threading.Event().wait(PACE)


def test_final_reply_may_take_its_time(w):
    """RFC 1047: the reply to the final dot has its own timeout."""
    def late(session, line):
        threading.Event().wait(2.5 * SLOW)
    mailer = w.mailer(answers={".": late})
    assert w.send(mailer, ["bob@b.example"], settings=SHORT).status == 0
    assert len(mailer.messages) == 1


def test_a_slow_answer(w):
    """blackpony: the same two timeouts, after which it calls again."""
    def answer(session, line):
        slowly_raw(session.conn, session.hs.whole_answer)
        return b""

    def pushed(session, line):
        slowly_raw(session.conn, session.conn.sealer.seal(b"250 mailer.example\r\n"))
        return DROP
    settings = {"command-timeout": "%ds" % SLOW, "handshake-timeout": "%ds" % SLOW}
    for answers in ({"XCRYPT": answer}, {"pushed": pushed}):
        mailer = w.mailer(xcrypt=[xcrypt.CHACHA], answers=answers)
        began = time.monotonic()
        result = w.send(mailer, ["bob@b.example"], settings=settings)
        assert result.status == 0 and result.entries[-1]["crypt"] == "none", result
        assert time.monotonic() - began < 10 * SLOW
        mailer.close()


def test_a_mailer_that_is_slow_with_its_second_ehlo(w):
    """The pushed reply may take longer than handshake-timeout, in both roles."""
    def late(session, line):
        if session.commands.count(line) > 1:
            threading.Event().wait(2.5 * SLOW)
    server = w.daemon({"handshake-timeout": "%ds" % SLOW}, backend=w.mailer(answers={"EHLO": late}))
    result = w.send(server, ["bob@b.example"], settings={"handshake-timeout": "%ds" % SLOW})
    assert result.status == 0 and result.entries[-1]["crypt"] == xcrypt.CHACHA, result
