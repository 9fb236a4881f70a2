/*
 * Settings once more: their policies are the only memory that they allocate, and both programs
 * keep it until they exit.
 */
#ifndef TEST_POLICIES_H
#define TEST_POLICIES_H

#include "sys/settings.h"

#include <stdlib.h>

static inline void
free_policies(struct settings *s)
{
	while (s->policies != NULL) {
		struct settings_policy *next = s->policies->next;

		free(s->policies);
		s->policies = next;
	}
}

#endif
