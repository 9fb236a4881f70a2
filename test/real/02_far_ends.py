# Claim: if the remote host is a plain sendmail, mail arrives as before: in the clear, or by sendmail's own STARTTLS
import datetime
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from host import two_hosts
from words import MESSAGE, RECIPIENTS, arrived, told, traces

TLS = """define(`confSERVER_CERT', `/srv/tls/both.pem')dnl
define(`confSERVER_KEY', `/srv/tls/both.pem')dnl
define(`confCACERT', `/srv/tls/both.pem')dnl
define(`confCACERT_PATH', `/srv/tls')dnl
"""


def test_in_the_clear(w):
    machine, a, b, tap = two_hosts(w)
    b.inetd(b.behind())
    a.send(MESSAGE, RECIPIENTS)
    arrived(b.mailbox(2))
    assert not any(traces(m) for m in b.mailbox())
    wire = tap.seen()
    assert b"MAIL From:<alice@a.example>" in wire and b"Nobody between us" in wire
    assert machine.connections("blackpony", 1)[0]["crypt"] == "none"


def make_certificate():
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mx.b.example")])
    now = datetime.datetime.utcnow()
    certificate = (x509.CertificateBuilder().subject_name(name).issuer_name(name)
                   .public_key(key.public_key()).serial_number(1)
                   .not_valid_before(now - datetime.timedelta(days=1))
                   .not_valid_after(now + datetime.timedelta(days=1)).sign(key, hashes.SHA256()))
    os.mkdir("/srv/tls", 0o700)
    with open(os.open("/srv/tls/both.pem", os.O_CREAT | os.O_WRONLY, 0o600), "wb") as out:
        out.write(certificate.public_bytes(serialization.Encoding.PEM))
        out.write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                    serialization.NoEncryption()))


def test_starttls(w):
    machine, a, b, tap = two_hosts(w, for_b={"more": TLS})
    make_certificate()
    b.inetd(b.behind())
    a.send(MESSAGE, RECIPIENTS)
    arrived(b.mailbox(2))
    wire = tap.seen()
    assert b"\r\nSTARTTLS\r\n" in wire and b"XCRYPT" not in wire and told(wire) == []
    machine.logged(r"STARTTLS=client, relay=.*version=TLS")
    assert "version=TLS" in b.mailbox()[0].fields("Received")[0]


def test_with_a_certificate_behind_blackponyd(w):
    """One layer of encryption is enough: XCRYPT where both hosts have it."""
    _, a, b, tap = two_hosts(w, for_b={"more": TLS})
    make_certificate()
    b.inetd(b.daemon_line(*b.behind()))
    a.send(MESSAGE, RECIPIENTS)
    arrived(b.mailbox(2))
    assert b"\r\nSTARTTLS\r\n" not in tap.seen() and told(tap.seen()) == []
    assert all(traces(m) for m in b.mailbox())
