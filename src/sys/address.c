#include "sys/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

/*
 * The 12 octets before an IPv4 address that is written as IPv6 (RFC 4291 section 2.5.5.2; RFC 6052
 * section 2.1).
 */
static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
static const uint8_t translated[12] = { 0x00, 0x64, 0xff, 0x9b };

void
address_make(struct address *out, struct span octets, uint16_t port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	*out = (struct address){ .len = 0 };
	if (octets.len == 16 && memcmp(octets.at, mapped, sizeof(mapped)) == 0)
		octets = span_from(octets, sizeof(mapped));
	if (octets.len == 4) {
		memcpy(&in.sin_addr, octets.at, octets.len);
		memcpy(&out->at, &in, sizeof(in));
		out->len = sizeof(in);
	} else if (octets.len == 16) {
		memcpy(&in6.sin6_addr, octets.at, octets.len);
		memcpy(&out->at, &in6, sizeof(in6));
		out->len = sizeof(in6);
	}
}

void
address_from(struct address *out, const void *sockaddr, socklen_t len)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	sa_family_t family = AF_UNSPEC;

	*out = (struct address){ .len = 0 };
	if (len >= sizeof(struct sockaddr))
		family = ((const struct sockaddr *)sockaddr)->sa_family;
	if (family == AF_INET && len >= sizeof(in)) {
		memcpy(&in, sockaddr, sizeof(in));
		address_make(out, span(&in.sin_addr, 4), ntohs(in.sin_port));
	} else if (family == AF_INET6 && len >= sizeof(in6)) {
		memcpy(&in6, sockaddr, sizeof(in6));
		address_make(out, span(&in6.sin6_addr, 16), ntohs(in6.sin6_port));
		if (address_family(out) == AF_INET6)
			memcpy(&out->at, &in6, sizeof(in6));	/* keeps the scope ID */
	}
}

void
address_join_family(struct address *a, int family)
{
	static const uint8_t dummy[4] = { 192, 0, 0, 8 };	/* RFC 7600 section 6 */
	uint8_t octets[16];

	if (address_family(a) == AF_INET && family == AF_INET6) {
		memcpy(octets, translated, sizeof(translated));
		memcpy(octets + sizeof(translated), address_octets(a).at, 4);
		address_make(a, span(octets, sizeof(octets)), address_port(a));
	} else if (address_family(a) == AF_INET6 && family == AF_INET) {
		address_make(a, span(dummy, sizeof(dummy)), address_port(a));
	}
}

struct span
address_octets(const struct address *a)
{
	const struct sockaddr_in *in = (const void *)&a->at;
	const struct sockaddr_in6 *in6 = (const void *)&a->at;

	if (a->at.ss_family == AF_INET)
		return span(&in->sin_addr, 4);
	if (a->at.ss_family != AF_INET6)
		return span(NULL, 0);
	return span(&in6->sin6_addr, 16);
}

bool
address_same_network(const struct address *a, const struct address *b, unsigned bits)
{
	struct span x = address_octets(a), y = address_octets(b);
	unsigned whole = bits / 8, rest = bits % 8;

	if (x.len == 0 || x.len != y.len || bits > 8 * x.len || memcmp(x.at, y.at, whole) != 0)
		return false;
	return rest == 0 || (x.at[whole] ^ y.at[whole]) >> (8 - rest) == 0;
}

void
address_text(const struct address *a, char out[ADDRESS_TEXT_MAX])
{
	int family = address_family(a);

	out[0] = '\0';
	if (a->len > 0 && family != AF_UNSPEC)
		inet_ntop(family, address_octets(a).at, out, ADDRESS_TEXT_MAX);
}

uint16_t
address_port(const struct address *a)
{
	if (a->len == 0 || address_family(a) == AF_UNSPEC)
		return 0;
	if (a->at.ss_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)(const void *)&a->at)->sin_port);
	return ntohs(((const struct sockaddr_in6 *)(const void *)&a->at)->sin6_port);
}

int
address_family(const struct address *a)
{
	switch (address_octets(a).len) {
	case 4:
		return AF_INET;
	case 16:
		return AF_INET6;
	default:
		return AF_UNSPEC;
	}
}

bool
address_is_loopback(const struct address *a)
{
	struct span octets = address_octets(a);

	if (octets.len == 4)
		return octets.at[0] == 127;
	return octets.len == 16 && memcmp(octets.at, &in6addr_loopback, 16) == 0;
}

bool
address_is_unspecified(const struct address *a)
{
	struct span octets = address_octets(a);

	return octets.len > 0 && memcmp(octets.at, &in6addr_any, octets.len) == 0;
}

bool
address_same_host(const struct address *a, const struct address *b)
{
	return address_octets(a).len > 0 && span_equal(address_octets(a), address_octets(b));
}

int
address_read(struct address *out, struct span text, uint16_t port)
{
	char copy[ADDRESS_TEXT_MAX];
	uint8_t octets[16];

	if (text.len == 0 || text.len >= sizeof(copy) || span_find(text, '\0') < text.len)
		return -1;
	memcpy(copy, text.at, text.len);
	copy[text.len] = '\0';
	if (inet_pton(AF_INET, copy, octets) == 1)
		address_make(out, span(octets, 4), port);
	else if (inet_pton(AF_INET6, copy, octets) == 1)
		address_make(out, span(octets, 16), port);
	else
		return -1;
	return 0;
}

int
address_written_family(struct span text)
{
	return span_find(text, ':') < text.len ? AF_INET6 : AF_INET;
}
