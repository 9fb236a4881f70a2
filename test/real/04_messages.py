# Claim: large messages, many recipients, 8-bit text, dots, delivery reports and the null sender pass through both sendmails unchanged (statements 8, 9 and 10)
import hashlib

from host import two_hosts
from words import MESSAGE, RECIPIENTS, arrived, traces

HEADER = b"From: alice@a.example\nTo: bob@b.example\nSubject: x\n"
EIGHT_BIT = HEADER + b"MIME-Version: 1.0\nContent-Type: text/plain; charset=iso-8859-1\n" \
    b"Content-Transfer-Encoding: 8bit\n"
HIGH = b"".join(bytes((octet,)) for octet in range(0xa0, 0x100))
DOTS = b".\n..\n...\n.a\nb.\n \n. \n.\n\n.\nXCRYPT OK\nSTARTTLS\nQUIT\nRSET\n250 XCRYPT OK\n.\n"
LARGE = 50 * 1000 * 1000


def ready(w, **how):
    machine, a, b, tap = two_hosts(w, **how)
    b.inetd(b.daemon_line(*b.behind()))
    return machine, a, b, tap


def carried(a, b, header, body):
    a.send(header + b"\n" + body, ["bob@b.example"])
    arrived(b.mailbox(1), ["bob@b.example"], body)
    assert len(traces(b.mailbox()[0])) == 1


def test_300_recipients(w):
    machine, a, b, _ = ready(w)
    recipients = ["u%d@b%s.example" % (i, "2" if i % 2 else "") for i in range(300)]
    a.send(MESSAGE, recipients)
    arrived(b.mailbox(300), recipients)
    assert a.queued() == [] and a.mailbox() == []
    entries = machine.connections("blackpony", 3)
    assert [e["crypt"] == "none" for e in entries] == [False] * 3, "100 at a time, as sendmail does"


def test_50_megabytes(w):
    _, a, b, _ = ready(w)
    line = hashlib.sha256(b"line").hexdigest().encode() + b" and some more of it\n"
    carried(a, b, HEADER, line * (LARGE // len(line)))


def test_8_bit(w):
    _, a, b, tap = ready(w)
    carried(a, b, EIGHT_BIT, (HIGH + b"\n") * 20)
    assert b"8bit" in b"".join(h.encode() for h in b.mailbox()[0].header)


def test_dots(w):
    _, a, b, _ = ready(w)
    carried(a, b, HEADER, DOTS)


def test_lines_without_end(w):
    """Lines as long as sendmail leaves them, and no line end before the final dot."""
    _, a, b, _ = ready(w)
    carried(a, b, HEADER, b"x" * 980 + b"\n" + b"." * 979 + b"\n")


def test_delivery_report(w):
    """The sender's request reaches the remote host, which therefore sends the report."""
    _, a, b, _ = ready(w, for_b={"table": {"a.example": "local:reports"}})
    a.daemon()
    client = w.session(2525)
    for line in ("MAIL FROM:<alice@a.example> RET=HDRS ENVID=ref+2B4711",
                 "RCPT TO:<bob@b.example> NOTIFY=SUCCESS ORCPT=rfc822;robert@b.example", "DATA"):
        assert client.command(line).code < 400
    assert client.command(MESSAGE.replace(b"\n.", b"\n..").replace(b"\n", b"\r\n") + b".").code == 250
    client.quit()
    messages = b.mailbox(2)
    report = [m for m in messages if m.recipient == "reports"][0]
    for words in (b"Original-Envelope-Id: ref+4711", b"Original-Recipient: rfc822;robert@b.example",
                  b"Action: delivered"):
        assert words in report.body, (words, report)
    assert b"Nobody between us" not in report.body, "headers only"
    assert a.mailbox() == [], "no report that it went to where there are no reports"


def test_no_report_wanted(w):
    _, a, b, _ = ready(w, for_b={"access": "To:nobody@b.example\tERROR:5.1.1:\"550 no\"\n"})
    a.send(MESSAGE, RECIPIENTS + ["nobody@b.example"], options=["-N", "never"])
    arrived(b.mailbox(2))
    assert a.queued() == [] and a.mailbox() == []


def test_null_sender(w):
    machine, a, b, _ = ready(w)
    a.send(MESSAGE, RECIPIENTS, sender="<>")
    arrived(b.mailbox(2))
    machine.logged(r"from=<>, .*nrcpts=2, .*relay=mail.a.example \[192.0.2.10\]")
