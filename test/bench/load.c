/*
 * smtp-source for the far end alone: a client that speaks XCRYPT, one message a session, one
 * command at a time.
 *
 *	load [-f] [-h] [-k FILE] PORT SUITES WORKERS SESSIONS OCTETS
 *
 * WORKERS processes, each SESSIONS sessions one after the other, each with a message of OCTETS.
 * SUITES as in blackpony.conf; '' is in the clear.  Prints the microseconds that passed.
 *
 *	-k FILE	 keys made and learned earlier; one worker with one session writes them there
 *	-f	 a key of its own for every session: nobody knows us
 *	-h	 holds the session open before DATA, until end of file on standard input
 */
#include "bench.h"

#include "crypt/channel.h"
#include "smtp/handshake.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LETTERS "It is a truth universally acknowledged, that some text is read\r\n"
#define CHUNK 65536

_Static_assert(CHUNK % (sizeof(LETTERS) - 1) == 0, "a chunk ends with a line");

/* One conversation; encrypted from encrypt() on. */
struct talk {
	int fd;
	bool encrypted;
	struct channel channel;
	struct buf in, wire_in, wire_out;
	struct reply reply;
	struct handshake handshake;
};

static struct suite_list suites;
static bool fresh, holds;
static size_t octets;
static uint8_t mem[3][2 * CHUNK], chunk[CHUNK];
static struct talk talk;

/* A pair, and the one peer known: a key source that takes no time. */
static struct keys {
	struct kex_pair pair;
	uint8_t peer[KEX_PUBLIC_MAX], secret[KEX_SECRET_MAX];
	struct hybrid_kept kept;	/* 2.0: the pre-shared secret */
	uint8_t offer[512];
	size_t offer_len;		/* 0: no pre-shared secret is stored */
} keys;

static const struct kex_pair *
keys_own(void *context, const struct kex *x)
{
	(void)context;
	if ((fresh || keys.pair.private_len == 0) && x->pair(&keys.pair) < 0)
		return NULL;
	return &keys.pair;
}

static bool
keys_find(void *context, const struct kex *x, const uint8_t *peer, uint8_t *secret)
{
	(void)context;
	if (fresh || memcmp(keys.peer, peer, x->public_len) != 0)
		return false;
	memcpy(secret, keys.secret, x->secret_len);
	return true;
}

static void
keys_keep(void *context, const struct kex *x, const uint8_t *peer, const uint8_t *secret)
{
	(void)context;
	memcpy(keys.peer, peer, x->public_len);
	memcpy(keys.secret, secret, x->secret_len);
}

/* 2.0: one entry is enough, because the server is always the same. */
static bool
keys_find_host(void *context, struct hybrid_kept *kept, uint8_t *offer, size_t room,
    size_t *offer_len)
{
	(void)context;
	if (fresh || keys.offer_len == 0 || keys.offer_len > room)
		return false;
	*kept = keys.kept;
	memcpy(offer, keys.offer, keys.offer_len);
	*offer_len = keys.offer_len;
	return true;
}

static void
keys_keep_host(void *context, const struct hybrid_kept *kept, struct span offer, unsigned keep_s)
{
	(void)context;
	(void)keep_s;
	if (offer.len > sizeof(keys.offer))
		return;
	keys.kept = *kept;
	memcpy(keys.offer, offer.at, offer.len);
	keys.offer_len = offer.len;
}

static void
keys_forget_host(void *context)
{
	(void)context;
	keys.offer_len = 0;
}

static bool
keys_is_own(void *context, const uint8_t *server_public)
{
	(void)context;
	(void)server_public;
	return false;
}

static void
keys_load(const char *path)
{
	FILE *file = fopen(path, "rb");

	if (file != NULL && fread(&keys, sizeof(keys), 1, file) != 1)
		give_up(path);
	if (file != NULL)
		fclose(file);
}

static void
keys_save(const char *path)
{
	FILE *file = fopen(path, "wb");

	if (file == NULL || fwrite(&keys, sizeof(keys), 1, file) != 1 || fclose(file) != 0)
		give_up(path);
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

/* Says at most CHUNK octets. */
static int
say(struct talk *t, struct span s)
{
	struct buf plain;

	if (!t->encrypted)
		return write_all(t->fd, s);
	buf_init(&plain, (void *)(uintptr_t)s.at, s.len);
	buf_added(&plain, s.len);
	if (channel_seal(&t->channel, &t->wire_out, &plain) < 0 || buf_len(&plain) > 0)
		return -1;
	int result = write_all(t->fd, buf_peek(&t->wire_out));
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

		if (t->encrypted && channel_open(&t->channel, &t->in, &t->wire_in) < 0)
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
		ssize_t len = read(t->fd, space, room);
		if (len <= 0)
			return -1;
		buf_added(into, (size_t)len);
	}
}

#define EHLO "EHLO mail.a.example\r\n"

static int
ask(struct talk *t, const char *command, unsigned code)
{
	return say(t, span_of(command)) < 0 || expect(t, code) < 0 ? -1 : 0;
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

/* Older versions: XCRYPT OK in both directions, and EHLO again. */
static int
confirm(struct talk *t)
{
	struct handshake *h = &t->handshake;
	uint8_t line[XCRYPT_LINE_MAX];
	struct buf out;

	buf_init(&out, line, sizeof(line));
	if (handshake_compute(h) < 0 || handshake_put_ok(h, &out) < 0 ||
	    say(t, buf_peek(&out)) < 0 || expect(t, 250) < 0 ||
	    handshake_take_ok_reply(h, &t->reply) != VERDICT_GOOD)
		return -1;
	return 0;
}

/* Waits until the EHLO reply in the encrypted session has arrived. */
static int
encrypt(struct talk *t, bool rides)
{
	struct handshake *h = &t->handshake;
	uint8_t line[XCRYPT_LINE_MAX];
	struct buf out;

	buf_init(&out, line, sizeof(line));
	if (rides && !handshake_same_offer(h, offer(&t->reply)))
		return -1;
	if (!rides && (!handshake_choose(h, offer(&t->reply)) ||
	    handshake_propose(h, &out) < 0 || say(t, buf_peek(&out)) < 0))
		return -1;
	if (expect(t, 250) < 0)
		return -1;
	enum handshake_verdict verdict = handshake_take_answer(h, &t->reply);
	if ((verdict != VERDICT_GOOD || confirm(t) < 0) && verdict != VERDICT_ENCRYPTED)
		return -1;
	if (channel_start(&t->channel, &h->agreement) < 0)
		return -1;
	/* octets after a 2.0 answer are records */
	buf_move(&t->wire_in, &t->in);
	t->encrypted = true;
	return verdict == VERDICT_ENCRYPTED ? expect(t, 250) : ask(t, EHLO, 250);
}

/* Sends EHLO and XCRYPT in one write if a pre-shared secret is stored. */
static int
say_hello(struct talk *t, bool *rides)
{
	uint8_t lines[XCRYPT_LINE_MAX + sizeof(EHLO)];
	struct buf out;

	buf_init(&out, lines, sizeof(lines));
	buf_put(&out, SPAN(EHLO));
	if (suites.count > 0) {
		handshake_hello(&t->handshake, span(EHLO, strlen(EHLO) - 2));
		*rides = handshake_ride(&t->handshake, &out);
	}
	return say(t, buf_peek(&out)) < 0 || expect(t, 250) < 0 ? -1 : 0;
}

static int
say_message(struct talk *t)
{
	size_t left = octets;

	for (; left > sizeof(chunk); left -= sizeof(chunk))
		if (say(t, span(chunk, sizeof(chunk))) < 0)
			return -1;
	/* whatever its length, it ends in a line end of its own */
	if (say(t, span(chunk, left - 2)) < 0)
		return -1;
	return say(t, SPAN("\r\n.\r\n"));
}

static void
hold(void)
{
	char octet;

	puts("held");
	fflush(stdout);
	while (read(STDIN_FILENO, &octet, 1) > 0)
		continue;
}

static int
converse(struct talk *t)
{
	bool rides = false;

	if (expect(t, 220) < 0 || say_hello(t, &rides) < 0)
		return -1;
	if (suites.count > 0 && encrypt(t, rides) < 0)
		return -1;
	if (ask(t, "MAIL FROM:<alice@a.example>\r\n", 250) < 0)
		return -1;
	if (suites.count > 0)
		handshake_proved(&t->handshake);
	if (ask(t, "RCPT TO:<bob@b.example>\r\n", 250) < 0)
		return -1;
	if (holds)
		hold();
	if (ask(t, "DATA\r\n", 354) < 0 || say_message(t) < 0 || expect(t, 250) < 0 ||
	    ask(t, "QUIT\r\n", 221) < 0)
		return -1;
	if (t->encrypted && channel_end(&t->channel, &t->wire_out))
		write_all(t->fd, buf_peek(&t->wire_out));
	return 0;
}

static int
call_once(uint16_t port)
{
	struct key_source source = {
		.own = keys_own,
		.find = keys_find,
		.keep = keys_keep,
		.find_host = keys_find_host,
		.keep_host = keys_keep_host,
		.forget_host = keys_forget_host,
		.is_own = keys_is_own,
	};
	struct talk *t = &talk;

	t->encrypted = false;
	buf_init(&t->in, mem[0], sizeof(mem[0]));
	buf_init(&t->wire_in, mem[1], sizeof(mem[1]));
	buf_init(&t->wire_out, mem[2], sizeof(mem[2]));
	if (suites.count > 0)
		handshake_start(&t->handshake, false, &suites, source);
	t->fd = call_loopback(port);
	int result = converse(t);
	if (t->encrypted)
		channel_stop(&t->channel);
	if (suites.count > 0)
		handshake_wipe(&t->handshake);
	close(t->fd);
	return result;
}

/* Processes that failed. */
static unsigned long
call_all(uint16_t port, unsigned long workers, unsigned long sessions)
{
	unsigned long failed = 0;
	int status;

	for (unsigned long i = 0; i < workers; i++) {
		if (fork_bound() != 0)
			continue;
		for (unsigned long n = 0; n < sessions; n++)
			if (call_once(port) < 0)
				_exit(1);
		_exit(0);
	}
	while (wait(&status) > 0)
		failed += status != 0;
	return failed;
}

int
main(int argc, char *argv[])
{
	const char *file = NULL;
	struct span culprit;
	int letter;

	while ((letter = getopt(argc, argv, "fhk:")) >= 0) {
		fresh = fresh || letter == 'f';
		holds = holds || letter == 'h';
		if (letter == 'k')
			file = optarg;
	}
	argv += optind;
	if (argc - optind != 5 || suite_list_read(&suites, span_of(argv[1]), &culprit) < 0)
		return 64;
	uint16_t port = (uint16_t)number(argv[0]);
	unsigned long workers = number(argv[2]), sessions = number(argv[3]);
	octets = number(argv[4]);
	for (size_t at = 0; at < sizeof(chunk); at += sizeof(LETTERS) - 1)
		memcpy(chunk + at, LETTERS, sizeof(LETTERS) - 1);
	if (file != NULL)
		keys_load(file);
	double begun = wall_us();
	unsigned long failed = workers == 1 && sessions == 1 ? call_once(port) < 0 :
	    call_all(port, workers, sessions);
	printf("%.0f\n", wall_us() - begun);
	if (file != NULL && failed == 0 && workers == 1 && sessions == 1)
		keys_save(file);
	return failed > 0;
}
