/* The memory of a session in the jail: without files, and with somebody outside who learns for it. */
#include "store/known_hosts.h"

#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

static struct memory_noted *
find_note(struct memory *m, const struct memory_place *p)
{
	for (size_t i = 0; i < m->noted_count; i++)
		if (strcmp(m->noted[i].domain, p->domain) == 0 && strcmp(m->noted[i].host, p->host) == 0)
			return &m->noted[i];
	return NULL;
}

void
memory_note(struct memory *m, const struct memory_place *p, int64_t now_s)
{
	if (find_note(m, p) != NULL)
		return;
	assert(m->noted_count < MEMORY_PLACES_MAX);
	/* counted last: what is not noted yet is looked up in the store */
	struct memory_noted *noted = &m->noted[m->noted_count];
	noted->domain = p->domain;
	noted->host = p->host;
	memory_look(m, p, now_s, &noted->known);
	m->noted_count++;
}

void
memory_leave(struct memory *m, memory_tell *tell, void *context)
{
	m->tell = tell;
	m->tell_context = context;
	store_close(&m->store);
}

bool
memory_recall(struct memory *m, const struct memory_place *p, struct memory_known *known)
{
	struct memory_noted *noted = find_note(m, p);

	if (noted == NULL)
		return false;
	*known = noted->known;
	return true;
}

void
memory_pass_on(struct memory *m, const struct memory_place *p, const struct memory_lesson *lesson)
{
	struct memory_noted *noted = find_note(m, p);

	if (m->stored && m->tell(m->tell_context, lesson) < 0)
		log_debug("what was learned is not remembered: %s", strerror(errno));
	if (noted != NULL)
		noted->known.told = lesson->worked == 0;
}

static bool
is_key(const uint8_t *key, bool known, const uint8_t known_key[HOSTKEY_PUBLIC_LEN])
{
	return known && key != NULL && memcmp(key, known_key, HOSTKEY_PUBLIC_LEN) == 0;
}

/* A key that is announced is accepted later.  So its announcement has to be signed, unless it is known. */
static bool
is_announced(const struct memory_known *known, const struct memory_lesson *lesson)
{
	return (is_key(lesson->key, known->has_key, known->key) &&
	    is_key(lesson->next.public, known->has_next, known->next)) ||
	    hostkey_verify_next(&lesson->next, lesson->key);
}

/*
 * Where a key binds or is pinned, nothing has worked there with another one: a session that says so is not
 * ours any more.
 */
static bool
is_sound(struct memory *m, const struct memory_place *p, int64_t now_s,
    const struct memory_lesson *lesson, const uint8_t *key)
{
	struct memory_known known;

	if (lesson->worked > 1 || lesson->has_key > 1 || lesson->has_next > lesson->has_key)
		return false;
	memory_look(m, p, now_s, &known);
	if (lesson->has_next && !is_announced(&known, lesson))
		return false;
	return lesson->worked == 0 || !(known.has_key || known.has_pin) ||
	    is_key(key, known.has_key, known.key) || is_key(key, known.has_next, known.next) ||
	    is_key(key, known.has_pin, known.pin);
}

int
memory_learn(struct memory *m, const struct memory_place *p, int64_t now_s,
    const struct memory_lesson *lesson)
{
	const uint8_t *key = lesson->has_key ? lesson->key : NULL;

	if (!is_sound(m, p, now_s, lesson, key)) {
		log_line(LOG_ERR, "what a session says of %.200s is not believed: another key than the one "
		    "that binds there, or an announcement that is not signed", p->host);
		errno = EPERM;
		return -1;
	}
	if (lesson->worked)
		memory_worked(m, p, now_s, lesson->rank, key, lesson->has_next ? &lesson->next : NULL);
	else
		memory_told(m, p, now_s);
	return 0;
}
