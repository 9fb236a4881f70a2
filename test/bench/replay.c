/*
 * The key cache alone, with time and mail drawn: every message opens the ring as a session does,
 * looks for its peer, keeps what it did not find, and closes.  Only the key exchange is left out;
 * what it would make is drawn.  The ring, the store, folding and replacing are the real ones.
 *
 *	replay paper SEED [renews]			section 7 of the ssmail paper
 *	replay PEERS LIFETIME_S BURST MESSAGES RATE SEED
 *
 * Works in the current directory, whose key cache has to be new.  PEERS as likely as each other,
 * RATE messages an hour, in bursts of BURST on average from the same peer at the same moment (1:
 * Poisson).  Each peer has keys of its own, which it renews as often.  Prints messages, exchanges
 * and pairs made here.
 */
#include "bench.h"

#include "base/octets.h"
#include "crypt/suite.h"
#include "store/key_cache.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum {
	PAPER_MESSAGES = 1322,
	PAPER_HUB = 994,		/* of them from one host; the others are taken to miss */
	PAPER_LIFETIME_S = 7200,
	CACHE_ENTRIES = 65536		/* the default */
};

#define PAPER_S (372.6 * 3600)

static double now_s;			/* simulated */
static unsigned long pairs;
static uint64_t state;

static int64_t
simulated_s(void)
{
	return (int64_t)now_s;
}

/* In [0, 1), the same for the same seed (splitmix64). */
static double
draw(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

/* The time until the next of events that come at random. */
static double
draw_gap(double mean)
{
	return -mean * log(1 - draw());
}

static int
make_pair(struct kex_pair *pair)
{
	pairs++;
	pair->private_len = 32;
	return getrandom(pair->private, 32, 0) == 32 && getrandom(pair->public, 32, 0) == 32 ? 0 :
											       -1;
}

static const struct kex kex = { .version_text = "2.0", .version = 20, .public_len = 32,
	.secret_len = 32, .cached = true, .pair = make_pair };
static const struct suite suite = { .kex = &kex };
static const struct suite_list suites = { { &suite }, 1 };

/*
 * The ring as a session finds it.  Until maintenance falls due, opening it anew would find what is open
 * already, and take most of the time.
 */
static struct key_cache *
open_ring(int64_t lifetime_s)
{
	static struct key_cache cache;
	struct key_cache_settings settings = { .directory = ".", .suites = &suites,
		.lifetime_s = lifetime_s, .entries_max = CACHE_ENTRIES, .now_s = simulated_s };

	if (cache.stored && cache.store.journal.count < STORE_COMPACT_AT &&
	    cache.own[0].created_s > simulated_s() - lifetime_s)
		return &cache;
	if (cache.stored)
		key_cache_close(&cache);
	key_cache_open(&cache, &settings);
	if (!cache.stored)
		give_up("an empty cache directory");
	return &cache;
}

/* One session with a peer that has this key; was an exchange needed? */
static bool
meet(uint64_t peer, uint64_t renewals, int64_t lifetime_s)
{
	uint8_t public[KEX_PUBLIC_MAX] = { 0 }, secret[KEX_SECRET_MAX] = { 0 };
	struct key_source source = key_cache_source(open_ring(lifetime_s));

	octets_put64(public, peer);
	octets_put64(public + 8, renewals);
	bool known = source.own(source.context, &kex) != NULL &&
	    source.find(source.context, &kex, public, secret);
	if (!known)
		source.keep(source.context, &kex, public, secret);
	return !known;
}

/* How often a peer has renewed its keys by now; each at moments of its own. */
static uint64_t
renewals_of(uint64_t peer, int64_t lifetime_s)
{
	return (uint64_t)(now_s / (double)lifetime_s + fmod((double)peer * 0.6180339887498949, 1));
}

static int
by_time(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Its messages at random moments of its hours, the hub's and the others' mixed. */
static int
paper(bool hub_renews)
{
	static double at_s[PAPER_MESSAGES];
	unsigned long hub_exchanges = 0, exchanges = 0, hub_left = PAPER_HUB;

	for (int i = 0; i < PAPER_MESSAGES; i++)
		at_s[i] = PAPER_S * draw();
	qsort(at_s, PAPER_MESSAGES, sizeof(at_s[0]), by_time);
	for (unsigned i = 0; i < PAPER_MESSAGES; i++) {
		bool hub = draw() * (PAPER_MESSAGES - i) < (double)hub_left;
		double begun_s = now_s;

		now_s += at_s[i];
		bool exchanged = meet(hub ? 0 : i + 1, hub && hub_renews ?
		    renewals_of(0, PAPER_LIFETIME_S) : 0, PAPER_LIFETIME_S);
		now_s = begun_s;
		hub_left -= hub;
		exchanges += exchanged;
		hub_exchanges += hub && exchanged;
	}
	printf("%d %lu %lu hub %lu\n", PAPER_MESSAGES, exchanges, pairs, hub_exchanges);
	return 0;
}

static int
random_mail(char *const argv[])
{
	double peers = strtod(argv[0], NULL), burst = strtod(argv[2], NULL);
	int64_t lifetime_s = (int64_t)number(argv[1]);
	unsigned long messages = number(argv[3]), exchanges = 0;
	double gap_s = 3600.0 / strtod(argv[4], NULL);
	uint64_t peer = 0;

	state = number(argv[5]);
	for (unsigned long i = 0; i < messages; i++) {
		if (i == 0 || draw() < 1 / burst) {
			peer = (uint64_t)(peers * draw());
			/* the rate stays the same, whatever comes in bursts */
			now_s += draw_gap(burst * gap_s);
		}
		exchanges += meet(peer, renewals_of(peer, lifetime_s), lifetime_s);
	}
	printf("%lu %lu %lu\n", messages, exchanges, pairs);
	return 0;
}

int
main(int argc, char *argv[])
{
	now_s = 1e9;
	if (argc >= 3 && strcmp(argv[1], "paper") == 0) {
		state = number(argv[2]);
		return paper(argc == 4);
	}
	return argc == 7 ? random_mail(argv + 1) : 64;
}
