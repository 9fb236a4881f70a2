/* Looking up keys in a constant database: the same results as libcdb's, with few reads. */
#include "scratch.h"
#include "unit.h"

#include "store/cdb_look.h"
#include "store/entry.h"

#include <cdb.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define MANY 20000
#define COLLIDING 4000

static int fd;

/* Makes a database of the keys returned by `next`. */
static void
make(unsigned count, unsigned (*next)(unsigned number))
{
	struct cdb_make cdb;

	fd = open(scratch_path("cdb"), O_RDWR | O_CREAT | O_TRUNC, 0600);
	assert_int_equal(cdb_make_start(&cdb, fd), 0);
	for (unsigned i = 0, key = 0; i < count; i++) {
		key = next(key);
		assert_int_equal(cdb_make_add(&cdb, &key, sizeof(key), &i, sizeof(i)), 0);
	}
	assert_int_equal(cdb_make_finish(&cdb), 0);
}

static int
look(unsigned key, unsigned *value)
{
	size_t len = 0;
	int found = cdb_look(fd, span((uint8_t *)&key, sizeof(key)), (uint8_t *)value,
	    sizeof(*value), &len);

	assert_true(found <= 0 || len == sizeof(*value));
	return found;
}

static unsigned
by_one(unsigned key)
{
	return key + 1;
}

static void
finds_what_is_there(void **state)
{
	unsigned value;

	(void)state;
	make(MANY, by_one);
	for (unsigned key = 1; key <= MANY; key++) {
		assert_int_equal(look(key, &value), 1);
		assert_int_equal(value, key - 1);
	}
	for (unsigned key = MANY + 1; key < 2 * MANY; key++)
		assert_int_equal(look(key, &value), 0);
	uint8_t small[3];
	size_t len;
	unsigned one = 1;
	assert_int_equal(cdb_look(fd, span((uint8_t *)&one, 4), small, sizeof(small), &len), -1);
	assert_int_equal(errno, EBADMSG);
	close(fd);
	make(0, by_one);
	assert_int_equal(look(1, &value), 0);
	close(fd);
}

/* The next key whose slot, in a table of 2 * COLLIDING slots, is one of a few. */
static unsigned
next_in_one_place(unsigned key)
{
	unsigned hash;

	do {
		key++;
		hash = cdb_hash(&key, sizeof(key));
	} while (hash % 256 != 7 || (hash >> 8) % (2 * COLLIDING) >= COLLIDING / 16);
	return key;
}

/* statement 39: colliding keys cost other processes no time */
static void
threat_39_keys_in_one_place(void **state)
{
	unsigned value, key = 0, found = 0;

	(void)state;
	make(COLLIDING, next_in_one_place);
	for (int i = 0; i < 1000; i++) {
		key = next_in_one_place(key);
		int result = look(key, &value);

		found += result == 1;
		assert_true(result == 1 || (result < 0 && errno == EBADMSG));
	}
	assert_true(found >= 300 && found < 1000);
	close(fd);
}

static void
what_is_none(void **state)
{
	uint8_t octets[4096];
	unsigned value;

	(void)state;
	memset(octets, 0xff, sizeof(octets));
	for (size_t len = 0; len <= sizeof(octets); len += 512) {
		scratch_write("cdb", octets, len);
		fd = open(scratch_path("cdb"), O_RDONLY);
		assert_int_equal(look(1, &value), -1);
		assert_int_equal(errno, EBADMSG);
		close(fd);
	}
	fd = -1;
	assert_int_equal(look(1, &value), -1);
	assert_int_equal(errno, EBADF);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(finds_what_is_there),
		TEST(threat_39_keys_in_one_place),
		TEST(what_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
