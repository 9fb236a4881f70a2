#include "store/known_hosts_record.h"

#include <string.h>

#define TIME_LEN 8
#define DOMAIN_LEN (2 * TIME_LEN + 1)
#define FLAGS (MEMORY_FLAG_KEY | MEMORY_FLAG_NEXT | MEMORY_FLAG_TOLD)
#define TIME_MAX_S (INT64_C(1) << 40)	/* beyond it, no time of ours */

_Static_assert(MEMORY_KEY_MAX <= ENTRY_KEY_MAX && MEMORY_HOST_LEN <= ENTRY_VALUE_MAX &&
    MEMORY_DOMAIN_MAX <= ENTRY_VALUE_MAX, "they are entries");

/* What it says of a host goes into replies and logs, whoever has written the file. */
static bool
is_name(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.at[i] <= ' ' || s.at[i] >= 0x7f)
			return false;
	return s.len > 0 && s.len <= MEMORY_NAME_MAX;
}

bool
memory_put_name(struct buf *out, const char *name)
{
	struct span s = span_of(name);

	if (!is_name(s))
		return false;
	for (size_t i = 0; i < s.len; i++) {
		uint8_t octet = s.at[i];

		if (octet >= 'A' && octet <= 'Z')
			octet = (uint8_t)(octet + ('a' - 'A'));
		if (!buf_put(out, span(&octet, 1)))
			return false;
	}
	return true;
}

struct span
memory_key(uint8_t mem[MEMORY_KEY_MAX], uint8_t kind, const char *name, const char *host)
{
	struct buf key;

	buf_init(&key, mem, MEMORY_KEY_MAX);
	buf_put(&key, span(&kind, 1));
	if (!memory_put_name(&key, name))
		return span(NULL, 0);
	if (host != NULL && (!buf_put(&key, SPAN("\0")) || !memory_put_name(&key, host)))
		return span(NULL, 0);
	return buf_peek(&key);
}

static bool
good_times(int64_t first_s, int64_t last_s)
{
	return first_s > 0 && first_s <= last_s && last_s <= TIME_MAX_S;
}

bool
memory_lapsed(int64_t last_s, int64_t now_s)
{
	return now_s - last_s > MEMORY_LAPSES_AFTER_S;
}

bool
memory_binds(int64_t first_s, int64_t last_s)
{
	return last_s - first_s >= MEMORY_BINDS_AFTER_S;
}

bool
memory_key_binds(const struct memory_host *h)
{
	return (h->flags & MEMORY_FLAG_KEY) != 0 && memory_binds(h->key_since_s, h->last_s);
}

struct span
memory_put_host(uint8_t value[MEMORY_HOST_LEN], const struct memory_host *h)
{
	uint8_t *at = value;

	octets_put64(at, (uint64_t)h->first_s);
	octets_put64(at += TIME_LEN, (uint64_t)h->last_s);
	octets_put64(at += TIME_LEN, (uint64_t)h->key_since_s);
	at += TIME_LEN;
	*at++ = h->rank;
	*at++ = h->flags;
	memcpy(at, h->key, sizeof(h->key));
	memcpy(at + sizeof(h->key), h->next, sizeof(h->next));
	return span(value, MEMORY_HOST_LEN);
}

bool
memory_get_host(struct memory_host *h, struct span value)
{
	const uint8_t *at = value.at;

	memset(h, 0, sizeof(*h));
	if (value.len != MEMORY_HOST_LEN)
		return false;
	h->first_s = (int64_t)octets_get64(at);
	h->last_s = (int64_t)octets_get64(at += TIME_LEN);
	h->key_since_s = (int64_t)octets_get64(at += TIME_LEN);
	at += TIME_LEN;
	h->rank = *at++;
	h->flags = *at++;
	memcpy(h->key, at, sizeof(h->key));
	memcpy(h->next, at + sizeof(h->key), sizeof(h->next));
	if ((h->flags & ~FLAGS) == 0 && good_times(h->first_s, h->last_s) &&
	    ((h->flags & MEMORY_FLAG_KEY) == 0 || good_times(h->key_since_s, h->last_s)))
		return true;
	memset(h, 0, sizeof(*h));
	return false;
}

struct span
memory_put_domain(uint8_t value[MEMORY_DOMAIN_MAX], const struct memory_domain *d)
{
	octets_put64(value, (uint64_t)d->first_s);
	octets_put64(value + TIME_LEN, (uint64_t)d->last_s);
	value[2 * TIME_LEN] = d->flags;
	memcpy(value + DOMAIN_LEN, d->host, d->host_len);
	return span(value, DOMAIN_LEN + (size_t)d->host_len);
}

bool
memory_get_domain(struct memory_domain *d, struct span value)
{
	memset(d, 0, sizeof(*d));
	if (value.len <= DOMAIN_LEN || value.len > MEMORY_DOMAIN_MAX)
		return false;
	d->first_s = (int64_t)octets_get64(value.at);
	d->last_s = (int64_t)octets_get64(value.at + TIME_LEN);
	d->flags = value.at[2 * TIME_LEN];
	d->host_len = (uint8_t)(value.len - DOMAIN_LEN);
	memcpy(d->host, value.at + DOMAIN_LEN, d->host_len);
	if ((d->flags & ~FLAGS) == 0 && good_times(d->first_s, d->last_s) &&
	    is_name(span(d->host, d->host_len)))
		return true;
	memset(d, 0, sizeof(*d));
	return false;
}

/* Of a mail host: its own name or its domain's.  Of a domain: its name, or where it worked last. */
static bool
is_about(struct span name, struct entry entry, const struct memory_domain *d)
{
	struct span rest = span_from(entry.key, 1), word;

	while (span_word(&rest, '\0', &word))
		if (span_equal(word, name))
			return true;
	return d != NULL && span_equal(span(d->host, d->host_len), name);
}

/*
 * A host met once may be anybody's who gets us to write there.  One that binds has been met over a day, and
 * mail waits until it does as it did.
 */
static enum fold_fate
worth(int64_t first_s, int64_t last_s)
{
	if (memory_binds(first_s, last_s))
		return FOLD_KEEP_LONGEST;
	return last_s > first_s ? FOLD_KEEP_LONGER : FOLD_KEEP;
}

static enum fold_fate
judge_host(struct memory_judging *j, struct entry entry, struct span value)
{
	struct memory_host h;

	if (!memory_get_host(&h, value) || memory_lapsed(h.last_s, j->now_s))
		return FOLD_FORGET;
	if (j->forgotten == NULL || !is_about(span_of(j->forgotten), entry, NULL))
		return worth(h.first_s, h.last_s);
	if (j->but_key != NULL && ((h.flags & MEMORY_FLAG_KEY) == 0 ||
	    memcmp(h.key, j->but_key, sizeof(h.key)) == 0))
		return worth(h.first_s, h.last_s);
	j->dropped++;
	return FOLD_FORGET;
}

static enum fold_fate
judge_domain(struct memory_judging *j, struct entry entry, struct span value)
{
	struct memory_domain d;

	if (!memory_get_domain(&d, value) || memory_lapsed(d.last_s, j->now_s))
		return FOLD_FORGET;
	/* a key pinned for one of its hosts says nothing against a domain */
	if (j->forgotten == NULL || j->but_key != NULL ||
	    !is_about(span_of(j->forgotten), entry, &d))
		return worth(d.first_s, d.last_s);
	j->dropped++;
	return FOLD_FORGET;
}

bool
memory_journalled(struct span key)
{
	return key.at[0] != MEMORY_PIN;
}

enum fold_fate
memory_judge(void *judging, struct entry entry)
{
	struct memory_judging *j = judging;
	struct span value;

	if (!entry_open(&value, entry.key, entry.sealed))
		return FOLD_FORGET;
	switch (entry.key.at[0]) {
	case MEMORY_HOST:
		return judge_host(j, entry, value);
	case MEMORY_DOMAIN:
		return judge_domain(j, entry, value);
	case MEMORY_PIN:
		if (value.len != HOSTKEY_PUBLIC_LEN)
			return FOLD_FORGET;
		if (j->forgotten == NULL || j->but_key != NULL ||
		    !is_about(span_of(j->forgotten), entry, NULL))
			return FOLD_KEEP_ALWAYS;
		j->dropped++;
		return FOLD_FORGET;
	default:
		return FOLD_FORGET;
	}
}
