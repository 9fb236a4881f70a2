/* The TLSA records of a host: their answer from outside, the words for the log and for -t. */
#include "client/host_tlsa.h"

#include "unit.h"

#include "base/octets.h"

#include <errno.h>

static struct host_tlsa h;
static uint8_t mem[16384];
static struct buf out;
static uint8_t key[HOSTKEY_PUBLIC_LEN] = { 4 };

static int
start(void **state)
{
	(void)state;
	host_tlsa_none(&h);
	h.mx_secure = true;
	h.domain = "b.example";
	buf_init(&out, mem, sizeof(mem));
	return 0;
}

static void
add(uint8_t usage, const uint8_t *data, size_t len)
{
	struct dns_tlsa_list *list = &h.tlsa.list;
	uint8_t *at = list->mem + list->len;

	octets_put16(at, (uint16_t)(len + 3));
	at[2] = usage;
	at[3] = at[4] = 1;
	memcpy(at + 5, data, len);
	list->len += 5 + len;
	list->count++;
	h.found = TLSA_FOUND;
	h.usable = dane_has_usable(list);
}

static void
add_key(uint8_t usage, const uint8_t public[HOSTKEY_PUBLIC_LEN])
{
	char text[DANE_RECORD_LEN];
	uint8_t spki[DANE_SPKI_LEN], digest[32];

	dane_put_spki(spki, public);
	dane_put_record(text, span(spki, sizeof(spki)));
	assert_true(octets_from_hex(digest, sizeof(digest), span(text + 6, sizeof(text) - 6)));
	add(usage, digest, sizeof(digest));
}

static void
assert_logged(const char *expected)
{
	buf_clear(&out);
	host_tlsa_log(&h, &out);
	assert_true(span_equal(buf_peek(&out), span_of(expected)));
}

static void
facts_and_words(void **state)
{
	uint8_t other[HOSTKEY_PUBLIC_LEN] = { 5 };

	(void)state;
	assert_int_equal(host_tlsa_facts(&h), POLICY_DANE_NONE);
	assert_logged("");
	h.found = TLSA_LATER;
	assert_int_equal(host_tlsa_facts_key(&h, key), POLICY_DANE_NONE);
	add_key(1, key);
	assert_int_equal(host_tlsa_facts_key(&h, key), POLICY_DANE_UNUSABLE);
	assert_logged(" tlsa=unusable");
	add_key(3, key);
	assert_int_equal(host_tlsa_facts(&h), POLICY_DANE_UNMATCHED);
	assert_logged(" tlsa=not-compared");
	assert_int_equal(host_tlsa_facts_chain(&h, NULL), POLICY_DANE_UNMATCHED);
	assert_logged(" tlsa=not-compared");
	assert_int_equal(host_tlsa_facts_key(&h, other), POLICY_DANE_UNMATCHED);
	h.mx_secure = false;
	assert_logged(" tlsa=unmatched mx=insecure");
	assert_int_equal(host_tlsa_facts_key(&h, key), POLICY_DANE_MATCHED);
	assert_logged(" tlsa=matched mx=insecure");
	/* of the connection before */
	host_tlsa_start(&h);
	assert_int_equal(host_tlsa_facts(&h), POLICY_DANE_UNMATCHED);
	assert_logged(" tlsa=not-compared mx=insecure");
}

static void
assert_has(const char *text)
{
	struct span s = buf_peek(&out);

	for (size_t i = 0; i < s.len; i++)
		if (span_starts(span_from(s, i), span_of(text)))
			return;
	fail_msg("no \"%s\" in: %.*s", text, (int)s.len, (const char *)s.at);
}

static void
many_records_are_cut(void **state)
{
	static uint8_t data[2000];

	(void)state;
	host_tlsa_report(&h, &out);
	assert_true(span_equal(buf_peek(&out), SPAN("tlsa=none\n")));
	buf_clear(&out);
	for (int i = 0; i < 30; i++)
		add(2, data, sizeof(data));
	host_tlsa_report(&h, &out);
	assert_has("tlsa=found\n");
	assert_has("tlsa-unusable=2 1 1 00000000");
	assert_has("0...\ntlsa-more=14\n");
	assert_has("tlsa-match=unusable\n");
	assert_true(buf_len(&out) < 4096);
}

static struct outside outside = { .fd = -1 };
static struct target target = { .name = "mx.b.example", .mx_secure = true,
	.origin = { .secure = false, .end = "mx.b.example" } };

static int
answers(void *context, const struct outside_request *request, struct outside_answer *answer)
{
	(void)context;
	if (request->number == 0) {
		errno = EIO;
		return -1;
	}
	answer->octets = host_tlsa_look_up(&target, request->number);
	return 0;
}

/* Addresses that are not secure: no query.  Without a process outside, the host is not called. */
static void
asked_outside(void **state)
{
	struct outside_request request = { .number = 1 };

	(void)state;
	host_tlsa_ask(&h, &outside, &request, &target, "b.example");
	assert_int_equal(h.found, TLSA_LATER);
	assert_int_equal(address_read(&target.address, SPAN("192.0.2.25"), 25), 0);
	assert_int_equal(outside_start(&outside, answers, NULL), 0);
	host_tlsa_ask(&h, &outside, &request, &target, "b.example");
	assert_int_equal(h.found, TLSA_NONE);
	assert_true(h.mx_secure && !h.usable);
	request.number = 0;
	host_tlsa_ask(&h, &outside, &request, &target, "b.example");
	assert_int_equal(h.found, TLSA_LATER);
	outside_end(&outside);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(facts_and_words, start),
		cmocka_unit_test_setup(many_records_are_cut, start),
		cmocka_unit_test_setup(asked_outside, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
