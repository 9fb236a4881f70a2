/*
 * An entry of a store: a key, and a value with a check in front of it that also covers the key.
 *
 * The check detects accidents (torn, mixed or damaged files), not attacks: anyone who can write
 * these files can also read the secrets in them.
 */
#ifndef STORE_ENTRY_H
#define STORE_ENTRY_H

#include "base/span.h"

#define ENTRY_KEY_MAX 640	/* octets of a key; at least 1 */
#define ENTRY_VALUE_MAX 1600
#define ENTRY_CHECK_LEN 8	/* the first octets of SHA-256(key length, key, value) */
#define ENTRY_SEALED_MAX (ENTRY_CHECK_LEN + ENTRY_VALUE_MAX)

struct entry {
	struct span key;
	struct span sealed;	/* check, then value */
};

/* Whether a key and a sealed value can have these lengths. */
bool entry_plausible(size_t key_len, size_t sealed_len);

/* Computes the check of a value under a key. */
void entry_check(uint8_t check[ENTRY_CHECK_LEN], struct span key, struct span value);

/* Sets `*value` to the part of `sealed` after the check.  False when the check does not match. */
bool entry_open(struct span *value, struct span key, struct span sealed);

#endif
