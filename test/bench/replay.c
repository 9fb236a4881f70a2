/*
 * The key cache alone, with random mail: for every message the cache is opened as by a client's
 * session, the called host is looked up, a new entry is stored if there is none, and the cache is
 * closed.  The handshake is left out, and the stored secrets are zeros.  Cache, store and
 * compaction are the real ones.
 *
 *	replay paper SEED [renews]			section 7 of the ssmail paper
 *	replay PEERS LIFETIME_S BURST MESSAGES RATE SEED
 *
 * Works in the current directory, which must not have a key cache yet.  There are PEERS equally
 * likely peers and RATE messages an hour, in bursts of BURST on average to one peer at one moment
 * (1: Poisson).  Each peer renews its own keys after LIFETIME_S.  Prints the numbers of messages
 * and first meetings.
 */
#include "bench.h"

#include "crypt/kex_hybrid.h"
#include "crypt/suite.h"
#include "store/key_cache.h"
#include "store/meetings.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	PAPER_MESSAGES = 1322,
	PAPER_HUB = 994,		/* of them from one host; the others are taken to miss */
	PAPER_LIFETIME_S = 7200,
	CACHE_ENTRIES = 65536		/* the default */
};

#define PAPER_S (372.6 * 3600)

static double now_s;			/* simulated */
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

/* The first suite of the table is one of 2.0. */
static const struct suite_list suites = { { &suite_table[0] }, 1 };

/*
 * The cache as a session finds it.  It is reopened only when maintenance is due: otherwise that
 * would change nothing and take most of the time.
 */
static struct key_cache *
open_cache(int64_t lifetime_s)
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

/* The age of a peer's keys; each peer renews them at times of its own. */
static double
age_s(uint64_t peer, int64_t lifetime_s)
{
	double life_s = (double)lifetime_s;

	return fmod(now_s + life_s * fmod((double)peer * 0.6180339887498949, 1), life_s);
}

/* One session with a peer, which keeps the id for `keep_s`.  True: it was a first meeting. */
static bool
meet(uint64_t peer, unsigned keep_s, int64_t lifetime_s)
{
	struct key_cache *cache = open_cache(lifetime_s);
	struct key_source source = key_cache_source(cache);
	struct hybrid_kept kept = { 0 };
	uint8_t offer[64];
	char name[32];
	size_t len;

	snprintf(name, sizeof(name), "mx%llu.example", (unsigned long long)peer);
	meetings_set_host(cache, name, span(NULL, 0), 25);
	if (source.own(source.context, &kex_hybrid) == NULL)
		give_up("a key pair");
	bool known = source.find_host(source.context, &kept, offer, sizeof(offer), &len);
	if (!known)
		source.keep_host(source.context, &kept, SPAN("XCRYPT chacha20poly1305_2.0"), keep_s);
	return !known;
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
	unsigned long hub_meetings = 0, meetings = 0, hub_left = PAPER_HUB;

	for (int i = 0; i < PAPER_MESSAGES; i++)
		at_s[i] = PAPER_S * draw();
	qsort(at_s, PAPER_MESSAGES, sizeof(at_s[0]), by_time);
	for (unsigned i = 0; i < PAPER_MESSAGES; i++) {
		bool hub = draw() * (PAPER_MESSAGES - i) < (double)hub_left;
		double begun_s = now_s;

		now_s += at_s[i];
		double age = hub && hub_renews ? age_s(0, PAPER_LIFETIME_S) : 0;
		bool first = meet(hub ? 0 : i + 1, (unsigned)(PAPER_LIFETIME_S - age), PAPER_LIFETIME_S);
		now_s = begun_s;
		hub_left -= hub;
		meetings += first;
		hub_meetings += hub && first;
	}
	printf("%d %lu hub %lu\n", PAPER_MESSAGES, meetings, hub_meetings);
	return 0;
}

static int
random_mail(char *const argv[])
{
	double peers = strtod(argv[0], NULL), burst = strtod(argv[2], NULL);
	int64_t lifetime_s = (int64_t)number(argv[1]);
	unsigned long messages = number(argv[3]), meetings = 0;
	double gap_s = 3600.0 / strtod(argv[4], NULL);
	uint64_t peer = 0;

	state = number(argv[5]);
	for (unsigned long i = 0; i < messages; i++) {
		if (i == 0 || draw() < 1 / burst) {
			peer = (uint64_t)(peers * draw());
			/* the rate stays the same, whatever comes in bursts */
			now_s += draw_gap(burst * gap_s);
		}
		meetings += meet(peer, (unsigned)((double)lifetime_s - age_s(peer, lifetime_s)), lifetime_s);
	}
	printf("%lu %lu\n", messages, meetings);
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
