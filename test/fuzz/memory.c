/*
 * The memory of other hosts over files of anybody's: an input is the length of known.cdb, that file,
 * and known.journal.  Whatever was there, what is said of a host is sound and can be shown to people,
 * and what happens from now on is remembered.
 */
#include "files.h"

#include "store/known_hosts_record.h"
#include "smtp/policy.h"

#include <string.h>

#define NOW INT64_C(1790000000)		/* as the seeds have it */

static const char *const hosts[] = { "mx.b.example", "mx2.b.example" };
static const struct memory_place place = { "b.example", "mx.b.example", hosts, 2 };

/* What goes to a mailer, and to people. */
static void
assert_plain(const char *text, size_t room)
{
	size_t len = strnlen(text, room);

	assert(len < room);
	for (size_t i = 0; i < len; i++)
		assert(text[i] >= ' ' && text[i] < 0x7f);
}

static void
look_at_known(const struct memory_known *known)
{
	struct trust_case c = { .newest_rank = 20, .domain = place.domain, .host = place.host,
		.known = known, .why = "not-offered" };
	struct trust trust;

	assert(known->standing <= MEMORY_MOVED && (!known->has_next || known->has_key));
	assert(!known->has_pin || known->standing == MEMORY_BINDING);
	for (c.policy = POLICY_NEVER; c.policy <= POLICY_PINNED; c.policy++) {
		for (int encrypted = 0; encrypted < 2; encrypted++) {
			c.encrypted = encrypted;
			c.rank = encrypted ? 20 : 0;
			trust_decide(&trust, &c);
			assert_plain(trust.text, sizeof(trust.text));
			assert_plain(trust.expected, sizeof(trust.expected));
		}
	}
}

static void
count(void *context, const struct memory_item *item)
{
	assert(memchr(item->domain, '\0', sizeof(item->domain)) != NULL);
	assert(memchr(item->host, '\0', sizeof(item->host)) != NULL);
	++*(size_t *)context;
}

/*
 * Two successes a day apart bind, and a key that was pinned is what counts; until it is forgotten.  Of a memory
 * that is damaged that holds only for what is there, and people are told.
 */
static bool pinned;

static void
use(struct memory *m)
{
	static const uint8_t key[HOSTKEY_PUBLIC_LEN] = { 4, 1 };
	static const struct hostkey_next next = { .public = { 4, 2 } };
	struct memory_known known;

	memory_look(m, &place, NOW, &known);
	look_at_known(&known);
	memory_told(m, &place, NOW);
	memory_worked(m, &place, NOW, 20, key, &next);
	memory_worked(m, &place, NOW + MEMORY_BINDS_AFTER_S, 20, key, &next);
	memory_look(m, &place, NOW + MEMORY_BINDS_AFTER_S, &known);
	look_at_known(&known);
	pinned = false;
	if (!memory_is_whole(m))
		return;
	assert(known.standing == MEMORY_BINDING && known.rank >= 20 && !known.told);
	assert(known.has_key && memcmp(known.key, key, sizeof(key)) == 0);
	assert(known.has_next && memcmp(known.next, next.public, sizeof(next.public)) == 0);
	pinned = memory_pin(m, place.domain, next.public, NOW) == 0;
	assert(pinned || !memory_is_whole(m));
}

static void
use_again(struct memory *m)
{
	struct memory_known known;
	size_t shown = 0;

	memory_look(m, &place, NOW + MEMORY_BINDS_AFTER_S, &known);
	look_at_known(&known);
	if (!pinned) {
		memory_list(m, NOW, count, &shown);
		return;
	}
	assert(known.has_pin && known.pin_is_domains && known.pin[1] == 2);
	assert(memory_list(m, NOW, count, &shown) == 0 && shown > 0);
	assert(memory_forget(m, place.domain, NOW) > 0 && memory_forget(m, place.host, NOW) >= 0);
}

/* A value of either kind that is read is written the same again. */
static void
look_at_values(struct span journal)
{
	uint8_t mem[MEMORY_DOMAIN_MAX > MEMORY_HOST_LEN ? MEMORY_DOMAIN_MAX : MEMORY_HOST_LEN];
	struct entry entry;
	struct span value;
	struct memory_host h;
	struct memory_domain d;

	while (journal_next(&journal, &entry)) {
		if (!entry_open(&value, entry.key, entry.sealed))
			continue;
		if (memory_get_host(&h, value))
			assert(span_equal(memory_put_host(mem, &h), value));
		if (memory_get_domain(&d, value))
			assert(span_equal(memory_put_domain(mem, &d), value));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const uses[])(struct memory *m) = { use, use_again };
	struct span journal;
	const char *directory = files_make("known", span(data, size), &journal);
	struct memory memory;
	struct memory_known known;

	fixed_start(1);
	look_at_values(journal);
	for (size_t i = 0; i < 2; i++) {
		memory_open(&memory, directory, NOW);
		assert(memory.stored);
		uses[i](&memory);
		memory_close(&memory);
	}
	memory_open(&memory, directory, NOW);
	memory_look(&memory, &place, NOW, &known);
	assert(!pinned || known.standing == MEMORY_STRANGER);
	memory_close(&memory);
	return 0;
}
