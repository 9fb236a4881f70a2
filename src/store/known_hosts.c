#include "store/known_hosts_record.h"

#include "base/log.h"

#include <errno.h>
#include <string.h>

/* A lapsed entry counts as absent. */
static bool
find_host(struct known_hosts *m, const char *domain, const char *host, int64_t now_s,
    struct known_host_record *h)
{
	uint8_t mem[KNOWN_HOSTS_KEY_MAX], value[KNOWN_HOSTS_HOST_LEN];
	struct span key = known_hosts_key(mem, KNOWN_HOSTS_HOST, domain, host);
	size_t len;

	if (m->stored && key.len > 0 && store_find(&m->store, key, value, sizeof(value), &len) &&
	    known_hosts_get_host(h, span(value, len)) && !known_hosts_lapsed(h->last_s, now_s))
		return true;
	memset(h, 0, sizeof(*h));
	return false;
}

static bool
find_domain(struct known_hosts *m, const char *domain, int64_t now_s,
    struct known_domain_record *d)
{
	uint8_t mem[KNOWN_HOSTS_KEY_MAX], value[KNOWN_HOSTS_DOMAIN_MAX];
	struct span key = known_hosts_key(mem, KNOWN_HOSTS_DOMAIN, domain, NULL);
	size_t len;

	if (m->stored && key.len > 0 && store_find(&m->store, key, value, sizeof(value), &len) &&
	    known_hosts_get_domain(d, span(value, len)) && !known_hosts_lapsed(d->last_s, now_s))
		return true;
	memset(d, 0, sizeof(*d));
	return false;
}

static bool
find_pin(struct known_hosts *m, const char *name, uint8_t pin[HOSTKEY_PUBLIC_LEN])
{
	uint8_t mem[KNOWN_HOSTS_KEY_MAX];
	struct span key = known_hosts_key(mem, KNOWN_HOSTS_PIN, name, NULL);
	size_t len;

	return m->stored && key.len > 0 &&
	    store_find(&m->store, key, pin, HOSTKEY_PUBLIC_LEN, &len) && len == HOSTKEY_PUBLIC_LEN;
}

/* Whether the domain is established and none of its present hosts is known. */
static bool
has_moved(struct known_hosts *m, const struct known_hosts_place *p, int64_t now_s,
    struct known_host *known)
{
	uint8_t pin[HOSTKEY_PUBLIC_LEN];
	struct known_domain_record d;
	struct known_host_record h;

	if (!find_domain(m, p->domain, now_s, &d) || !known_hosts_established(d.first_s, d.last_s))
		return false;
	for (size_t i = 0; i < p->host_count; i++)
		if (find_host(m, p->domain, p->hosts[i], now_s, &h) ||
		    find_pin(m, p->hosts[i], pin))
			return false;
	known->alerted = (d.flags & KNOWN_HOSTS_FLAG_ALERTED) != 0;
	memcpy(known->last_host, d.host, d.host_len);
	return true;
}

void
known_hosts_look_up(struct known_hosts *m, const struct known_hosts_place *p, int64_t now_s,
    struct known_host *known)
{
	struct known_host_record h;

	if (known_hosts_recall(m, p, known))
		return;
	memset(known, 0, sizeof(*known));
	known->pin_is_domains = find_pin(m, p->domain, known->pin);
	known->has_pin = known->pin_is_domains || find_pin(m, p->host, known->pin);
	if (find_host(m, p->domain, p->host, now_s, &h)) {
		known->standing = known_hosts_established(h.first_s, h.last_s) ? KNOWN_ESTABLISHED :
		    KNOWN_SEEN;
		known->version = h.version;
		known->alerted = (h.flags & KNOWN_HOSTS_FLAG_ALERTED) != 0;
		known->has_key = known_hosts_key_established(&h);
		known->has_next = known->has_key && (h.flags & KNOWN_HOSTS_FLAG_NEXT) != 0;
		memcpy(known->key, h.key, sizeof(known->key));
		memcpy(known->next, h.next, sizeof(known->next));
	} else if (!known->has_pin && has_moved(m, p, now_s, known)) {
		known->standing = KNOWN_MX_CHANGED;
	}
	if (known->has_pin)
		known->standing = KNOWN_ESTABLISHED;
}

bool
known_hosts_complete(const struct known_hosts *m)
{
	return m->stored && !m->store.corrupt;
}

/*
 * Records a success.  The times of the first and the last one never go back: with a clock that
 * starts in 1970 at each boot, everything would lapse as soon as it is set.
 */
static void
succeed(int64_t *first_s, int64_t *last_s, int64_t now_s)
{
	if (*first_s == 0)
		*first_s = now_s;
	if (*last_s < now_s)
		*last_s = now_s;
}

/* Whether the last success was so recent that this one need not be stored. */
static bool
too_soon(int64_t old_s, int64_t now_s)
{
	return now_s >= old_s && now_s - old_s < KNOWN_HOSTS_FRESH_S;
}

/*
 * Fails if the CDB was replaced: the user may have removed or pinned the entry that this one is
 * based on.  What is not stored now is learned again the next time.
 */
static void
known_hosts_append(struct known_hosts *m, struct span key, struct span value)
{
	if (store_lock_to_append(&m->store) == 0) {
		int result = store_append_locked(&m->store, key, value);
		store_unlock(&m->store);
		if (result == 0)
			return;
	}
	log_debug("cannot update known hosts: %s", strerror(errno));
}

/* A key that was announced keeps the age of the key that announced it. */
static void
take_key(struct known_host_record *h, const uint8_t *key, const struct hostkey_next *next)
{
	bool had_key = (h->flags & KNOWN_HOSTS_FLAG_KEY) != 0;
	bool same = had_key && memcmp(h->key, key, sizeof(h->key)) == 0;
	bool announced = had_key && (h->flags & KNOWN_HOSTS_FLAG_NEXT) != 0 &&
	    memcmp(h->next, key, sizeof(h->next)) == 0;

	if (!same && !announced)
		h->key_since_s = h->last_s;
	memcpy(h->key, key, sizeof(h->key));
	memset(h->next, 0, sizeof(h->next));
	h->flags = KNOWN_HOSTS_FLAG_KEY;
	if (next != NULL) {
		h->flags |= KNOWN_HOSTS_FLAG_NEXT;
		memcpy(h->next, next->public, sizeof(h->next));
	}
}

static void
drop_key(struct known_host_record *h)
{
	h->flags = 0;
	h->key_since_s = 0;
	memset(h->key, 0, sizeof(h->key));
	memset(h->next, 0, sizeof(h->next));
}

static void
host_worked(struct known_hosts *m, const struct known_hosts_place *p, int64_t now_s,
    unsigned version, const uint8_t *key, const struct hostkey_next *next)
{
	uint8_t mem[KNOWN_HOSTS_KEY_MAX], old_value[KNOWN_HOSTS_HOST_LEN],
	    value[KNOWN_HOSTS_HOST_LEN];
	struct span name = known_hosts_key(mem, KNOWN_HOSTS_HOST, p->domain, p->host);
	struct known_host_record old, h;

	find_host(m, p->domain, p->host, now_s, &old);
	h = old;
	succeed(&h.first_s, &h.last_s, now_s);
	h.version = version > h.version ? (uint8_t)version : h.version;
	if (key != NULL)
		take_key(&h, key, next);
	else if (!known_hosts_key_established(&old))
		drop_key(&h);
	h.flags &= (uint8_t)~KNOWN_HOSTS_FLAG_ALERTED;

	bool binds_now = known_hosts_key_established(&h) != known_hosts_key_established(&old) ||
	    known_hosts_established(h.first_s, h.last_s) !=
		known_hosts_established(old.first_s, old.last_s);
	bool soon = too_soon(old.last_s, now_s);
	known_hosts_put_host(value, &h);
	old.last_s = h.last_s;
	known_hosts_put_host(old_value, &old);
	if (name.len > 0 &&
	    (!soon || binds_now || memcmp(value, old_value, sizeof(value)) != 0))
		known_hosts_append(m, name, span(value, sizeof(value)));
}

static void
domain_worked(struct known_hosts *m, const struct known_hosts_place *p, int64_t now_s)
{
	uint8_t mem[KNOWN_HOSTS_KEY_MAX], old_value[KNOWN_HOSTS_DOMAIN_MAX],
	    value[KNOWN_HOSTS_DOMAIN_MAX];
	struct span name = known_hosts_key(mem, KNOWN_HOSTS_DOMAIN, p->domain, NULL);
	struct known_domain_record old, d = { .flags = 0 };
	struct buf host;

	find_domain(m, p->domain, now_s, &old);
	d.first_s = old.first_s;
	succeed(&d.first_s, &d.last_s, now_s);
	buf_init(&host, d.host, sizeof(d.host));
	if (name.len == 0 || !known_hosts_put_name(&host, p->host))
		return;
	d.host_len = (uint8_t)buf_len(&host);

	bool binds_now = known_hosts_established(d.first_s, d.last_s) !=
	    known_hosts_established(old.first_s, old.last_s);
	bool soon = too_soon(old.last_s, now_s);
	struct span new = known_hosts_put_domain(value, &d);
	old.last_s = d.last_s;
	if (!soon || binds_now || !span_equal(new, known_hosts_put_domain(old_value, &old)))
		known_hosts_append(m, name, new);
}

void
known_hosts_worked(struct known_hosts *m, const struct known_hosts_place *p, int64_t now_s,
    unsigned version, const uint8_t *key, const struct hostkey_next *next)
{
	if (!m->stored || version > UINT8_MAX)
		return;
	if (m->tell != NULL) {
		struct known_hosts_lesson lesson = { .worked = 1, .version = (uint8_t)version,
			.has_key = key != NULL, .has_next = key != NULL && next != NULL };

		if (lesson.has_key)
			memcpy(lesson.key, key, sizeof(lesson.key));
		if (lesson.has_next)
			lesson.next = *next;
		known_hosts_pass_on(m, p, &lesson);
		return;
	}
	host_worked(m, p, now_s, version, key, next);
	domain_worked(m, p, now_s);
}

void
known_hosts_alerted(struct known_hosts *m, const struct known_hosts_place *p, int64_t now_s)
{
	uint8_t mem[KNOWN_HOSTS_KEY_MAX], value[KNOWN_HOSTS_DOMAIN_MAX];
	struct known_host_record h;
	struct known_domain_record d;

	if (m->tell != NULL) {
		known_hosts_pass_on(m, p, &(struct known_hosts_lesson){ .worked = 0 });
		return;
	}
	if (find_host(m, p->domain, p->host, now_s, &h)) {
		h.flags |= KNOWN_HOSTS_FLAG_ALERTED;
		known_hosts_append(m, known_hosts_key(mem, KNOWN_HOSTS_HOST, p->domain, p->host),
		    known_hosts_put_host(value, &h));
	} else if (find_domain(m, p->domain, now_s, &d)) {
		d.flags |= KNOWN_HOSTS_FLAG_ALERTED;
		known_hosts_append(m, known_hosts_key(mem, KNOWN_HOSTS_DOMAIN, p->domain, NULL),
		    known_hosts_put_domain(value, &d));
	}
}

/* Another process may have done it before we had the lock, so this asks again. */
static void
compaction(struct known_hosts *m, int64_t now_s)
{
	struct known_hosts_keeping keeping = { .now_s = now_s };
	struct store_rebuilding how = { .keep = known_hosts_keep, .context = &keeping,
		.entries_max = m->entries_max };

	if (!store_is_due(&m->store))
		return;
	if (store_lock(&m->store) < 0) {
		log_debug("no maintenance of known hosts: %s", strerror(errno));
		return;
	}
	if (store_is_due(&m->store))
		store_rebuild(&m->store, &how);
	store_unlock(&m->store);
}

void
known_hosts_open(struct known_hosts *m, const char *directory, int64_t now_s)
{
	store_none(&m->store);
	m->noted_count = 0;
	m->tell = NULL;
	m->entries_max = KNOWN_HOSTS_ENTRIES_MAX;
	m->stored = directory != NULL && store_open(&m->store, directory, "known") == 0;
	m->store.strict = true;
	m->store.journalled = known_hosts_journalled;
	if (m->stored)
		compaction(m, now_s);
}

void
known_hosts_close(struct known_hosts *m)
{
	store_close(&m->store);
	m->stored = false;
}
