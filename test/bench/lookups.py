"""How long it takes to find a host, with a resolver that is far away."""
import tempfile
import threading
import time

from report import median
from sendmail import apart

DELAY_MS = 50
ROUNDS = 5
HOSTS = 1, 2, 5         # MX hosts of the domain
ADDRESS = "192.0.2.%d"

HOW = """A name server answers each question %d ms later.  The time is from the start of blackpony until it has
called the first MX host of the domain; medians of %d.""" % (DELAY_MS, ROUNDS)


def measure_all(w):
    from kit.dns import A, MX, NameServer, enter
    from kit.mailer import FakeMailer

    class Far(NameServer):
        def reply(self, said, peer):
            timer = threading.Timer(DELAY_MS / 1e3, super().reply, (said, peer))
            timer.daemon = True
            timer.start()

    class Called(FakeMailer):
        def accepted(self, sock, peer):
            self.at = time.monotonic()
            super().accepted(sock, peer)
    enter(w)
    mailer = w.keep(Called(ADDRESS % 40, 25))
    zone = {}
    server = w.keep(Far(zone))
    rows = []
    for count in HOSTS:
        names = ["mx%d.b.example" % number for number in range(count)]
        zone["b.example"] = {MX: list(enumerate(names))}
        zone.update((name, {A: [ADDRESS % (40 + number)]}) for number, name in enumerate(names))
        samples = []
        for _ in range(ROUNDS):
            before, begun = len(server.asked), time.monotonic()
            result = w.send("b.example", ["bob@b.example"])
            assert result.status == 0, result
            samples.append((1e3 * (mailer.at - begun), len(server.asked) - before))
        rows.append(["%d MX host%s" % (count, "s" * (count > 1))] + [median(column) for column in zip(*samples)])
    return {"rows": rows}


def run(report):
    report.say(HOW)
    with tempfile.TemporaryDirectory(prefix="blackpony-bench-") as folder:
        results = apart(folder, measure_all)
    if "rows" not in results:
        report.lacks("the look-ups", results.get("skip") or results["error"])
        return
    report.table("a domain with", ["ms", "questions"], results["rows"])
