/* A backend, the settings that select it, and a client. */
#ifndef TEST_MAILERS_H
#define TEST_MAILERS_H

#include "unit.h"

#include "addresses.h"
#include "children.h"
#include "policies.h"
#include "server/backend.h"

#include <errno.h>

#define PATIENCE_MS 10000
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct backend m;
static struct settings s;
static char *const no_program[] = { NULL };

static inline int
prepare(void **state)
{
	(void)state;
	memset(&m, 0, sizeof(m));
	settings_defaults(&s);
	s.connect_timeout_ms = PATIENCE_MS;
	return 0;
}

static inline int
release(void **state)
{
	(void)state;
	free_policies(&s);
	return 0;
}

static inline void
set(const char *assignment)
{
	if (settings_option(&s, assignment) < 0)
		fail_msg("%s", s.error);
}

/* A client at port 40025 and our end at port 25; also for use in a child. */
static inline struct client_info
client(const char *remote, const char *local)
{
	return (struct client_info){ .remote = address(remote, 40025),
		.local = address(local, 25) };
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, prepare, release)

#endif
