# Claim: a backend that is a program gets a socket and the client's address and nothing else, and does not outlive the session (statements 10, 27 and 31)
import socket

from kit import xcrypt
from kit.conn import Client
from kit.run import Skip


def test_message(w):
    for suite in (None, xcrypt.CHACHA):
        client = w.session(w.daemon(program=w.program()), suite)
        client.message(b"Subject: x\r\n\r\nx\r\n.\r\n")
        client.quit()
    reports = w.reports(2)
    assert all(r["messages"][0].endswith("Subject: x\r\n\r\nx\r\n") for r in reports)
    assert sorted(r["messages"][0].startswith("Received: ") for r in reports) == [False, True]


def test_what_it_gets(w):
    server = w.daemon(program=w.program())
    client = w.session(server)
    port = client.reader.getsockname()[1]
    client.quit()
    report = w.reports()[0]
    assert report["sockets"] == [True, True], "pipes are trusted by mailers"
    assert [fd for fd in report["descriptors"] if fd > 3] == [], report["descriptors"]
    env = report["environment"]
    assert (env["TCPREMOTEIP"], env["TCPREMOTEPORT"]) == ("127.0.0.1", str(port)), env
    assert (env["TCPLOCALIP"], env["TCPLOCALPORT"]) == ("127.0.0.1", str(server.port)), env
    assert env["PROTO"] == "TCP"


def test_namespace(w):
    """By default, its socket's peer address is the true client's, or nobody is served."""
    ports = set()
    for way in ("auto", "netns"):
        server = w.daemon({"client-address": way}, program=w.program())
        client = w.call(server)
        reply = client.reply()
        if reply.code == 421:
            log = server.finish().log
            assert "namespace" in log or "client-address" in log or way in log, log
            raise Skip("refused here: %s" % log.splitlines()[0])
        ports.add(client.reader.getsockname()[1])
        client.ehlo()
        client.quit()
    reports = w.reports(2)
    assert {tuple(r["peer"]) for r in reports} == {("127.0.0.1", port) for port in ports}, reports
    assert all(r["sockets"] == [True, True] for r in reports)


def test_environment_of_the_caller_is_not_believed(w):
    """Variables that a super-server or a user left there do not reach the program."""
    about = {"TCPREMOTEHOST": "trusted.example", "TCPREMOTEINFO": "root", "REMOTE_HOST": "10.0.0.1"}
    for turn, known in enumerate(("10.0.0.1", "127.0.0.1", "::ffff:127.0.0.1", None)):
        w.environment.update(about, TCPREMOTEPORT="1", TURN=str(turn))
        w.environment.pop("TCPREMOTEIP", None)
        if known:
            w.environment["TCPREMOTEIP"] = known
        server = w.daemon(program=w.program())
        w.session(server).quit()
        env, = (r["environment"] for r in w.reports(turn + 1) if r["environment"]["TURN"] == str(turn))
        assert env["TCPREMOTEIP"] == "127.0.0.1"
        assert env["TCPREMOTEPORT"] != "1"
        # for this very client, the super-server may set them
        kept = {name: env[name] for name in about if name in env}
        assert kept == (about if known and known.endswith("127.0.0.1") else {}), (known, kept)


def test_client_vanishes(w):
    """The program gets an end of file and ends; blackponyd waits for nothing else."""
    for suite in (None, xcrypt.AES):
        server = w.daemon(program=w.program())
        client = w.session(server, suite)
        client.command("MAIL FROM:<alice@a.example>")
        client.close()
        server.finish()
    for report in w.reports(2):
        assert report["messages"] == [] and report["ended"] in ("eof", "reset")


def test_program_that_goes_on_after_the_end(w):
    """The program sends 221 and then sleeps: the client does not wait for it."""
    script = "printf '220 x\\r\\n'; read a; printf '221 bye\\r\\n'; exec <&- >&-; exec sleep 600"
    client = w.call(w.daemon(program=["/bin/sh", "-c", script]))
    client.greet()
    assert client.command("QUIT").code == 221
    assert client.rest() == b""


def test_ipv6(w):
    try:
        server = w.daemon(program=w.program("%{client-address}"), address="::1")
    except OSError:
        return
    sock = socket.create_connection(("::1", server.port), 10)
    client = w.keep(Client(sock))
    client.greet()
    client.quit()
    report = w.reports()[0]
    env = report["environment"]
    assert (env["TCPREMOTEIP"], env["PROTO"]) == ("::1", "TCP6")
    assert report["arguments"] == ["::1"]
