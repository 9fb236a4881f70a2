# Claim: postscreen and sendmail's greet_pause detect clients that speak before the greeting as they do without us, and serve those that wait (statement 35)
import os

from kit import xcrypt
from kit.conn import SLOW

from accepted import DIRECT, OURS, HeldMail, HeldPostfix, Sendmail
from private import enter

PAUSE = 1 * SLOW
ENVELOPE = b"MAIL FROM:<a@a.example>\r\nRCPT TO:<bob@b.example>\r\n"
BOTS = (b"MAIL FROM:<a@a>\r\n", b"EHLO bot.example\r\n", b"EHLO bot.example\r\n" + ENVELOPE, b"XCRYPT a_0 1 2\r\n",
        b"GET / HTTP/1.0\r\n\r\n")


class Screened(HeldPostfix):
    """postscreen for unknown clients, and behind PROXY."""

    def configure(self, domains, relay, more):
        super().configure(domains, relay, more + "postscreen_greet_wait = %ds\n"
                          "postscreen_greet_action = enforce\npostscreen_cache_map =\n" % (2 * PAUSE))
        path = self.folder + "/etc/postfix/master.cf"
        with open(path) as services:
            text = services.read().replace(DIRECT + ":25 inet n - n - - smtpd\n", "")
        self.write("/etc/postfix/master.cf", text + DIRECT + ":25 inet n - n - 1 postscreen\n"
                   "127.0.0.1:10028 inet n - n - 1 postscreen\n  -o postscreen_upstream_proxy_protocol=haproxy\n"
                   "smtpd pass - - n - - smtpd\n")
        os.utime(path, (0, 0))


class ScreenedMail(HeldMail):
    mailer = Screened


def said_to(mailer, address, octets, behind=b""):
    """All replies to a client that sends this before its turn, at once or after that line."""
    client = mailer.call(address)
    if behind:
        assert client.line().startswith(behind)
    client.send(octets + b"QUIT\r\n")
    client.finish()
    answers = client.rest()
    client.close()
    return answers


def found_out(mailer, behind=b"", bots=BOTS):
    """Each gets the same replies, which are returned."""
    found = []
    for octets in bots:
        own, ours = (said_to(mailer, address, octets, behind) for address in (DIRECT, OURS))
        assert own == ours, "%r:\nwithout us %r\nwith us    %r" % (octets, own, ours)
        found.append(ours)
    return found


def served(mailer):
    """A client that waits: in the clear, without us and with us, and inside."""
    for address, suite in ((DIRECT, None), (OURS, None), (OURS, xcrypt.CHACHA)):
        client = mailer.call(address)
        client.greet()
        client.ehlo("stranger.example")
        if suite:
            client.xcrypt(suite)
            client.ehlo("stranger.example")
        client.send(ENVELOPE + b"DATA\r\n")
        assert [client.reply().code for _ in range(3)] == [250, 250, 354]
        client.send(b"Subject: x\r\n\r\nx\r\n.\r\n")
        assert client.reply().code == 250
        client.quit()
        message, = mailer.taken()
        assert message.marks == bool(suite)


def postscreen(w):
    return ScreenedMail(w, enter(w), {"backend": "127.0.0.1:10028", "client-address": "proxy-v2"})


def pregreets(mailer, count):
    mailer.machine.logged(r"^postfix\S*/postscreen\[\d+\]: PREGREET \d+ after \S+ from \[198\.51\.100\.7\]", count)


def test_postscreen(w):
    mailer = postscreen(w)
    assert b"550 5.5.1 Protocol error" in found_out(mailer)[2]
    pregreets(mailer, 2 * len(BOTS))


def test_postscreen_behind_its_teaser(w):
    """postscreen greets in two lines, and looks for input between them."""
    mailer = postscreen(w)
    found_out(mailer, b"220-", BOTS[:2])
    pregreets(mailer, 4)


def test_postscreen_serves_the_patient(w):
    served(postscreen(w))


def test_sendmails_greet_pause(w):
    enter(w)
    mailer = Sendmail(w, more="FEATURE(`greet_pause', `%d')dnl\n" % (1000 * PAUSE))
    assert all(answers.startswith(b"554 ") for answers in found_out(mailer))
    assert mailer.taken() == []
    served(mailer)


def test_sendmail_under_must(w):
    """Nothing is accepted in the clear, and nothing reaches the backend."""
    enter(w)
    mailer = Sendmail(w, settings={"policy": "must"})
    for octets in BOTS:
        assert said_to(mailer, OURS, octets) == b"421 4.5.0 mx.b.example Command sent before the greeting\r\n"
    assert mailer.taken() == []
