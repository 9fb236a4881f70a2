# Claim: after a million fresh keys the cache is at its limit and mail still flows; slow clients, half-open handshakes and the maximum of sessions leave memory and descriptors flat, and lose no message (statements 26 and 29)
import statistics
import subprocess
import time

from kit.conn import SLOW
from kit.run import BIN, eventually, need_root, pairs

from crowd import Caller, Crowd, HalfOpen, Mailer, Sender, Slow
from flat import SLACK_KB, Sampler
from letters import off_the_wire, whole
from words_said import Progress, parameter, say, seed

WORKERS = 4
CACHE_ENTRIES, ENTRY = 65536, 256       # the default; octets of memory for a key while the cache is compacted


def send(w, server, settings):
    began = time.monotonic()
    result = w.send(server, ["bob@b.example"], settings=settings)
    assert result.status == 0 and result.entries[0]["crypt"] != "none", result
    assert result.entries[0]["cache"] in ("hit", "miss"), result
    return time.monotonic() - began


def test_fresh_keys(w):
    """threat 29; and one worker in two hundred keys is killed."""
    keys = parameter("KEYS", 20000)
    cap = min(CACHE_ENTRIES, keys // 5)
    settings = {"cache-entries": str(cap)}
    server = w.daemon(settings, backend=w.mailer())
    send(w, server, settings)
    progress = Progress()
    log = w.log_file("flood")
    flood = w.spawn([BIN + "/soak/keys", "flood", w.cache, str(cap), str(keys), str(WORKERS), str(keys // 200),
                     str(seed().randrange(1 << 31))], stdout=log)
    taken = []
    while flood.poll() is None:
        taken.append(send(w, server, settings))
        time.sleep(0.2)
        progress.at(lambda: "%d messages meanwhile; %s" % (len(taken), reports(log)[-1:]))
    assert flood.returncode == 0, reports(log)
    last = pairs(reports(log)[-1])
    assert cap <= int(last["entries"]) <= cap + int(last["journal"]), last
    progress.say("%s\ncap: %d\nmessages meanwhile: %d, each encrypted and delivered; %.2f s in the median, %.2f s at "
                 "most" % (reports(log)[-1], cap, len(taken), statistics.median(taken), max(taken)))


def reports(log):
    with open(log.name) as lines:
        return lines.read().splitlines()


class Archive:
    """Counts what the backend has got, without keeping it."""

    def __init__(self, mailer):
        self.mailer, self.names, self.damaged = mailer, [], 0

    def take(self):
        for session in list(self.mailer.sessions):
            over = session.done.is_set()
            for message in session.messages[:]:
                session.messages.remove(message)
                name = whole(off_the_wire(message.body()))
                self.damaged += name is None
                self.names.append(name)
            session.conn.octets_in.clear()
            session.conn.octets_out.clear()
            session.commands.clear(), session.inside.clear(), session.clear.clear()
            if over:
                self.mailer.sessions.remove(session)


def test_sessions_at_once(w):
    need_root()     # permits a look into processes that are not dumpable
    sessions, seconds = parameter("SESSIONS", 50), parameter("SECS", 10)
    patience = "%ds" % (2 * SLOW if seconds < 60 else 20)
    settings = {"sessions": str(sessions), "command-timeout": patience, "handshake-timeout": patience,
                "data-timeout": patience}
    mailer = w.mailer()
    server = w.listener(settings, backend=mailer)
    crowd = Crowd(server.port, seed())
    pipes = [w.pipe(server) for _ in range(4)]
    crowd.add(Mailer, len(pipes), pipes)
    crowd.add(Slow, sessions // 2)
    crowd.add(HalfOpen, sessions // 4)
    crowd.add(Sender, sessions - len(pipes) - sessions // 2 - sessions // 4)
    crowd.add(Caller, sessions // 10)
    archive, progress = Archive(mailer), Progress()
    crowd.start()
    sampler = Sampler(server.child.pid, [pipe.child.pid for pipe in pipes], max(0.2, seconds / 200))
    while progress.seconds() < seconds:
        time.sleep(0.2)
        archive.take()
        progress.at(lambda: str(crowd.counts))
    sampler.close()
    crowd.stop()
    finish(server, pipes)
    eventually(lambda: all(session.done.is_set() for session in mailer.sessions), "an end of all sessions")
    archive.take()
    progress.say("%s\n%s\nmessages: %d accepted, %d there, %d damaged" % (
        "\n".join("%s: %d" % pair for pair in sorted(crowd.counts.items())), sampler.report(), len(crowd.taken),
        len(archive.names), archive.damaged))
    check(crowd, archive, sampler, sessions)


def finish(server, pipes):
    for pipe in pipes:
        pipe.wait()
    assert server.finish().status == 0


def check(crowd, archive, sampler, sessions):
    assert archive.damaged == 0
    assert len(archive.names) == len(set(archive.names)) and crowd.taken <= set(archive.names), "lost, or twice"
    assert len(crowd.taken) >= 10, "no mail flows"
    assert max(sampler.at_once) <= sessions and statistics.median(sampler.at_once) >= 0.8 * sessions, sampler.at_once
    if SLOW == 1:       # a sanitizer keeps freed memory
        assert not sampler.faults(), sampler.faults()
        # all of a full cache, and what there is anyway
        assert max(sampler.young.kb) <= (CACHE_ENTRIES * ENTRY >> 10) + 1024, max(sampler.young.kb)
        say("flat: no %d KiB above the first third, and no descriptor" % SLACK_KB)
