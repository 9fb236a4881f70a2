/* Known hosts in a session in the jail, which has no files and passes on what it learns. */
#include "store/known_hosts.h"

#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

static struct known_hosts_noted *
find_note(struct known_hosts *m, const struct known_hosts_place *p)
{
	for (size_t i = 0; i < m->noted_count; i++)
		if (strcmp(m->noted[i].domain, p->domain) == 0 &&
		    strcmp(m->noted[i].host, p->host) == 0)
			return &m->noted[i];
	return NULL;
}

void
known_hosts_note(struct known_hosts *m, const struct known_hosts_place *p, int64_t now_s)
{
	if (find_note(m, p) != NULL)
		return;
	assert(m->noted_count < KNOWN_HOSTS_PLACES_MAX);
	/* the count is raised last, so that this look-up goes to the store */
	struct known_hosts_noted *noted = &m->noted[m->noted_count];
	noted->domain = p->domain;
	noted->host = p->host;
	known_hosts_look_up(m, p, now_s, &noted->known);
	m->noted_count++;
}

void
known_hosts_leave(struct known_hosts *m, known_hosts_tell *tell, void *context)
{
	m->tell = tell;
	m->tell_context = context;
	store_close(&m->store);
}

bool
known_hosts_recall(struct known_hosts *m, const struct known_hosts_place *p,
    struct known_host *known)
{
	struct known_hosts_noted *noted = find_note(m, p);

	if (noted == NULL)
		return false;
	*known = noted->known;
	return true;
}

void
known_hosts_pass_on(struct known_hosts *m, const struct known_hosts_place *p,
    const struct known_hosts_lesson *lesson)
{
	struct known_hosts_noted *noted = find_note(m, p);

	if (m->stored && m->tell(m->tell_context, lesson) < 0)
		log_debug("cannot update known hosts: %s", strerror(errno));
	if (noted != NULL)
		noted->known.alerted = lesson->worked == 0;
}

static bool
is_key(const uint8_t *key, bool known, const uint8_t known_key[HOSTKEY_PUBLIC_LEN])
{
	return known && key != NULL && memcmp(key, known_key, HOSTKEY_PUBLIC_LEN) == 0;
}

/*
 * Whether an announced key may be stored.  It will be accepted as a host key later, so its
 * announcement must be signed, unless both keys are known already.
 */
static bool
is_announced(const struct known_host *known, const struct known_hosts_lesson *lesson)
{
	return (is_key(lesson->key, known->has_key, known->key) &&
	    is_key(lesson->next.public, known->has_next, known->next)) ||
	    hostkey_verify_next(&lesson->next, lesson->key);
}

/*
 * Whether a sound session can have learned this: where a key is established or pinned, it never
 * reports a success with another key.
 */
static bool
is_sound(struct known_hosts *m, const struct known_hosts_place *p, int64_t now_s,
    const struct known_hosts_lesson *lesson, const uint8_t *key)
{
	struct known_host known;

	if (lesson->worked > 1 || lesson->has_key > 1 || lesson->has_next > lesson->has_key)
		return false;
	known_hosts_look_up(m, p, now_s, &known);
	if (lesson->has_next && !is_announced(&known, lesson))
		return false;
	return lesson->worked == 0 || !(known.has_key || known.has_pin) ||
	    is_key(key, known.has_key, known.key) || is_key(key, known.has_next, known.next) ||
	    is_key(key, known.has_pin, known.pin);
}

int
known_hosts_learn(struct known_hosts *m, const struct known_hosts_place *p, int64_t now_s,
    const struct known_hosts_lesson *lesson)
{
	const uint8_t *key = lesson->has_key ? lesson->key : NULL;

	if (!is_sound(m, p, now_s, lesson, key)) {
		log_line(LOG_ERR,
		    "rejected what a session reports of %.200s: not the established host key, "
		    "or an unsigned announcement of the next one",
		    p->host);
		errno = EPERM;
		return -1;
	}
	if (lesson->worked)
		known_hosts_worked(m, p, now_s, lesson->version, key,
		    lesson->has_next ? &lesson->next : NULL);
	else
		known_hosts_alerted(m, p, now_s);
	return 0;
}
