"""Real mail servers that offer STARTTLS, with a port for each kind of certificate (certificates.make() before)."""
import os
import shutil

from kit.run import SuperServer

from certificates import FOLDER, KINDS
from host import Host, listening
from others import Exim, Postfix
from private import write

# one with a cipher that blackpony does not have
FOREIGN = "foreign"
PORTS = {kind: 20000 + number for number, kind in enumerate(list(KINDS) + [FOREIGN])}
SENDMAIL_TLS = """define(`confSERVER_CERT', `{0}/ecdsa.pem')dnl
define(`confSERVER_KEY', `{0}/ecdsa.pem')dnl
define(`confCACERT', `{0}/root.pem')dnl
define(`confCACERT_PATH', `{0}')dnl
""".format(FOLDER)


def certificate_of(kind):
    return "%s/%s.pem" % (FOLDER, "ecdsa" if kind == FOREIGN else kind)


class PostfixEnd(Postfix):
    tls = r"using TLSv1\.[23] with cipher"

    def configure(self, domains, relay, more):
        super().configure(domains, relay, more)
        name = self.folder + "/etc/postfix/master.cf"
        with open(name, "a") as services:
            for kind, port in PORTS.items():
                services.write("127.0.0.1:%d inet n - n - - smtpd -o smtpd_tls_security_level=may "
                               "-o smtpd_tls_received_header=yes -o smtpd_tls_chain_files=%s %s\n" % (
                                   port, certificate_of(kind),
                                   "-o smtpd_tls_protocols=TLSv1.2 -o tls_medium_cipherlist=ADH-AES128-SHA256" if kind == FOREIGN else ""))
        os.utime(name, (0, 0))

    def up(self):
        self.daemon()
        listening("127.0.0.1", PORTS[FOREIGN])
        return PORTS


class EximEnd(Exim):
    tls = "with esmtps"

    def configure(self, domains, relay, more):
        super().configure(domains, relay, more + """tls_advertise_hosts = *
tls_certificate = %s/exim.$received_port
tls_require_ciphers = ${if eq{$received_port}{%d}{NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+ANON-ECDH}{NORMAL}}
""" % (FOLDER, PORTS[FOREIGN]))
        for kind, port in PORTS.items():
            copy = "%s/exim.%d" % (FOLDER, port)
            shutil.copy(certificate_of(kind), copy)
            os.chown(copy, 5000, 5000)
        name = self.folder + "/etc/exim4/exim4.conf"
        with open(name) as text:
            lines = text.read()
        old = "local_interfaces = 127.0.0.1.10025"
        assert old in lines
        write(name, lines.replace(old, old + "".join(" : 127.0.0.1.%d" % x for x in PORTS.values())))

    def up(self):
        self.daemon()
        listening("127.0.0.1", PORTS[FOREIGN])
        return PORTS


class SendmailEnd(Host):
    tls = r"version=TLSv1\.[23]"

    def up(self):
        ports = {}
        for kind in PORTS:
            own = ["-OServerCertFile=" + certificate_of(kind), "-OServerKeyFile=" + certificate_of(kind),
                   "-OCACertFile=%s/root.pem" % FOLDER, "-OCACertPath=" + FOLDER]
            if kind == FOREIGN:
                own += ["-OServerSSLOptions=+SSL_OP_NO_TLSv1_3", "-OCipherList=ADH-AES128-SHA256"]
            server = SuperServer(self.w, self.behind() + own, preexec=self.become)
            ports[kind] = self.w.keep(server).port
        return ports
