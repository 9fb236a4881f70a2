# Claim: under every super-server that etc/ has a file for, mail arrives encrypted, the second message with cached keys, and the backend sees the true client (statement 31)
import os
import re
import shutil
import socket
import subprocess

from kit.conn import Client, PATIENCE
from kit.run import REPO, Skip, eventually

from host import INETD, SENDMAIL, Host, listening
from others import needs, sample
from private import LIBRARIES, MULTIARCH, PROGRAMS, add_address, bind, children, descendants, enter, status, write
from words import BODY, MESSAGE, RECIPIENTS, SENDER, SUITE, arrived, told, traces

SERVERS = "/srv/servers"
# of libsystemd-shared's
MORE_LIBRARIES = ":".join(SERVERS + folder + "/" + MULTIARCH + more
                          for folder in ("/usr/lib", "/lib") for more in ("", "/systemd"))
CLIENTS = {"198.51.100.7": "192.0.2.25", "2001:db8:7::7": "2001:db8::25"}
SHOWN = {"198.51.100.7": "[198.51.100.7]", "2001:db8:7::7": "[IPv6:2001:db8:7:0:0:0:0:7]"}
IPV4 = ["198.51.100.7"]
EVERYWHERE = "0.0.0.0"

# Takes sendmail's place in those files: with its own configuration and the unpacked libraries.
BEHIND = """#!/bin/sh
LD_LIBRARY_PATH=%s exec %s -C %s "$@"
"""

# s6-networking's programs, in terms of ucspi-tcp, since Debian 12 does not have the former.
STAND_IN = """#!/bin/sh
limit=40
while getopts c:C: option; do
	case $option in
	c)	limit=$OPTARG ;;
	C)	;;
	*)	exit 100 ;;
	esac
done
shift $((OPTIND - 1))
exec tcpserver -R -H -l 0 -c "$limit" "$@"
"""


def server(w):
    needs("servers")
    machine = enter(w)
    os.mkdir(SERVERS)
    bind(os.path.join(REPO, "bin/real/servers"), SERVERS)
    w.environment["LD_LIBRARY_PATH"] = LIBRARIES + ":" + MORE_LIBRARIES
    w.environment["PATH"] = ":".join([SERVERS + "/usr/bin", PROGRAMS, os.environ["PATH"]])
    for address in CLIENTS:
        add_address(address)
    b = Host(w, "mx.b.example", "192.0.2.25", ["b.example", "b2.example"],
             access="To:refused@b.example\tERROR:5.1.1:\"550 No such user\"\n")
    executable(PROGRAMS + "/sendmail", BEHIND % (LIBRARIES, SENDMAIL, b.cf))
    return machine, b


def executable(path, text):
    write(path, text)
    os.chmod(path, 0o755)
    return path


def placed(b, name, more=None):
    """A file of etc/, with the paths of this machine."""
    words = {"/usr/sbin/blackponyd": PROGRAMS + "/blackponyd",
             "/usr/sbin/sendmail": "-C %s/blackponyd.conf %s/sendmail" % (b.folder, PROGRAMS)}
    words.update(more or {})
    return sample(name, words)


def inetd_lines(b, how, protocol=".*"):
    """The lines of inetd.conf with (no)wait and sendmail, commented out or not."""
    lines = [line.lstrip("#") for line in placed(b, "inetd.conf").split("\n")
             if re.match(r"#?smtp\tstream\t%s\t%s.*/sendmail" % (protocol, how), line)]
    return write(b.folder + "/inetd.conf", "\n".join(lines) + "\n")


def send(w, tap, recipients):
    argv = [PROGRAMS + "/blackpony", "-C", "/dev/null", "-o", "user=root", "-o", "cache=" + w.path("senders-cache"),
            "-o", "known=" + w.path("known"),
            "-o", "hostname=mail.a.example", "-o", "suites=" + SUITE, "-f", SENDER, "--",
            "[127.0.0.1]:%d" % tap.port]
    return w.run(argv + recipients, MESSAGE)


def mail_arrives(w, machine, b, clients=None):
    for number, source in enumerate(clients or CLIENTS):
        tap = w.wiretap(25, host=CLIENTS[source], source=source)
        for again, cache in enumerate(("miss", "hit")):
            result = send(w, tap, RECIPIENTS)
            assert result.status == 0, result
            count = 3 * number + again + 1
            entry = machine.connections("blackponyd", count)[-1]
            assert (entry["crypt"], entry["cache"], entry["end"]) == (SUITE, cache, "done"), entry
            assert entry["client"].startswith(("[%s]:" if "." in source else "[IPv6:%s]:") % source), entry
            arrived(b.mailbox(2 * (2 * number + again + 1)), RECIPIENTS * (2 * number + again + 1), BODY)
        result = send(w, tap, ["refused@b.example"])
        assert (result.status, result.out[:6]) == (67, b"5.1.1 "), result
        assert machine.connections("blackponyd", 3 * number + 3)[-1]["messages"] == "0"
        assert tap.encrypted() and told(tap.seen()) == []
    by_sendmail = [message.fields("Received")[0] for message in b.mailbox()]
    for source in clients or CLIENTS:
        assert len([line for line in by_sendmail if SHOWN[source] in line]) == 4, by_sendmail
    for message in b.mailbox():
        assert len(traces(message)) == 1, message


def daemons():
    """Processes of blackponyd."""
    found = []
    for pid in descendants(os.getpid()):
        try:
            found += [pid] if status(pid)["Name"] == ["blackponyd"] else []
        except OSError:
            continue
    return found


def one_for_all():
    """One process stays, which has no children, dead or alive."""
    eventually(lambda: len(daemons()) == 1 and children(daemons()[0]) == [], "one blackponyd")


def none_stays():
    eventually(lambda: daemons() == [], "the end of every blackponyd")


def test_openbsd_inetd(w):
    machine, b = server(w)
    b.start([INETD, "-E", "-i", inetd_lines(b, "nowait")])
    listening(EVERYWHERE, 25)
    listening("::", 25)
    mail_arrives(w, machine, b)
    none_stays()


def test_openbsd_inetd_wait(w):
    machine, b = server(w)
    b.start([INETD, "-E", "-i", inetd_lines(b, "wait")])
    listening(EVERYWHERE, 25)
    listening("::", 25)
    mail_arrives(w, machine, b)
    eventually(lambda: len(daemons()) == 2, "one for each line")
    # starts again where one ends
    for pid in daemons():
        os.kill(pid, 15)
    none_stays()
    for address in CLIENTS.values():
        client = w.keep(Client(socket.create_connection((address, 25), PATIENCE)))
        client.greet()
        client.quit()


def inetutils(b, how):
    b.start([SERVERS + "/usr/sbin/inetutils-inetd", "-d", inetd_lines(b, how, "tcp6")])
    listening("::", 25)


def test_inetutils_inetd(w):
    machine, b = server(w)
    inetutils(b, "nowait")
    mail_arrives(w, machine, b)
    none_stays()


def test_inetutils_inetd_wait(w):
    machine, b = server(w)
    inetutils(b, "wait")
    mail_arrives(w, machine, b)
    one_for_all()


def xinetd(b, name):
    b.start([SERVERS + "/usr/sbin/xinetd", "-dontfork", "-pidfile", b.folder + "/xinetd.pid",
             "-f", write(b.folder + "/xinetd.conf", placed(b, name))])
    listening("::", 25)


def test_xinetd(w):
    machine, b = server(w)
    xinetd(b, "blackpony.xinetd")
    mail_arrives(w, machine, b)
    none_stays()


def test_xinetd_wait(w):
    machine, b = server(w)
    xinetd(b, "blackpony-wait.xinetd")
    mail_arrives(w, machine, b)
    one_for_all()
    os.kill(daemons()[0], 15)
    none_stays()
    client = w.keep(Client(socket.create_connection(("192.0.2.25", 25), PATIENCE)))
    client.greet()


def supervised(b, name, program):
    """As a service directory's `run`, under s6-supervise."""
    service = b.folder + "/service"
    os.mkdir(service)
    executable(service + "/run", placed(b, name))
    b.start([SERVERS + "/usr/bin/" + program, service])
    listening(EVERYWHERE, 25)


def test_tcpserver(w):
    machine, b = server(w)
    supervised(b, "tcpserver.run", "s6-supervise")
    mail_arrives(w, machine, b, IPV4)
    none_stays()


def test_s6_tcpserver(w):
    machine, b = server(w)
    if shutil.which("s6-tcpserver") is None:
        executable(PROGRAMS + "/s6-tcpserver", STAND_IN)
    supervised(b, "s6-tcpserver.run", "s6-supervise")
    mail_arrives(w, machine, b, IPV4)
    none_stays()


def unit(text, section, name):
    """The values of a setting in a unit."""
    found = re.search(r"(?ms)^\[%s\]$(.*?)(^\[|\Z)" % section, text)
    return re.findall(r"(?m)^%s=(.*)$" % name, found.group(1))


def activate(b, socket_name, service_name, *options):
    """What systemd does with the two, as far as systemd-socket-activate(1) can do it."""
    program = SERVERS + "/usr/bin/systemd-socket-activate"
    about, service = sample(socket_name, {}), placed(b, service_name)
    port, = unit(about, "Socket", "ListenStream")
    command, = unit(service, "Service", "ExecStart")
    assert unit(service, "Service", "StandardInput") == ["socket"]
    b.start([program, "--inetd", "-E", "LD_LIBRARY_PATH", "-E", "ASAN_OPTIONS", "-E", "UBSAN_OPTIONS",
             "-l", port, *options] + command.split())
    listening("::", 25)


def test_systemd_listener(w):
    machine, b = server(w)
    activate(b, "blackponyd.socket", "blackponyd.service")
    mail_arrives(w, machine, b)
    one_for_all()


def test_systemd_each(w):
    machine, b = server(w)
    activate(b, "blackponyd-each.socket", "blackponyd-each@.service", "--accept")
    mail_arrives(w, machine, b)
    none_stays()


def test_systemd_units(w):
    """systemd itself finds no fault in any unit."""
    _, b = server(w)
    folder = b.folder + "/units"
    os.mkdir(folder)
    names = [name for name in os.listdir(os.path.join(REPO, "etc"))
             if name.endswith((".service", ".socket", ".timer"))]
    assert len(names) == 6, names
    for name in names:
        text = sample(name, {})
        for old in "/usr/sbin/blackponyd", "/usr/sbin/sendmail":
            text = text.replace(old, PROGRAMS + "/" + os.path.basename(old))
        write(folder + "/" + name, text)
        # of a template, only an instance can be loaded
        write(folder + "/" + name.replace("@.", "@1."), text)
    done = subprocess.run([SERVERS + "/usr/bin/systemd-analyze", "verify", "--man=no", "--recursive-errors=no"] +
                          [folder + "/" + name for name in os.listdir(folder) if "@." not in name],
                          env=dict(w.environment, SYSTEMD_UNIT_PATH=folder + ":"), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    assert (done.returncode, done.stdout) == (0, b""), done


def test_user_and_directory(w):
    """sysusers.d and tmpfiles.d create them in an empty root."""
    needs("servers")
    enter(w)
    os.mkdir(SERVERS)
    bind(os.path.join(REPO, "bin/real/servers"), SERVERS)
    w.environment["LD_LIBRARY_PATH"] = LIBRARIES + ":" + MORE_LIBRARIES
    root = "/srv/empty"
    for path in "etc", "usr/lib/sysusers.d", "usr/lib/tmpfiles.d", "run":
        os.makedirs(root + "/" + path)
    for kind in "sysusers", "tmpfiles":
        shutil.copy(os.path.join(REPO, "etc/blackpony." + kind), "%s/usr/lib/%s.d/blackpony.conf" % (root, kind))
        program = next((path for path in ("%s/bin/systemd-%s" % (SERVERS, kind), "/bin/systemd-" + kind)
                        if os.path.exists(path)), None)
        if program is None:
            raise Skip("no systemd-%s here" % kind)
        create = ["--create"] if kind == "tmpfiles" else []
        done = subprocess.run([program, "--root=" + root, *create, "blackpony.conf"], env=w.environment,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode == 0, done
    with open(root + "/etc/passwd") as users:
        entry = users.read().strip().split(":")
    assert entry[0] == "blackpony" and entry[5] == "/nonexistent" and entry[6].endswith("nologin"), entry
    for folder in "/run/blackpony", "/var/lib/blackpony":
        about = os.stat(root + folder)
        assert (about.st_mode & 0o7777, about.st_uid, about.st_gid) == (0o700, int(entry[2]), int(entry[3])), about
