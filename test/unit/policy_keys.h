/* Host keys for the tests of the policy: three that differ. */
#ifndef TEST_POLICY_KEYS_H
#define TEST_POLICY_KEYS_H

#include "crypt/hostkey.h"

#include <string.h>

enum { SHOWN, OTHER, ANOTHER, POLICY_KEYS };

static uint8_t keys[POLICY_KEYS][HOSTKEY_PUBLIC_LEN];

/* A group set-up of cmocka. */
static inline int
make_keys(void **state)
{
	struct hostkey key;

	(void)state;
	for (int i = 0; i < POLICY_KEYS; i++) {
		if (hostkey_make(&key) < 0)
			return -1;
		memcpy(keys[i], key.public, sizeof(keys[i]));
	}
	return 0;
}

#endif
