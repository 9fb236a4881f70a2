"""The parameters of a campaign, and its output."""
import os
import random
import sys
import time


def parameter(name, short):
    """From the environment; `short` is the value for make check."""
    return int(os.environ.get(name) or short)


def seed():
    """The seed of random choices. The order of events still depends on scheduling."""
    number = parameter("SEED", 0) or random.SystemRandom().randrange(1, 1 << 31)
    say("SEED=%d" % number)
    return random.Random(number)


def say(text):
    print(text)
    sys.stdout.flush()


class Progress:
    """Prints a line each half minute."""
    EVERY = 30

    def __init__(self):
        self.began = self.said = time.monotonic()
        self.runner = os.getppid()

    def at(self, words):
        """`words` makes the line. Raises if our parent is gone, so that everything ends."""
        now = time.monotonic()
        if os.getppid() != self.runner:
            raise KeyboardInterrupt
        if now - self.said >= self.EVERY:
            self.said = now
            self.say(words())

    def seconds(self):
        return time.monotonic() - self.began

    def say(self, text):
        say("%5.0f s  %s" % (self.seconds(), text))
