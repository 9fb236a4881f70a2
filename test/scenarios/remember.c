/*
 * remember FOLDER DOMAIN HOST SECONDS [KEY [NEXT]]: what a success of generation 2.0 so many seconds
 * ago would have left in the memory, without waiting for it to be so long ago.  `-` is no host key.
 */
#include "base/clock.h"
#include "store/known_hosts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t *
key(uint8_t public[HOSTKEY_PUBLIC_LEN], const char *text)
{
	if (text == NULL || strcmp(text, "-") == 0)
		return NULL;
	if (!hostkey_get_public(public, span_of(text))) {
		fprintf(stderr, "remember: %s is no host key\n", text);
		exit(1);
	}
	return public;
}

int
main(int argc, char *argv[])
{
	uint8_t host_key[HOSTKEY_PUBLIC_LEN];
	struct hostkey_next next;
	struct known_hosts known_hosts;

	if (argc < 5 || argc > 7) {
		fprintf(stderr, "usage: remember FOLDER DOMAIN HOST SECONDS [KEY [NEXT]]\n");
		return 1;
	}
	int64_t then_s = clock_wall_s() - atoll(argv[4]);
	const char *const hosts[] = { argv[3] };
	const struct known_hosts_place place = { argv[2], argv[3], hosts, 1 };

	known_hosts_open(&known_hosts, argv[1], then_s);
	known_hosts_worked(&known_hosts, &place, then_s, 20,
	    key(host_key, argc > 5 ? argv[5] : NULL),
	    key(next.public, argc > 6 ? argv[6] : NULL) != NULL ? &next : NULL);
	bool stored = known_hosts_complete(&known_hosts);
	known_hosts_close(&known_hosts);
	return stored ? 0 : 1;
}
