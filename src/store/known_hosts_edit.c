/* The part of the memory that people see and change, by `blackpony -k`. */
#include "store/known_hosts_record.h"

#include "store/private_dir.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Makes a new database, without what the judge drops and with what is added. */
static int
rebuild(struct memory *m, struct memory_judging *judging, const struct store_addition *added,
    size_t added_count)
{
	struct store_rebuilding how = { added, added_count, memory_judge, judging, m->entries_max };

	if (!m->stored) {
		errno = ENOENT;
		return -1;
	}
	if (store_lock(&m->store) < 0)
		return -1;
	int result = store_rebuild(&m->store, &how);
	int saved = errno;
	store_unlock(&m->store);
	errno = saved;
	return result;
}

/* In lower case, with a NUL. */
static int
lower_name(char out[MEMORY_NAME_MAX + 1], const char *name)
{
	struct buf b;

	buf_init(&b, out, MEMORY_NAME_MAX);
	if (!memory_put_name(&b, name)) {
		errno = EINVAL;
		return -1;
	}
	out[buf_len(&b)] = '\0';
	return 0;
}

int
memory_pin(struct memory *m, const char *name, const uint8_t pin[HOSTKEY_PUBLIC_LEN], int64_t now_s)
{
	uint8_t mem[MEMORY_KEY_MAX];
	char lower[MEMORY_NAME_MAX + 1];
	/* other keys that were shown there count no longer */
	struct memory_judging judging = { .now_s = now_s, .forgotten = lower, .but_key = pin };
	struct store_addition added = { memory_key(mem, MEMORY_PIN, name, NULL),
		span(pin, HOSTKEY_PUBLIC_LEN) };

	if (lower_name(lower, name) < 0)
		return -1;
	return rebuild(m, &judging, &added, 1);
}

int
memory_forget(struct memory *m, const char *name, int64_t now_s)
{
	char lower[MEMORY_NAME_MAX + 1];
	struct memory_judging judging = { .now_s = now_s, .forgotten = lower };

	if (lower_name(lower, name) < 0 || rebuild(m, &judging, NULL, 0) < 0)
		return -1;
	return judging.dropped;
}

struct listing {
	int64_t now_s;
	memory_visit *visit;
	void *context;
};

static void
copy_name(char out[MEMORY_NAME_MAX + 1], struct span name)
{
	size_t len = name.len < MEMORY_NAME_MAX ? name.len : MEMORY_NAME_MAX;

	memcpy(out, name.at, len);
	out[len] = '\0';
}

static void
show_host(const struct listing *l, struct span domain, struct span host,
    const struct memory_host *h)
{
	struct memory_item item = { .first_s = h->first_s, .last_s = h->last_s,
		.binding = memory_binds(h->first_s, h->last_s) };
	struct memory_known *known = &item.known;

	copy_name(item.domain, domain);
	copy_name(item.host, host);
	known->standing = item.binding ? MEMORY_BINDING : MEMORY_RECENT;
	known->rank = h->rank;
	known->told = (h->flags & MEMORY_FLAG_TOLD) != 0;
	known->has_key = (h->flags & MEMORY_FLAG_KEY) != 0;
	known->has_next = (h->flags & MEMORY_FLAG_NEXT) != 0;
	memcpy(known->key, h->key, sizeof(known->key));
	memcpy(known->next, h->next, sizeof(known->next));
	l->visit(l->context, &item);
}

/* As if it were a judge, for they are asked about the newest entry of each key. */
static enum fold_fate
show(void *context, struct entry entry)
{
	const struct listing *l = context;
	struct span rest = span_from(entry.key, 1), value, domain, host;
	struct memory_host h;

	if (!entry_open(&value, entry.key, entry.sealed) || !span_word(&rest, '\0', &domain) ||
	    domain.len == 0)
		return FOLD_FORGET;
	if (entry.key.at[0] == MEMORY_PIN && value.len == HOSTKEY_PUBLIC_LEN) {
		struct memory_item item = { .binding = true, .known.has_pin = true };

		copy_name(item.domain, domain);
		memcpy(item.known.pin, value.at, value.len);
		l->visit(l->context, &item);
	} else if (entry.key.at[0] == MEMORY_HOST && span_word(&rest, '\0', &host) &&
	    memory_get_host(&h, value) && !memory_lapsed(h.last_s, l->now_s)) {
		show_host(l, domain, host, &h);
	}
	return FOLD_FORGET;
}

int
memory_list(struct memory *m, int64_t now_s, memory_visit *visit, void *context)
{
	struct listing listing = { now_s, visit, context };
	struct fold fold = { 0 };
	struct span cdb = span(NULL, 0);
	int result = -1;

	if (!m->stored) {
		errno = ENOENT;
		return -1;
	}
	if (dir_load(m->store.cdbfd, m->store.cdb_len, &cdb) == 0 &&
	    fold_add_cdb(&fold, cdb) == 0 &&
	    fold_add_journal(&fold, store_journal(&m->store), memory_journalled) == 0 &&
	    fold_choose(&fold, show, &listing, 0) == 0) {
		result = !m->store.doubtful && fold_is_sound(&fold) ? 0 : -1;
		errno = EBADMSG;
	}
	int saved = errno;
	fold_free(&fold);
	free((void *)(uintptr_t)cdb.at);
	errno = saved;
	return result;
}

bool
memory_item_is(const struct memory_item *item, const char *name)
{
	return span_equal_nocase(span_of(item->domain), span_of(name)) ||
	    span_equal_nocase(span_of(item->host), span_of(name));
}
