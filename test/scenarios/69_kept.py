# Claim: in a burst, messages go over one connection that is kept, shared only by runs that are alike; its end costs no message and sends none twice (statement 46)
import os
import signal
import socket
import subprocess
import threading

from kit import xcrypt
from kit.certificate import certificate
from kit.conn import PATIENCE
from kit.mailer import DROP
from kit.run import PipeClient, SENDER, SuperServer, connections, eventually, need_root, operand, read_log

LONG = {"keep-open": "60s"}         # so that a slow machine keeps connections, too


class Burst:
    """Runs of blackpony that may share connections; their logs are one file."""

    def __init__(self, w, host, settings=None):
        self.w, self.host, self.settings = w, host, dict(LONG, **(settings or {}))
        self.log = w.log_file("blackpony")

    def words(self, more=None):
        return [SENDER] + self.w.calling(dict(self.settings, **(more or {})))

    def send(self, message=b"Subject: x\n\nwords\n", recipients=("bob@b.example",), more=None, sender="alice@a.example", **how):
        """The exit status and the output of one run with recipients."""
        argv = self.words(more) + ["-f", sender, "--", operand(self.host)] + list(recipients)
        child = self.w.spawn(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, **how)
        out, _ = child.communicate(message, timeout=3 * PATIENCE)
        return child.returncode, out

    def pipe(self, more=None):
        return self.w.keep(Pipe(self, self.words(more) + ["--", operand(self.host)]))

    def smtp(self, data=b"Subject: x\r\n\r\nwords\r\n.\r\n", more=None):
        """One message by SMTP, and QUIT; the exit status."""
        client = self.pipe(more)
        client.greet()
        client.ehlo()
        client.message(data)
        assert client.command("QUIT").code == 221
        client.close()
        return client.child.wait(PATIENCE)

    def entries(self):
        return connections(read_log(self.log.name))

    def kept(self):
        """kept= of each message."""
        return [int(entry.get("kept", 1)) for entry in self.entries()]

    def holders(self):
        """The processes that hold a connection."""
        return [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if self.is_holder(pid)]

    def is_holder(self, pid):
        try:
            with open("/proc/%d/cmdline" % pid, "rb") as words, open("/proc/%d/stat" % pid) as stat:
                return self.w.callers.encode() in words.read() and stat.read().rsplit(")", 1)[1].split()[3] == str(pid)
        except OSError:
            return False

    def end(self, number=signal.SIGTERM):
        """Ends the holders."""
        for pid in self.holders():
            os.kill(pid, number)
        eventually(lambda: not self.holders(), "the end of the holders")


class Pipe(PipeClient):
    """A local MTA whose blackpony logs to the burst's file."""

    def __init__(self, burst, argv):
        self.log = burst.log
        self.child = burst.w.spawn(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=burst.log)
        super(PipeClient, self).__init__(self.child.stdout, self.child.stdin, patience=3 * PATIENCE)


def both_ways(burst):
    return burst.smtp, lambda: burst.send()[0]


def test_a_burst_of_ten(w):
    """The first message has a connection of its own, the second one that is kept, the others follow."""
    for way in range(2):
        mailer = w.mailer()
        server = w.daemon(backend=mailer)
        burst = Burst(w, server)
        send = both_ways(burst)[way]
        for _ in range(10):
            assert send() == 0
        eventually(lambda: len(burst.entries()) == 10, "ten lines")
        assert burst.kept() == [1, 1] + list(range(2, 10)), burst.kept()
        assert {e["crypt"] for e in burst.entries()} == {xcrypt.CHACHA}, burst.entries()
        assert len(server.started) == 2
        burst.end()
        assert len(mailer.messages) == 10 and len(mailer.sessions) == 2
        first, second = mailer.sessions
        assert first.ended == second.ended == "quit"
        assert second.commands.count(b"RSET") == 9 and second.commands[-1] == b"QUIT", second.commands
        assert all(m.data.endswith(b"words\r\n") for m in mailer.messages)


def test_without_pipelining(w):
    """RSET is said when the message is done, and waited for."""
    for way in range(2):
        mailer = w.mailer(keywords=[b"8BITMIME"])
        burst = Burst(w, mailer)
        for _ in range(4):
            assert both_ways(burst)[way]() == 0
        burst.end()
        second = mailer.session(1)
        assert len(second.messages) == 3 and not second.grouped, second.commands
        assert second.commands.count(b"RSET") == 3 and second.commands[-2:] == [b"RSET", b"QUIT"], second.commands
        assert burst.kept() == [1, 1, 2, 3]


def test_idle_end(w):
    """After keep-open without a message, and after SIGTERM, the holder says QUIT."""
    for number in (None, signal.SIGTERM):
        mailer = w.mailer()
        burst = Burst(w, mailer, {"keep-open": "1s" if number is None else "60s"})
        sent = 0
        while len(mailer.sessions) == sent:     # a slow machine needs several
            assert burst.send()[0] == 0
            sent += 1
            assert sent < 20
        if number:
            burst.end(number)
        eventually(lambda: not burst.holders(), "the end of the holder", 3 * PATIENCE)
        assert [s.ended for s in mailer.finished()] == ["quit"] * len(mailer.sessions)


def test_at_most_a_hundred(w):
    """The hundredth message is the last one of a connection."""
    mailer = w.mailer()
    burst = Burst(w, mailer, {"suites": ""})
    for _ in range(103):
        assert burst.send()[0] == 0
    burst.end()
    assert [len(s.messages) for s in mailer.finished()] == [1, 100, 2], [len(s.messages) for s in mailer.sessions]
    assert all(s.ended == "quit" for s in mailer.sessions)


def test_a_kept_connection_that_is_gone(w):
    """The far end closes, resets, or says 421 to MAIL, with or without closing: a new connection, unnoticed by the local MTA."""
    full = b"421 4.7.0 too many messages"
    for way in range(2):
        for answer in (full, DROP, "close", "reset"):
            mailer = w.mailer(xcrypt=[xcrypt.CHACHA])
            burst = Burst(w, mailer)
            send = both_ways(burst)[way]
            assert send() == 0 and send() == 0
            second = mailer.sessions[1]
            if answer == "close":
                second.conn.finish()
            elif answer == "reset":
                second.conn.abort()
            else:
                mailer.script.answers["MAIL"] = lambda s, line: answer if s.number == 1 and len(s.messages) == 1 else None
            assert send() == 0 and send() == 0, answer
            burst.end()
            assert len(mailer.messages) == 4, answer
            assert len(mailer.sessions) == 3, (answer, [s.commands for s in mailer.sessions])


def test_a_holder_that_dies(w):
    """kill -9 while it waits: the next message has a new connection."""
    for way in range(2):
        mailer = w.mailer()
        burst = Burst(w, mailer)
        send = both_ways(burst)[way]
        assert send() == 0 and send() == 0
        burst.end(signal.SIGKILL)
        assert send() == 0 and send() == 0
        burst.end()
        assert len(mailer.messages) == 4 and len(mailer.sessions) == 3
        assert burst.kept() == [1, 1, 1, 2], burst.kept()


def test_a_holder_that_is_busy(w):
    """Nobody waits for a connection in use."""
    mailer = w.mailer()
    burst = Burst(w, mailer)
    assert burst.smtp() == 0
    busy = burst.pipe()
    busy.greet()
    busy.ehlo()
    assert busy.command("MAIL FROM:<alice@a.example>").code == 250
    assert burst.smtp() == 0 and burst.smtp() == 0
    assert len(mailer.sessions) == 4
    for line, code in (("RCPT TO:<bob@b.example>", 250), ("DATA", 354), ("words\r\n.", 250), ("QUIT", 221)):
        assert busy.command(line).code == code
    busy.close()
    assert busy.child.wait(PATIENCE) == 0
    assert burst.smtp() == 0
    burst.end()
    assert len(mailer.messages) == 5, len(mailer.messages)


def test_only_what_is_the_same_is_shared(w):
    """Another destination, setting, policy or way of sending, or a pin, has a connection of its own."""
    mailer = w.mailer(xcrypt=[xcrypt.CHACHA])
    burst = Burst(w, mailer)
    assert burst.send()[0] == 0 and burst.send()[0] == 0 and burst.send()[0] == 0
    assert len(mailer.sessions) == 2
    others = ({"hostname": "other.a.example"}, {"policy": "must"}, {"policy.127.0.0.1": "must"}, {"suites": "aes256gcm_2.0 chacha20poly1305_2.0"},
              {"command-timeout": "4m"}, {"known": "off"})
    for number, more in enumerate(others, 3):
        assert burst.send(more=more)[0] == 0
        assert len(mailer.sessions) == number, more
    assert burst.send()[0] == 0
    assert len(mailer.sessions) == 2 + len(others)
    key = "A" * 43
    assert w.run([SENDER] + w.calling(burst.settings) + ["-k", "pin", "other.example", key]).status in (0, 1)
    assert w.run([SENDER] + w.calling(burst.settings) + ["-k", "forget", "127.0.0.1"]).status == 0
    assert burst.send()[0] == 0
    assert len(mailer.sessions) == 3 + len(others)
    assert burst.smtp() == 0
    assert len(mailer.sessions) == 4 + len(others)
    burst.end()


def test_refused_messages(w):
    """A message that is refused does not spoil the connection; a server that does not reset does."""
    for way in range(2):
        mailer = w.mailer(xcrypt=[xcrypt.CHACHA])
        burst = Burst(w, mailer)
        send = both_ways(burst)[way]
        assert send() == 0 and send() == 0
        mailer.script.answers["RCPT"] = b"550 5.1.1 nobody"
        if way:
            status, out = burst.send()
            assert status == 67 and out.startswith(b"5.1.1 "), out
        else:
            client = burst.pipe()
            client.greet()
            client.ehlo()
            assert client.command("MAIL FROM:<alice@a.example>").code == 250
            assert client.command("RCPT TO:<bob@b.example>").code == 550
            assert client.command("QUIT").code == 221
            client.close()
            client.child.wait(PATIENCE)
        del mailer.script.answers["RCPT"]
        assert send() == 0
        assert len(mailer.sessions) == 2
        eventually(lambda: read_log(burst.log.name).count("state rest: reset -> idle") == 3, "the reply to RSET")
        mailer.script.answers["RSET"] = b"502 5.5.1 no RSET here"
        assert send() == 0
        eventually(lambda: not burst.holders(), "the end of the holder")
        del mailer.script.answers["RSET"]
        assert send() == 0
        assert len(mailer.sessions) == 3, len(mailer.sessions)
        burst.end()
        assert len(mailer.messages) == 5


def waits_for(event):
    """The usual reply, once the event has come."""
    def answer(session, line):
        assert event.wait(3 * PATIENCE)
    return answer


def test_a_slow_reset(w):
    """A run that has not waited for the connection sends its message itself, and the holder leaves it alone."""
    for way in range(2):
        go = threading.Event()
        mailer = w.mailer(xcrypt=[xcrypt.CHACHA], answers={"RSET": waits_for(go)})
        burst = Burst(w, mailer)
        send = both_ways(burst)[way]
        assert send() == 0 and send() == 0
        if way:
            sender = threading.Thread(target=send)
            sender.start()
            # its standard output is not left open with the holder
            sender.join(PATIENCE)
            assert not sender.is_alive() and len(mailer.sessions) == 3 and mailer.sessions[2].messages
        else:
            client = burst.pipe()
            client.greet()
        go.set()
        eventually(lambda: "the process that waits has gone" in read_log(burst.log.name), "a look at the job given up")
        if not way:
            client.ehlo()
            client.message(b"Subject: x\r\n\r\nwords\r\n.\r\n")
            assert client.command("QUIT").code == 221
            client.close()
            assert client.child.wait(PATIENCE) == 0
        burst.end()
        assert [message.body() for message in mailer.messages] == 3 * [b"Subject: x\r\n\r\nwords\r\n"]
        said = mailer.sessions[1].commands
        assert len([line for line in said if line.startswith(b"MAIL")]) == 1, said


def test_a_holder_that_ends_before_it_has_the_descriptors(w):
    """It cannot have sent anything."""
    for way in range(2):
        mailer = w.mailer(xcrypt=[xcrypt.CHACHA])
        burst = Burst(w, mailer)
        send = both_ways(burst)[way]
        assert send() == 0 and send() == 0
        burst.end()
        folder = os.path.join(w.callers, "kept")
        path, = [os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".socket")]
        os.unlink(path)
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
            listener.bind(path)
            listener.listen()

            def take():
                run, _ = listener.accept()
                with run:
                    run.recv(65536)
                    run.shutdown(socket.SHUT_RD)
                    run.send(bytes(20))         # struct kept_answer: KEPT_TAKEN
            holder = threading.Thread(target=take)
            holder.start()
            assert send() == 0
            holder.join()
        burst.end()
        os.unlink(path)
        assert len(mailer.messages) == 3


def test_words_nobody_asked_for(w):
    """What the far end says between two messages ends the connection, and answers nothing."""
    for way in range(2):
        mailer = w.mailer(xcrypt=[xcrypt.CHACHA])
        burst = Burst(w, mailer)
        send = both_ways(burst)[way]
        assert send() == 0 and send() == 0
        eventually(lambda: burst.holders() and b"RSET" in mailer.sessions[1].commands, "a reset connection")
        mailer.sessions[1].conn.send(b"250 2.1.0 Sender ok\r\n250 2.1.5 Recipient ok\r\n354 Go\r\n250 Taken\r\n")
        eventually(lambda: not burst.holders(), "the end of the holder")
        assert send() == 0
        burst.end()
        assert len(mailer.sessions) == 3 and len(mailer.messages) == 3


def test_what_it_answers(w):
    """The report of -t says whether a connection is kept."""
    mailer = w.mailer()
    burst = Burst(w, mailer)
    words = burst.words() + ["-t", "--", operand(mailer)]
    assert b"\nkept=no\n" in w.run(words).out
    assert burst.smtp() == 0 and burst.smtp() == 0
    assert b"\nkept=yes\n" in w.run(words).out
    assert burst.smtp() == 0
    burst.end()
    assert b"\nkept=no\n" in w.run(words).out
    assert burst.kept()[-1] == 2


def test_another_user(w):
    """The user that has called blackpony counts, even where it runs as the same one."""
    need_root()
    mailer = w.mailer()
    burst = Burst(w, mailer)
    for _ in range(2):
        assert burst.send()[0] == 0
    assert burst.send(preexec_fn=lambda: os.setresuid(65534, 0, 0))[0] == 0
    assert len(mailer.sessions) == 3
    assert burst.send()[0] == 0
    assert len(mailer.sessions) == 3
    burst.end()


def test_another_name(w):
    """A local MTA that says another EHLO than the one before has a connection of its own, and does not notice."""
    mailer = w.mailer()
    burst = Burst(w, mailer)
    assert burst.smtp() == 0 and burst.smtp() == 0
    client = burst.pipe()
    client.greet()
    client.ehlo("other.a.example")
    client.message(b"words\r\n.\r\n")
    assert client.command("QUIT").code == 221
    client.close()
    client.child.wait(PATIENCE)
    burst.end()
    assert [s.commands[0] for s in mailer.finished()] == [b"EHLO mail.a.example"] * 2 + [b"EHLO other.a.example"]


def test_by_starttls(w):
    """blackpony's own TLS is kept as well."""
    mailer = w.mailer()
    server = w.keep(SuperServer(w, w.behind(certificate(w.folder), mailer, None)))
    burst = Burst(w, server, {"suites": ""})
    for _ in range(5):
        assert burst.send()[0] == 0
    burst.end()
    assert burst.kept() == [1, 1, 2, 3, 4] and {e["crypt"] for e in burst.entries()} == {"starttls"}, burst.entries()
    assert len(mailer.messages) == 5 and [s.ended for s in mailer.sessions] == ["quit", "quit"]


def test_the_local_mtas_own_starttls(w):
    """It is never shared: that connection is the local MTA's, and a later session has its own."""
    mailer = w.mailer(keywords=[b"STARTTLS"])
    burst = Burst(w, mailer)
    assert burst.smtp() == 0 and burst.smtp() == 0 and burst.smtp() == 0
    assert len(mailer.sessions) == 2
    client = burst.pipe()
    client.greet()
    client.ehlo()
    assert client.command("STARTTLS").code == 220
    client.send(b"\x16\x03\x01 hello")
    assert client.exactly(9) == b"\x16\x03\x01 hello"
    client.close()
    client.child.wait(PATIENCE)
    assert len(mailer.sessions) == 3
    burst.end()
    assert [s.commands.count(b"STARTTLS") for s in mailer.finished()] == [0, 0, 1]


def test_a_local_mta_that_is_killed(w):
    """The process that handed its message over dies: what it has not finished is no message, whoever has the wire."""
    for way in range(2):
        for answer in ("RCPT", "DATA", "."):
            mailer = w.mailer(xcrypt=[xcrypt.CHACHA])
            burst = Burst(w, mailer)
            send = both_ways(burst)[way]
            assert send() == 0 and send() == 0
            child = []

            def kill(session, line=b""):
                if session.number == 1 and len(session.messages) == 1 + (answer == ".") and child:
                    dying = child.pop()
                    dying.kill()
                    dying.wait()        # so that the holder sees it before the reply
                return None
            mailer.script.answers[answer] = kill
            if way:
                argv = burst.words() + ["-f", "alice@a.example", "--", operand(mailer), "bob@b.example"]
                child.append(w.spawn(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=burst.log))
                victim = child[0]
                victim.stdin.write(b"Subject: x\n\nwords\n")
                victim.stdin.close()
            else:
                client = burst.pipe()
                victim = client.child
                child.append(victim)
                client.greet()
                client.ehlo()
                for line in ("MAIL FROM:<alice@a.example>", "RCPT TO:<bob@b.example>", "DATA", "words\r\n."):
                    if client.command(line) is None:
                        break
            assert victim.wait(PATIENCE) == -signal.SIGKILL
            w.children[:] = [pair for pair in w.children if pair[1] is not victim]
            eventually(lambda: not burst.holders(), "the end of the holder")
            del mailer.script.answers[answer]
            taken = len(mailer.sessions[1].messages)
            assert taken == (2 if answer == "." else 1), (answer, taken)
            assert send() == 0
            burst.end()
            assert len(mailer.sessions) == 3 and len(mailer.sessions[2].messages) == 1
