/* For connections in a network namespace: addresses of both ends, and what must not change. */
#ifndef TEST_NAMESPACES_H
#define TEST_NAMESPACES_H

#include "addresses.h"
#include "children.h"
#include "descriptors.h"
#include "sys/fd.h"
#include "sys/netns.h"

#include <errno.h>

static struct address client, server;	/* for tests where the addresses do not matter */

static inline int
name_both(void **state)
{
	(void)state;
	client = address("198.51.100.77", 40025);
	server = address("192.0.2.1", 25);
	return 0;
}

/* Whether it is that address of that family; an IPv4-mapped address counts as IPv4. */
static inline bool
is_address(const struct address *a, const char *want, uint16_t port)
{
	char text[ADDRESS_TEXT_MAX];

	address_text(a, text);
	return strcmp(text, want) == 0 && address_port(a) == port &&
	    a->at.ss_family == address_family(a);
}

static inline bool
peer_is(int fd, const char *want, uint16_t port)
{
	struct address peer;

	fd_peer(fd, &peer);
	return is_address(&peer, want, port);
}

static inline bool
own_is(int fd, const char *want, uint16_t port)
{
	struct address own;

	fd_own(fd, &own);
	return is_address(&own, want, port);
}

static inline ssize_t
namespace_name(const char *kind, char out[64])
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/ns/%s", kind);
	memset(out, 0, 64);
	return readlink(path, out, 63);
}

#endif
