/*
 * blackponyd -t: does what a session would do, and asks the backend whether it relays for
 * strangers.
 */
#ifndef SERVER_SELF_TEST_H
#define SERVER_SELF_TEST_H

#include "server/serve.h"

/*
 * Tests settings, user, backend, cache and host key, and prints what it finds.  `argv` is the
 * backend's program, or empty.  Returns the exit status: 1 also if the backend relays for
 * strangers.
 */
int self_test(struct server *s, char *const argv[]);

#endif
