/*
 * TLSA records against certificates and host keys: those of test/vectors/dane.txt, whose digests
 * OpenSSL made.
 */
#include "unit.h"

#include "crypt/dane.h"
#include "vectors.h"

#define MX "mx.b.example"

static struct dns_tlsa_list list;
static struct dns_tlsa record;
static mbedtls_x509_crt chain;

static void
clear(void)
{
	list.count = list.len = 0;
	memset(&record, 0, sizeof(record));
}

static void
add(uint8_t usage, uint8_t selector, uint8_t matching, struct span data)
{
	uint8_t *to = list.mem + list.len;

	octets_put16(to, (uint16_t)(3 + data.len));
	to[2] = usage;
	to[3] = selector;
	to[4] = matching;
	if (data.len > 0)
		memcpy(to + 5, data.at, data.len);
	list.len += 5 + data.len;
	list.count++;
}

/* Adds the record of that certificate. */
static void
add_for(uint8_t usage, uint8_t selector, uint8_t matching, const char *whose)
{
	static const char *const names[2][3] = {
		{ "certificate", "certificate-sha256", "certificate-sha512" },
		{ "key", "key-sha256", "key-sha512" },
	};
	uint8_t data[1024];
	size_t len = vectors_octets(data, sizeof(data), whose, names[selector][matching]);

	add(usage, selector, matching, span(data, len));
}

/* The server sends these certificates, separated by blanks. */
static void
server_sends(const char *names)
{
	struct span rest = span_of(names), name;
	uint8_t der[1024];

	mbedtls_x509_crt_free(&chain);
	mbedtls_x509_crt_init(&chain);
	while (span_word(&rest, ' ', &name)) {
		char section[32];

		snprintf(section, sizeof(section), "%.*s", (int)name.len, (const char *)name.at);
		size_t len = vectors_octets(der, sizeof(der), section, "certificate");
		assert_int_equal(mbedtls_x509_crt_parse_der(&chain, der, len), 0);
	}
}

static enum dane_match
match_names(const char *const *names, size_t count)
{
	return dane_match_chain(&list, &chain, names, count, &record);
}

static enum dane_match
match(void)
{
	return match_names((const char *const[]){ MX }, 1);
}

/* Matches a chain with one record of usage 2. */
static enum dane_match
anchored(const char *sent, const char *anchor)
{
	server_sends(sent);
	clear();
	add_for(2, 1, 1, anchor);
	return match();
}

static bool
usable(uint8_t usage, uint8_t selector, uint8_t matching, size_t len)
{
	static const uint8_t data[128];
	const struct dns_tlsa one = { usage, selector, matching, span(data, len) };

	clear();
	add(usage, selector, matching, span(data, len));
	assert_int_equal(dane_has_usable(&list), dane_is_usable(&one));
	return dane_is_usable(&one);
}

static void
usages_2_and_3_are_usable(void **state)
{
	(void)state;
	for (unsigned usage = 0; usage < 256; usage++)
		for (unsigned selector = 0; selector < 256; selector++)
			for (uint8_t matching = 1; matching <= 2; matching++)
				assert_int_equal(usable((uint8_t)usage, (uint8_t)selector, matching,
					matching == 1 ? 32 : 64),
				    (usage == 2 || usage == 3) && selector <= 1);
	for (unsigned matching = 3; matching < 256; matching++)
		assert_false(usable(3, 1, (uint8_t)matching, 32) ||
		    usable(3, 1, (uint8_t)matching, 64));
}

static void
a_digest_has_its_length(void **state)
{
	(void)state;
	for (size_t len = 0; len <= 128; len++) {
		assert_int_equal(usable(3, 1, 1, len), len == 32);
		assert_int_equal(usable(2, 0, 2, len), len == 64);
		assert_false(usable(3, 1, 0, len));
	}
}

static bool
whole(struct span data)
{
	const struct dns_tlsa one = { 3, 1, 0, data };

	return dane_is_usable(&one);
}

/* One object in DER, with the shortest form of its length, and nothing after it. */
static void
whole_objects_are_der(void **state)
{
	static const char *const names[] = { "certificate", "key" };
	uint8_t data[1024], zeros[300] = { 0x30, 0x81, 0x7f };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		size_t len = vectors_octets(data, sizeof(data), "leaf", names[i]);

		assert_true(whole(span(data, len)));
		assert_false(whole(span(data, len - 1)));
		assert_false(whole(span(data, len + 1)));
		data[0] ^= 1;
		assert_false(whole(span(data, len)));
	}
	assert_true(whole(SPAN("\x30\0")));
	assert_false(whole(SPAN("\x30")));
	assert_false(whole(SPAN("\x30\x80\0\0")));
	assert_false(whole(SPAN("\x30\x81")));
	assert_false(whole(SPAN("\x30\x82\1")));
	assert_false(whole(SPAN("\x30\x83\0\0\0")));
	assert_false(whole(span(zeros, 3 + 0x7f)));
	zeros[2] = 0x80;
	assert_true(whole(span(zeros, 3 + 0x80)));
	memcpy(zeros, "\x30\x82\0\xff", 4);
	assert_false(whole(span(zeros, 4 + 0xff)));
	memcpy(zeros, "\x30\x82\1\0", 4);
	assert_true(whole(span(zeros, 4 + 0x100)));
}

static void
a_list_has_usable_records_or_none(void **state)
{
	(void)state;
	clear();
	assert_false(dane_has_usable(&list));
	add_for(0, 0, 1, "leaf");
	add_for(1, 1, 1, "leaf");
	/* a digest with rubbish after it, and a record without a header */
	add(3, 1, 1, SPAN("0123456789abcdef0123456789abcdef!"));
	octets_put16(list.mem + list.len, 2);
	list.len += 4;
	list.count++;
	assert_false(dane_has_usable(&list));
	server_sends("leaf middle root");
	assert_int_equal(match(), DANE_DIFFERENT);
	add_for(3, 1, 1, "leaf");
	assert_true(dane_has_usable(&list));
	assert_int_equal(match(), DANE_MATCHES);
	assert_int_equal(record.usage, 3);
}

/* 3 x x: in each form, whatever names, dates and issuer. */
static void
the_leaf_alone_counts(void **state)
{
	(void)state;
	for (uint8_t selector = 0; selector <= 1; selector++)
		for (uint8_t matching = 0; matching <= 2; matching++) {
			clear();
			add_for(3, selector, matching, "leaf");
			server_sends("leaf middle root");
			assert_int_equal(match(), DANE_MATCHES);
			assert_int_equal(match_names(NULL, 0), DANE_MATCHES);
			assert_int_equal(record.selector, selector);
			assert_int_equal(record.matching, matching);
			server_sends("leaf");
			assert_int_equal(match(), DANE_MATCHES);
			server_sends("domain middle root");
			assert_int_equal(match(), DANE_DIFFERENT);
			/* not the first one */
			server_sends("domain leaf");
			assert_int_equal(match(), DANE_DIFFERENT);
			/* each certificate of a host may have a record of its own */
			add_for(3, selector, matching, "domain");
			assert_int_equal(match(), DANE_MATCHES);
			/* expired, without its issuer, and of another name */
			clear();
			add_for(3, selector, matching, "old-middle");
			server_sends("old-middle");
			assert_int_equal(match(), DANE_MATCHES);
		}
}

/* 2 x x: in each form, of each certificate after the first. */
static void
an_anchor_is_one_of_the_chain(void **state)
{
	static const char *const anchors[] = { "middle", "root" };

	(void)state;
	for (size_t i = 0; i < 2; i++)
		for (uint8_t selector = 0; selector <= 1; selector++)
			for (uint8_t matching = 0; matching <= 2; matching++) {
				clear();
				add_for(2, selector, matching, anchors[i]);
				server_sends("leaf middle root");
				assert_int_equal(match(), DANE_MATCHES);
				assert_int_equal(record.usage, 2);
				/* the server has to send it */
				server_sends("leaf");
				assert_int_equal(match(), DANE_DIFFERENT);
			}
	/* only as far as the anchor */
	assert_int_equal(anchored("leaf middle", "middle"), DANE_MATCHES);
	assert_int_equal(anchored("leaf middle", "root"), DANE_DIFFERENT);
	assert_int_equal(anchored("leaf root middle", "root"), DANE_MATCHES);
}

static void
an_anchor_is_not_the_leaf(void **state)
{
	(void)state;
	assert_int_equal(anchored("leaf middle root", "leaf"), DANE_DIFFERENT);
	assert_int_equal(anchored("leaf leaf middle root", "leaf"), DANE_NOT_TRUSTED);
	assert_int_equal(anchored("root", "root"), DANE_DIFFERENT);
}

static void
a_chain_has_to_lead_to_its_anchor(void **state)
{
	(void)state;
	/* a link is missing; or only stands there */
	assert_int_equal(anchored("leaf root", "root"), DANE_NOT_TRUSTED);
	assert_int_equal(anchored("other root", "root"), DANE_NOT_TRUSTED);
	assert_int_equal(anchored("leaf middle domain", "domain"), DANE_NOT_TRUSTED);
	/* issued by one that may issue none */
	assert_int_equal(anchored("no-ca leaf middle root", "root"), DANE_NOT_TRUSTED);
	assert_int_equal(anchored("no-ca leaf", "leaf"), DANE_NOT_TRUSTED);
	/* the name of the anchor, but another key */
	server_sends("leaf middle stranger root");
	clear();
	add_for(2, 0, 0, "root");
	uint8_t der[1024];
	size_t len = vectors_octets(der, sizeof(der), "stranger", "certificate");
	assert_int_equal(match(), DANE_MATCHES);
	clear();
	add(2, 0, 0, span(der, len));
	assert_int_equal(match(), DANE_NOT_TRUSTED);
}

static void
dates_count_up_to_the_anchor(void **state)
{
	(void)state;
	assert_int_equal(anchored("expired middle root", "middle"), DANE_EXPIRED);
	assert_int_equal(anchored("future middle root", "root"), DANE_EXPIRED);
	assert_int_equal(anchored("under-old old-middle root", "root"), DANE_EXPIRED);
	assert_int_equal(anchored("under-old old-middle root", "old-middle"), DANE_EXPIRED);
	/* and not for usage 3 */
	add_for(3, 1, 1, "leaf");
	server_sends("leaf old-middle root");
	assert_int_equal(match(), DANE_MATCHES);
}

static enum dane_match
named(const char *first, const char *second)
{
	return match_names((const char *const[]){ first, second }, second == NULL ? 1 : 2);
}

/* The TLSA base name, or the domain where the MX is secure. */
static void
a_name_has_to_be_right(void **state)
{
	(void)state;
	anchored("leaf middle root", "root");
	assert_int_equal(named("mx2.b.example", NULL), DANE_WRONG_NAME);
	assert_int_equal(named("b.example", NULL), DANE_WRONG_NAME);
	assert_int_equal(named("MX.B.Example", NULL), DANE_MATCHES);
	assert_int_equal(named("a.wild.example", NULL), DANE_MATCHES);
	assert_int_equal(named("a.b.wild.example", NULL), DANE_WRONG_NAME);
	assert_int_equal(named("wild.example", NULL), DANE_WRONG_NAME);
	assert_int_equal(match_names(NULL, 0), DANE_NOT_TRUSTED);
	anchored("domain middle root", "root");
	assert_int_equal(named(MX, NULL), DANE_WRONG_NAME);
	assert_int_equal(named(MX, "domain.example"), DANE_MATCHES);
	assert_int_equal(named("domain.example", MX), DANE_MATCHES);
}

/* A key being replaced, or two certificates: one that matches is enough. */
static void
one_of_several_records_is_enough(void **state)
{
	(void)state;
	clear();
	for (uint8_t i = 0; i < 100; i++) {
		uint8_t digest[32] = { i };

		add(i % 2 ? 3 : 2, 1, 1, span(digest, sizeof(digest)));
	}
	server_sends("leaf middle root");
	assert_int_equal(match(), DANE_DIFFERENT);
	add_for(3, 1, 2, "leaf");
	assert_int_equal(match(), DANE_MATCHES);
	assert_int_equal(record.matching, 2);
	/* the best failure is reported, with its record */
	clear();
	add_for(3, 1, 1, "domain");
	add_for(2, 1, 1, "leaf");
	add_for(2, 0, 1, "middle");
	assert_int_equal(named("mx2.b.example", NULL), DANE_WRONG_NAME);
	assert_int_equal(record.selector, 0);
}

/* The key of the leaf is a host key: one record for both. */
static void
a_host_key_is_a_key_as_in_a_certificate(void **state)
{
	uint8_t spki[DANE_SPKI_LEN], digest[32], *public = spki + DANE_SPKI_LEN - HOSTKEY_PUBLIC_LEN;
	uint8_t made[DANE_SPKI_LEN];
	char text[DANE_RECORD_LEN], expected[DANE_RECORD_LEN + 1];

	(void)state;
	assert_int_equal(vectors_octets(spki, sizeof(spki), "leaf", "key"), DANE_SPKI_LEN);
	dane_put_spki(made, public);
	assert_memory_equal(made, spki, sizeof(spki));
	vectors_octets(digest, sizeof(digest), "leaf", "key-sha256");
	memcpy(expected, "3 1 1 ", 6);
	octets_to_hex(expected + 6, digest, sizeof(digest));
	dane_put_record(text, span(made, sizeof(made)));
	assert_memory_equal(text, expected, sizeof(text));

	for (uint8_t matching = 0; matching <= 2; matching++) {
		clear();
		add_for(3, 0, matching, "leaf");
		add_for(2, 1, matching, "leaf");
		add_for(1, 1, matching, "leaf");
		add_for(3, 1, matching, "domain");
		assert_int_equal(dane_match_key(&list, public, &record), DANE_DIFFERENT);
		add_for(3, 1, matching, "leaf");
		assert_int_equal(dane_match_key(&list, public, &record), DANE_MATCHES);
		assert_int_equal(record.matching, matching);
		public[64] ^= 1;
		assert_int_equal(dane_match_key(&list, public, &record), DANE_DIFFERENT);
		public[64] ^= 1;
	}
}

static int
read_vectors(void **state)
{
	(void)state;
	vectors_read("dane.txt");
	mbedtls_x509_crt_init(&chain);
	return 0;
}

static bool
every(const char *section)
{
	(void)section;
	return true;
}

static int
all_were_read(void **state)
{
	(void)state;
	mbedtls_x509_crt_free(&chain);
	assert_true(vectors_assert_all(every) > 0);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usages_2_and_3_are_usable),
		cmocka_unit_test(a_digest_has_its_length),
		cmocka_unit_test(whole_objects_are_der),
		cmocka_unit_test(a_list_has_usable_records_or_none),
		cmocka_unit_test(the_leaf_alone_counts),
		cmocka_unit_test(an_anchor_is_one_of_the_chain),
		cmocka_unit_test(an_anchor_is_not_the_leaf),
		cmocka_unit_test(a_chain_has_to_lead_to_its_anchor),
		cmocka_unit_test(dates_count_up_to_the_anchor),
		cmocka_unit_test(a_name_has_to_be_right),
		cmocka_unit_test(one_of_several_records_is_enough),
		cmocka_unit_test(a_host_key_is_a_key_as_in_a_certificate),
	};

	return cmocka_run_group_tests(tests, read_vectors, all_were_read);
}
