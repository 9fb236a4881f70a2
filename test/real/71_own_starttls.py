# Claim: real Postfix, Exim, sendmail and OpenSMTPD send by STARTTLS to blackponyd, in front of real mailers that have none, with the host key's certificate or an authority's (statements 3 and 42)
import re
import smtplib

from kit.conn import PATIENCE

import certificates
from certificates import FOLDER
from checks import DOORS, RELAYS, judged_safe
from host import Host, end
from others import Exim, OpenSMTPD, Postfix
from private import PROGRAMS, enter, write
from words import BODY, MESSAGE, arrived


class PostfixSender(Postfix):
    """Sends by itself, in the clear if TLS is not offered."""

    def configure(self, domains, relay, more):
        super().configure(domains, relay, more + "default_transport = smtp\nrelayhost = [%s]\n"
                          "inet_interfaces = 127.0.0.1\n"
                          "smtp_tls_security_level = may\nsmtp_tls_loglevel = 1\n" % DOORS[0])


class EximSender(Exim):
    def configure(self, domains, relay, more):
        super().configure(domains, relay, more)
        name = self.folder + "/etc/exim4/exim4.conf"
        with open(name) as lines:
            text = lines.read()
        text = text.replace("begin routers\n", "begin routers\n\nplain:\n  driver = manualroute\n"
                            "  domains = ! +local_domains\n  transport = plain\n  route_list = * %s byname\n"
                            "  host_find_failed = defer\n  self = send\n\n" % DOORS[0])
        text = text.replace("begin transports\n", "begin transports\n\nplain:\n  driver = smtp\n"
                            "  hosts_try_dane =\n\n")
        write(name, text)


class OpenSMTPDSender(OpenSMTPD):
    def configure(self, domains, relay, more):
        super().configure(domains, relay, more)
        name = self.folder + "/etc/smtpd.conf"
        with open(name) as lines:
            text = lines.read()
        assert 'action "out" relay\n' in text
        text = text.replace('action "out" relay\n', 'action "out" relay host "smtp://%s"\n' % DOORS[0])
        write(name, text.replace("listen on 127.0.0.1 port 10025 proxy-v2", "listen on 127.0.0.1 port 10025"))

    def submit(self, message, recipients, sender="alice@a.example"):
        with smtplib.SMTP("127.0.0.1", 10025, "a.example", PATIENCE) as client:
            client.sendmail(sender, recipients, message.replace(b"\n", b"\r\n"))


def sender(w, kind):
    if kind is Host:
        a = Host(w, "mail.a.example", "192.0.2.10", ["a.example"], mailer="esmtp",
                 table={"b.example": "esmtp:[%s]" % DOORS[0]})

        def send_now():
            a.send(MESSAGE, ["bob@b.example"])
        return send_now
    a = kind(w, "mail.a.example", "192.0.2.10", ["a.example"], relay=RELAYS)

    def send():
        daemon = a.daemon()
        a.submit(MESSAGE, ["bob@b.example"])
        return daemon
    return send


def came_inside(machine, b, daemon=None):
    """One message, whole, with a trace line that names TLS.  The sender's daemon may keep its connection."""
    message, = b.mailbox(1)
    arrived([message], ["bob@b.example"], BODY)
    traces = [x for x in message.fields("Received") if "ESMTPS (TLSv1." in x and "by mx.b.example" in x]
    assert len(traces) == 1 and re.match(r"from mail\.a\.example \(\[192\.0\.2\.\d+\]\) ", traces[0]), message
    if daemon:
        end(daemon)
    entry, = machine.connections("blackponyd", 1)
    assert (entry["crypt"], entry["messages"]) == ("starttls", "1"), entry
    return entry


def to_sendmail(w, kind, settings=None):
    """From that mailer to a sendmail without STARTTLS behind blackponyd."""
    machine = enter(w)
    if settings:
        certificates.make()
    b = Host(w, "mx.b.example", DOORS[0], ["b.example"], settings=settings)
    if not settings:
        b.run([PROGRAMS + "/blackponyd", "-C", b.folder + "/blackponyd.conf", "-k", "new"])
    send = sender(w, kind)
    b.inetd(b.daemon_line(*b.behind()))
    return came_inside(machine, b, send())


def test_from_postfix(w):
    to_sendmail(w, PostfixSender)


def test_from_exim(w):
    to_sendmail(w, EximSender)


def test_from_sendmail(w):
    to_sendmail(w, Host)


def test_from_opensmtpd(w):
    to_sendmail(w, OpenSMTPDSender)


def test_certificate_of_an_authority(w):
    """Its files are root's alone."""
    to_sendmail(w, Host, {"certificate": FOLDER + "/rsa.pem", "starttls": "own"})


def test_to_postfix(w):
    machine = enter(w)
    b = Postfix(w, "mx.b.example", DOORS[0], ["b.example"],
                settings={"backend": "127.0.0.1:10025", "client-address": "proxy-v2"})
    b.run([PROGRAMS + "/blackponyd", "-C", b.folder + "/blackponyd.conf", "-k", "new"])
    send = sender(w, Host)
    b.daemon()
    judged_safe(b)
    b.inetd(b.daemon_line())
    send()
    came_inside(machine, b)


def test_to_opensmtpd(w):
    """Which answers a second EHLO with 503."""
    machine = enter(w)
    b = OpenSMTPD(w, "mx.b.example", DOORS[0], ["b.example"], relay=RELAYS,
                  settings={"backend": "127.0.0.1:10025", "client-address": "proxy-v2"})
    b.run([PROGRAMS + "/blackponyd", "-C", b.folder + "/blackponyd.conf", "-k", "new"])
    send = sender(w, Host)
    b.daemon()
    b.inetd(b.daemon_line())
    send()
    came_inside(machine, b)


def test_must(w):
    """Under must, a host with STARTTLS is as good as one with XCRYPT."""
    machine = enter(w)
    b = Host(w, "mx.b.example", DOORS[0], ["b.example"], settings={"policy": "must"})
    b.run([PROGRAMS + "/blackponyd", "-C", b.folder + "/blackponyd.conf", "-k", "new"])
    send = sender(w, Host)
    b.inetd(b.daemon_line(*b.behind()))
    send()
    came_inside(machine, b)
