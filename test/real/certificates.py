"""Certificates of a test's own, signed by one that is made the machine's, by themselves, or with a fault."""
import datetime
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from kit.run import Skip

from private import mount, write

FOLDER = "/srv/tls"
SYSTEM = "/etc/ssl/certs"
NAME = "mx.b.example"
# what each is, and what blackpony calls it
KINDS = {"rsa": "verified", "ecdsa": "verified", "self": "not-trusted", "expired": "expired",
         "wrong": "wrong-name"}


def day(number):
    return datetime.datetime.utcnow() + datetime.timedelta(number)


def named(name):
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def certificate(name, key, issuer, issuer_key, until=1, authority=False):
    """With all that a strict verifier wants to see."""
    usage = dict.fromkeys((
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"), False)
    usage["key_cert_sign" if authority else "digital_signature"] = True
    extensions = (
        (x509.BasicConstraints(ca=authority, path_length=None), True), (x509.KeyUsage(**usage), True),
        (x509.SubjectAlternativeName([x509.DNSName(name)]), False),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False))
    builder = x509.CertificateBuilder().subject_name(named(name)).issuer_name(named(issuer)) \
        .public_key(key.public_key()).serial_number(x509.random_serial_number()) \
        .not_valid_before(day(-9)).not_valid_after(day(until))
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(issuer_key, hashes.SHA256())


def pem(made, key=None):
    """The key first, as Postfix wants it."""
    text = b"" if key is None else key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return (text + made.public_bytes(serialization.Encoding.PEM)).decode()


def make():
    """One file for each kind, FOLDER/KIND.pem with its key, and the root of this machine (enter() before)."""
    if not os.path.isdir(SYSTEM):
        raise Skip("this system has no " + SYSTEM)
    os.mkdir(FOLDER, 0o755)
    root = ec.generate_private_key(ec.SECP256R1())
    authority = certificate("Root", root, "Root", root, authority=True)
    for kind in KINDS:
        key = rsa.generate_private_key(65537, 2048) if kind == "rsa" else \
            ec.generate_private_key(ec.SECP256R1())
        made = certificate("mx.c.example" if kind == "wrong" else NAME, key,
                           NAME if kind == "self" else "Root", key if kind == "self" else root,
                           until=-1 if kind == "expired" else 1)
        write("%s/%s.pem" % (FOLDER, kind), pem(made, key))
        os.chmod("%s/%s.pem" % (FOLDER, kind), 0o600)
    write(FOLDER + "/root.pem", pem(authority))
    mount("tmpfs", SYSTEM, "tmpfs")
    write(SYSTEM + "/ca-certificates.crt", pem(authority))
