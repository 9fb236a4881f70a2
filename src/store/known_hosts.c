#include "store/known_hosts_record.h"

#include "base/log.h"

#include <errno.h>
#include <string.h>

/* What has lapsed is as good as not there. */
static bool
find_host(struct memory *m, const char *domain, const char *host, int64_t now_s,
    struct memory_host *h)
{
	uint8_t mem[MEMORY_KEY_MAX], value[MEMORY_HOST_LEN];
	struct span key = memory_key(mem, MEMORY_HOST, domain, host);
	size_t len;

	if (m->stored && key.len > 0 && store_find(&m->store, key, value, sizeof(value), &len) &&
	    memory_get_host(h, span(value, len)) && !memory_lapsed(h->last_s, now_s))
		return true;
	memset(h, 0, sizeof(*h));
	return false;
}

static bool
find_domain(struct memory *m, const char *domain, int64_t now_s, struct memory_domain *d)
{
	uint8_t mem[MEMORY_KEY_MAX], value[MEMORY_DOMAIN_MAX];
	struct span key = memory_key(mem, MEMORY_DOMAIN, domain, NULL);
	size_t len;

	if (m->stored && key.len > 0 && store_find(&m->store, key, value, sizeof(value), &len) &&
	    memory_get_domain(d, span(value, len)) && !memory_lapsed(d->last_s, now_s))
		return true;
	memset(d, 0, sizeof(*d));
	return false;
}

static bool
find_pin(struct memory *m, const char *name, uint8_t pin[HOSTKEY_PUBLIC_LEN])
{
	uint8_t mem[MEMORY_KEY_MAX];
	struct span key = memory_key(mem, MEMORY_PIN, name, NULL);
	size_t len;

	return m->stored && key.len > 0 &&
	    store_find(&m->store, key, pin, HOSTKEY_PUBLIC_LEN, &len) && len == HOSTKEY_PUBLIC_LEN;
}

/* Has the domain gone from all the hosts where it worked? */
static bool
has_moved(struct memory *m, const struct memory_place *p, int64_t now_s, struct memory_known *known)
{
	uint8_t pin[HOSTKEY_PUBLIC_LEN];
	struct memory_domain d;
	struct memory_host h;

	if (!find_domain(m, p->domain, now_s, &d) || !memory_binds(d.first_s, d.last_s))
		return false;
	for (size_t i = 0; i < p->host_count; i++)
		if (find_host(m, p->domain, p->hosts[i], now_s, &h) ||
		    find_pin(m, p->hosts[i], pin))
			return false;
	known->told = (d.flags & MEMORY_FLAG_TOLD) != 0;
	memcpy(known->last_host, d.host, d.host_len);
	return true;
}

void
memory_look(struct memory *m, const struct memory_place *p, int64_t now_s,
    struct memory_known *known)
{
	struct memory_host h;

	if (memory_recall(m, p, known))
		return;
	memset(known, 0, sizeof(*known));
	known->pin_is_domains = find_pin(m, p->domain, known->pin);
	known->has_pin = known->pin_is_domains || find_pin(m, p->host, known->pin);
	if (find_host(m, p->domain, p->host, now_s, &h)) {
		known->standing = memory_binds(h.first_s, h.last_s) ? MEMORY_BINDING :
		    MEMORY_RECENT;
		known->rank = h.rank;
		known->told = (h.flags & MEMORY_FLAG_TOLD) != 0;
		known->has_key = memory_key_binds(&h);
		known->has_next = known->has_key && (h.flags & MEMORY_FLAG_NEXT) != 0;
		memcpy(known->key, h.key, sizeof(known->key));
		memcpy(known->next, h.next, sizeof(known->next));
	} else if (!known->has_pin && has_moved(m, p, now_s, known)) {
		known->standing = MEMORY_MOVED;
	}
	if (known->has_pin)
		known->standing = MEMORY_BINDING;
}

bool
memory_is_whole(const struct memory *m)
{
	return m->stored && !m->store.doubtful;
}

/*
 * A success, over what there was.  First and last are what binding goes by, and they do not go back: a clock
 * that begins in 1970 with each boot would have everything lapse as soon as it is set.
 */
static void
succeed(int64_t *first_s, int64_t *last_s, int64_t now_s)
{
	if (*first_s == 0)
		*first_s = now_s;
	if (*last_s < now_s)
		*last_s = now_s;
}

/* One that only comes shortly after another is not written down. */
static bool
too_soon(int64_t old_s, int64_t now_s)
{
	return now_s >= old_s && now_s - old_s < MEMORY_FRESH_S;
}

/*
 * Where there is another CDB by now, people may have forgotten or pinned what this was made from.  What is not
 * learned then is learned the next time.
 */
static void
append(struct memory *m, struct span key, struct span value)
{
	if (store_lock_to_append(&m->store) == 0) {
		int result = store_append_locked(&m->store, key, value);
		store_unlock(&m->store);
		if (result == 0)
			return;
	}
	log_debug("what worked is not remembered: %s", strerror(errno));
}

/* A key that was announced inherits how long the one before it has been known. */
static void
take_key(struct memory_host *h, const uint8_t *key, const struct hostkey_next *next)
{
	bool had_key = (h->flags & MEMORY_FLAG_KEY) != 0;
	bool same = had_key && memcmp(h->key, key, sizeof(h->key)) == 0;
	bool announced = had_key && (h->flags & MEMORY_FLAG_NEXT) != 0 &&
	    memcmp(h->next, key, sizeof(h->next)) == 0;

	if (!same && !announced)
		h->key_since_s = h->last_s;
	memcpy(h->key, key, sizeof(h->key));
	memset(h->next, 0, sizeof(h->next));
	h->flags = MEMORY_FLAG_KEY;
	if (next != NULL) {
		h->flags |= MEMORY_FLAG_NEXT;
		memcpy(h->next, next->public, sizeof(h->next));
	}
}

static void
drop_key(struct memory_host *h)
{
	h->flags = 0;
	h->key_since_s = 0;
	memset(h->key, 0, sizeof(h->key));
	memset(h->next, 0, sizeof(h->next));
}

static void
host_worked(struct memory *m, const struct memory_place *p, int64_t now_s, unsigned rank,
    const uint8_t *key, const struct hostkey_next *next)
{
	uint8_t mem[MEMORY_KEY_MAX], old_value[MEMORY_HOST_LEN], value[MEMORY_HOST_LEN];
	struct span name = memory_key(mem, MEMORY_HOST, p->domain, p->host);
	struct memory_host old, h;

	find_host(m, p->domain, p->host, now_s, &old);
	h = old;
	succeed(&h.first_s, &h.last_s, now_s);
	h.rank = rank > h.rank ? (uint8_t)rank : h.rank;
	if (key != NULL)
		take_key(&h, key, next);
	else if (!memory_key_binds(&old))
		drop_key(&h);
	h.flags &= (uint8_t)~MEMORY_FLAG_TOLD;

	bool binds_now = memory_key_binds(&h) != memory_key_binds(&old) ||
	    memory_binds(h.first_s, h.last_s) != memory_binds(old.first_s, old.last_s);
	bool soon = too_soon(old.last_s, now_s);
	memory_put_host(value, &h);
	old.last_s = h.last_s;
	memory_put_host(old_value, &old);
	if (name.len > 0 &&
	    (!soon || binds_now || memcmp(value, old_value, sizeof(value)) != 0))
		append(m, name, span(value, sizeof(value)));
}

static void
domain_worked(struct memory *m, const struct memory_place *p, int64_t now_s)
{
	uint8_t mem[MEMORY_KEY_MAX], old_value[MEMORY_DOMAIN_MAX], value[MEMORY_DOMAIN_MAX];
	struct span name = memory_key(mem, MEMORY_DOMAIN, p->domain, NULL);
	struct memory_domain old, d = { .flags = 0 };
	struct buf host;

	find_domain(m, p->domain, now_s, &old);
	d.first_s = old.first_s;
	succeed(&d.first_s, &d.last_s, now_s);
	buf_init(&host, d.host, sizeof(d.host));
	if (name.len == 0 || !memory_put_name(&host, p->host))
		return;
	d.host_len = (uint8_t)buf_len(&host);

	bool binds_now = memory_binds(d.first_s, d.last_s) != memory_binds(old.first_s, old.last_s);
	bool soon = too_soon(old.last_s, now_s);
	struct span new = memory_put_domain(value, &d);
	old.last_s = d.last_s;
	if (!soon || binds_now || !span_equal(new, memory_put_domain(old_value, &old)))
		append(m, name, new);
}

void
memory_worked(struct memory *m, const struct memory_place *p, int64_t now_s, unsigned rank,
    const uint8_t *key, const struct hostkey_next *next)
{
	if (!m->stored || rank > UINT8_MAX)
		return;
	if (m->tell != NULL) {
		struct memory_lesson lesson = { .worked = 1, .rank = (uint8_t)rank,
			.has_key = key != NULL, .has_next = key != NULL && next != NULL };

		if (lesson.has_key)
			memcpy(lesson.key, key, sizeof(lesson.key));
		if (lesson.has_next)
			lesson.next = *next;
		memory_pass_on(m, p, &lesson);
		return;
	}
	host_worked(m, p, now_s, rank, key, next);
	domain_worked(m, p, now_s);
}

void
memory_told(struct memory *m, const struct memory_place *p, int64_t now_s)
{
	uint8_t mem[MEMORY_KEY_MAX], value[MEMORY_DOMAIN_MAX];
	struct memory_host h;
	struct memory_domain d;

	if (m->tell != NULL) {
		memory_pass_on(m, p, &(struct memory_lesson){ .worked = 0 });
		return;
	}
	if (find_host(m, p->domain, p->host, now_s, &h)) {
		h.flags |= MEMORY_FLAG_TOLD;
		append(m, memory_key(mem, MEMORY_HOST, p->domain, p->host),
		    memory_put_host(value, &h));
	} else if (find_domain(m, p->domain, now_s, &d)) {
		d.flags |= MEMORY_FLAG_TOLD;
		append(m, memory_key(mem, MEMORY_DOMAIN, p->domain, NULL),
		    memory_put_domain(value, &d));
	}
}

/* Who had the lock before us may have done it. */
static void
fold(struct memory *m, int64_t now_s)
{
	struct memory_judging judging = { .now_s = now_s };
	struct store_rebuilding how = { .judge = memory_judge, .context = &judging,
		.entries_max = m->entries_max };

	if (!store_is_due(&m->store))
		return;
	if (store_lock(&m->store) < 0) {
		log_debug("the memory is left as it is: %s", strerror(errno));
		return;
	}
	if (store_is_due(&m->store))
		store_rebuild(&m->store, &how);
	store_unlock(&m->store);
}

void
memory_open(struct memory *m, const char *directory, int64_t now_s)
{
	store_none(&m->store);
	m->noted_count = 0;
	m->tell = NULL;
	m->entries_max = MEMORY_ENTRIES_MAX;
	m->stored = directory != NULL && store_open(&m->store, directory, "known") == 0;
	m->store.careful = true;
	m->store.journalled = memory_journalled;
	if (m->stored)
		fold(m, now_s);
}

void
memory_close(struct memory *m)
{
	store_close(&m->store);
	m->stored = false;
}
