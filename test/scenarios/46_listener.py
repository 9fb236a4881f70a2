# Claim: with a listening socket as descriptor 0, each client gets its own process, within limits; SIGTERM lets them finish; keys are read again for each
import os
import re
import signal
import socket
import time

from kit import dns, xcrypt
from kit.conn import Client, PATIENCE
from kit.run import Skip, eventually, need_kernel, need_root

BUSY = b"421 4.3.2 Too many connections, try again later"


def call(w, server, source="127.0.0.1"):
    sock = socket.create_connection(("127.0.0.1", server.port), PATIENCE, (source, 0))
    return w.keep(Client(sock))


def state(pid):
    """The state of a process, as the letter in ps(1)."""
    with open("/proc/%d/stat" % pid) as stat:
        return stat.read().rsplit(")", 1)[1].split()[0]


def children(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid)) as listed:
        return [int(word) for word in listed.read().split()]


def test_encrypted_and_the_second_cached(w):
    mailer = w.mailer()
    server = w.listener(backend=mailer)
    settings = {"cache": w.path("other-cache")}
    for number, cache in ((1, "miss"), (2, "hit")):
        result = w.send(server, ["bob@b.example"], settings=settings)
        assert result.status == 0, result
        entry = server.entries(number)[-1]
        assert (entry["crypt"], entry["cache"], entry["end"]) == (xcrypt.CHACHA, cache, "done"), entry
    assert len(mailer.messages) == 2
    assert server.finish().status == 0


def test_a_refused_recipient(w):
    server = w.listener(backend=w.mailer(answers={"RCPT": b"550 5.1.1 no"}))
    assert w.send(server, ["nobody@b.example"]).status == 67


def test_many_at_once(w):
    mailer = w.mailer()
    server = w.listener({"sessions-per-client": "12"}, backend=mailer)
    clients = [call(w, server) for _ in range(12)]
    for number, client in enumerate(clients):
        client.greet()
        client.ehlo()
        if number % 2:
            client.xcrypt()
            client.ehlo()
    assert len(children(server.child.pid)) == 12
    for client in clients:
        client.message(b"x\r\n.\r\n")
        client.quit()
    assert len(mailer.messages) == 12
    assert server.finish().status == 0


def test_everything_but_2_is_the_listener(w):
    """As inetd and xinetd start it: a client sees nothing but SMTP, and a program does not get the listening socket."""
    server = w.listener(program=w.program(), stderr="socket")
    for _ in range(2):
        client = call(w, server)
        client.greet()
        client.ehlo()
        client.xcrypt()
        client.ehlo()
        client.quit()
    for report in w.reports(2):
        # descriptor 3 is the listing itself
        assert report["sockets"] == [True, True] and report["descriptors"] == [0, 1, 2, 3], report
    assert server.finish().log == ""


def test_a_program_sees_the_true_client(w):
    """Also from a listening socket for both address families."""
    need_root()
    need_kernel("namespaces")
    try:
        server = w.listener({"client-address": "netns"}, program=w.program(), address="::")
    except OSError:
        raise Skip("no IPv6 here")
    client = call(w, server, "127.0.0.7")
    client.greet()
    port = client.reader.getsockname()[1]
    client.quit()
    report, = w.reports()
    assert report["peer"] == ["127.0.0.7", port], report
    assert report["environment"]["TCPREMOTEIP"] == "127.0.0.7"


def test_at_the_limit_and_beyond(w):
    server = w.listener({"sessions": "3", "sessions-per-client": "2"}, backend=w.mailer())
    first, second = call(w, server), call(w, server)
    for client in (first, second):
        client.greet()
    third = call(w, server)
    assert third.reply().text == BUSY and third.rest() == b""
    other = call(w, server, "127.0.0.2")
    other.greet()
    last = call(w, server, "127.0.0.3")
    assert last.reply().text == BUSY
    for why in ("sessions-per-client", "sessions"):
        assert "why=%s\n" % why in server.read_log(), server.read_log()
    first.quit()
    eventually(lambda: call(w, server, "127.0.0.3").reply().code == 220, "a free place")


def test_beyond_the_limit_the_message_waits(w):
    server = w.listener({"sessions": "1"}, backend=w.mailer())
    client = call(w, server)
    client.greet()
    result = w.send(server, ["bob@b.example"])
    assert result.status == 75 and "4.3.2" in result.out.decode(), result


def test_clients_of_a_proxy(w):
    """The limit on connections from one address does not apply to a proxy."""
    server = w.listener({"sessions-per-client": "1", "proxy-from": "127.0.0.1"}, backend=w.mailer())
    clients = []
    for number in range(3):
        client = call(w, server)
        client.send(b"PROXY TCP4 198.51.100.%d 192.0.2.25 40025 25\r\n" % number)
        client.greet()
        clients.append(client)
    for client in clients:
        client.quit()
    assert {entry["client"] for entry in server.entries(3)} == {
        "[198.51.100.%d]:40025" % number for number in range(3)}


def test_sigterm_finishes_what_runs(w):
    mailer = w.mailer()
    server = w.listener(backend=mailer)
    clear, inside = call(w, server), call(w, server)
    for client in (clear, inside):
        client.greet()
        client.ehlo()
    inside.xcrypt()
    inside.ehlo()
    server.child.terminate()

    def refused():
        try:
            call(w, server).close()
            return False
        except ConnectionRefusedError:
            return True
    eventually(refused, "an end to listening")
    for client in (clear, inside):
        assert server.child.poll() is None
        client.message(b"Subject: x\r\n\r\nx\r\n.\r\n")
        client.quit()
    assert server.child.wait(PATIENCE) == 0
    assert len(mailer.messages) == 2


def test_every_session_is_reaped(w):
    server = w.listener(backend=w.mailer())
    for _ in range(20):
        client = call(w, server)
        client.greet()
        client.close()
    eventually(lambda: children(server.child.pid) == [], "no children, living or dead")
    assert state(server.child.pid) == "S"


def test_one_that_is_killed(w):
    """The other sessions continue, and its place is free again."""
    server = w.listener({"sessions": "2"}, backend=w.mailer())
    first = call(w, server)
    first.greet()
    victim, = children(server.child.pid)
    second = call(w, server)
    second.greet()
    os.kill(victim, signal.SIGKILL)
    assert first.rest() == b""
    third = []

    def served():
        third[:] = [call(w, server)]
        return third[0].reply().code == 220
    eventually(served, "a free place")
    for client in (second, third[0]):
        client.ehlo()
        client.quit()


def test_keys_are_replaced_while_it_runs(w):
    server = w.listener({"key-lifetime": "1s"}, backend=w.mailer())
    settings = {"cache": w.path("other-cache")}
    seen = []
    for number, wait in ((1, 0), (2, 2.1)):     # file times have a resolution of seconds
        time.sleep(wait)
        tap = w.wiretap(server.port)
        assert w.send(tap, ["bob@b.example"], settings=settings).status == 0
        answer, = [line for line in tap.seen().split(b"\r\n")
                   if line.startswith(b"250 XCRYPT ") and len(line) > 100]
        seen.append(answer.split(b" ")[4])
        assert server.entries(number)[-1]["cache"] == "miss"
    assert len(set(seen)) == 2, seen


def test_no_two_sessions_share_what_is_random(w):
    """Children of one process must not draw the same random numbers (statement 19)."""
    server = w.listener({"cache": "off"}, backend=w.mailer())
    seen = []
    for _ in range(4):
        client = w.session(server)
        reply = client.ask()
        seen += reply.text.split(b" ")[2:6]
        client.close()
    assert len(set(seen)) == 16, seen


def test_mailer_down(w):
    mailer = w.mailer()
    server = w.listener(backend=mailer)
    mailer.close()
    assert call(w, server).reply().text.startswith(b"421 4.3.0 ")
    assert server.child.poll() is None


def test_bad_settings(w):
    """The waiting client gets a 421, and the super-server does not restart the program again and again."""
    sock = socket.create_server(("127.0.0.1", 0), backlog=8)
    clients = [w.keep(Client(socket.create_connection(sock.getsockname()))) for _ in range(3)]
    for settings, code in (({"policy": "perhaps"}, b"421 4.3.5 "), ({}, b"421 4.3.0 ")):
        server = w.listener(settings, sock=sock)
        assert server.child.wait(PATIENCE) == 1
        for client in clients:
            assert client.reply().text.startswith(code)
            assert client.rest() == b""
        assert server.read_log()
        clients = [w.keep(Client(socket.create_connection(sock.getsockname())))]


def syslogd(w, kind=socket.SOCK_DGRAM):
    """Starts a new one at /dev/log, in place of what was there."""
    if os.path.exists("/dev/log"):
        os.unlink("/dev/log")
    sock = w.keep(socket.socket(socket.AF_UNIX, kind))
    sock.bind("/dev/log")
    sock.settimeout(PATIENCE)
    if kind == socket.SOCK_STREAM:
        sock.listen(1)
    return sock


def private_dev(w):
    def mounts():
        for name in ("null", "urandom"):
            open(w.path("dev/" + name), "w").close()
            dns.may("mount", "--bind", "/dev/" + name, w.path("dev/" + name))
        dns.may("mount", "--rbind", w.path("dev"), "/dev")
    os.mkdir(w.path("dev"))
    dns.enter(w, mounts)


def test_a_restarted_syslogd(w):
    """Sessions log to the new one, although the process that accepts them keeps running."""
    private_dev(w)
    server = w.listener(backend=w.mailer())
    for _ in range(3):
        log = syslogd(w)
        client = call(w, server)
        client.greet()
        client.command("QUIT")
        line = log.recv(4096).decode()
        while ": session " not in line:     # there may be one about the kernel
            line = log.recv(4096).decode()
        # facility mail, priority info
        assert re.match(r"<22>\w{3} [ \d]\d \d\d:\d\d:\d\d blackponyd\[\d+\]: session client=.* end=done$", line), line
        log.close()


def test_a_syslogd_that_wants_a_stream(w):
    """Each session has its own connection there, and its lines end in NUL."""
    private_dev(w)
    log = syslogd(w, socket.SOCK_STREAM)
    server = w.listener(backend=w.mailer())
    own = w.keep(log.accept()[0])       # the connection of the process that accepts
    own.settimeout(0)
    for _ in range(3):
        client = call(w, server)
        client.greet()
        client.command("QUIT")
        said = b""
        with log.accept()[0] as stream:
            while not said.endswith(b"\0"):
                said += stream.recv(4096)
        assert re.match(br"<22>[^\n\0]*: session client=[^\n\0]* end=done\0$", said), said


def test_a_syslogd_that_does_not_read(w):
    """Nobody waits for it: sessions end, and more connections are turned away than its queue can take lines."""
    private_dev(w)
    log = syslogd(w)
    server = w.listener({"sessions": "1"}, backend=w.mailer())
    first = call(w, server)
    first.greet()
    for _ in range(600):
        with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as other:
            other.settimeout(PATIENCE)
            assert other.recv(100) == BUSY + b"\r\n"
    taken = 0
    log.settimeout(0)
    while taken < 600:
        try:
            taken += b"turned away" in log.recv(4096)
        except BlockingIOError:
            break
    assert 0 < taken < 600, taken
    log.settimeout(PATIENCE)
    assert call(w, server).reply().text == BUSY
    assert b"log lost=%d " % (600 - taken) in log.recv(4096)
    assert b"turned away" in log.recv(4096)
    first.command("QUIT")
    assert b"end=done" in log.recv(4096)
