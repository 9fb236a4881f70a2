/* PROXY headers of both versions: parsing and writing. */
#include "unit.h"

#include "base/octets.h"
#include "sys/proxy.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define V1 "PROXY TCP4 198.51.100.77 192.0.2.1 40025 25\r\n"
/* the same header in version 2: addresses, then ports */
#define V2_HEAD SIGNATURE "\x21\x11\0\x0c"
#define V2_BODY "\xc6\x33\x64\x4d\xc0\0\x02\x01\x9c\x59\0\x19"
#define V2 V2_HEAD V2_BODY
#define V2_SIX SIGNATURE "\x21\x21\0\x24" \
	"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x09" "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01" \
	"\x9c\x59\0\x19"

static struct address remote, local;
static size_t used;

static struct address
at(const char *text, uint16_t port)
{
	struct address a;

	assert_int_equal(address_read(&a, span_of(text), port), 0);
	return a;
}

static void
assert_address(const struct address *a, const char *text, uint16_t port)
{
	char got[ADDRESS_TEXT_MAX];

	address_text(a, got);
	assert_string_equal(got, text);
	assert_int_equal(address_port(a), port);
}

/* Parses a copy in a block of exactly its size, so that a sanitizer reports an overrun. */
static enum proxy
reads(struct span s)
{
	uint8_t *copy = s.len > 0 ? test_malloc(s.len) : NULL;
	enum proxy result;

	if (s.len > 0)
		memcpy(copy, s.at, s.len);
	memset(&remote, 0, sizeof(remote));
	memset(&local, 0, sizeof(local));
	result = proxy_read(span(copy, s.len), &remote, &local, &used);
	test_free(copy);
	return result;
}

static void
is_bad(struct span s)
{
	if (reads(s) != PROXY_BAD)
		fail_msg("not bad: %.*s", (int)s.len, (const char *)s.at);
}

/*
 * Asserts the result with and without text after it; every prefix is incomplete and belongs to
 * it.
 */
static void
is_header(struct span s, enum proxy what)
{
	uint8_t longer[PROXY_MAX + 5];

	for (size_t len = 0; len < s.len; len++) {
		assert_int_equal(reads(span(s.at, len)), PROXY_MORE);
		assert_int_equal(used, len);
	}
	memcpy(longer, s.at, s.len);
	memcpy(longer + s.len, "EHLO\n", 5);
	assert_int_equal(reads(span(longer, s.len + 5)), what);
	assert_int_equal(used, s.len);
	assert_int_equal(reads(s), what);
	assert_int_equal(used, s.len);
}

static void
version_1(void **state)
{
	(void)state;
	is_header(SPAN(V1), PROXY_GOOD);
	assert_address(&remote, "198.51.100.77", 40025);
	assert_address(&local, "192.0.2.1", 25);
	is_header(SPAN("PROXY TCP6 2001:db8::9 2001:DB8::1 65535 0\r\n"), PROXY_GOOD);
	assert_address(&remote, "2001:db8::9", 65535);
	assert_address(&local, "2001:db8::1", 0);
	is_header(SPAN("PROXY UNKNOWN\r\n"), PROXY_LOCAL);
	is_header(SPAN("PROXY UNKNOWN whatever it says  \r\n"), PROXY_LOCAL);
}

/* statement 16: malformed in each field */
static void
threat_16_malformed_version_1(void **state)
{
	static const char *const lines[] = {
		"PROXY \r\n", "PROXY TCP4\r\n", "PROXY TCP4 198.51.100.77\r\n",
		"PROXY TCP4 198.51.100.77 192.0.2.1\r\n",
		"PROXY TCP4 198.51.100.77 192.0.2.1 40025\r\n",
		"proxy TCP4 198.51.100.77 192.0.2.1 40025 25\r\n",
		" PROXY TCP4 198.51.100.77 192.0.2.1 40025 25\r\n",
		"PROXY  TCP4 198.51.100.77 192.0.2.1 40025 25\r\n",
		"PROXY\tTCP4 198.51.100.77 192.0.2.1 40025 25\r\n",
		"PROXY tcp4 198.51.100.77 192.0.2.1 40025 25\r\n",
		"PROXY TCP 198.51.100.77 192.0.2.1 40025 25\r\n",
		"PROXY UDP4 198.51.100.77 192.0.2.1 40025 25\r\n",
		"PROXY UNKNOWNS\r\n", "PROXY unknown\r\n",
		"PROXY TCP4  198.51.100.77 192.0.2.1 40025 25\r\n",
		"PROXY TCP4 198.51.100.77  192.0.2.1 40025 25\r\n",
		"PROXY TCP4 198.51.100.77 192.0.2.1  40025 25\r\n",
		"PROXY TCP4 198.51.100.77 192.0.2.1 40025  25\r\n",
		"PROXY TCP4 198.51.100.77 192.0.2.1 40025 25 \r\n",
		"PROXY TCP4 198.51.100.77 192.0.2.1 40025 25 x\r\n",
		"PROXY TCP4 198.51.100.77 192.0.2.1 40025 25\n",
		"PROXY TCP4 198.51.100.77 192.0.2.1 40025 25\r\r\n",
		"PROXY TCP4 198.51.100.256 192.0.2.1 40025 25\r\n",
		"PROXY TCP4 198.51.100 192.0.2.1 40025 25\r\n",
		"PROXY TCP4 198.51.100.077 192.0.2.1 40025 25\r\n",
		"PROXY TCP4 198.51.100.77 mx.b.example 40025 25\r\n",
		"PROXY TCP4 198.51.100.77 192.0.2.1 65536 25\r\n",
		"PROXY TCP4 198.51.100.77 192.0.2.1 40025 65536\r\n",
		"PROXY TCP4 198.51.100.77 192.0.2.1 -1 25\r\n",
		"PROXY TCP4 198.51.100.77 192.0.2.1 +1 25\r\n",
		"PROXY TCP4 198.51.100.77 192.0.2.1 040025 25\r\n",
		"PROXY TCP4 198.51.100.77 192.0.2.1 40025 00\r\n",
		"PROXY TCP4 198.51.100.77 192.0.2.1 0x99 25\r\n",
		"PROXY TCP4 2001:db8::9 2001:db8::1 40025 25\r\n",
		"PROXY TCP6 198.51.100.77 192.0.2.1 40025 25\r\n",
		"PROXY TCP6 2001:db8::9 192.0.2.1 40025 25\r\n",
		"PROXY TCP6 [2001:db8::9] 2001:db8::1 40025 25\r\n",
		"PROXY TCP6 2001:db8::9%lo 2001:db8::1 40025 25\r\n",
		"PROXY TCP6 2001:db8:::9 2001:db8::1 40025 25\r\n",
		"EHLO a.example\r\n", "\r\nEHLO a.example\r\n", "GET / HTTP/1.0\r\n",
		"P\r\n", "PROXY\r\n", "QUIT\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		is_bad(span_of(lines[i]));
	is_bad(SPAN("PROXY TCP4 198.51.100.77\0 192.0.2.1 40025 25\r\n"));
	is_bad(SPAN("PROXY TCP4 198.51.100.77 192.0.2.1 40025 25\0\r\n"));
}

/* statement 16: what cannot become a header is rejected before it is complete */
static void
threat_16_wrong_from_the_first_octet(void **state)
{
	static const char v2[] = SIGNATURE;

	(void)state;
	assert_int_equal(reads(span(NULL, 0)), PROXY_MORE);
	assert_int_equal(used, 0);
	for (unsigned octet = 0; octet < 256; octet++) {
		uint8_t first = (uint8_t)octet;

		assert_int_equal(reads(span(&first, 1)),
		    octet == 'P' || octet == '\r' ? PROXY_MORE : PROXY_BAD);
	}
	for (size_t len = 1; len <= 12; len++) {
		uint8_t s[12];

		memcpy(s, v2, len);
		s[len - 1] ^= 0x40;
		is_bad(span(s, len));
		if (len > 6)
			continue;
		memcpy(s, "PROXY ", len);
		s[len - 1] ^= 0x01;
		is_bad(span(s, len));
	}
}

/* statement 16: 107 octets are accepted, and 108 are too long */
static void
threat_16_length_of_version_1(void **state)
{
	char line[200];

	(void)state;
	for (size_t len = PROXY_V1_MAX; len <= PROXY_V1_MAX + 1; len++) {
		int pad = (int)len - (int)strlen("PROXY UNKNOWN \r\n");

		snprintf(line, sizeof(line), "PROXY UNKNOWN %0*d\r\n", pad, 0);
		assert_int_equal(strlen(line), len);
		assert_int_equal(reads(span_of(line)),
		    len <= PROXY_V1_MAX ? PROXY_LOCAL : PROXY_BAD);
	}
	/* without an end */
	memset(line, '0', sizeof(line));
	memcpy(line, "PROXY UNKNOWN ", 14);
	assert_int_equal(reads(span(line, PROXY_V1_MAX - 1)), PROXY_MORE);
	assert_int_equal(used, PROXY_V1_MAX - 1);
	is_bad(span(line, PROXY_V1_MAX));
	is_bad(span(line, sizeof(line)));
}

static void
version_2(void **state)
{
	(void)state;
	is_header(SPAN(V2), PROXY_GOOD);
	assert_address(&remote, "198.51.100.77", 40025);
	assert_address(&local, "192.0.2.1", 25);
	is_header(SPAN(V2_SIX), PROXY_GOOD);
	assert_address(&remote, "2001:db8::9", 40025);
	assert_address(&local, "2001:db8::1", 25);
	/* haproxy's health checks, with and without addresses */
	is_header(SPAN(SIGNATURE "\x20\0\0\0"), PROXY_LOCAL);
	is_header(SPAN(SIGNATURE "\x20\x11\0\x0c" V2_BODY), PROXY_LOCAL);
	is_header(SPAN(SIGNATURE "\x20\xff\0\x03???"), PROXY_LOCAL);
}

/* statement 44: a mapped address becomes IPv4, and the other end gets the client's family */
static void
threat_44_mapped_addresses_in_a_header(void **state)
{
	static const char mapped[] = "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc6\x33\x64\x4d";
	static const char six[] = "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x09";
	uint8_t header[52];

	(void)state;
	memcpy(header, V2_SIX, sizeof(header));
	memcpy(header + 16, mapped, 16);
	is_header(span(header, sizeof(header)), PROXY_GOOD);
	assert_address(&remote, "198.51.100.77", 40025);
	assert_address(&local, "192.0.0.8", 25);
	memcpy(header + 16, six, 16);
	memcpy(header + 32, mapped, 16);
	is_header(span(header, sizeof(header)), PROXY_GOOD);
	assert_address(&remote, "2001:db8::9", 40025);
	assert_address(&local, "64:ff9b::c633:644d", 25);
	memcpy(header + 16, mapped, 16);
	is_header(span(header, sizeof(header)), PROXY_GOOD);
	assert_int_equal(remote.at.ss_family, AF_INET);
	assert_int_equal(local.at.ss_family, AF_INET);
	is_header(SPAN("PROXY TCP6 ::ffff:198.51.100.77 2001:db8::1 40025 25\r\n"), PROXY_GOOD);
	assert_address(&remote, "198.51.100.77", 40025);
	assert_address(&local, "192.0.0.8", 25);
	is_bad(SPAN("PROXY TCP4 ::ffff:198.51.100.77 192.0.2.1 40025 25\r\n"));
}

/* Extensions after the addresses are skipped, as part of the header. */
static void
extensions(void **state)
{
	(void)state;
	is_header(SPAN(SIGNATURE "\x21\x11\0\x16" V2_BODY "\x02\0\x07" "mx.b\r\n."), PROXY_GOOD);
	assert_address(&remote, "198.51.100.77", 40025);
	is_header(SPAN(SIGNATURE "\x21\x11\0\x0d" V2_BODY "\x04"), PROXY_GOOD);
	is_header(SPAN(SIGNATURE "\x20\0\0\x04" "\x04\0\x01\0"), PROXY_LOCAL);
}

/* statement 16 */
static void
threat_16_malformed_version_2(void **state)
{
	uint8_t header[sizeof(V2) - 1];

	(void)state;
	for (unsigned octet = 0; octet < 256; octet++) {
		/* the octets of version and command, and of family and protocol */
		memcpy(header, V2, sizeof(header));
		header[12] = (uint8_t)octet;
		assert_int_equal(reads(span(header, sizeof(header))),
		    octet == 0x21 ? PROXY_GOOD : octet == 0x20 ? PROXY_LOCAL : PROXY_BAD);
		memcpy(header, V2, sizeof(header));
		header[13] = (uint8_t)octet;
		assert_int_equal(reads(span(header, sizeof(header))),
		    octet == 0x11 ? PROXY_GOOD : PROXY_BAD);
	}
	/* one octet too short for the addresses of its family */
	is_bad(SPAN(SIGNATURE "\x21\x11\0\x0b" "\xc6\x33\x64\x4d\xc0\0\x02\x01\x9c\x59\0"));
	is_bad(SPAN(SIGNATURE "\x21\x21\0\x23" "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x09"
	    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01" "\x9c\x59\0"));
	is_bad(SPAN(SIGNATURE "\x21\x11\0\0"));
}

/* statement 16: the longest accepted header, and one octet more, which its length field shows */
static void
threat_16_length_of_version_2(void **state)
{
	static uint8_t header[PROXY_MAX + 1];

	(void)state;
	memcpy(header, V2, sizeof(V2) - 1);
	octets_put16(header + 14, PROXY_MAX - PROXY_V2_HEAD);
	assert_int_equal(reads(span(header, PROXY_MAX - 1)), PROXY_MORE);
	assert_int_equal(used, PROXY_MAX - 1);
	assert_int_equal(reads(span(header, sizeof(header))), PROXY_GOOD);
	assert_int_equal(used, PROXY_MAX);
	octets_put16(header + 14, PROXY_MAX - PROXY_V2_HEAD + 1);
	is_bad(span(header, PROXY_V2_HEAD));
	octets_put16(header + 14, 65535);
	is_bad(span(header, PROXY_V2_HEAD));
}

/* writing headers */

static void
puts_v1(struct address from, struct address to, const char *want)
{
	uint8_t mem[PROXY_V1_MAX];
	struct buf out;

	buf_init(&out, mem, sizeof(mem));
	proxy_put_v1(&out, &from, &to);
	assert_span(buf_peek(&out), want);
}

static void
puts_v2(struct address from, struct address to, struct span want)
{
	uint8_t mem[64];
	struct buf out;

	buf_init(&out, mem, sizeof(mem));
	proxy_put_v2(&out, &from, &to);
	assert_int_equal(buf_len(&out), want.len);
	assert_memory_equal(buf_peek(&out).at, want.at, want.len);
}

static void
what_is_put(void **state)
{
	struct address none = { .len = 0 };
	struct address six = at("2001:db8::9", 40025), six_local = at("2001:db8::1", 25);
	struct address four = at("198.51.100.77", 40025), four_local = at("192.0.2.1", 25);
	struct address mapped = at("::ffff:198.51.100.77", 40025);
	struct address mapped_local = at("::ffff:192.0.2.1", 25);

	(void)state;
	puts_v1(four, four_local, V1);
	puts_v2(four, four_local, SPAN(V2));
	puts_v1(six, six_local, "PROXY TCP6 2001:db8::9 2001:db8::1 40025 25\r\n");
	puts_v2(six, six_local, SPAN(V2_SIX));
	/* a listener for both families reports IPv4 clients like this */
	puts_v1(mapped, mapped_local, V1);
	puts_v2(mapped, mapped_local, SPAN(V2));
	puts_v1(mapped, four_local, V1);
	/* no addresses that could be taken for a client's */
	const struct { struct address from, to; } unknown[] = {
		{ none, none }, { none, four_local }, { four, none }, { four, six_local },
		{ six, mapped_local },
	};
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		puts_v1(unknown[i].from, unknown[i].to, "PROXY UNKNOWN\r\n");
		puts_v2(unknown[i].from, unknown[i].to, SPAN(SIGNATURE "\x20\0\0\0"));
	}
}

static void
the_longest_put(void **state)
{
	static const char address[] = "2001:db8:1111:2222:3333:4444:5555:6666";
	char want[200];

	(void)state;
	snprintf(want, sizeof(want), "PROXY TCP6 %s %s 65535 65535\r\n", address, address);
	puts_v1(at(address, 65535), at(address, 65535), want);
	is_header(span_of(want), PROXY_GOOD);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(version_1),
		cmocka_unit_test(threat_16_malformed_version_1),
		cmocka_unit_test(threat_16_wrong_from_the_first_octet),
		cmocka_unit_test(threat_16_length_of_version_1),
		cmocka_unit_test(version_2),
		cmocka_unit_test(threat_44_mapped_addresses_in_a_header),
		cmocka_unit_test(extensions),
		cmocka_unit_test(threat_16_malformed_version_2),
		cmocka_unit_test(threat_16_length_of_version_2),
		cmocka_unit_test(what_is_put),
		cmocka_unit_test(the_longest_put),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
