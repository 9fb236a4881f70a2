/*
 * From a domain to its TLSRPT record (RFC 8460 section 3), with a name server of the test's own.
 */
#include "unit.h"

#include "base/clock.h"
#include "name_servers.h"
#include "sys/dns_txt.h"
#include "sys/tlsrpt_lookup.h"

#define NAME "_smtp._tls.b.example"
#define TEXT "v=TLSRPTv1; rua=mailto:reports@b.example"

static struct nameservers servers;
static char record[TLSRPT_RECORD_MAX];

/* A TXT record of one string. */
static void
put_txt(const char *owner, const char *text)
{
	uint8_t data[256] = { (uint8_t)strlen(text) };

	memcpy(data + 1, text, strlen(text));
	put_record(owner, DNS_TXT, span(data, 1 + strlen(text)));
}

static void
one(void)
{
	put_txt(NAME, TEXT);
}

static void
others_too(void)
{
	put_txt(NAME, "v=spf1 -all");
	put_txt(NAME, TEXT);
	put_txt("other.example", TEXT);
	put_txt(NAME, "v=TLSRPTv11; rua=mailto:a@b.example");
	put_txt(NAME, "v=TLSRPTv1");
	put_record(NAME, DNS_TXT, SPAN("\5v=TLS"));
	put_record(NAME, DNS_TXT, SPAN(""));
	put_record(NAME, DNS_TXT, SPAN("\14v=TLSRPTv1;\0"));
}

static void
two(void)
{
	one();
	put_txt(NAME, "v=TLSRPTv1; rua=mailto:others@b.example");
}

static void
in_pieces(void)
{
	put_record(NAME, DNS_TXT, SPAN("\5v=TLS\0\7RPTv1 ;\13 rua=https:"));
}

static void
elsewhere(void)
{
	put_alias(NAME, "reports.example");
	put_txt("reports.example", TEXT);
}

/* A record whose text has that many octets. */
static void
put_long(size_t len)
{
	static uint8_t data[TLSRPT_RECORD_MAX + 16];
	uint8_t *to = data;

	for (size_t done = 0, part; done < len; done += part) {
		part = len - done < 255 ? len - done : 255;
		*to++ = (uint8_t)part;
		memset(to, 'a', part);
		if (done == 0)
			memcpy(to, "v=TLSRPTv1;", 11);
		to += part;
	}
	put_record(NAME, DNS_TXT, span(data, (size_t)(to - data)));
}

static void
longest(void)
{
	put_long(TLSRPT_RECORD_MAX - 1);
}

static void
too_long(void)
{
	put_long(TLSRPT_RECORD_MAX);
}

static bool
look_up(unsigned flags, void (*records)(void))
{
	const struct row rows[] = { { NAME, DNS_TXT, flags, records, 0 }, { 0 } };
	const struct row *tables[] = { rows };

	memset(record, 'x', sizeof(record));
	servers_start(&servers, tables, 1);
	bool found = tlsrpt_look_up(&servers, "b.example", clock_ms() + 60000, record);
	servers_stop();
	assert_non_null(memchr(record, '\0', sizeof(record)));
	assert_int_equal(record[0] != '\0', found);
	return found;
}

static void
the_record_is_found(void **state)
{
	(void)state;
	assert_true(look_up(SAYS, one));
	assert_string_equal(record, TEXT);
	assert_int_equal(seen->count, 1);
	assert_true(look_up(SAYS_AD, others_too));
	assert_string_equal(record, TEXT);
	assert_true(look_up(SAYS, elsewhere));
	assert_string_equal(record, TEXT);
}

static void
strings_are_joined(void **state)
{
	(void)state;
	assert_true(look_up(SAYS, in_pieces));
	assert_string_equal(record, "v=TLSRPTv1 ; rua=https:");
}

static void
two_are_none(void **state)
{
	(void)state;
	assert_false(look_up(SAYS, two));
}

static void
no_answer_is_none(void **state)
{
	(void)state;
	assert_false(look_up(SAYS, NULL));
	assert_false(look_up(SAYS_NXDOMAIN, NULL));
	assert_false(look_up(SAYS_SERVFAIL, NULL));
}

static void
a_record_has_a_limit(void **state)
{
	(void)state;
	assert_true(look_up(SAYS, longest));
	assert_int_equal(strlen(record), TLSRPT_RECORD_MAX - 1);
	assert_false(look_up(SAYS, too_long));
}

/* The next record of the message so far, into `size` octets; `*len` is its length. */
static bool
read_first(size_t size, size_t *len)
{
	uint8_t text[64];
	struct dns_reader reader;

	assert_true(dns_open(&reader, span(message, message_len)));
	return dns_txt_next(&reader, "example.org", text, size, len);
}

static void
strings_stay_in_their_record(void **state)
{
	size_t len;

	(void)state;
	begin(DNS_TXT, 2);
	put_head(DNS_TXT, ns_c_in, 4);
	put(SPAN("\4abc"));
	put_head(DNS_TXT, ns_c_in, 4);
	put(SPAN("\3abc"));
	assert_true(read_first(64, &len));
	assert_int_equal(len, 65);
	begin(DNS_TXT, 1);
	put_head(DNS_TXT, ns_c_in, 4);
	put(SPAN("\3abc"));
	assert_true(read_first(3, &len));
	assert_int_equal(len, 3);
	assert_true(read_first(2, &len));
	assert_int_equal(len, 3);
	begin(DNS_TXT, 1);
	put_head(ns_t_a, ns_c_in, 4);
	put(SPAN("\3abc"));
	assert_false(read_first(64, &len));
}

static void
what_is_no_answer_has_no_record(void **state)
{
	(void)state;
	assert_false(tlsrpt_read_answer(SPAN("short"), NAME, record));
	assert_string_equal(record, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_record_is_found),
		cmocka_unit_test(strings_are_joined),
		cmocka_unit_test(two_are_none),
		cmocka_unit_test(no_answer_is_none),
		cmocka_unit_test(a_record_has_a_limit),
		cmocka_unit_test(strings_stay_in_their_record),
		cmocka_unit_test(what_is_no_answer_has_no_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
