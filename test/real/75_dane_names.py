# Claim: with real signed zones and a real validating resolver, aliases, unsigned zones, bad signatures and large answers are what DANE takes them for (statement 43)
import datetime
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from kit import xcrypt
from kit.dane import CERTIFICATE, XCRYPT_KEY, Far, Plain, goes, holds, record, waits
from kit.middle import TlsMiddle
from kit.run import SENDER

from dnssec import signed_names
from nsd import enter, resolv


def data(octets):
    """A TLSA record as in a zone."""
    return "%d %d %d %s" % (octets[0], octets[1], octets[2], octets[3:].hex())


def tlsa(port, name, *records):
    return "".join("_%d._tcp.%s TLSA %s\n" % (port, name, data(octets)) for octets in records)


def zone(far, *records):
    """b.example, whose only host is `far`, with these TLSA records."""
    return "b.example MX 10 %s\n%s A %s\n" % (far.name, far.name, far.address) + tlsa(far.port, far.name, *records)


def test_signed(w):
    """A host key, and a certificate; a record that does not match."""
    enter(w)
    far, bare, other = Far(w, 1), Far(w, 2, policy="never"), Far(w, 3)
    lines = zone(far, far.records[XCRYPT_KEY])
    for host, domain, octets in ((bare, "c.example", bare.records[CERTIFICATE]),
                                 (other, "d.example", record(b"x"))):
        lines += "%s MX 10 %s\n%s A %s\n" % (domain, host.name, host.name, host.address)
        lines += tlsa(host.port, host.name, octets)
    signed_names(w, lines)
    for entry in goes(w, far.port, far):
        holds(entry, crypt=xcrypt.CHACHA, auth="dane", asked="dane", tlsa="matched", mx=None)
    for entry in goes(w, bare.port, bare, domain="c.example"):
        holds(entry, crypt="starttls", auth="dane", mx=None)
    waits(w, other.port, b"4.7.5", domain="d.example")
    assert not other.messages


def test_unsigned(w):
    """A domain or a host in an unsigned zone; its servers fail to answer for TLSA, and nobody asks."""
    enter(w)
    far, plain = Far(w, 1), w.keep(Plain(9, 2525))
    lines = zone(far, far.records[XCRYPT_KEY])
    signed_names(w, lines, {"plain": "c.plain. MX 10 %s.\nmx.plain. A %s\n%s" % (
        far.name, plain.address, tlsa(2525, "mx.plain.", record(b"x"))) + "d.plain. MX 10 mx.plain.\n"})
    for entry in goes(w, far.port, far, domain="c.plain"):
        holds(entry, auth="dane", tlsa="matched", mx="insecure")
    for entry in goes(w, plain.port, plain, domain="d.plain"):
        holds(entry, auth="none", asked="may", tlsa=None)


def test_aliases(w):
    """Rule 4: the end of the chain first, then the alias; with an unsigned target the alias alone; TLSA aliases."""
    enter(w)
    far = Far(w, 1)
    good, bad = far.records[XCRYPT_KEY], record(b"x")
    lines = ""
    # the domain, where its host is an alias of, the record there, the record at the alias
    for name, target, at_target, at_alias in (
            ("both", "end.both.example", [good], [bad]), ("alias", "end.alias.example", [], [good]),
            ("away", "mx.plain.", [], [good]), ("wrong", "end.wrong.example", [bad], [good])):
        lines += "%s.example MX 10 mx.%s.example\nmx.%s.example CNAME %s\n" % (name, name, name, target)
        if target != "mx.plain.":
            lines += "%s A %s\n" % (target, far.address) + tlsa(far.port, target, *at_target)
        lines += tlsa(far.port, "mx.%s.example" % name, *at_alias)
    # the record itself is an alias
    lines += "linked.example MX 10 linked.b.example\nlinked.b.example A %s\n" % far.address
    lines += "_%d._tcp.linked.b.example CNAME _dane.b.example\n_dane.b.example TLSA %s\n" % (far.port, data(good))
    signed_names(w, lines, {"plain": "mx.plain. A %s\n" % far.address})
    for number, domain in enumerate(("both", "alias", "away", "linked"), 1):
        for entry in goes(w, far.port, domain=domain + ".example"):
            holds(entry, auth="dane", tlsa="matched")
        assert len(far.messages) == 2 * number
    waits(w, far.port, b"4.7.5", domain="wrong.example")


def test_bad_signatures(w):
    """Of the TLSA record, or expired: the host is not called."""
    enter(w)
    far = Far(w, 1)
    lines = zone(far, far.records[XCRYPT_KEY])
    authority, resolver = signed_names(w, lines)
    goes(w, far.port, far)
    resolver.close()
    authority.close()
    hexed = far.records[XCRYPT_KEY][3:].hex()
    signed_names(w, lines, spoil=lambda text: text.replace(hexed, "0" * 64))
    for log in waits(w, far.port, b"4.7.5", policy="must"):
        assert "SERVFAIL" in log and "end=tlsa-failed" in log, log
    assert len(far.messages) == 2


def test_expired_signatures(w):
    """All of the zone: not even the MX is known, and the message waits."""
    enter(w)
    far = Far(w, 1)
    signed_names(w, zone(far, far.records[XCRYPT_KEY]), expired=True)
    waits(w, far.port, b"4.4.3")


def test_large_answers(w):
    """100 records, by TCP: the last one matches, or none."""
    enter(w)
    far = Far(w, 1)
    others = [record(b"%d" % i) for i in range(100)]
    lines = zone(far, *others, far.records[XCRYPT_KEY])
    lines += "c.example MX 10 mx2.b.example\nmx2.b.example A %s\n" % far.address
    lines += tlsa(far.port, "mx2.b.example", *others)
    signed_names(w, lines)
    for entry in goes(w, far.port, far):
        holds(entry, auth="dane", tlsa="matched")
    waits(w, far.port, b"4.7.5", domain="c.example")
    said = w.run([SENDER] + w.calling() + ["-t", "--", "b.example:%d" % far.port])
    assert said.status == 0 and b"\ntlsa-more=85\n" in said.out, said


def test_a_resolver_that_does_not_validate(w):
    """It never shows AD: everything is insecure, no mail waits, and -t says so."""
    enter(w)
    far = Far(w, 1)
    signed_names(w, zone(far, record(b"x")), validates=False)
    for entry in goes(w, far.port, far):
        holds(entry, auth="none", asked="may", tlsa=None)
    said = w.run([SENDER] + w.calling() + ["-t", "--", "b.example:%d" % far.port])
    assert said.status == 0 and b"resolver=does-not-validate\n" in said.out, said


def test_a_resolver_that_is_not_believed(w):
    """A name server elsewhere counts only with trust-ad, or with dane = yes."""
    enter(w)
    far = Far(w, 1)
    signed_names(w, zone(far, record(b"x")), server="192.0.2.53")
    resolv(w, "nameserver 192.0.2.53\n")
    goes(w, far.port, far)
    waits(w, far.port, b"4.7.5", dane="yes")
    resolv(w, "nameserver 192.0.2.53\noptions trust-ad\n")
    waits(w, far.port, b"4.7.5")
    goes(w, far.port, dane="no")
    # a name server that does not answer changes nothing
    resolv(w, "nameserver 127.0.0.9\nnameserver 192.0.2.53\noptions trust-ad\n")
    waits(w, far.port, b"4.7.5")


# certificates of an authority of the test's own

def day(number):
    return datetime.datetime.utcnow() + datetime.timedelta(number)


def sign(name, key, issuer, issuer_key, until=9, authority=False):
    return x509.CertificateBuilder().subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])) \
        .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer)])).public_key(key.public_key()) \
        .serial_number(x509.random_serial_number()).not_valid_before(day(-9)).not_valid_after(day(until)) \
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True) \
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False).sign(issuer_key, hashes.SHA256())


def chain(w, name, until=9, with_root=True):
    """The settings of a certificate that the authority has signed, and the record 2 0 1 of the authority."""
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = sign("Root", root_key, "Root", root_key, authority=True)
    leaf = sign(name, key, "Root", root_key, until)
    path, key_path = w.path(name + str(until) + ".pem"), w.path(name + str(until) + ".key")
    with open(path, "wb") as out:
        for made in [leaf] + [root] * with_root:
            out.write(made.public_bytes(serialization.Encoding.PEM))
    with open(key_path, "wb") as out:
        out.write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL,
                                    serialization.NoEncryption()))
    os.chmod(key_path, 0o600)
    digest = hashes.Hash(hashes.SHA256())
    digest.update(root.public_bytes(serialization.Encoding.DER))
    return {"certificate": path, "certificate-key": key_path}, b"\2\0\1" + digest.finalize()


def test_an_authority(w):
    """2 x x: the chain has to be sent and valid, with the name of the host or of the domain."""
    enter(w)
    ends = []
    for number, (name, until, with_root, word) in enumerate((
            ("mx1.b.example", 9, True, "matched"), ("b.example", 9, True, "matched"),
            ("mx9.b.example", 9, True, "wrong-name"), ("mx4.b.example", -1, True, None),
            ("mx5.b.example", 9, False, "unmatched"))):
        made, octets = chain(w, name, until, with_root)
        ends.append((Far(w, number + 1, policy="never", key=False, **made), octets, word))
    lines = ""
    for far, octets, _ in ends:
        domain = "b.example" if far.number <= 2 else "d%d.example" % far.number
        lines += "%s MX 10 %s\n%s A %s\n" % (domain, far.name, far.name, far.address)
        lines += tlsa(far.port, far.name, octets)
    lines += "".join("d%d.example MX 10 mx%d.b.example\n" % (n, n) for n in (1, 2))
    signed_names(w, lines)
    first, second = ends[0][0], ends[1][0]
    holds(goes(w, first.port, domain="d1.example")[0], auth="dane", tlsa="matched")
    # the certificate has the name of the domain, not of the host: it fits for that domain only
    waits(w, second.port, b"4.7.5", domain="d2.example")
    for far, _, word in ends[2:]:
        if word is None:
            continue        # blackponyd does not offer an expired one
        for log in waits(w, far.port, b"4.7.5", domain="d%d.example" % far.number):
            assert "tlsa=" + word in log, (word, log)


class Two(TlsMiddle):
    """STARTTLS with an RSA and an ECDSA certificate, as large hosts have them."""

    def __init__(self, port, folder):
        self.keys = {"rsa": rsa.generate_private_key(65537, 2048), "ecdsa": ec.generate_private_key(ec.SECP256R1())}
        super().__init__(port, folder)
        for kind, key in self.keys.items():
            path = "%s/two.%s" % (folder, kind)
            with open(path, "wb") as out:
                out.write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                            serialization.NoEncryption()))
                out.write(sign("mx.b.example", key, "mx.b.example", key).public_bytes(serialization.Encoding.PEM))
            self.context.load_cert_chain(path)

    def records(self):
        return {kind: record(key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))
                for kind, key in self.keys.items()}


def test_two_certificates(w):
    """RSA and ECDSA: the one that is shown has to match, whichever it is."""
    enter(w)
    backend = w.mailer()
    two = w.keep(Two(backend.port, w.folder))
    lines = ""
    for kind, octets in two.records().items():
        lines += "%s.example MX 10 %s.b.example\n%s.b.example A 127.0.0.1\n" % (kind, kind, kind)
        lines += tlsa(two.port, kind + ".b.example", octets)
    lines += "all.example MX 10 all.b.example\nall.b.example A 127.0.0.1\n"
    lines += tlsa(two.port, "all.b.example", *two.records().values())
    signed_names(w, lines)
    # OpenSSL prefers neither: our order of suites has ECDSA first
    for domain in "ecdsa.example", "all.example":
        for entry in goes(w, two.port, domain=domain):
            holds(entry, crypt="starttls", auth="dane")
    waits(w, two.port, b"4.7.5", domain="rsa.example")
    assert len(backend.messages) == 4
