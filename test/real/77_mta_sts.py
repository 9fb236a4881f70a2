# Claim: with Debian's postfix-mta-sts-resolver, a policy in mode enforce is enforced, one in mode testing is not, and without a policy the settings apply
import http.server
import os
import socket
import ssl
import subprocess
import threading

from cryptography.hazmat.primitives.asymmetric import ec

from kit.conn import PATIENCE
from kit.run import REPO, eventually, read_log
from kit.sts import DOMAIN, NAME, Hosts, both, sends

import certificates
from nsd import Nsd, enter, write
from others import needs
from private import MULTIARCH

ROOT = os.path.join(REPO, "bin/real/sts")
WEB = "192.0.2.80"
PLACE = "127.0.0.1", 8461
LINES = """b.example MX 10 mx.b.example
mx.b.example A 192.0.2.1
mta-sts.b.example A %s
_mta-sts.b.example TXT "v=STSv1; id=1"
""" % WEB
TEXT = "version: STSv1\r\nmode: %s\r\nmx: %s\r\nmax_age: 86400\r\n"
CONF = """host: %s
port: %d
shutdown_timeout: 1
cache:
  type: internal
  options:
    cache_size: 100
default_zone:
  strict_testing: false
  timeout: 4
""" % PLACE


class Web:
    """The web server of mta-sts.b.example, which serves that policy."""

    def __init__(self, folder, text):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(handler):                    # pylint: disable=no-self-argument
                self.asked.append((handler.headers["Host"], handler.path))
                handler.send_response(200)
                handler.send_header("Content-Type", "text/plain")
                handler.send_header("Content-Length", str(len(text)))
                handler.end_headers()
                handler.wfile.write(text.encode())

            def log_message(handler, *_):           # pylint: disable=no-self-argument
                pass
        self.asked = []
        self.server = http.server.ThreadingHTTPServer((WEB, 443), Handler)
        how = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        how.load_cert_chain(folder + "/web.pem")
        self.server.socket = how.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Resolver:
    """Debian's daemon, which trusts only that root."""

    def __init__(self, w, root):
        conf = write(w.path("mta-sts-daemon.yml"), CONF)
        self.log = w.log_file("mta-sts-daemon")
        where = dict(os.environ, PYTHONPATH=ROOT + "/usr/lib/python3/dist-packages", SSL_CERT_FILE=root,
                     PYTHONDONTWRITEBYTECODE="1", LD_LIBRARY_PATH=ROOT + "/usr/lib/" + MULTIARCH)
        self.child = subprocess.Popen(
            ["/usr/bin/python3", "-c", "from postfix_mta_sts_resolver.daemon import main; main()", "-c", conf,
             "--disable-uvloop", "-v", "debug"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env=where)
        eventually(self.listens, "the daemon's socket", 5 * PATIENCE)

    def listens(self):
        assert self.child.poll() is None, read_log(self.log.name)
        try:
            socket.create_connection(PLACE, PATIENCE).close()
        except OSError:
            return False
        return True

    def close(self):
        self.child.terminate()
        self.child.wait(PATIENCE)


def policy(w, mode, pattern):
    """(hosts, the web server): the daemon serves that policy at PLACE."""
    needs("sts")
    hosts = Hosts(w, exchangers=(), enter=enter)
    w.keep(Nsd(w, LINES))
    key = ec.generate_private_key(ec.SECP256R1())
    root = certificates.certificate("Root", key, "Root", key, authority=True)
    web = ec.generate_private_key(ec.SECP256R1())
    made = certificates.certificate("mta-sts." + DOMAIN, web, "Root", key)
    write(w.path("root.pem"), certificates.pem(root))
    write(w.path("web.pem"), certificates.pem(made, web))
    served = w.keep(Web(w.folder, TEXT % (mode, pattern)))
    w.keep(Resolver(w, w.path("root.pem")))
    return hosts, served


SETTINGS = {"policy-map": "inet:%s:%d" % PLACE, "policy": "may"}


def test_enforced(w):
    """The certificate has to be valid, and the host one that the policy names."""
    hosts, web = policy(w, "enforce", NAME)
    mailer = hosts.add()
    for sent, result in both(w, SETTINGS):
        entry = result.entries[-1]
        assert sent and (entry["crypt"], entry["auth"], entry["asked"]) == ("starttls", "sts", "sts"), result
    assert len(mailer.messages) == 2 and web.asked == [("mta-sts." + DOMAIN, "/.well-known/mta-sts.txt")], web.asked
    mailer.server.close()
    for how in ({"trusted": False}, {"name": "mx.c.example"}, {"tls": False}):
        mailer = hosts.add(**how)
        for sent, result in both(w, SETTINGS):
            assert not sent and not mailer.messages, (how, result)
        mailer.server.close()


def test_a_wildcard(w):
    hosts, _ = policy(w, "enforce", "*." + DOMAIN)
    hosts.add()
    sent, result = sends(w, SETTINGS, False)
    assert sent and result.entries[-1]["auth"] == "sts", result


def test_another_host(w):
    hosts, _ = policy(w, "enforce", "mx.c.example")
    mailer = hosts.add()
    for sent, result in both(w, SETTINGS):
        assert not sent and not result.entries, result
    assert not mailer.server.started


def test_not_enforced(w):
    hosts, web = policy(w, "testing", "mx.c.example")
    mailer = hosts.add(tls=False)
    sent, result = sends(w, SETTINGS, False)
    assert sent and result.entries[-1]["asked"] == "may" and web.asked and len(mailer.messages) == 1, result


def test_no_policy(w):
    """For a domain without one, and for one whose web server is not there."""
    hosts, web = policy(w, "enforce", NAME)
    web.close()
    mailer = hosts.add(tls=False)
    sent, result = sends(w, SETTINGS, False)
    assert sent and result.entries[-1]["asked"] == "may" and len(mailer.messages) == 1, result
