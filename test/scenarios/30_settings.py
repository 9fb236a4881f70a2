# Claim: unknown names, bad values, NULs, a directory or missing permission in settings give a clear error with file and line (statement 30)
import os
import re

from kit.run import DAEMON, SENDER, Skip, copy_program

BAD = {
    "unknown name": (b"hostname = a.example\nno-such-name = 1\n", 2),
    "bad duration": (b"# comment\n\ncommand-timeout = soon\n", 3),
    "bad policy": (b"policy = perhaps\n", 1),
    "bad policy of one": (b"policy.example.org = perhaps\n", 1),
    "bad suite": (b"suites = chacha20poly1305_2.0 rot13_9.9\n", 1),
    "suite twice": (b"suites = chacha20poly1305_2.0 chacha20poly1305_2.0\n", 1),
    "no equals": (b"policy may\n", 1),
    "no name": (b"= may\n", 1),
    "nul": (b"policy = may\0\n", 1),
    "nul in a comment": (b"# a\0b\n", 1),
    "long line": (b"policy = " + b"m" * 2000 + b"\n", 1),
    "twice": (b"policy = may\npolicy = must\n", 2),
    "bad number": (b"cache-entries = -1\n", 1),
    "bad yes or no": (b"mark = maybe\n", 1),
    "bad backend": (b"backend = 127.0.0.1:99999\n", 1),     # a setting of blackponyd
    "bad facility": (b"log = nowhere\n", 1),
    "no final newline": (b"policy = perhaps", 1),
}


def arguments(w, conf, *more):
    return [SENDER, "-C", conf, "-v", "-o", "cache=off", "-o", "known=off", "-o", "user=root"] + list(more)


def test_errors_name_file_and_line(w):
    for name, (text, line) in BAD.items():
        conf = w.path("bad.conf")
        with open(conf, "wb") as out:
            out.write(text)
        for argv in (arguments(w, conf, "--", "[127.0.0.1]:9", "bob@b.example"),
                     [DAEMON, "-C", conf, "-v", "-o", "cache=off", "-t"]):
            if name == "bad backend" and argv[0] == SENDER:
                continue
            result = w.run(argv)
            assert result.status == (75 if argv[0] == SENDER else 1), (name, result)
            said = result.log + result.out.decode("latin-1")
            assert re.search(re.escape(conf) + ":%d\\b" % line, said), (name, said)
            assert len(said) < 3000


def test_an_error_is_one_line(w):
    """It is one line whatever the file is called, and has no SMTP code when it is for people."""
    for argv in (arguments(w, "/none\nat all", "-t", "mx.b.example"),
                 [DAEMON, "-C", "/none\nat all", "-v", "-t"]):
        result = w.run(argv)
        assert len(result.log.splitlines()) == 1 and "/none?at all: cannot be read" in result.log, result
        assert result.out in (b"", b"4.3.5 /none?at all: cannot be read: No such file or directory\n"), result


def test_smtp_on_pipes(w):
    conf = w.path("bad.conf")
    with open(conf, "w") as out:
        out.write("policy = perhaps\n")
    result = w.run(arguments(w, conf, "--", "[127.0.0.1]:9"), b"EHLO x\r\nQUIT\r\n")
    assert result.out.startswith(b"421 4.3.5"), result


def test_good_files(w):
    mailer = w.mailer()
    for text in (b"", b"\n\n# x\n", b"policy = may", b"policy=may\nhostname=mail.a.example\n",
                 b"  policy   =   may  \n",
                 b"policy = may\t\n\t# x\n",
                 b"policy..example.org = must\npolicy.example.net = never\n",
                 b"suites = aes256gcm_2.0  chacha20poly1305_2.0\n", b"suites =\n",
                 b"key-lifetime = 90m\n",
                 b"connect-timeout = 10s\ndial-timeout = 1m\nfinal-timeout = 1h\n"):
        conf = w.path("good.conf")
        with open(conf, "wb") as out:
            out.write(text)
        result = w.run(arguments(w, conf, "-f", "a@a.example", "--", "[127.0.0.1]:%d" % mailer.port,
                                 "bob@b.example"),
                       b"x\n")
        assert result.status == 0, (text, result)


def test_files_that_are_none(w):
    for conf in (w.path("nowhere.conf"), w.folder, w.path("empty.conf") + "/x"):
        result = w.run(arguments(w, conf, "--", "[127.0.0.1]:9", "bob@b.example"))
        assert result.status == 75, result
        assert conf in result.log + result.out.decode(), result


def test_no_permission(w):
    if os.getuid() == 0:
        # a copy in a folder of another user
        program = copy_program(SENDER, w.folder)
        who = {"user": 65534, "group": 65534, "extra_groups": []}
    else:
        program, who = SENDER, {}
    conf = w.path("secret.conf")
    with open(conf, "w") as out:
        out.write("policy = may\n")
    os.chmod(conf, 0)
    result = w.run([program, "-C", conf, "-v", "-o", "cache=off", "--", "[127.0.0.1]:9",
                    "bob@b.example"], **who)
    if result.status == 126 or "ermission" not in result.log + result.out.decode():
        raise Skip("another user cannot run the program here: %r" % result)
    assert result.status == 75 and conf in result.log + result.out.decode(), result


def test_options_of_the_command_line(w):
    """Options override the file, and errors name the option."""
    mailer = w.mailer()
    host = "[127.0.0.1]:%d" % mailer.port
    for settings in ("policy=perhaps", "no-such-name=1", "policy", "=may", "", "hostname=a b",
                     "cache-entries=x"):
        result = w.run([SENDER, "-C", w.path("empty.conf"), "-v", "-o", "cache=off", "-o", "known=off", "-o", settings,
                        "--", host,
                        "bob@b.example"], b"x\n")
        assert result.status == 75, (settings, result)
        assert (result.log + result.out.decode()).strip(), settings
    with open(w.path("must.conf"), "w") as out:
        out.write("policy = must\nuser = root\n")
    result = w.run([SENDER, "-C", w.path("must.conf"), "-o", "cache=off", "-o", "known=off", "-o", "policy=may", "--",
                    host,
                    "bob@b.example"], b"x\n")
    assert result.status == 0, result
    assert len(mailer.messages) == 1


def test_daemons_session(w):
    """A connected client gets 421, and the log says what is wrong."""
    conf = w.path("bad.conf")
    with open(conf, "w") as out:
        out.write("# x\npolcy = may\n")
    server = w.daemon(backend=w.mailer())
    server.argv[2] = conf
    client = w.call(server)
    assert client.reply().text.startswith(b"421 4.3.")
    client.close()
    assert conf + ":2" in server.finish().log
