# Claim: after start-up a session can use only what it has; for blackpony a process outside makes the connections (sys/jail.h, sys/outside.h; statements 38 and 39)
import os
import re
import socket
import subprocess

from kit import xcrypt
from kit.mailer import DROP
from kit.run import BIN, DAEMON, SENDER, Listener, Skip, SuperServer, eventually, need_kernel, operand

FILE_MAX = 4 << 20
MOST_DESCRIPTORS = 12
LACKING = BIN + "/scenarios/lacking"
# what the log says of a kernel without a part
LACKS = {"landlock": "no Landlock: disabled at boot; add landlock to the kernel parameter lsm=",
         "seccomp": "no seccomp filter: Linux without CONFIG_SECCOMP_FILTER, or an emulation of it",
         "limit": "no memory limit: RLIMIT_DATA has no effect, perhaps in an emulation of Linux"}


def is_wide():
    said = subprocess.run([DAEMON, "-V"], stdout=subprocess.PIPE, check=True).stdout
    return b"wide jail" in said.splitlines()[0]


def limits(pid):
    with open("/proc/%d/limits" % pid) as table:
        return {m.group(1): m.group(2) for m in
                re.finditer(r"^(Max [a-z ]+?)  +(\S+)", table.read(), re.M)}


def status(pid, name):
    with open("/proc/%d/status" % pid) as table:
        return int(re.search(r"^%s:\s+(\d+)" % name, table.read(), re.M).group(1))


def words(pid):
    """The command line of a process."""
    try:
        with open("/proc/%s/cmdline" % pid, "rb") as file:
            return file.read()
    except OSError:
        return b""


def opened(pid):
    """The files and sockets that its descriptors refer to."""
    folder = "/proc/%d/fd" % pid
    return [os.readlink(os.path.join(folder, fd)) for fd in os.listdir(folder)]


BOTH, JOURNAL, NONE = ["cache/keys.cdb", "cache/keys.journal"], ["cache/keys.journal"], []


def check(pid, folder, caches):
    """Checks the jail, and which files of the caches are open."""
    assert status(pid, "Seccomp") == 2 and status(pid, "NoNewPrivs") == 1
    assert status(pid, "Seccomp_filters") == 1, status(pid, "Seccomp_filters")
    has = limits(pid)
    assert has["Max core file size"] == "0" and has["Max file size"] == str(FILE_MAX), has
    if is_wide():
        return
    assert has["Max processes"] == "0" and has["Max data size"] == str(32 << 20), has
    if os.getuid() != 0:        # not dumpable: other users do not even see the names
        return
    assert os.stat("/proc/%d/fd" % pid).st_uid == 0
    assert int(has["Max open files"]) <= MOST_DESCRIPTORS, has
    names = opened(pid)
    has = sorted(os.path.relpath(name, folder) for name in names if name.startswith((folder + "/cache", folder + "/known")))
    assert has == caches, names


def test_blackponyd(w):
    need_kernel("filters")
    for suite in (None, xcrypt.CHACHA):
        server = w.daemon(backend=w.mailer())
        client = w.session(server)
        check(server.child().pid, w.folder, BOTH)
        if suite:
            client.xcrypt()     # all but the client's first record
        else:
            client.command("EHLO a.example")
        check(server.child().pid, w.folder, JOURNAL if suite else BOTH)
        client.close()
        server.finish()
        server = w.daemon(backend=w.mailer())
        client = w.session(server, suite)
        client.command("MAIL FROM:<alice@a.example>")
        check(server.child().pid, w.folder, NONE)
        client.quit()
        assert server.finish().status == 0


def test_blackponyd_for_another_user(w):
    """The memory of a session is readable to nobody, not even to its own user."""
    need_kernel("filters")
    if os.getuid() != 0 or is_wide():
        raise Skip("needs root, and a jail that is not wide")
    os.chmod(w.folder, 0o755)
    server = w.daemon({"user": "nobody", "cache": "off"}, backend=w.mailer())
    client = w.session(server, xcrypt.CHACHA)
    pid = server.child().pid
    assert os.stat("/proc/%d/fd" % pid).st_uid == 0, os.stat("/proc/%d/fd" % pid)
    assert status(pid, "Uid") != 0, open("/proc/%d/status" % pid).read()
    check(pid, w.folder, NONE)
    # kB that are never swapped: all static memory, and so the keys
    assert status(pid, "VmLck") > 200, status(pid, "VmLck")
    client.quit()


def need_root():
    if os.getuid() != 0 or is_wide():
        raise Skip("needs root, and a jail that is not wide")


def everybody(pid):
    """A process and all its descendants."""
    with open("/proc/%d/task/%d/children" % (pid, pid)) as children:
        return [pid] + [p for child in children.read().split() for p in everybody(int(child))]


def uids(pid):
    with open("/proc/%d/status" % pid) as lines:
        return next(line.split()[1:] for line in lines if line.startswith("Uid:"))


def test_a_header_is_not_read_as_root(w):
    """A separate process reads it, in the jail and as the user; root only gets the two addresses (statement 39)."""
    need_kernel("filters")
    need_root()
    os.chmod(w.folder, 0o755)
    header = b"PROXY TCP4 198.51.100.77 192.0.2.1 40025 25\r\n"
    server = w.daemon({"user": "nobody", "cache": "off", "proxy-from": "127.0.0.0/8"}, backend=w.mailer())
    client = w.call(server)
    client.send(header[:20])
    root = server.child().pid
    eventually(lambda: len(everybody(root)) == 2 and "0" not in uids(everybody(root)[1]), "a reader that is not root")
    reader = everybody(root)[1]
    eventually(lambda: status(reader, "Seccomp") == 2, "the reader's jail")
    client.send(header[20:])
    client.greet()
    assert everybody(root) == [root] and "0" not in uids(root)
    client.quit()
    assert "client=[198.51.100.77]:40025" in server.finish().log


def test_xclient_is_not_said_as_root(w):
    """The backend's replies are read by a session that has already given up root (statement 39)."""
    need_kernel("filters")
    need_root()
    os.chmod(w.folder, 0o755)
    seen = []

    def ehlo(session, line):
        pid = server.child().pid
        seen.append((uids(pid), status(pid, "Seccomp")))
    mailer = w.mailer(answers={"EHLO": ehlo}, keywords=[b"XCLIENT ADDR PORT"])
    server = w.daemon({"user": "nobody", "cache": "off", "client-address": "xclient"}, backend=mailer)
    client = w.call(server)
    client.reply()
    client.close()
    server.finish()
    assert seen and all("0" not in ids and filters == 2 for ids, filters in seen), seen
    # the same goes for the replies that -t reads
    del seen[:]
    argv = [DAEMON] + w.options({"user": "nobody", "cache": "off", "client-address": "none"},
                                backend="127.0.0.1:%d" % mailer.port) + ["-t"]
    mailer.script.answers["EHLO"] = lambda session, line: seen.append(uids(everybody(child.pid)[1]))
    child = w.spawn(argv, stdout=subprocess.PIPE, stderr=w.log_file("blackponyd"))
    child.communicate(timeout=30)
    assert seen and all("0" not in ids for ids in seen), seen


def test_root_without_a_user(w):
    """As root without a user, nobody is served and nothing is sent (statement 39)."""
    need_root()
    mailer = w.mailer()
    server = w.daemon({"user": ""}, backend=mailer)
    assert w.call(server).reply().text == b"421 4.3.5 System incorrectly configured"
    assert w.listener({"user": ""}, backend=mailer).child.wait(30) == 1
    result = w.send(mailer, ["bob@b.example"], settings={"user": ""})
    assert result.status == 75 and result.out.startswith(b"4.3.5 user: not set"), result
    result = w.run([DAEMON] + w.options({"user": ""}, backend="127.0.0.1:%d" % mailer.port, client_address="none") + ["-t"])
    assert result.status == 1 and "user = root" in result.log, result
    assert not mailer.sessions


def test_forked_sessions(w):
    """One process for each connection enters the jail; the one that accepts stays outside."""
    need_kernel("filters")
    listener = w.keep(socket.create_server(("127.0.0.1", 0)))
    mailer = w.mailer()
    argv = [DAEMON] + w.options(None, backend="127.0.0.1:%d" % mailer.port,
                                client_address="none")
    parent = w.spawn(argv, stdin=listener, stdout=listener, stderr=w.log_file("blackponyd"))
    client = w.session(listener.getsockname()[1], xcrypt.AES)
    with open("/proc/%d/task/%d/children" % (parent.pid, parent.pid)) as children:
        session, = map(int, children.read().split())
    client.command("NOOP")
    check(session, w.folder, NONE)
    assert status(parent.pid, "Seccomp") == 0
    client.quit()
    parent.terminate()


def seen_by(w, verb, look, recipients, how=None, **script):
    """The state of blackpony's process when the server gets that verb."""
    child, seen = [], []

    def answer(session, line):
        eventually(lambda: child, "the process")
        seen.append(look(child[0].pid))
    mailer = w.mailer(answers={verb: answer}, **script)
    argv = [SENDER] + w.options(None) + ["-f", "alice@a.example", "--", operand(mailer)] + recipients
    child.append(w.spawn(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         stderr=w.log_file("blackpony"), **(how or {})))
    said = b"EHLO here\r\nNOOP\r\nRSET\r\nQUIT\r\n" if not recipients else b"Subject: x\n\nwords\n"
    child[0].communicate(said, timeout=30)
    assert child[0].returncode == 0, child[0].returncode
    assert len(seen) >= 1, "never said " + verb


def test_descriptors_left_open(w):
    """Statement 39: a file or a lock that our parent has left open does not get into a session."""
    if os.getuid() != 0 or is_wide():
        raise Skip("needs root, and a jail that is not wide")
    with open(w.path("queue-file"), "w") as file:
        def check_closed(pid):
            assert not [name for name in opened(pid) if "queue-file" in name]
        seen_by(w, "MAIL", check_closed, ["bob@b.example"], how={"pass_fds": (file.fileno(),)})
        listener = w.keep(socket.create_server(("127.0.0.1", 0)))
        argv = [DAEMON] + w.options(None, backend="127.0.0.1:%d" % w.mailer().port, client_address="none")
        parent = w.spawn(argv, stdin=listener, stdout=listener, stderr=w.log_file("blackponyd"),
                         pass_fds=(file.fileno(),))
        client = w.session(listener.getsockname()[1])
        check_closed(parent.pid)
        client.quit()
        parent.terminate()


def outside_of(pid):
    """The processes that it has started."""
    with open("/proc/%d/task/%d/children" % (pid, pid)) as children:
        return list(map(int, children.read().split()))


def check_opening(pid, folder):
    check(pid, folder, BOTH)
    outside, = outside_of(pid)
    assert status(outside, "Seccomp") == 0


def check_settled(pid, folder):
    # the secret of a first meeting is stored after the reply to blackpony's first record
    eventually(lambda: os.getuid() != 0 or is_wide() or not [name for name in opened(pid) if name.startswith(folder + "/cache")],
               "a closed cache")
    check(pid, folder, NONE)
    assert outside_of(pid) == []


def test_blackpony(w):
    """In the jail at each stage; a process outside exists only until the host is decided on."""
    need_kernel("filters")
    locked = []
    for recipients in (["bob@b.example"], []):
        for offered in ((), (xcrypt.CHACHA,)):
            seen_by(w, "greeting", lambda pid: check_opening(pid, w.folder), recipients, xcrypt=offered)
            seen_by(w, "greeting", lambda pid: locked.extend(status(p, "VmLck") for p in everybody(pid)), recipients, xcrypt=offered)
            last = "DATA" if recipients else "RSET"
            seen_by(w, last, lambda pid: check_settled(pid, w.folder), recipients, xcrypt=offered)
    assert all(kb > 200 for kb in locked) or os.getuid() != 0, locked


def test_no_process_is_left(w):
    """A reader of blackpony's output gets its end when blackpony ends, and no process remains."""
    for script in ({}, {"answers": {"greeting": b"554 go away"}}, {"answers": {"EHLO": DROP}}):
        mailer = w.mailer(**script)
        child = w.spawn([SENDER] + w.options(None) + ["-f", "a@a.example", "--", operand(mailer), "b@b.example"],
                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        child.communicate(b"Subject: x\n\nwords\n", timeout=30)
        assert child.returncode in (0, 75)
        assert not any(operand(mailer).encode() in words(pid) for pid in os.listdir("/proc") if pid.isdigit())


def test_blackpony_dials_twice(w):
    """The process outside calls again, without XCRYPT."""
    mailer = w.mailer(xcrypt=[xcrypt.CHACHA], answers={"XCRYPT": lambda s, line: s.hs.answer(confirm=bytes(16))})
    result = w.send(mailer, ["bob@b.example"])
    assert result.status == 75, result      # looks tampered with
    mailer = w.mailer(xcrypt=[xcrypt.CHACHA], answers={"XCRYPT": b"250 nonsense"})
    result = w.send(mailer, ["bob@b.example"])
    assert result.status == 0 and len(mailer.sessions) == 2, result
    assert "Operation not permitted" not in result.log, result.log


def test_log_says_nothing_of_it(w):
    """On a kernel with all features, the log does not mention the jail."""
    need_kernel("filters")
    mailer = w.mailer()
    assert "jail" not in w.send(w.daemon(backend=mailer), ["bob@b.example"]).log


def test_a_kernel_that_lacks_a_part(w):
    """The log says so once: blackponyd's when it starts to listen, blackpony's for each message."""
    need_kernel("filters")
    for part, words in LACKS.items():
        server = w.keep(Listener(w, [LACKING, part] + w.behind(None, w.mailer(), None)))
        for _ in range(2):
            client = w.session(server.port, xcrypt.CHACHA)
            client.quit()
        server.entries(2)
        log = server.finish().log
        assert log.count("jail:") == 1 and words + "; continuing with the other parts" in log, log
        result = w.run([LACKING, part] + w.sending(w.mailer(), ["bob@b.example"]), b"Subject: x\n\nwords\n")
        assert result.status == 0, result
        assert result.log.count("jail:") == 1 and words in result.log, result


def test_jail_required(w):
    """Where a part is missing, no client is served and no host is called (statement 39)."""
    need_kernel("filters")
    required = {"jail-required": "yes"}
    for part, words in LACKS.items():
        mailer = w.mailer()
        argv = [LACKING, part] + w.behind(required, mailer, None)
        server = w.keep(SuperServer(w, argv))
        assert w.call(server).reply().text == b"421 4.3.0 Service not available"
        left = server.finish()
        assert left.status == 1 and "jail-required: " + words in left.log, left
        with socket.create_server(("127.0.0.1", 0)) as sock:
            # it refuses who is there, and ends
            client = w.call(sock.getsockname()[1])
            waiting = w.keep(Listener(w, argv, sock=sock))
            assert client.reply().text == b"421 4.3.0 Service not available"
        assert waiting.child.wait(30) == 1
        result = w.run([LACKING, part] + w.sending(mailer, ["bob@b.example"], required), b"words\n")
        assert result.status == 75 and ("4.3.0 jail-required: " + words).encode() in result.out, result
        assert not mailer.sessions
    mailer = w.mailer()
    assert w.send(w.daemon(required, backend=mailer), ["bob@b.example"], settings=required).status == 0
    assert len(mailer.messages) == 1


def test_the_parts_in_a_report(w):
    """-t of both programs names each part, and why it is missing."""
    need_kernel("filters")
    mailer = w.mailer()
    daemon = w.behind(None, mailer, None) + ["-t"]
    sender = [SENDER] + w.options(None) + ["-t", "--", operand(mailer)]
    for argv in (daemon, sender):
        out = w.run(argv).out.decode()
        assert re.search(r"(?m)^jail: Landlock: yes(, without rules for .*)?$", out), out
        for name in "seccomp filter", "memory limit":
            assert "\njail: %s: yes\n" % name in "\n" + out, out
        for part, words in LACKS.items():
            name, why = words[3:].split(": ", 1)
            result = w.run([LACKING, part] + argv)
            assert "jail: %s: no, %s\n" % (name, why) in result.out.decode(), result
            assert result.out.count(b": yes") == len(LACKS) - 1, result
            result = w.run([LACKING, part] + argv[:1] + ["-o", "jail-required=yes"] + argv[1:])
            assert result.status == (1 if argv is daemon else 75), result
            assert "jail-required: " + words in result.log, result
