# Claim: random messages and SMTP dialogues, through both programs and with both ways to send, in the clear, with each suite and with STARTTLS, have the same result as directly with the mail server, octet for octet and reply for reply (statements 8, 9, 10, 11 and 12)
import os
import random
import subprocess

from kit.run import BIN

from words_said import parameter

SHORT = 3000        # messages, in make check, or fewer where the machine is busy
SHORT_SECS = 15


def test_messages(w):
    messages = parameter("N", SHORT)
    first = parameter("SEED", 0) or random.SystemRandom().randrange(1, 1 << 31)
    print("SEED=%d N=%d" % (first, messages), flush=True)
    for name in ("cache-a", "cache-b"):
        os.mkdir(w.path(name), 0o700)
    driver = [os.path.join(BIN, "soak", "messages"), BIN, w.folder, str(first), str(messages)]
    if "N" not in os.environ:
        driver += ["-s", str(SHORT_SECS)]
    if messages == 1:
        driver.append("-v")
    child = w.spawn(driver)
    assert child.wait() == 0, "dialogues with a difference are named above, each with the command that repeats it"
