"""What a campaign is told, and what it says."""
import os
import random
import sys
import time


def parameter(name, short):
    """From the environment; `short` is what make check does."""
    return int(os.environ.get(name) or short)


def seed():
    """Random choices that SEED repeats.  When what happens is still the scheduler's."""
    number = parameter("SEED", 0) or random.SystemRandom().randrange(1, 1 << 31)
    say("SEED=%d" % number)
    return random.Random(number)


def say(text):
    print(text)
    sys.stdout.flush()


class Progress:
    """A line each half minute."""
    EVERY = 30

    def __init__(self):
        self.began = self.said = time.monotonic()
        self.runner = os.getppid()

    def at(self, words):
        """`words` makes the line.  Raises where whoever started this has gone, so that it all ends."""
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
