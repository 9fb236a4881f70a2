/* The server's certificate: what is wrong with one, its names and TLSA data, and a host key's own. */
#include "certificates.h"

#include "base/octets.h"
#include "crypt/dane.h"

#define NAME "mx.b.example"

static struct made made;
static struct certificate c;

static enum certificate_fault
opens(struct span chain, struct span key)
{
	certificate_init(&c);
	enum certificate_fault fault = certificate_open(&c, chain, key);

	if (fault == CERTIFICATE_GOOD)
		fault = certificate_check_pair(&c);
	certificate_close(&c);
	return fault;
}

static void
good(unsigned rsa_bits)
{
	made_new_key(&made, rsa_bits);
	made_new_chain(&made, "CN=" NAME, LONG_AGO, AHEAD);
	assert_int_equal(opens(made_chain(&made), made_key(&made)), CERTIFICATE_GOOD);
}

static void
ecdsa_and_rsa(void **state)
{
	(void)state;
	good(0);
	good(2048);
}

static void
short_rsa(void **state)
{
	(void)state;
	made_new_key(&made, 1024);
	made_new_chain(&made, "CN=" NAME, LONG_AGO, AHEAD);
	assert_int_equal(opens(made_chain(&made), made_key(&made)), CERTIFICATE_KEY_KIND);
}

static void
not_pem(void **state)
{
	static const char encrypted[] = "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"
	    "DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n"
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n-----END EC PRIVATE KEY-----\n";
	static const struct { const char *text; enum certificate_fault fault; } keys[] = {
		{ "", CERTIFICATE_KEY_UNREADABLE },
		{ "nothing\n", CERTIFICATE_KEY_UNREADABLE },
		{ "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n",
		    CERTIFICATE_KEY_UNREADABLE },
		{ encrypted, CERTIFICATE_KEY_ENCRYPTED },
	};

	(void)state;
	good(0);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		assert_int_equal(opens(made_chain(&made), span(keys[i].text,
		    strlen(keys[i].text) + 1)), keys[i].fault);
	assert_int_equal(opens(span("", 1), made_key(&made)), CERTIFICATE_UNREADABLE);
	assert_int_equal(opens(span("nothing", 8), made_key(&made)), CERTIFICATE_UNREADABLE);
	assert_int_equal(opens(made_key(&made), made_key(&made)), CERTIFICATE_UNREADABLE);
	/* a file that ends early, at each octet */
	for (size_t cut = 0; cut + 32 < made.chain_len; cut += 7) {
		char text[8192];

		memcpy(text, made.chain, cut);
		text[cut] = '\0';
		assert_int_equal(opens(span(text, cut + 1), made_key(&made)),
		    CERTIFICATE_UNREADABLE);
	}
}

static void
anothers_key(void **state)
{
	struct made other;

	(void)state;
	good(0);
	made_new_key(&other, 0);
	assert_int_equal(opens(made_chain(&made), made_key(&other)), CERTIFICATE_KEY_FOREIGN);
	made_new_key(&other, 2048);
	assert_int_equal(opens(made_chain(&made), made_key(&other)), CERTIFICATE_KEY_FOREIGN);
}

/* Its first and last second, and one second before and after them. */
static void
times(void **state)
{
	const int64_t from = 1582979696, until = 4107542399;	/* 29 Feb 2020, 28 Feb 2100 */

	(void)state;
	made_new_key(&made, 0);
	made_new_chain(&made, "CN=" NAME, "20200229123456", "21000228235959");
	certificate_init(&c);
	assert_int_equal(certificate_open_chain(&c, made_chain(&made)), CERTIFICATE_GOOD);
	assert_int_equal(certificate_until_s(&c), until);
	assert_int_equal(certificate_in_time(&c, from - 1), CERTIFICATE_NOT_YET);
	assert_int_equal(certificate_in_time(&c, from), CERTIFICATE_GOOD);
	assert_int_equal(certificate_in_time(&c, until), CERTIFICATE_GOOD);
	assert_int_equal(certificate_in_time(&c, until + 1), CERTIFICATE_EXPIRED);
	certificate_close(&c);
}

static void
names(void **state)
{
	char mem[64];
	struct buf out;

	(void)state;
	made_new_key(&made, 0);
	made_new_chain(&made, "CN=" NAME, LONG_AGO, AHEAD);
	certificate_init(&c);
	certificate_open_chain(&c, made_chain(&made));
	assert_true(certificate_fits(&c, NAME));
	assert_true(certificate_fits(&c, "MX.B.Example"));
	assert_false(certificate_fits(&c, "mx.c.example"));
	buf_init(&out, mem, sizeof(mem));
	certificate_names(&c, &out);
	certificate_issuer(&c, &out);
	assert_true(span_equal(buf_peek(&out), SPAN(" CN=" NAME " CN=" NAME)));
	/* no room: left out */
	buf_init(&out, mem, 4);
	certificate_names(&c, &out);
	assert_int_equal(buf_len(&out), 0);
	certificate_close(&c);
}

/* The certificate of a host key is of that key, has its name twice, and is valid now. */
static void
made_of_a_host_key(void **state)
{
	static char text[CERTIFICATE_MAKE_MAX], long_name[256];
	struct hostkey key;
	uint8_t der[CERTIFICATE_KEY_LEN], spki[DANE_SPKI_LEN];
	const char *hosts[] = { NAME, long_name, "a" };

	(void)state;
	memset(long_name, 'a', 200);
	for (size_t i = 50; i < 200; i += 50)
		long_name[i] = '.';
	assert_int_equal(hostkey_make(&key), 0);
	certificate_put_key(der, &key);
	for (size_t i = 0; i < 3; i++) {
		int len = certificate_make(text, &key, hosts[i], MADE_S);

		assert_int_equal(len, strlen(text));
		certificate_init(&c);
		assert_int_equal(certificate_open(&c, span(text, (size_t)len + 1),
		    span(der, sizeof(der))), CERTIFICATE_GOOD);
		assert_int_equal(certificate_in_time(&c, MADE_S), CERTIFICATE_GOOD);
		assert_int_equal(certificate_until_s(&c),
		    MADE_S + INT64_C(86400) * CERTIFICATE_MAKE_DAYS);
		assert_true(certificate_fits(&c, hosts[i]));
		assert_false(certificate_fits(&c, "other.example"));
		dane_put_spki(spki, key.public);
		assert_true(span_equal(certificate_spki(&c), span(spki, sizeof(spki))));
		certificate_close(&c);
	}
	memset(long_name, 'a', 255);
	assert_true(certificate_make(text, &key, long_name, MADE_S) < 0 || strlen(text) > 0);
	/* halves that do not match */
	key.private[5] ^= 1;
	assert_int_equal(certificate_make(text, &key, NAME, MADE_S), -1);
}

static void
texts(void **state)
{
	(void)state;
	for (int i = 0; i < CERTIFICATE_FAULTS; i++)
		assert_true(strlen(certificate_fault_text((enum certificate_fault)i)) > 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ecdsa_and_rsa),
		cmocka_unit_test(short_rsa),
		cmocka_unit_test(not_pem),
		cmocka_unit_test(anothers_key),
		cmocka_unit_test(times),
		cmocka_unit_test(names),
		cmocka_unit_test(made_of_a_host_key),
		cmocka_unit_test(texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
