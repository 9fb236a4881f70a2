/* Listing and changing known hosts for the user (`blackpony -k`). */
#include "store/known_hosts_record.h"
#include "sys/private_file.h"


#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Makes a new CDB without what the keep callback drops and with what is added. */
static int
known_hosts_edit_rebuild(struct known_hosts *m, struct known_hosts_keeping *keeping,
    const struct store_addition *added, size_t added_count)
{
	struct store_rebuilding how = { added, added_count, known_hosts_keep, keeping,
		m->entries_max };

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

/* Writes the name in lower case, NUL-terminated. */
static int
lower_name(char out[KNOWN_HOSTS_NAME_MAX + 1], const char *name)
{
	struct buf b;

	buf_init(&b, out, KNOWN_HOSTS_NAME_MAX);
	if (!known_hosts_put_name(&b, name)) {
		errno = EINVAL;
		return -1;
	}
	out[buf_len(&b)] = '\0';
	return 0;
}

int
known_hosts_pin(struct known_hosts *m, const char *name, const uint8_t pin[HOSTKEY_PUBLIC_LEN],
    int64_t now_s)
{
	uint8_t mem[KNOWN_HOSTS_KEY_MAX];
	char lower[KNOWN_HOSTS_NAME_MAX + 1];
	/* hosts of that name that showed another key are forgotten */
	struct known_hosts_keeping keeping = { .now_s = now_s, .forgotten = lower, .but_key = pin };
	struct store_addition added = { known_hosts_key(mem, KNOWN_HOSTS_PIN, name, NULL),
		span(pin, HOSTKEY_PUBLIC_LEN) };

	if (lower_name(lower, name) < 0)
		return -1;
	return known_hosts_edit_rebuild(m, &keeping, &added, 1);
}

int
known_hosts_forget(struct known_hosts *m, const char *name, int64_t now_s)
{
	char lower[KNOWN_HOSTS_NAME_MAX + 1];
	struct known_hosts_keeping keeping = { .now_s = now_s, .forgotten = lower };

	if (lower_name(lower, name) < 0 || known_hosts_edit_rebuild(m, &keeping, NULL, 0) < 0)
		return -1;
	return keeping.dropped;
}

struct listing {
	int64_t now_s;
	known_hosts_visit *visit;
	void *context;
};

static void
copy_name(char out[KNOWN_HOSTS_NAME_MAX + 1], struct span name)
{
	size_t len = name.len < KNOWN_HOSTS_NAME_MAX ? name.len : KNOWN_HOSTS_NAME_MAX;

	memcpy(out, name.at, len);
	out[len] = '\0';
}

static void
show_host(const struct listing *l, struct span domain, struct span host,
    const struct known_host_record *h)
{
	struct known_hosts_item item = { .first_s = h->first_s, .last_s = h->last_s,
		.binding = known_hosts_established(h->first_s, h->last_s) };
	struct known_host *known = &item.known;

	copy_name(item.domain, domain);
	copy_name(item.host, host);
	known->standing = item.binding ? KNOWN_ESTABLISHED : KNOWN_SEEN;
	known->version = h->version;
	known->alerted = (h->flags & KNOWN_HOSTS_FLAG_ALERTED) != 0;
	known->has_key = (h->flags & KNOWN_HOSTS_FLAG_KEY) != 0;
	known->has_next = (h->flags & KNOWN_HOSTS_FLAG_NEXT) != 0;
	memcpy(known->key, h->key, sizeof(known->key));
	memcpy(known->next, h->next, sizeof(known->next));
	l->visit(l->context, &item);
}

/* Used as the keep callback, which sees the newest entry of every key. */
static enum compact_keep
known_hosts_edit_show(void *context, struct entry entry)
{
	const struct listing *l = context;
	struct span rest = span_from(entry.key, 1), value, domain, host;
	struct known_host_record h;

	if (!entry_open(&value, entry.key, entry.sealed) || !span_word(&rest, '\0', &domain) ||
	    domain.len == 0)
		return COMPACT_DROP;
	if (entry.key.at[0] == KNOWN_HOSTS_PIN && value.len == HOSTKEY_PUBLIC_LEN) {
		struct known_hosts_item item = { .binding = true, .known.has_pin = true };

		copy_name(item.domain, domain);
		memcpy(item.known.pin, value.at, value.len);
		l->visit(l->context, &item);
	} else if (entry.key.at[0] == KNOWN_HOSTS_HOST && span_word(&rest, '\0', &host) &&
	    known_hosts_get_host(&h, value) && !known_hosts_lapsed(h.last_s, l->now_s)) {
		show_host(l, domain, host, &h);
	}
	return COMPACT_DROP;
}

int
known_hosts_list(struct known_hosts *m, int64_t now_s, known_hosts_visit *visit, void *context)
{
	struct listing listing = { now_s, visit, context };
	struct compaction compaction = { 0 };
	struct span cdb = span(NULL, 0);
	int result = -1;

	if (!m->stored) {
		errno = ENOENT;
		return -1;
	}
	if (private_file_load(m->store.cdbfd, m->store.cdb_len, &cdb) == 0 &&
	    compact_add_cdb(&compaction, cdb) == 0 &&
	    compact_add_journal(&compaction, store_journal(&m->store), known_hosts_journalled) ==
		0 &&
	    compact_choose(&compaction, known_hosts_edit_show, &listing, 0) == 0) {
		result = !m->store.corrupt && compact_is_sound(&compaction) ? 0 : -1;
		errno = EBADMSG;
	}
	int saved = errno;
	compact_free(&compaction);
	free((void *)(uintptr_t)cdb.at);
	errno = saved;
	return result;
}

bool
known_hosts_item_matches(const struct known_hosts_item *item, const char *name)
{
	return span_equal_nocase(span_of(item->domain), span_of(name)) ||
	    span_equal_nocase(span_of(item->host), span_of(name));
}
