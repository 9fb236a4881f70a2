/*
 * Table 3 of the ssmail paper (LISA 1999), for every suite: the secret-key cost of a message after
 * Z is known.  One process, no descriptors; CPU time.  In 2.0, Z stands for R and the result of
 * one X25519 exchange, whose time is measured with the rest and then subtracted.
 */
#include "bench.h"

#include "crypt/channel.h"
#include "crypt/kex_hybrid.h"
#include "crypt/random.h"

#include <stdio.h>
#include <string.h>

enum {
	MESSAGE = 14671,		/* octets: the paper's mean */
	ROUNDS = 9,
	DERIVATIONS = 1000,		/* of one round; and so on */
	BATCHES = 50,
	AT_A_TIME = 8,			/* keyed states, that freeing them is not measured */
	MESSAGES = 50
};

enum { DERIVE, SET_UP, ENCRYPT, COLUMNS };

struct keyed {
	_Alignas(max_align_t) uint8_t state[CIPHER_STATE_MAX];
};

/* An agreement that has come as far as Z and the lines of the handshake. */
static void
draw(struct agreement *a, const struct suite *suite)
{
	memset(a, 0, sizeof(*a));
	if (random_octets(a->secret, sizeof(a->secret)) < 0 ||
	    random_octets(a->half_a, sizeof(a->half_a)) < 0 ||
	    random_octets(a->half_b, sizeof(a->half_b)) < 0 ||
	    random_octets(a->nonce_a, sizeof(a->nonce_a)) < 0 ||
	    random_octets(a->nonce_b, sizeof(a->nonce_b)) < 0)
		give_up("randomness");
	a->suite = suite;
}

static void
derive(struct agreement *a)
{
	const struct kex *x = a->suite->kex;

	if (x->prepare(a) < 0 || x->finish(a) < 0)
		give_up(a->suite->name);
}

/* With a pre-shared secret. */
static double
time_hybrid(struct agreement *a)
{
	static const uint8_t mem[200];
	static struct hybrid h;
	/* lengths as in a real session */
	const struct span lines[HYBRID_LINES] = { span(mem, 20), span(mem, 42), span(mem, 190),
		span(mem, 150) };
	uint8_t secret[X25519_LEN];

	h.met = true;
	if (hybrid_draw(&h, a) < 0 || x25519_make_pair(secret, h.peer) < 0)
		give_up("randomness");
	double begun = cpu_us();
	for (int i = 0; i < DERIVATIONS; i++)
		if (hybrid_agree(&h, a, NULL, lines) < 0)
			give_up(a->suite->name);
	double all = cpu_us() - begun;
	begun = cpu_us();
	for (int i = 0; i < DERIVATIONS; i++)
		if (x25519(secret, h.private, h.peer) < 0)
			give_up("X25519");
	return (all - (cpu_us() - begun)) / DERIVATIONS;
}

static double
time_derivation(struct agreement *a)
{
	if (a->suite->kex == &kex_hybrid)
		return time_hybrid(a);
	double begun = cpu_us();

	for (int i = 0; i < DERIVATIONS; i++)
		derive(a);
	return (cpu_us() - begun) / DERIVATIONS;
}

/* Both directions of one side. */
static double
time_set_up(const struct agreement *a)
{
	static struct keyed send[AT_A_TIME], receive[AT_A_TIME];
	const struct cipher *c = a->suite->cipher;
	double us = 0;

	for (int batch = 0; batch < BATCHES; batch++) {
		double begun = cpu_us();

		for (int i = 0; i < AT_A_TIME; i++)
			if (c->start(send[i].state, a->key_ab, CIPHER_SEND) < 0 ||
			    c->start(receive[i].state, a->key_ba, CIPHER_RECEIVE) < 0)
				give_up(a->suite->name);
		us += cpu_us() - begun;
		for (int i = 0; i < AT_A_TIME; i++) {
			c->stop(send[i].state);
			c->stop(receive[i].state);
		}
	}
	return us / (BATCHES * AT_A_TIME);
}

/* As a session does it: from one buffer to another, for an AEAD in records. */
static double
time_encryption(const struct agreement *a)
{
	static uint8_t plain_mem[RECORD_MAX], wire_mem[RECORD_MAX];
	static struct channel channel;
	struct buf plain, wire;

	buf_init(&plain, plain_mem, sizeof(plain_mem));
	buf_init(&wire, wire_mem, sizeof(wire_mem));
	if (channel_start(&channel, a) < 0)
		give_up(a->suite->name);
	double begun = cpu_us();
	for (int i = 0; i < MESSAGES; i++) {
		buf_clear(&plain);
		buf_added(&plain, MESSAGE);
		buf_clear(&wire);
		if (channel_seal(&channel, &wire, &plain) < 0 || buf_len(&wire) < MESSAGE)
			give_up(a->suite->name);
	}
	double us = (cpu_us() - begun) / MESSAGES;
	channel_stop(&channel);
	return us;
}

static void
row(const char *name, double derived, double set_up, double encrypted)
{
	printf("  %-24s %10.2f %10.2f %10.1f %10.1f %10.1f\n", name, derived, set_up, encrypted,
	    derived + set_up + encrypted, MESSAGE / encrypted);
}

int
main(void)
{
	static double us[SUITE_MAX][COLUMNS][ROUNDS];
	struct agreement a;
	size_t i;

	for (int round = 0; round < ROUNDS; round++) {
		i = 0;
		for (const struct suite *s = suite_table; s->name != NULL; s++, i++) {
			draw(&a, s);
			us[i][DERIVE][round] = time_derivation(&a);
			us[i][SET_UP][round] = time_set_up(&a);
			us[i][ENCRYPT][round] = time_encryption(&a);
		}
	}
	printf(
	    "\nTable 3 of the ssmail paper: once Z is there, a message of %d octets on one side,\n"
	    "in us of CPU; medians of %d rounds (MB: 10^6 octets)\n\n%-26s %10s %10s %10s %10s %10s\n",
	    MESSAGE, ROUNDS, "", "keys made", "two set-up", "encrypted", "total", "MB/s");
	i = 0;
	for (const struct suite *s = suite_table; s->name != NULL; s++, i++)
		row(s->name, median(us[i][DERIVE], ROUNDS), median(us[i][SET_UP], ROUNDS),
		    median(us[i][ENCRYPT], ROUNDS));
	printf("  its own figures, of a Pentium Pro at 233 MHz:\n");
	row("arsyfor", 22.12, 127.6, 1640);
	row("t32", 22.12, 6.06, 1213);
	return 0;
}
