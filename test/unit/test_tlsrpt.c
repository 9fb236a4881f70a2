#include "unit.h"

#include "base/octets.h"
#include "smtp/tlsrpt.h"

#define RECORD "v=TLSRPTv1; rua=mailto:a@b.example"

static uint8_t mem[TLSRPT_DATAGRAM_MAX];
static struct buf out;
static struct dns_tlsa_list tlsa;
static struct tls_policy sts;

static struct tlsrpt_session
a_session(void)
{
	return (struct tlsrpt_session){ .domain = "b.example", .record = RECORD,
		.policy = TLSRPT_NO_POLICY, .policy_domain = "b.example" };
}

static bool
put_session(const struct tlsrpt_session *s)
{
	buf_init(&out, mem, sizeof(mem));
	return tlsrpt_put(&out, s);
}

static void
assert_datagram(const struct tlsrpt_session *s, const char *expected)
{
	assert_true(put_session(s));
	assert_span(buf_peek(&out), expected);
}

static void
add_record(uint8_t usage, struct span data)
{
	const uint8_t head[] = { usage, 1, 1 };

	octets_put16(tlsa.mem + tlsa.len, (uint16_t)(sizeof(head) + data.len));
	memcpy(tlsa.mem + tlsa.len + 2, head, sizeof(head));
	if (data.len > 0)
		memcpy(tlsa.mem + tlsa.len + 5, data.at, data.len);
	tlsa.len += 5 + data.len;
	tlsa.count++;
}

static void
a_success_without_a_policy(void **state)
{
	struct tlsrpt_session s = a_session();

	(void)state;
	assert_datagram(&s, "{\"dpv\":\"1\",\"d\":\"b.example\",\"pr\":\"" RECORD "\","
	    "\"policies\":[{\"policy-type\":9,\"policy-domain\":\"b.example\",\"t\":0,\"f\":0}]}");
}

static void
a_failure_with_records(void **state)
{
	struct tlsrpt_session s = a_session();

	(void)state;
	tlsa.count = tlsa.len = 0;
	add_record(3, SPAN("\1\253"));
	add_record(2, SPAN("\0"));
	s.policy = TLSRPT_TLSA;
	s.policy_domain = "mx.b.example";
	s.tlsa = &tlsa;
	s.failure = TLSRPT_CERTIFICATE_NOT_TRUSTED;
	s.address = "2001:db8::5";
	s.host = "mx.b.example";
	s.reason = "different";
	assert_datagram(&s, "{\"dpv\":\"1\",\"d\":\"b.example\",\"pr\":\"" RECORD "\","
	    "\"policies\":[{\"policy-type\":1,\"policy-domain\":\"mx.b.example\","
	    "\"policy-string\":[\"3 1 1 01ab\",\"2 1 1 00\"],"
	    "\"failure-details\":[{\"c\":203,\"n\":\"mx.b.example\","
	    "\"r\":\"2001:db8::5\",\"f\":\"different\"}],\"t\":1,\"f\":1}]}");
}

static void
patterns_are_those_of_mta_sts(void **state)
{
	struct tlsrpt_session s = a_session();

	(void)state;
	tls_policy_read(&sts, SPAN("secure match=.b.example::mx.c.example"));
	s.policy = TLSRPT_STS;
	s.sts = &sts;
	assert_datagram(&s, "{\"dpv\":\"1\",\"d\":\"b.example\",\"pr\":\"" RECORD "\","
	    "\"policies\":[{\"policy-type\":2,\"policy-domain\":\"b.example\","
	    "\"mx-host\":[\"*.b.example\",\"mx.c.example\"],\"t\":0,\"f\":0}]}");
	tls_policy_read(&sts, SPAN("secure"));
	assert_datagram(&s, "{\"dpv\":\"1\",\"d\":\"b.example\",\"pr\":\"" RECORD "\","
	    "\"policies\":[{\"policy-type\":2,\"policy-domain\":\"b.example\",\"t\":0,\"f\":0}]}");
}

static void
only_what_is_known_is_said(void **state)
{
	struct tlsrpt_session s = a_session();

	(void)state;
	s.failure = TLSRPT_STARTTLS_NOT_SUPPORTED;
	assert_datagram(&s, "{\"dpv\":\"1\",\"d\":\"b.example\",\"pr\":\"" RECORD "\","
	    "\"policies\":[{\"policy-type\":9,\"policy-domain\":\"b.example\","
	    "\"failure-details\":[{\"c\":201}],\"t\":1,\"f\":1}]}");
}

static void
octets_are_escaped(void **state)
{
	struct tlsrpt_session s = a_session();

	(void)state;
	s.record = "\"\\/\n\1\177\377{}";
	assert_datagram(&s, "{\"dpv\":\"1\",\"d\":\"b.example\","
	    "\"pr\":\"\\u0022\\u005c/\\u000a\\u0001\\u007f\\u00ff{}\","
	    "\"policies\":[{\"policy-type\":9,\"policy-domain\":\"b.example\",\"t\":0,\"f\":0}]}");
}

/* The longest of everything, all of it to be escaped. */
static void
the_rest_fits_always(void **state)
{
	static char name[256], record[1024], reason[512];
	static uint8_t data[300];
	struct tlsrpt_session s = a_session();

	(void)state;
	memset(name, '\1', sizeof(name) - 1);
	memset(record, '\1', sizeof(record) - 1);
	memset(reason, '\1', sizeof(reason) - 1);
	tlsa.count = tlsa.len = 0;
	for (size_t i = 0; i < 200; i++)
		add_record(3, span(data, sizeof(data)));
	s.domain = s.policy_domain = s.host = name;
	s.record = record;
	s.reason = reason;
	s.address = "2001:db8:ffff:ffff:ffff:ffff:255.255.255.255";
	s.tlsa = &tlsa;
	s.failure = TLSRPT_TLSA_INVALID;
	assert_true(put_session(&s));
	memset(sts.patterns, '\1', sizeof(sts.patterns));
	memset(sts.patterns, ':', 1000);
	sts.patterns_len = sizeof(sts.patterns);
	s.tlsa = NULL;
	s.sts = &sts;
	assert_true(put_session(&s));
	/* too much for less room */
	buf_init(&out, mem, 1000);
	assert_false(tlsrpt_put(&out, &s));
}

static bool
is_report(const char *text, size_t step)
{
	struct tlsrpt_scan scan = { 0 };
	struct span rest = span_of(text);

	for (; rest.len > 0; rest = span_from(rest, step))
		tlsrpt_scan(&scan, span(rest.at, rest.len < step ? rest.len : step));
	return scan.found;
}

static void
reports_are_recognized(void **state)
{
	static const char *const reports[] = {
		"TLS-Report-Domain: b.example\n",
		"tls-report-domain:b.example",
		"DATA\r\nFrom: a@a.example\r\nTLS-REPORT-DOMAIN: b.example\r\n\r\n.\r\n",
		"T\nTLS-Report-Domain\nTLS-Report-Domain:",
	};
	static const char *const others[] = {
		"", "Subject: TLS-Report-Domain: b.example\n", " TLS-Report-Domain: b.example\n",
		"TLS-Report-Domain b.example\n", "TLS-Report-Domai:", "TTLS-Report-Domain:",
		"TLS-Report-\nDomain:",
	};

	(void)state;
	for (size_t step = 1; step < 100; step += 13) {
		for (size_t i = 0; i < sizeof(reports) / sizeof(reports[0]); i++)
			assert_true(is_report(reports[i], step));
		for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
			assert_false(is_report(others[i], step));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_success_without_a_policy),
		cmocka_unit_test(a_failure_with_records),
		cmocka_unit_test(patterns_are_those_of_mta_sts),
		cmocka_unit_test(only_what_is_known_is_said),
		cmocka_unit_test(octets_are_escaped),
		cmocka_unit_test(the_rest_fits_always),
		cmocka_unit_test(reports_are_recognized),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
