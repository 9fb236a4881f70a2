"""Certificates for blackponyd's STARTTLS, and a client's side of TLS."""
import datetime
import os
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

NAME = "mx.b.example"
DAY = datetime.timedelta(1)


def certificate(folder, key=None, name=NAME, begins=-1, ends=90, passphrase=None, together=False, mode=0o600, tag=""):
    """Writes a certificate and its key; returns the settings that name them."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.utcnow()
    made = x509.CertificateBuilder().subject_name(who).issuer_name(who).public_key(key.public_key()).serial_number(
        7).not_valid_before(now + begins * DAY).not_valid_after(now + ends * DAY).add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name)]), False).sign(key, hashes.SHA256())
    hidden = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    chain = made.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL
                               if not passphrase else serialization.PrivateFormat.PKCS8, hidden)
    paths = [os.path.join(folder, "tls%s.%s" % (tag, kind)) for kind in ("cert", "key")]
    for path, octets in zip(paths, (secret + chain if together else chain, secret)):
        with open(path, "wb") as out:
            out.write(octets)
        os.chmod(path, mode)
    return {"starttls": "auto", "certificate": paths[0], "certificate-key": None if together else paths[1]}


def context(path=None, **limits):
    """A client's; with a path, it accepts this certificate only, and by name."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if path:
        made.load_verify_locations(path)
    else:
        made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    for name, value in limits.items():
        setattr(made, name, value)
    return made
