#include "bench.h"

#include "crypt/channel.h"
#include "smtp/handshake.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LETTERS "It is a truth universally acknowledged, that some text is read\r\n"

_Static_assert(BENCH_CHUNK % (sizeof(LETTERS) - 1) == 0, "a chunk ends with a line");

/* One conversation; encrypted from talk_encrypt() on. */
struct talk {
	int read_fd, write_fd;
	pid_t pid;		/* of the program at the other end of the pipes */
	bool encrypted;
	struct channel channel;
	struct buf in, wire_in, wire_out;
	struct reply reply;
	struct handshake handshake;
};

static uint8_t mem[3][2 * BENCH_CHUNK], chunk[BENCH_CHUNK];
static struct talk talk;

/* The key source of a host that has talked to the other one before. */
static struct {
	struct exchange_pair pair;
	uint8_t peer[EXCHANGE_PUBLIC_MAX], secret[EXCHANGE_SECRET_MAX];
} keys;

static const struct exchange_pair *
keys_own(void *context, const struct exchange *x)
{
	(void)context;
	(void)x;
	return &keys.pair;
}

static bool
keys_find(void *context, const struct exchange *x, const uint8_t *peer, uint8_t *secret)
{
	(void)context;
	if (memcmp(keys.peer, peer, x->public_len) != 0)
		return false;
	memcpy(secret, keys.secret, x->secret_len);
	return true;
}

static void
keys_keep(void *context, const struct exchange *x, const uint8_t *peer, const uint8_t *secret)
{
	(void)context;
	memcpy(keys.peer, peer, x->public_len);
	memcpy(keys.secret, secret, x->secret_len);
}

void
source_make_keys(void)
{
	if (exchange_x25519.pair(&keys.pair) == -1)
		give_up("key pair");
	for (size_t at = 0; at < sizeof(chunk); at += sizeof(LETTERS) - 1)
		memcpy(chunk + at, LETTERS, sizeof(LETTERS) - 1);
}

static int
write_all(int fd, struct span s)
{
	while (s.len > 0) {
		ssize_t done = write(fd, s.at, s.len);

		if (done <= 0)
			return -1;
		s = span_from(s, (size_t)done);
	}
	return 0;
}

/* Says at most BENCH_CHUNK octets. */
static int
say(struct talk *t, struct span s)
{
	struct buf plain;

	if (!t->encrypted)
		return write_all(t->write_fd, s);
	buf_init(&plain, (void *)(uintptr_t)s.at, s.len);
	buf_added(&plain, s.len);
	if (channel_seal(&t->channel, &t->wire_out, &plain) == -1 || buf_len(&plain) > 0)
		return -1;
	int result = write_all(t->write_fd, buf_peek(&t->wire_out));
	buf_clear(&t->wire_out);
	return result;
}

/* Waits for a reply with that code. */
static int
expect(struct talk *t, unsigned code)
{
	struct buf *into = t->encrypted ? &t->wire_in : &t->in;

	reply_start(&t->reply);
	for (;;) {
		size_t room;

		if (t->encrypted && channel_open(&t->channel, &t->in, &t->wire_in) == -1)
			return -1;
		switch (reply_take(&t->reply, &t->in)) {
		case REPLY_WHOLE:
			return t->reply.code == code ? 0 : -1;
		case REPLY_BROKEN:
			return -1;
		case REPLY_MORE:
			break;
		}
		uint8_t *space = buf_space(into, &room);
		ssize_t len = read(t->read_fd, space, room);
		if (len <= 0)
			return -1;
		buf_added(into, (size_t)len);
	}
}

/* The XCRYPT line of the EHLO reply. */
static struct span
offer(const struct reply *reply)
{
	struct span rest = buf_peek(&reply->raw), line;

	while (span_word(&rest, '\n', &line)) {
		line = span(line.at, line.len > 0 ? line.len - 1 : 0);
		if (span_starts(span_from(line, 4), SPAN("XCRYPT ")))
			return span_from(line, 4);
	}
	return span(NULL, 0);
}

static int
encrypt(struct talk *t)
{
	struct handshake *h = &t->handshake;
	uint8_t line[XCRYPT_LINE_MAX];
	struct buf out;

	buf_init(&out, line, sizeof(line));
	if (!handshake_choose(h, offer(&t->reply)) || handshake_propose(h, &out) == -1 ||
	    say(t, buf_peek(&out)) == -1 || expect(t, 250) == -1 ||
	    handshake_take_answer(h, &t->reply) != VERDICT_GOOD || handshake_compute(h) == -1)
		return -1;
	buf_clear(&out);
	if (handshake_put_ok(h, &out) == -1 || say(t, buf_peek(&out)) == -1 ||
	    expect(t, 250) == -1 ||
	    handshake_take_ok_reply(h, &t->reply) != VERDICT_GOOD ||
	    channel_start(&t->channel, &h->agreement) == -1)
		return -1;
	t->encrypted = true;
	return 0;
}

static int
say_message(struct talk *t, uint64_t octets)
{
	for (; octets > sizeof(chunk); octets -= sizeof(chunk))
		if (say(t, span(chunk, sizeof(chunk))) == -1)
			return -1;
	/* whatever its length, it ends in a line end of its own */
	if (say(t, span(chunk, (size_t)octets - 2)) == -1)
		return -1;
	return say(t, SPAN("\r\n.\r\n"));
}

/* A session with one message, grouped as sendmail does it. */
static int
converse(struct talk *t, const struct source *s)
{
	const struct span ehlo = SPAN("EHLO mail.a.example\r\n");
	const struct span envelope =
	    SPAN("MAIL FROM:<alice@a.example>\r\nRCPT TO:<bob@b.example>\r\nDATA\r\n");

	if (expect(t, 220) == -1 || say(t, ehlo) == -1 || expect(t, 250) == -1)
		return -1;
	if (s->suites != NULL && (encrypt(t) == -1 || say(t, ehlo) == -1 || expect(t, 250) == -1))
		return -1;
	if (say(t, envelope) == -1 || expect(t, 250) == -1 || expect(t, 250) == -1 ||
	    expect(t, 354) == -1)
		return -1;
	if (say_message(t, s->octets) == -1 || expect(t, 250) == -1)
		return -1;
	if (say(t, SPAN("QUIT\r\n")) == -1 || expect(t, 221) == -1)
		return -1;
	if (t->encrypted && channel_end(&t->channel, &t->wire_out))
		write_all(t->write_fd, buf_peek(&t->wire_out));
	return 0;
}

/* As sendmail starts a mailer. */
static void
start_program(struct talk *t, const struct source *s)
{
	int to[2], from[2];

	if (pipe2(to, O_CLOEXEC) == -1 || pipe2(from, O_CLOEXEC) == -1)
		give_up("pipe");
	t->pid = fork();
	if (t->pid == -1)
		give_up("fork");
	if (t->pid == 0) {
		dup2(to[0], STDIN_FILENO);
		dup2(from[1], STDOUT_FILENO);
		dup2(s->log_fd, STDERR_FILENO);
		execv(s->argv[0], s->argv);
		_exit(127);
	}
	close(to[0]);
	close(from[1]);
	t->read_fd = from[0];
	t->write_fd = to[1];
}

int
source_once(const struct source *s, struct cost *cost)
{
	struct key_source source = { NULL, keys_own, keys_find, keys_keep };
	struct talk *t = &talk;

	t->encrypted = false;
	buf_init(&t->in, mem[0], sizeof(mem[0]));
	buf_init(&t->wire_in, mem[1], sizeof(mem[1]));
	buf_init(&t->wire_out, mem[2], sizeof(mem[2]));
	if (s->suites != NULL)
		handshake_start(&t->handshake, false, s->suites, source);
	if (s->argv != NULL)
		start_program(t, s);
	else
		t->read_fd = t->write_fd = call_loopback(s->port);
	int result = converse(t, s);
	if (s->suites != NULL) {
		handshake_wipe(&t->handshake);
		channel_stop(&t->channel);
	}
	close(t->read_fd);
	if (s->argv != NULL) {
		close(t->write_fd);
		cost_wait(cost, t->pid, 0);
	}
	cost->failures += result == -1;
	return result;
}

double
source_run(const struct source *s, unsigned workers, unsigned sessions, struct cost *cost)
{
	struct cost *costs = shared_memory(BENCH_WORKERS_MAX * sizeof(*costs));
	pid_t pids[BENCH_WORKERS_MAX];
	struct timespec begun, ended;

	clock_gettime(CLOCK_MONOTONIC, &begun);
	for (unsigned i = 0; i < workers; i++) {
		pids[i] = fork_bound();
		if (pids[i] != 0)
			continue;
		for (unsigned n = 0; n < sessions; n++)
			source_once(s, &costs[i]);
		_exit(0);
	}
	for (unsigned i = 0; i < workers; i++) {
		waitpid(pids[i], NULL, 0);
		cost_add(cost, &costs[i]);
	}
	clock_gettime(CLOCK_MONOTONIC, &ended);
	munmap(costs, BENCH_WORKERS_MAX * sizeof(*costs));
	return 1e6 * (double)(ended.tv_sec - begun.tv_sec) +
	    1e-3 * (double)(ended.tv_nsec - begun.tv_nsec);
}
