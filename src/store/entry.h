/*
 * An entry of a store: a key, and a value sealed to that key by a check in front of it.
 *
 * The check finds out accidents: files torn, mixed or damaged.  Somebody who can write these files
 * could as well read the secrets in them, and is not kept out by it.
 */
#ifndef STORE_ENTRY_H
#define STORE_ENTRY_H

#include "base/octets.h"

#define ENTRY_KEY_MAX 640	/* octets; at least 1 */
#define ENTRY_VALUE_MAX 1600
#define ENTRY_CHECK_LEN 8	/* the first octets of SHA-256(key length, key, value) */
#define ENTRY_SEALED_MAX (ENTRY_CHECK_LEN + ENTRY_VALUE_MAX)

struct entry {
	struct span key;
	struct span sealed;	/* check, value */
};

/* Are these lengths that a key and a sealed value can have? */
bool entry_plausible(size_t key_len, size_t sealed_len);

/* The check of a value under a key. */
void entry_check(uint8_t check[ENTRY_CHECK_LEN], struct span key, struct span value);

/* Takes the value out of `sealed`, into which it points.  False when the check is not its own. */
bool entry_open(struct span *value, struct span key, struct span sealed);

#endif
