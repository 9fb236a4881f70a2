/*
 * IPv4 and IPv6 addresses, each with a port.
 *
 * Every address has exactly one form: the functions below turn an IPv4-mapped IPv6 address (RFC
 * 4291 section 2.5.5.2) into the IPv4 address, and no other code writes into a struct address.
 * Two addresses of the same host therefore always compare equal.
 */
#ifndef SYS_ADDRESS_H
#define SYS_ADDRESS_H

#include "base/span.h"

#include <sys/socket.h>

/* Octets for the text of an address, "192.0.2.1" or "2001:db8::1", with its NUL. */
#define ADDRESS_TEXT_MAX 64

struct address {
	socklen_t len;			/* octets of `at` in use; 0: no address (not a TCP socket) */
	struct sockaddr_storage at;
};

/*
 * Makes an address from 4 or 16 octets in network order.  With any other number of octets, len
 * becomes 0.
 */
void address_make(struct address *out, struct span octets, uint16_t port);
/*
 * Makes an address from a struct sockaddr of `len` octets as the kernel and libc return it.  len
 * becomes 0 if that is neither IPv4 nor IPv6, or too short.
 */
void address_from(struct address *out, const void *sockaddr, socklen_t len);
/* Reads a numeric address.  0, or -1 if `text` is not an address; `*out` is unchanged then. */
int address_read(struct address *out, struct span text, uint16_t port);
/*
 * The family an address is written in, AF_INET or AF_INET6: "::ffff:192.0.2.1" is written as
 * AF_INET6.
 */
int address_written_family(struct span text);
/*
 * Turns `a` into an address of `family`, for protocols that need both ends of a connection in one
 * family.  IPv4 becomes 64:ff9b::192.0.2.1 (RFC 6052); IPv6 becomes 192.0.0.8, the IPv4 dummy
 * address (RFC 7600).
 */
void address_join_family(struct address *a, int family);

/* The text of an address; "" if len is 0. */
void address_text(const struct address *a, char out[ADDRESS_TEXT_MAX]);
/* The port in host order; 0 if len is 0. */
uint16_t address_port(const struct address *a);
/* AF_INET, AF_INET6, or AF_UNSPEC if len is 0. */
int address_family(const struct address *a);
/* The 4 or 16 octets of an address in network order, inside `*a`; an empty span if len is 0. */
struct span address_octets(const struct address *a);

/* True if both have the same family and the same first `bits` bits. */
bool address_same_network(const struct address *a, const struct address *b, unsigned bits);
/* True if both name the same host; ports are ignored. */
bool address_same_host(const struct address *a, const struct address *b);
/* 127.0.0.0/8 or ::1. */
bool address_is_loopback(const struct address *a);
/* 0.0.0.0 or ::, which connect(2) takes for this host as well. */
bool address_is_unspecified(const struct address *a);

#endif
