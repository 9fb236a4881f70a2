# Claim: Debian's Postfix receives behind blackponyd by PROXY and XCLIENT, sees the true client, sends through blackpony by pipe(8), and loses no extension, not even STARTTLS (statements 14 and 31)
import datetime
import smtplib
import socket
import ssl

from kit import xcrypt
from kit.conn import Client, PATIENCE

from checks import (DOORS, OUTSIDERS, RELAYS, call, far_host, judged_safe, knows_strangers, receives,
                    sender_to, sends)
from others import Postfix
from private import enter

PROXY, XCLIENT, PLAIN = "127.0.0.1:10025", "127.0.0.1:10026", "127.0.0.1:10027"


def receiver(w, how, backend=PROXY, **more):
    """(machine, a, b): a sends with sendmail, and b is Postfix behind blackponyd."""
    machine = enter(w)
    settings = {"backend": backend, "client-address": how}
    b = Postfix(w, "mx.b.example", DOORS[0], ["b.example"], relay=RELAYS, settings=settings, **more)
    return machine, sender_to(w, b), b


def served(b):
    b.daemon()
    judged_safe(b)
    b.inetd(b.daemon_line(), addresses=DOORS)


def test_proxy_v2(w):
    machine, a, b = receiver(w, "proxy-v2")
    served(b)
    receives(machine, a, b)


def test_xclient(w):
    machine, a, b = receiver(w, "xclient", XCLIENT)
    served(b)
    receives(machine, a, b)


def test_strangers_by_proxy_v1(w):
    _, _, b = receiver(w, "proxy-v1")
    served(b)
    knows_strangers(w, b, xcrypt.CHACHA)


def test_strangers_by_proxy_v2_in_the_clear(w):
    _, _, b = receiver(w, "proxy-v2")
    served(b)
    knows_strangers(w, b)


def test_strangers_by_xclient(w):
    _, _, b = receiver(w, "xclient", XCLIENT)
    served(b)
    knows_strangers(w, b, xcrypt.CHACHA)


def test_xclient_refused(w):
    """A Postfix that does not accept XCLIENT from us would take the client for us, which it trusts: 421."""
    machine, _, b = receiver(w, "xclient", PLAIN)
    b.daemon()
    b.inetd(b.daemon_line())
    client = w.keep(Client(socket.create_connection((b.address, 25), PATIENCE)))
    assert client.reply().text.startswith(b"421 4.3.0 ") and client.rest() == b""
    machine.logged(r"^blackponyd\[.*smtpd_authorized_xclient_hosts")
    line = b.daemon_line()
    assert "XCLIENT" in b.run(line[:1] + ["-t"] + line[1:], expect=1)


def test_mailer_stopped(w):
    """421, and the message waits at the sender."""
    _, a, b = receiver(w, "proxy-v2")
    b.inetd(b.daemon_line())
    a.send(b"Subject: x\n\nx\n", ["bob@b.example"])
    assert a.queued() == ["bob@b.example"] and a.mailbox() == []
    b.daemon()
    a.run_queue()
    assert a.queued() == [] and b.mailbox(1)


def test_sending(w):
    machine, b = far_host(w)
    a = Postfix(w, "mail.a.example", "192.0.2.10", ["a.example"])
    a.daemon()
    sends(machine, a, b)


# as without us

def with_starttls(b):
    """A self-signed certificate, as most hosts have."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, b.name)])
    now = datetime.datetime.utcnow()
    cert = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()) \
        .serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(1)) \
        .sign(key, hashes.SHA256())
    text = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption())
    b.write("/etc/postfix/tls.pem", (text + cert.public_bytes(serialization.Encoding.PEM)).decode())


TLS = "smtpd_tls_security_level = may\nsmtpd_tls_chain_files = /etc/postfix/tls.pem\n"


def in_front(w):
    _, _, b = receiver(w, "proxy-v2", more=TLS)
    with_starttls(b)
    served(b)
    return b


def keywords(w, address):
    client = w.keep(Client(socket.create_connection(address, PATIENCE)))
    client.greet()
    return client.ehlo().keywords()


def test_keywords(w):
    """Postfix's own, in its order, and XCRYPT; inside, all but STARTTLS, and SIZE less the trace line."""
    b = in_front(w)
    own = keywords(w, ("127.0.0.1", 10027))
    assert b"STARTTLS" in own and b"CHUNKING" in own and b"SMTPUTF8" in own and b"DSN" in own, own
    seen = keywords(w, (b.address, 25))
    assert seen[:-1] == own and seen[-1].startswith(b"XCRYPT "), (seen, own)
    client = call(w, OUTSIDERS[0], xcrypt.CHACHA)
    size, = [word for word in own if word.startswith(b"SIZE ")]
    lower = b"SIZE %d" % (int(size[5:]) - 1024)
    assert client.ehlo_reply.keywords() == [lower if word == size else word for word in own if word != b"STARTTLS"]


def test_starttls(w):
    b = in_front(w)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with smtplib.SMTP(b.address, 25, "stranger.example", PATIENCE) as client:
        assert client.starttls(context=context)[0] == 220
        client.ehlo()
        found = [client.has_extn(word) for word in ("chunking", "starttls", "xcrypt")]
        assert found == [True, False, False], found
        client.sendmail("alice@a.example", ["bob@b.example"], b"Subject: x\r\n\r\nx\r\n")
    message, = b.mailbox(1)
    received, = message.fields("Received")
    assert "with ESMTPS " in received, message


def test_nothing_rides_behind_starttls(w):
    """What came in the packet of STARTTLS is not read as if it came in TLS (statement 1)."""
    b = in_front(w)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with smtplib.SMTP(b.address, 25, "stranger.example", PATIENCE) as client:
        client.ehlo()
        client.sock.sendall(b"STARTTLS\r\nMAIL FROM:<injected@c.example>\r\n")
        assert client.getreply()[0] == 220
        client.sock = context.wrap_socket(client.sock)
        client.file = None
        assert client.docmd("EHLO stranger.example")[0] == 250
        assert client.docmd("RCPT TO:<bob@b.example>")[0] == 503


def test_extensions(w):
    """The parameters of DSN, 8BITMIME, SMTPUTF8, and chunks, in the clear and inside."""
    b = in_front(w)
    for number, suite in enumerate((None, xcrypt.CHACHA), 1):
        client = call(w, OUTSIDERS[0], suite)
        assert client.command("RSET").code == 250
        text = "Subject: \u00e9\r\n\r\n.\r\n\u00fc\r\n".encode()
        client.send(b"MAIL FROM:<alice@a.example> SIZE=%d BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=x+2By\r\n"
                    b"RCPT TO:<bob@b.example> NOTIFY=SUCCESS ORCPT=rfc822;bob+40b.example\r\n" % len(text))
        assert [client.reply().code for _ in range(2)] == [250, 250]
        client.send(b"BDAT 10\r\n" + text[:10] + b"BDAT %d LAST\r\n" % (len(text) - 10) + text[10:])
        assert [client.reply().code for _ in range(2)] == [250, 250]
        client.quit()
        message = b.mailbox(number)[-1]
        assert message.body == ".\n\u00fc\n".encode(), message
