/*
 * A file of known answers: lines `name = value` in sections `[name]`; # begins a comment.  A
 * value counts as asserted when a test has read it.
 */
#ifndef TEST_VECTOR_FILES_H
#define TEST_VECTOR_FILES_H

#include "unit.h"

#include "base/octets.h"

#define VECTORS_LINES 256
#define VECTORS_VALUE 4864	/* characters; an ML-KEM-768 decapsulation key has 4800 digits */

static struct {
	char section[48], name[32], value[VECTORS_VALUE];
	bool asserted;
} vectors[VECTORS_LINES];
static size_t vectors_count;

/* Reads `name` of test/vectors.  To be called once, before the other functions. */
static inline void
vectors_read(const char *name)
{
	static char line[VECTORS_VALUE + 64];
	char path[512], section[48] = "";
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", TEST_VECTORS, name);
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		size_t len = strcspn(line, "\n");

		assert_int_equal(line[len], '\n');	/* or it was too long */
		line[len] = '\0';
		if (line[0] == '\0' || line[0] == '#' || sscanf(line, "[%47[^]]]", section) == 1)
			continue;
		char *value = strstr(line, " = ");
		assert_true(value != NULL && vectors_count < VECTORS_LINES);
		*value = '\0';
		assert_true(strlen(line) < sizeof(vectors[0].name));
		strcpy(vectors[vectors_count].section, section);
		strcpy(vectors[vectors_count].name, line);
		strcpy(vectors[vectors_count++].value, value + 3);
	}
	fclose(f);
}

/* The value of that name in that section.  False: none. */
static inline bool
vectors_find(const char *section, const char *name, struct span *value)
{
	for (size_t i = 0; i < vectors_count; i++)
		if (strcmp(vectors[i].section, section) == 0 && strcmp(vectors[i].name, name) == 0) {
			vectors[i].asserted = true;
			*value = span_of(vectors[i].value);
			return true;
		}
	return false;
}

static inline struct span
vectors_text(const char *section, const char *name)
{
	struct span value = span(NULL, 0);

	if (!vectors_find(section, name, &value))
		fail_msg("[%s] %s is missing", section, name);
	return value;
}

/* The octets of a hex value, at most `room`.  Returns their number. */
static inline size_t
vectors_octets(uint8_t *out, size_t room, const char *section, const char *name)
{
	struct span text = vectors_text(section, name);

	assert_true(text.len / 2 <= room);
	assert_true(octets_from_hex(out, text.len / 2, text));
	return text.len / 2;
}

static inline void
vectors_assert(const char *section, const char *name, const void *octets, size_t len)
{
	uint8_t expected[VECTORS_VALUE / 2];

	assert_int_equal(vectors_octets(expected, sizeof(expected), section, name), len);
	assert_memory_equal(octets, expected, len);
}

/* Asserts that all values in the sections selected by `mine` were read.  Returns their number. */
static inline size_t
vectors_assert_all(bool (*mine)(const char *section))
{
	size_t count = 0;

	for (size_t i = 0; i < vectors_count; i++) {
		if (!mine(vectors[i].section))
			continue;
		count++;
		if (!vectors[i].asserted)
			fail_msg("[%s] %s is asserted nowhere", vectors[i].section, vectors[i].name);
	}
	return count;
}

#endif
