# Claim: without a backend, with bad settings or without resources the answer is 421 or exit code 75, and nothing is accepted (statement 27)
import os
import resource
import struct
import subprocess

from kit.conn import PATIENCE
from kit.mailer import DROP, RESET, dead_port
from kit.run import DAEMON, SENDER, need_own


def refused(w, server, patience=None):
    """The session gets a 421 and an end, and the log says why."""
    client = w.call(server)
    reply = client.reply(patience)
    assert reply and reply.code == 421 and len(reply.lines) == 1, reply
    assert client.rest() == b""
    client.close()
    result = server.finish()
    assert result.log.strip(), "no word in the log"
    return result


def test_backend_down(w):
    sock, port = dead_port()
    w.keep(sock)
    refused(w, w.daemon(backend=port))
    refused(w, w.daemon({"backend": w.path("no-such-socket")}))


def test_program_missing(w):
    refused(w, w.daemon(program=["/nonexistent/sendmail", "-bs"]))
    refused(w, w.daemon(program=[w.path("empty.conf")]))


def test_program_dies_at_once(w):
    refused(w, w.daemon(program=["/bin/false"]))
    refused(w, w.daemon(program=["/bin/true"]))


def test_backend_closes_at_once(w):
    for how in (DROP, RESET):
        refused(w, w.daemon(backend=w.mailer(answers={"greeting": how})))


def test_backend_that_refuses(w):
    """The backend's own greeting is passed on."""
    for greeting in (b"421 4.3.2 too busy", b"554 5.7.1 go away"):
        client = w.call(w.daemon(backend=w.mailer(answers={"greeting": greeting})))
        assert client.reply().text == greeting
        client.close()


def test_nothing_behind_at_all(w):
    refused(w, w.daemon())


def test_bad_settings(w):
    mailer = w.mailer()
    for settings in ({"no-such-name": "1"}, {"policy": "perhaps"}, {"suites": "rot13_9.9"},
                     {"backend": "nowhere"},
                     {"command-timeout": "soon"}, {"client-address": "sometimes"}):
        result = refused(w, w.daemon(settings, backend=mailer))
        assert any(word in result.log for word in next(iter(settings.items()))), result.log
    assert not mailer.sessions


def test_bad_flags(w):
    server = w.daemon(backend=w.mailer())
    server.argv.insert(1, "-Z")
    client = w.call(server)
    assert client.reply().code == 421
    client.close()


def test_backend_dies_later(w):
    mailer = w.mailer(answers={"MAIL": RESET})
    client = w.session(w.daemon(backend=mailer))
    reply = client.command("MAIL FROM:<alice@a.example>")
    assert reply is None or reply.code == 421
    client.close()


def limited(kind, value):
    def limit():
        resource.setrlimit(kind, (value, value))
    return limit


def test_few_descriptors(w):
    """Whatever works with so few descriptors: a message that was accepted has arrived."""
    need_own("descriptors")
    for count in range(3, 14):
        mailer = w.mailer()
        server = w.daemon(backend=mailer, preexec=limited(resource.RLIMIT_NOFILE, count))
        client = w.call(server)
        reply = client.reply()
        assert reply is None or reply.code in (220, 421), reply
        if reply and reply.code == 220:
            client.ehlo()
            client.message(b"x\r\n.\r\n")
            client.quit()
            assert len(mailer.messages) == 1
        client.close()


def test_few_descriptors_for_blackpony(w):
    need_own("descriptors")
    for count in range(3, 12):
        mailer = w.mailer()
        result = w.send(mailer, ["bob@b.example"], preexec_fn=limited(resource.RLIMIT_NOFILE,
                                                                      count))
        assert result.status in (0, 75, 127), (count, result)   # 127: the libraries could not be loaded
        assert len(mailer.messages) == (result.status == 0)


def image(program):
    """The octets of address space that a program (ELF, 64 bits) is loaded into."""
    with open(program, "rb") as file:
        octets = file.read()
    start, = struct.unpack_from("<Q", octets, 32)
    size, count = struct.unpack_from("<HH", octets, 54)
    rows = [struct.unpack_from("<IIQQQQQQ", octets, start + i * size) for i in range(count)]
    return max(row[3] + row[6] for row in rows if row[0] == 1)      # PT_LOAD


def spaces():
    """Octets of address space, from the least in which the programs start; qmail's softlimit is often set so low."""
    least = max(2000000, image(SENDER) + 160000)                    # with a stack
    return range(least, least + 1400000, 100000)


def test_little_address_space(w):
    need_own("address space")
    answers = set()
    for space in spaces():
        mailer = w.mailer()
        server = w.daemon(backend=mailer, preexec=limited(resource.RLIMIT_AS, space))
        client = w.call(server)
        reply = client.reply()
        assert reply and reply.code in (220, 421), (space, reply)
        answers.add(reply.code)
        if reply.code == 220:
            client.ehlo()
            client.message(b"x\r\n.\r\n")
            client.quit()
            assert len(mailer.messages) == 1
        client.close()
        assert server.child().wait(PATIENCE) >= 0, space
    assert 220 in answers


def test_little_address_space_for_blackpony(w):
    need_own("address space")
    answers = set()
    for space in spaces():
        mailer = w.mailer()
        result = w.send(mailer, ["bob@b.example"], preexec_fn=limited(resource.RLIMIT_AS, space))
        assert result.status in (0, 75, 127), (space, result)
        assert len(mailer.messages) == (result.status == 0)
        answers.add(result.status)
    assert 0 in answers


def test_no_room_for_the_cache(w):
    """Files may not grow: the programs work as without a cache."""
    mailer = w.mailer()
    server = w.daemon(backend=mailer, preexec=limited(resource.RLIMIT_FSIZE, 0), stderr="socket")
    client = w.session(server, "chacha20poly1305_2.0")
    client.message(b"x\r\n.\r\n")
    client.quit()
    assert len(mailer.messages) == 1


def test_socket_gone_before_the_first_octet(w):
    """Port scanners: no crash, and no error in the log."""
    mailer = w.mailer()
    server = w.daemon(backend=mailer)
    for _ in range(5):
        w.call(server).abort()
    w.call(server).close()
    for i in range(6):
        server.finish(i)


def test_descriptor_two_is_the_socket(w):
    """As under inetd: -v is ignored, and no log line gets into the dialogue."""
    mailer = w.mailer()
    client = w.session(w.daemon(backend=mailer, stderr="socket"), "aes256gcm_2.0")
    client.message(b"x\r\n.\r\n")
    client.quit()
    sock, port = dead_port()
    w.keep(sock)
    client = w.call(w.daemon(backend=port, stderr="socket"))
    said = client.rest()
    assert said.startswith(b"421 ") and said.count(b"\n") == 1, said
    assert mailer.messages


def test_standard_output_closed(w):
    """Standard output is closed: the program ends, but not by a signal."""
    mailer = w.mailer()

    argv = [DAEMON] + w.options(None, **{"backend": "127.0.0.1:%d" % mailer.port,
                                         "client-address": "none"})
    read, write = os.pipe()
    os.close(read)
    child = w.spawn(argv, stdin=subprocess.DEVNULL, stdout=write, stderr=subprocess.DEVNULL)
    os.close(write)
    child.wait(10)
    assert child.returncode >= 0
