/* Addresses from text, and sockets bound to them; also for use in a child. */
#ifndef TEST_ADDRESSES_H
#define TEST_ADDRESSES_H

#include "sys/address.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static inline struct address
address(const char *text, uint16_t port)
{
	struct address a = { .len = 0 };

	if (address_read(&a, span_of(text), port) < 0)
		abort();
	return a;
}

/* A TCP socket bound to that address, with any port; -1 if this host has no such address. */
static inline int
bound_to(const char *text)
{
	struct address a = address(text, 0);
	int fd = socket(a.at.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		abort();
	if (bind(fd, (struct sockaddr *)&a.at, a.len) == 0)
		return fd;
	close(fd);
	return -1;
}

#endif
