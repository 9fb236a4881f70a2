/*
 * The table of suites.  Each row is a name, a key exchange and a cipher.
 */
#ifndef CRYPT_SUITE_H
#define CRYPT_SUITE_H

#include "crypt/kex.h"

#define SUITE_MAX 16		/* suites in a list */
#define SUITE_NAME_MAX 32	/* characters of a name */

struct suite {
	const char *name;		/* as on the wire */
	const struct kex *kex;
	const struct cipher *cipher;
	const char *standing;		/* for people: "default", "historic" or "by hand" */
};

/* All suites built in, newest version first, ended by a row without a name. */
extern const struct suite suite_table[];

/* The suite with that name (case-sensitive); NULL when it is not built in. */
const struct suite *suite_find(struct span name);

/* Completes the message "suite `name` ...": why the name was not accepted. */
const char *suite_why_not(struct span name);

struct suite_list {
	const struct suite *at[SUITE_MAX];
	size_t count;
};

/*
 * Reads names separated by blanks.  Returns 0, or -1 with `*culprit` set to the name that is
 * unknown, listed twice, or one too many.
 */
int suite_list_read(struct suite_list *list, struct span names, struct span *culprit);

bool suite_list_has(const struct suite_list *list, const struct suite *suite);

/* Server: moves suites that are slow on this processor after the others of their version. */
void suite_list_fast_first(struct suite_list *list);

/* The newest XCRYPT version (struct kex) among the suites; 0 for an empty list. */
unsigned suite_list_newest(const struct suite_list *list);

/*
 * The client's choice (xcrypt(7), THE DIALOGUE): of the names in `offered`, which are separated by
 * single blanks and in the server's order of preference, the first one of the newest version that
 * `accepted` contains.  NULL: none.
 */
const struct suite *suite_choose(const struct suite_list *accepted, struct span offered);

#endif
