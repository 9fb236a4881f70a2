/*
 * The suites: each is one row of one table, a name, an exchange and a cipher.
 */
#ifndef CRYPT_SUITE_H
#define CRYPT_SUITE_H

#include "crypt/kex.h"

#define SUITE_MAX 16		/* in a list */
#define SUITE_NAME_MAX 32	/* characters of a name */

struct suite {
	const char *name;		/* as on the wire */
	const struct kex *kex;
	const struct cipher *cipher;
	const char *standing;		/* "default", "historic" or "by hand" */
};

/* Every suite built in, ended by a row without a name; newest first. */
extern const struct suite suite_table[];

/* The suite of that name, in exactly these letters; NULL when it is not built in. */
const struct suite *suite_find(struct span name);

/* Why there is none of that name, for who has asked for it: "is not built in", or what is known. */
const char *suite_why_not(struct span name);

struct suite_list {
	const struct suite *at[SUITE_MAX];
	size_t count;
};

/*
 * Reads names separated by blanks.  Returns 0, or -1 with `*culprit` at the name that is unknown,
 * there twice, or one more than fits.
 */
int suite_list_read(struct suite_list *list, struct span names, struct span *culprit);

bool suite_list_has(const struct suite_list *list, const struct suite *suite);

/* The newest XCRYPT version (struct kex) among the suites; 0 for an empty list. */
unsigned suite_list_newest(const struct suite_list *list);

/*
 * The client's choice (xcrypt.7, "Choosing"): of the names in `offered`, separated by single
 * blanks and in the server's order, the first of the highest generation that is in `accepted`.  NULL:
 * none.
 */
const struct suite *suite_choose(const struct suite_list *accepted, struct span offered);

#endif
