/*
 * The known hosts, over arbitrary files.  An input is the length of known.cdb, that file, and
 * known.journal.  Whatever is in them, what is reported of a host is valid and can be shown to
 * people, and from now on everything is remembered.
 */
#include "files.h"

#include "client/peer_check.h"
#include "store/known_hosts_record.h"

#include <string.h>

#define NOW INT64_C(1790000000)		/* as in the seeds */

static const char *const hosts[] = { "mx.b.example", "mx2.b.example" };
static const struct known_hosts_place place = { "b.example", "mx.b.example", hosts, 2 };

/* What goes to an MTA and to people. */
static void
assert_plain(const char *text, size_t room)
{
	size_t len = strnlen(text, room);

	assert(len < room);
	for (size_t i = 0; i < len; i++)
		assert(text[i] >= ' ' && text[i] < 0x7f);
}

static void
look_at_known(const struct known_host *known)
{
	struct policy_facts c = { .newest_version = 20, .domain = place.domain, .host = place.host,
		.known = peer_check_known(known), .why = "not-offered" };
	struct policy_verdict verdict;

	assert(known->standing <= KNOWN_MX_CHANGED && (!known->has_next || known->has_key));
	assert(!known->has_pin || known->standing == KNOWN_ESTABLISHED);
	for (c.policy = POLICY_NEVER; c.policy <= POLICY_PINNED; c.policy++) {
		for (int encrypted = 0; encrypted < 2; encrypted++) {
			c.encrypted = encrypted;
			c.version = encrypted ? 20 : 0;
			policy_decide(&verdict, &c);
			assert_plain(verdict.text, sizeof(verdict.text));
			assert_plain(verdict.expected, sizeof(verdict.expected));
		}
	}
}

static void
count(void *context, const struct known_hosts_item *item)
{
	assert(memchr(item->domain, '\0', sizeof(item->domain)) != NULL);
	assert(memchr(item->host, '\0', sizeof(item->host)) != NULL);
	++*(size_t *)context;
}

/*
 * Two successes a day apart make a host established, and a pinned key decides until it is
 * forgotten.  In damaged files, that holds only for what is there, and people are told.
 */
static bool pinned;

static void
use(struct known_hosts *m)
{
	static const uint8_t key[HOSTKEY_PUBLIC_LEN] = { 4, 1 };
	static const struct hostkey_next next = { .public = { 4, 2 } };
	struct known_host known;

	known_hosts_look_up(m, &place, NOW, &known);
	look_at_known(&known);
	known_hosts_alerted(m, &place, NOW);
	known_hosts_worked(m, &place, NOW, 20, key, &next);
	known_hosts_worked(m, &place, NOW + KNOWN_HOSTS_ESTABLISHED_AFTER_S, 20, key, &next);
	known_hosts_look_up(m, &place, NOW + KNOWN_HOSTS_ESTABLISHED_AFTER_S, &known);
	look_at_known(&known);
	pinned = false;
	if (!known_hosts_complete(m))
		return;
	assert(known.standing == KNOWN_ESTABLISHED && known.version >= 20 && !known.alerted);
	assert(known.has_key && memcmp(known.key, key, sizeof(key)) == 0);
	assert(known.has_next && memcmp(known.next, next.public, sizeof(next.public)) == 0);
	pinned = known_hosts_pin(m, place.domain, next.public, NOW) == 0;
	assert(pinned || !known_hosts_complete(m));
}

static void
use_again(struct known_hosts *m)
{
	struct known_host known;
	size_t shown = 0;

	known_hosts_look_up(m, &place, NOW + KNOWN_HOSTS_ESTABLISHED_AFTER_S, &known);
	look_at_known(&known);
	if (!pinned) {
		known_hosts_list(m, NOW, count, &shown);
		return;
	}
	assert(known.has_pin && known.pin_is_domains && known.pin[1] == 2);
	assert(known_hosts_list(m, NOW, count, &shown) == 0 && shown > 0);
	assert(known_hosts_forget(m, place.domain, NOW) > 0 &&
	    known_hosts_forget(m, place.host, NOW) >= 0);
}

/* A value of either kind that is read is written the same again. */
static void
look_at_values(struct span journal)
{
	uint8_t mem[KNOWN_HOSTS_DOMAIN_MAX > KNOWN_HOSTS_HOST_LEN ? KNOWN_HOSTS_DOMAIN_MAX :
								    KNOWN_HOSTS_HOST_LEN];
	struct entry entry;
	struct span value;
	struct known_host_record h;
	struct known_domain_record d;

	while (journal_next(&journal, &entry)) {
		if (!entry_open(&value, entry.key, entry.sealed))
			continue;
		if (known_hosts_get_host(&h, value))
			assert(span_equal(known_hosts_put_host(mem, &h), value));
		if (known_hosts_get_domain(&d, value))
			assert(span_equal(known_hosts_put_domain(mem, &d), value));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const uses[])(struct known_hosts *m) = { use, use_again };
	struct span journal;
	const char *directory = files_make("known", span(data, size), &journal);
	struct known_hosts known_hosts;
	struct known_host known;

	fixed_start(1);
	look_at_values(journal);
	for (size_t i = 0; i < 2; i++) {
		known_hosts_open(&known_hosts, directory, NOW);
		assert(known_hosts.stored);
		uses[i](&known_hosts);
		known_hosts_close(&known_hosts);
	}
	known_hosts_open(&known_hosts, directory, NOW);
	known_hosts_look_up(&known_hosts, &place, NOW, &known);
	assert(!pinned || known.standing == KNOWN_NEW);
	known_hosts_close(&known_hosts);
	return 0;
}
