/* Known hosts of a session without files, and how a process outside stores what it learns. */
#include "known_hosts_fixture.h"

#include <errno.h>

static struct known_hosts_lesson alerted[4];
static size_t told_count;

static int
tell(void *context, const struct known_hosts_lesson *lesson)
{
	assert_ptr_equal(context, &m);
	assert_true(told_count < 4);
	alerted[told_count++] = *lesson;
	return 0;
}

static void
leave(int64_t now_s)
{
	told_count = 0;
	known_hosts_note(&m, &b, now_s);
	known_hosts_note(&m, &b, now_s);
	assert_int_equal(m.noted_count, 1);
	known_hosts_leave(&m, tell, &m);
}

/* statement 39: and it has no descriptor for writing */
static void
threat_39_a_session_knows_what_was_noted(void **state)
{
	static const struct known_hosts_place elsewhere = { "c.example", "mx.c.example", one_host,
		1 };

	(void)state;
	worked(T, k1, k2);
	worked(T + DAY, k1, k2);
	known_hosts_worked(&m, &elsewhere, T, 20, k3, NULL);
	leave(T + DAY);
	assert_true(m.store.dirfd < 0 && m.store.cdbfd < 0 && m.store.journalfd < 0);
	struct known_host known = look_at(&b, T + DAY);
	assert_int_equal(known.standing, KNOWN_ESTABLISHED);
	assert_true(known.has_key && known.has_next && known_hosts_complete(&m));
	assert_memory_equal(known.key, k1, sizeof(k1));
	assert_int_equal(look_at(&elsewhere, T).standing, KNOWN_NEW);
}

/* Makes keys and a lesson in which the host shows one and announces the other, signed. */
static struct hostkey
announce(struct known_hosts_lesson *lesson)
{
	static const uint8_t short_key[HOSTKEY_SHORT_LEN] = { 1 };
	struct hostkey key, next;

	assert_int_equal(hostkey_make(&key) | hostkey_make(&next), 0);
	*lesson = (struct known_hosts_lesson){ .worked = 1, .version = 20, .has_key = 1, .has_next = 1 };
	memcpy(lesson->key, key.public, sizeof(lesson->key));
	assert_int_equal(hostkey_sign_next(&lesson->next, &key, short_key, T + 3600, next.public), 0);
	return key;
}

static void
what_it_learns_is_handed_on(void **state)
{
	(void)state;
	leave(T);
	worked(T, k1, NULL);
	worked(T, k1, k2);
	worked(T, NULL, NULL);
	assert_false(look_at(&b, T).alerted);
	known_hosts_alerted(&m, &b, T);
	assert_true(look_at(&b, T).alerted);
	assert_int_equal(told_count, 4);
	assert_true(alerted[0].worked && alerted[0].has_key && !alerted[0].has_next &&
	    alerted[0].version == 20);
	assert_memory_equal(alerted[0].key, k1, sizeof(k1));
	assert_true(alerted[1].has_next);
	assert_memory_equal(alerted[1].next.public, k2, sizeof(k2));
	assert_true(alerted[2].worked && !alerted[2].has_key);
	assert_false(alerted[3].worked);
	/* and the process outside stores it */
	open_again(T);
	announce(&alerted[1]);
	assert_int_equal(known_hosts_learn(&m, &b, T, &alerted[1]), 0);
	assert_int_equal(known_hosts_learn(&m, &b, T + DAY, &alerted[1]), 0);
	struct known_host known = look_at(&b, T + DAY);
	assert_true(known.standing == KNOWN_ESTABLISHED && known.has_key && known.has_next);
	assert_int_equal(known_hosts_learn(&m, &b, T + DAY, &alerted[3]), 0);
	assert_true(look_at(&b, T + DAY).alerted);
}

/* statement 39: a hostile session cannot replace an established key */
static void
threat_39_an_established_key_stays(void **state)
{
	struct known_hosts_lesson lesson = { .worked = 1, .version = 20, .has_key = 1 };

	(void)state;
	worked(T, k1, k2);
	worked(T + DAY, k1, k2);
	memcpy(lesson.key, k3, sizeof(k3));
	assert_int_equal(known_hosts_learn(&m, &b, T + DAY, &lesson), -1);
	assert_int_equal(errno, EPERM);
	lesson.has_key = 0;
	assert_int_equal(known_hosts_learn(&m, &b, T + DAY, &lesson), -1);
	assert_memory_equal(look_at(&b, T + DAY).key, k1, sizeof(k1));
	/* an announced key can replace it */
	lesson.has_key = 1;
	memcpy(lesson.key, k2, sizeof(k2));
	assert_int_equal(known_hosts_learn(&m, &b, T + DAY, &lesson), 0);
	assert_memory_equal(look_at(&b, T + DAY).key, k2, sizeof(k2));
	/* if a key is pinned, no other is accepted */
	assert_int_equal(known_hosts_pin(&m, HOST, k3, T + DAY), 0);
	assert_int_equal(known_hosts_learn(&m, &b, T + DAY, &lesson), -1);
	memcpy(lesson.key, k3, sizeof(k3));
	assert_int_equal(known_hosts_learn(&m, &b, T + DAY, &lesson), 0);
}

/* statement 39: nor can it announce a key, which would be accepted later */
static void
threat_39_a_successor_is_signed(void **state)
{
	struct known_hosts_lesson lesson, forged;
	struct hostkey other;
	struct hostkey key = announce(&lesson);

	(void)state;
	other = announce(&forged);
	memcpy(forged.key, key.public, sizeof(forged.key));
	/* for a new host, an established one, and one that has announced a key already */
	assert_int_equal(known_hosts_learn(&m, &b, T, &forged), -1);
	assert_int_equal(errno, EPERM);
	worked(T, key.public, NULL);
	worked(T + DAY, key.public, NULL);
	assert_int_equal(known_hosts_learn(&m, &b, T + DAY, &forged), -1);
	assert_int_equal(known_hosts_learn(&m, &b, T + DAY, &lesson), 0);
	assert_int_equal(known_hosts_learn(&m, &b, T + DAY, &forged), -1);
	assert_memory_equal(look_at(&b, T + DAY).next, lesson.next.public, HOSTKEY_PUBLIC_LEN);
	/* a known announcement needs no signature, but only with the key that announced it */
	memset(lesson.next.signature, 0, sizeof(lesson.next.signature));
	assert_int_equal(known_hosts_learn(&m, &b, T + DAY, &lesson), 0);
	memcpy(lesson.key, other.public, sizeof(lesson.key));
	assert_int_equal(known_hosts_learn(&m, &b, T + DAY, &lesson), -1);
}

static void
nonsense_is_refused(void **state)
{
	static const struct known_hosts_lesson nonsense[] = {
		{ .worked = 2 },
		{ .worked = 1, .has_key = 2 },
		{ .worked = 1, .has_key = 0, .has_next = 1 },
		{ .worked = 1, .has_key = 1, .has_next = 255 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++)
		assert_int_equal(known_hosts_learn(&m, &b, T, &nonsense[i]), -1);
	assert_int_equal(standing(T), KNOWN_NEW);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(threat_39_a_session_knows_what_was_noted),
		TEST(what_it_learns_is_handed_on),
		TEST(threat_39_an_established_key_stays),
		TEST(threat_39_a_successor_is_signed),
		TEST(nonsense_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
