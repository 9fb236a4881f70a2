#include "store/known_hosts_record.h"

#include "base/octets.h"

#include <string.h>

#define TIME_LEN 8
#define DOMAIN_LEN (2 * TIME_LEN + 1)
#define FLAGS (KNOWN_HOSTS_FLAG_KEY | KNOWN_HOSTS_FLAG_NEXT | KNOWN_HOSTS_FLAG_ALERTED)
#define TIME_MAX_S (INT64_C(1) << 40)	/* greater times are not ours */

_Static_assert(KNOWN_HOSTS_KEY_MAX <= ENTRY_KEY_MAX && KNOWN_HOSTS_HOST_LEN <= ENTRY_VALUE_MAX &&
    KNOWN_HOSTS_DOMAIN_MAX <= ENTRY_VALUE_MAX, "they are entries");

/* Names go into replies and logs, so whatever wrote the file, only printable ones are used. */
static bool
is_name(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.at[i] <= ' ' || s.at[i] >= 0x7f)
			return false;
	return s.len > 0 && s.len <= KNOWN_HOSTS_NAME_MAX;
}

bool
known_hosts_put_name(struct buf *out, const char *name)
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
known_hosts_key(uint8_t mem[KNOWN_HOSTS_KEY_MAX], uint8_t kind, const char *name, const char *host)
{
	struct buf key;

	buf_init(&key, mem, KNOWN_HOSTS_KEY_MAX);
	buf_put(&key, span(&kind, 1));
	if (!known_hosts_put_name(&key, name))
		return span(NULL, 0);
	if (host != NULL && (!buf_put(&key, SPAN("\0")) || !known_hosts_put_name(&key, host)))
		return span(NULL, 0);
	return buf_peek(&key);
}

static bool
good_times(int64_t first_s, int64_t last_s)
{
	return first_s > 0 && first_s <= last_s && last_s <= TIME_MAX_S;
}

bool
known_hosts_lapsed(int64_t last_s, int64_t now_s)
{
	return now_s - last_s > KNOWN_HOSTS_LAPSES_AFTER_S;
}

bool
known_hosts_established(int64_t first_s, int64_t last_s)
{
	return last_s - first_s >= KNOWN_HOSTS_ESTABLISHED_AFTER_S;
}

bool
known_hosts_key_established(const struct known_host_record *h)
{
	return (h->flags & KNOWN_HOSTS_FLAG_KEY) != 0 &&
	    known_hosts_established(h->key_since_s, h->last_s);
}

struct span
known_hosts_put_host(uint8_t value[KNOWN_HOSTS_HOST_LEN], const struct known_host_record *h)
{
	uint8_t *at = value;

	octets_put64(at, (uint64_t)h->first_s);
	octets_put64(at += TIME_LEN, (uint64_t)h->last_s);
	octets_put64(at += TIME_LEN, (uint64_t)h->key_since_s);
	at += TIME_LEN;
	*at++ = h->version;
	*at++ = h->flags;
	memcpy(at, h->key, sizeof(h->key));
	memcpy(at + sizeof(h->key), h->next, sizeof(h->next));
	return span(value, KNOWN_HOSTS_HOST_LEN);
}

bool
known_hosts_get_host(struct known_host_record *h, struct span value)
{
	const uint8_t *at = value.at;

	memset(h, 0, sizeof(*h));
	if (value.len != KNOWN_HOSTS_HOST_LEN)
		return false;
	h->first_s = (int64_t)octets_get64(at);
	h->last_s = (int64_t)octets_get64(at += TIME_LEN);
	h->key_since_s = (int64_t)octets_get64(at += TIME_LEN);
	at += TIME_LEN;
	h->version = *at++;
	h->flags = *at++;
	memcpy(h->key, at, sizeof(h->key));
	memcpy(h->next, at + sizeof(h->key), sizeof(h->next));
	if ((h->flags & ~FLAGS) == 0 && good_times(h->first_s, h->last_s) &&
	    ((h->flags & KNOWN_HOSTS_FLAG_KEY) == 0 || good_times(h->key_since_s, h->last_s)))
		return true;
	memset(h, 0, sizeof(*h));
	return false;
}

struct span
known_hosts_put_domain(uint8_t value[KNOWN_HOSTS_DOMAIN_MAX], const struct known_domain_record *d)
{
	octets_put64(value, (uint64_t)d->first_s);
	octets_put64(value + TIME_LEN, (uint64_t)d->last_s);
	value[2 * TIME_LEN] = d->flags;
	memcpy(value + DOMAIN_LEN, d->host, d->host_len);
	return span(value, DOMAIN_LEN + (size_t)d->host_len);
}

bool
known_hosts_get_domain(struct known_domain_record *d, struct span value)
{
	memset(d, 0, sizeof(*d));
	if (value.len <= DOMAIN_LEN || value.len > KNOWN_HOSTS_DOMAIN_MAX)
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

/* Whether an entry concerns `name`: as domain or host in its key, or as the domain's last host. */
static bool
is_about(struct span name, struct entry entry, const struct known_domain_record *d)
{
	struct span rest = span_from(entry.key, 1), word;

	while (span_word(&rest, '\0', &word))
		if (span_equal(word, name))
			return true;
	return d != NULL && span_equal(span(d->host, d->host_len), name);
}

/*
 * Anyone who makes us send mail to a host can add an entry for it.  An established host has been
 * met over a day or longer, and mail may wait because of it, so it is kept longest.
 */
static enum compact_keep
known_hosts_record_worth(int64_t first_s, int64_t last_s)
{
	if (known_hosts_established(first_s, last_s))
		return COMPACT_KEEP_LONGEST;
	return last_s > first_s ? COMPACT_KEEP_LONGER : COMPACT_KEEP;
}

static enum compact_keep
keep_host(struct known_hosts_keeping *j, struct entry entry, struct span value)
{
	struct known_host_record h;

	if (!known_hosts_get_host(&h, value) || known_hosts_lapsed(h.last_s, j->now_s))
		return COMPACT_DROP;
	if (j->forgotten == NULL || !is_about(span_of(j->forgotten), entry, NULL))
		return known_hosts_record_worth(h.first_s, h.last_s);
	if (j->but_key != NULL && ((h.flags & KNOWN_HOSTS_FLAG_KEY) == 0 ||
	    memcmp(h.key, j->but_key, sizeof(h.key)) == 0))
		return known_hosts_record_worth(h.first_s, h.last_s);
	j->dropped++;
	return COMPACT_DROP;
}

static enum compact_keep
keep_domain(struct known_hosts_keeping *j, struct entry entry, struct span value)
{
	struct known_domain_record d;

	if (!known_hosts_get_domain(&d, value) || known_hosts_lapsed(d.last_s, j->now_s))
		return COMPACT_DROP;
		/* a key pinned for one of its hosts does not affect a domain */
	if (j->forgotten == NULL || j->but_key != NULL ||
	    !is_about(span_of(j->forgotten), entry, &d))
		return known_hosts_record_worth(d.first_s, d.last_s);
	j->dropped++;
	return COMPACT_DROP;
}

bool
known_hosts_journalled(struct span key)
{
	return key.at[0] != KNOWN_HOSTS_PIN;
}

enum compact_keep
known_hosts_keep(void *context, struct entry entry)
{
	struct known_hosts_keeping *j = context;
	struct span value;

	if (!entry_open(&value, entry.key, entry.sealed))
		return COMPACT_DROP;
	switch (entry.key.at[0]) {
	case KNOWN_HOSTS_HOST:
		return keep_host(j, entry, value);
	case KNOWN_HOSTS_DOMAIN:
		return keep_domain(j, entry, value);
	case KNOWN_HOSTS_PIN:
		if (value.len != HOSTKEY_PUBLIC_LEN)
			return COMPACT_DROP;
		if (j->forgotten == NULL || j->but_key != NULL ||
		    !is_about(span_of(j->forgotten), entry, NULL))
			return COMPACT_KEEP_ALWAYS;
		j->dropped++;
		return COMPACT_DROP;
	default:
		return COMPACT_DROP;
	}
}
