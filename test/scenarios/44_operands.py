# Claim: options end at the first operand; a host or recipient that begins with `-` is never an option (statement 31)
from kit.run import DAEMON, SENDER


def call(w, *operands, stdin=b"Subject: x\n\nx\n"):
    return w.run([SENDER] + w.options(None, hostname="mail.a.example") + list(operands), stdin)


def last(mailer):
    return mailer.finished()[-1].messages[0]


def test_recipients(w):
    mailer = w.mailer()
    host = "[127.0.0.1]:%d" % mailer.port
    for recipient in ("-opolicy=never@b.example", "-C/etc/passwd", "--", "-V", "-f", "--help"):
        result = call(w, "-f", "a@a.example", "--", host, recipient)
        assert result.status == 0, (recipient, result)
        assert last(mailer).recipients == [b"RCPT TO:<%s>" % recipient.encode()]
        result = call(w, "-f", "a@a.example", host, recipient)
        if recipient != "--":
            assert result.status == 0, (recipient, result)
            assert last(mailer).recipients == [b"RCPT TO:<%s>" % recipient.encode()]


def test_hosts(w):
    """sendmail's $h comes from an address; a bad one is neither a host nor an option."""
    for host in ("-opolicy=never", "-V", "-t", "-C/dev/null", "--", "-"):
        result = call(w, "--", host, stdin=b"EHLO x\r\nQUIT\r\n")
        assert result.out[:4] in (b"421 ", b"554 "), (host, result)
        result = call(w, "--", host, "bob@b.example")
        assert result.status in (68, 75), (host, result)


def test_senders(w):
    mailer = w.mailer()
    for sender in ("-x@a.example", "-V"):
        result = w.send(mailer, ["bob@b.example"], sender=sender)
        assert result.status == 0, result
        assert last(mailer).sender.startswith(b"MAIL FROM:<%s>" % sender.encode())


def test_no_host(w):
    for argv in ([SENDER], [SENDER, "--"], [SENDER, "-f", "a@a.example", "--"], [SENDER, "-Z"],
                 [SENDER, "-o"],
                 [SENDER, "-C"], [SENDER, "-f"]):
        result = w.run(argv)
        assert result.status == 75, (argv, result)
        assert result.out or result.log


def test_program_arguments_of_the_daemon(w):
    """They belong to the program, whatever they look like."""
    mailer_arguments = ["-t", "-V", "-x", "--", "-o", "policy=must", "%{client-address}",
                        "p=%{client-port}."]
    server = w.daemon(program=w.program(*mailer_arguments))
    client = w.session(server)
    port = client.reader.getsockname()[1]
    client.quit()
    report = w.reports()[0]
    assert report["arguments"] == mailer_arguments[:-2] + ["127.0.0.1",
                                                           "p=%d." % port], report["arguments"]


def test_bad_flags_of_the_daemon(w):
    for flags in (["-Z"], ["-o"], ["-C"]):
        result = w.run([DAEMON] + flags)
        assert result.status > 0, result
        assert result.out or result.log
