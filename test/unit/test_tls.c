/*
 * TLS as a client, with mbedTLS's own server and octets carried by the test: little room, and the
 * words for the certificate's status.
 */
#include "unit.h"

#include "crypt/mbedtls_compat.h"
#include "crypt/random.h"
#include "crypt/tls.h"

#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>

#define NAME "mx.b.example"
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct server {
	mbedtls_ssl_config config;
	mbedtls_ssl_context ssl;
	mbedtls_x509_crt crt;
	bool open;
};

static struct server server;
static bool tls12;		/* the server's newest version, not TLS 1.3 */
static struct tls client;
static mbedtls_pk_context key;
static uint8_t mem[4][65536], pem[4096];
static struct buf up, down, to_seal, opened;	/* the wire's two directions, then plain octets */

static int
server_sends(void *context, const unsigned char *octets, size_t len)
{
	(void)context;
	buf_put(&down, span(octets, len));
	return (int)len;
}

static int
server_receives(void *context, unsigned char *octets, size_t len)
{
	struct span s = buf_peek(&up);

	(void)context;
	if (s.len == 0)
		return MBEDTLS_ERR_SSL_WANT_READ;
	if (len > s.len)
		len = s.len;
	memcpy(octets, s.at, len);
	buf_take(&up, len);
	return (int)len;
}

/* Makes a self-signed certificate with that name and period, in PEM. */
static size_t
make_certificate(const char *name, const char *from, const char *until)
{
	mbedtls_x509write_cert crt;
	char subject[64];

	snprintf(subject, sizeof(subject), "CN=%s", name);
	mbedtls_x509write_crt_init(&crt);
	mbedtls_x509write_crt_set_md_alg(&crt, MBEDTLS_MD_SHA256);
	mbedtls_x509write_crt_set_subject_key(&crt, &key);
	mbedtls_x509write_crt_set_issuer_key(&crt, &key);
	assert_int_equal(mbedtls_x509write_crt_set_subject_name(&crt, subject), 0);
	assert_int_equal(mbedtls_x509write_crt_set_issuer_name(&crt, subject), 0);
	assert_int_equal(mbedtls_x509write_crt_set_serial_raw(&crt, (uint8_t[]){ 1 }, 1),
	    0);
	assert_int_equal(mbedtls_x509write_crt_set_validity(&crt, from, until), 0);
	assert_int_equal(mbedtls_x509write_crt_set_basic_constraints(&crt, 1, -1), 0);
	assert_int_equal(mbedtls_x509write_crt_pem(&crt, pem, sizeof(pem), random_mbedtls, NULL),
	    0);
	mbedtls_x509write_crt_free(&crt);
	return strlen((char *)pem) + 1;
}

static void
server_up(size_t pem_len)
{
	struct server *s = &server;

	memset(s, 0, sizeof(*s));
	mbedtls_ssl_config_init(&s->config);
	mbedtls_ssl_init(&s->ssl);
	mbedtls_x509_crt_init(&s->crt);
	assert_int_equal(mbedtls_x509_crt_parse(&s->crt, pem, pem_len), 0);
	assert_int_equal(mbedtls_ssl_config_defaults(&s->config, MBEDTLS_SSL_IS_SERVER,
	    MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT), 0);
	mbedtls_ssl_conf_rng(&s->config, random_mbedtls, NULL);
	if (tls12)
		mbedtls_ssl_conf_max_tls_version(&s->config, MBEDTLS_SSL_VERSION_TLS1_2);
	mbedtls_ssl_conf_renegotiation(&s->config, MBEDTLS_SSL_RENEGOTIATION_ENABLED);
	assert_int_equal(mbedtls_ssl_conf_own_cert(&s->config, &s->crt, &key), 0);
	assert_int_equal(mbedtls_ssl_setup(&s->ssl, &s->config), 0);
	mbedtls_ssl_set_bio(&s->ssl, NULL, server_sends, server_receives, NULL);
}

static void
wires_up(void)
{
	buf_init(&up, mem[0], sizeof(mem[0]));
	buf_init(&down, mem[1], sizeof(mem[1]));
	buf_init(&to_seal, mem[2], sizeof(mem[2]));
	buf_init(&opened, mem[3], sizeof(mem[3]));
}

static enum layer_state
shake_hands(void)
{
	for (int i = 0; i < 20 && tls_layer.state(&client) == LAYER_OPENING; i++) {
		assert_int_equal(tls_layer.open(&client, &opened, &down), 0);
		assert_int_equal(tls_layer.seal(&client, &up, &to_seal), 0);
		if (!server.open)
			server.open = mbedtls_ssl_handshake(&server.ssl) == 0;
	}
	return tls_layer.state(&client);
}

static void
both_up(const char *host, size_t pem_len, bool trusted)
{
	wires_up();
	server_up(pem_len);
	assert_int_equal(tls_start(&client, host, trusted ? pem : NULL, trusted ? pem_len : 0,
	    false), 0);
	assert_int_equal(tls_layer.state(&client), LAYER_OPENING);
	assert_int_equal(shake_hands(), LAYER_OPEN);
}

static int
down_again(void **state)
{
	(void)state;
	tls_layer.stop(&client);
	mbedtls_ssl_free(&server.ssl);
	mbedtls_ssl_config_free(&server.config);
	mbedtls_x509_crt_free(&server.crt);
	return 0;
}

static void
opens(const char *host)
{
	both_up(host, make_certificate(NAME, "20200101000000", "20991231000000"), true);
}

/* The next octets that the server reads; 0 if there are none. */
static size_t
server_reads(uint8_t *out, size_t len)
{
	int got = mbedtls_ssl_read(&server.ssl, out, len);

	assert_true(got > 0 || got == MBEDTLS_ERR_SSL_WANT_READ);
	return got > 0 ? (size_t)got : 0;
}

static void
certificates(void **state)
{
	static const char long_ago[] = "20200101000000", ahead[] = "20991231000000";
	static const struct {
		const char *host, *name, *from, *until;
		bool trusted;
		const char *word;
	} cases[] = {
		{ NAME, NAME, long_ago, ahead, true, "verified" },
		{ "MX.B.Example", NAME, long_ago, ahead, true, "verified" },
		{ NULL, NAME, long_ago, ahead, true, "not-named" },
		{ NAME, NAME, long_ago, ahead, false, "not-trusted" },
		{ NULL, NAME, long_ago, ahead, false, "not-trusted" },
		{ NAME, "mx.c.example", long_ago, ahead, true, "wrong-name" },
		{ NAME, NAME, long_ago, "20200102000000", true, "expired" },
		{ NAME, NAME, "20980101000000", ahead, true, "not-yet-valid" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		both_up(cases[i].host,
		    make_certificate(cases[i].name, cases[i].from, cases[i].until),
		    cases[i].trusted);
		assert_string_equal(tls_certificate(&client), cases[i].word);
		assert_int_equal(tls_is_verified(&client), strcmp(cases[i].word, "verified") == 0);
		down_again(NULL);
	}
}

static void
describes(void **state)
{
	char text[128];

	(void)state;
	assert_int_equal(tls_start(&client, NAME, NULL, 0, false), 0);
	tls_describe(&client, text, sizeof(text));
	assert_string_equal(text, "");
	assert_false(tls_is_verified(&client));
	tls_layer.stop(&client);
	opens(NAME);
	tls_describe(&client, text, sizeof(text));
	const char *begins = tls12 ? "TLSv1.2 TLS-ECDHE-ECDSA-WITH-" : "TLSv1.3 TLS1-3-";
	assert_memory_equal(text, begins, strlen(begins));
}

/*
 * With little room on the wire, and more to seal meanwhile, each octet is sent exactly once.
 * (mbedTLS takes the next write after an unfinished one for its continuation.)
 */
static void
seals_into_little_room(void **state)
{
	static uint8_t heard[200000];
	uint8_t little[1500];
	size_t said = 0, got = 0, lens[] = { 1, 700, 5000, 16384, 3 };
	struct buf wire;

	(void)state;
	opens(NAME);
	for (size_t turn = 0; turn < 50000 && got < sizeof(heard); turn++) {
		for (size_t i = lens[turn % COUNT(lens)]; i > 0 && said < sizeof(heard) &&
		    buf_room(&to_seal) > 0; i--, said++)
			buf_put(&to_seal, span(&(uint8_t){ (uint8_t)(said * 31 + said / 251) }, 1));
		buf_init(&wire, little, turn % 7 == 0 ? sizeof(little) : turn % 200);
		assert_int_equal(tls_layer.seal(&client, &wire, &to_seal), 0);
		buf_move(&up, &wire);
		got += server_reads(heard + got, sizeof(heard) - got);
	}
	assert_int_equal(got, sizeof(heard));
	for (size_t i = 0; i < sizeof(heard); i++)
		assert_int_equal(heard[i], (uint8_t)(i * 31 + i / 251));
	assert_int_equal(buf_len(&to_seal), 0);
}

/* TLS 1.2: it refuses renegotiation, and loses no octet of ours by the alert. */
static void
renegotiation_is_refused(void **state)
{
	uint8_t heard[16] = "", none[1];
	struct buf full;

	(void)state;
	opens(NAME);
	mbedtls_ssl_renegotiate(&server.ssl);
	assert_true(buf_len(&down) > 0);
	assert_int_equal(tls_layer.open(&client, &opened, &down), 0);
	buf_put(&to_seal, SPAN("octets"));
	buf_init(&full, none, 0);
	assert_int_equal(tls_layer.seal(&client, &full, &to_seal), 0);
	assert_int_equal(buf_len(&to_seal), 6);
	assert_int_equal(tls_layer.seal(&client, &up, &to_seal), 0);
	assert_int_equal(buf_len(&to_seal), 0);
	for (int i = 0; i < 3 && heard[0] == '\0'; i++)
		server_reads(heard, sizeof(heard));
	assert_memory_equal(heard, "octets", 6);
}

/* Octets without room stay inside, are reported, and arrive complete. */
static void
opens_into_little_room(void **state)
{
	uint8_t little[5], whole[26];
	struct buf plain;
	size_t got = 0;

	(void)state;
	opens(NAME);
	assert_false(tls_layer.holds(&client));
	assert_int_equal(mbedtls_ssl_write(&server.ssl,
			     (const uint8_t *)"abcdefghijklmnopqrstuvwxyz", 26),
	    26);
	while (got < sizeof(whole)) {
		buf_init(&plain, little, sizeof(little));
		assert_int_equal(tls_layer.open(&client, &plain, &down), 0);
		assert_true(buf_len(&plain) > 0);
		memcpy(whole + got, buf_peek(&plain).at, buf_len(&plain));
		got += buf_len(&plain);
		assert_int_equal(buf_len(&down), 0);
		assert_int_equal(tls_layer.holds(&client), got < sizeof(whole));
	}
	assert_memory_equal(whole, "abcdefghijklmnopqrstuvwxyz", 26);
}

static void
goodbyes(void **state)
{
	uint8_t octet, none[1];
	struct buf full;

	(void)state;
	opens(NAME);
	assert_false(tls_layer.ended(&client));
	assert_int_equal(mbedtls_ssl_close_notify(&server.ssl), 0);
	assert_int_equal(tls_layer.open(&client, &opened, &down), 0);
	assert_true(tls_layer.ended(&client));
	buf_init(&full, none, 0);
	assert_false(tls_layer.end(&client, &full));
	assert_true(tls_layer.end(&client, &up));
	assert_int_equal(mbedtls_ssl_read(&server.ssl, &octet, 1),
	    MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY);
}

/* statement 20, of TLS */
static void
changed_octets_are_noticed(void **state)
{
	(void)state;
	opens(NAME);
	assert_int_equal(mbedtls_ssl_write(&server.ssl, (const uint8_t *)"250 ok\r\n", 8), 8);
	struct span s = buf_peek(&down);
	uint8_t copy[256];

	assert_true(s.len < sizeof(copy));
	memcpy(copy, s.at, s.len);
	copy[s.len - 1] ^= 1;
	buf_clear(&down);
	buf_put(&down, span(copy, s.len));
	assert_int_equal(tls_layer.open(&client, &opened, &down), -1);
	assert_int_equal(buf_len(&opened), 0);
	assert_memory_equal(tls_layer.fault(&client), "tls-error-", 10);
}

/* Octets that are not TLS make the handshake fail, and are not passed on. */
static void
no_handshake(void **state)
{
	(void)state;
	wires_up();
	server_up(make_certificate(NAME, "20200101000000", "20991231000000"));
	assert_int_equal(tls_start(&client, NAME, NULL, 0, false), 0);
	assert_int_equal(tls_layer.seal(&client, &up, &to_seal), 0);
	assert_true(buf_len(&up) > 0);
	buf_put(&down, SPAN("250 2.0.0 Ok, and no TLS at all\r\n"));
	assert_int_equal(tls_layer.open(&client, &opened, &down), 0);
	assert_int_equal(tls_layer.state(&client), LAYER_FAILED);
	assert_int_equal(buf_len(&opened), 0);
	assert_string_not_equal(tls_layer.fault(&client), "tls-error-0000");
}

static int
make_key(void **state)
{
	(void)state;
	mbedtls_pk_init(&key);
	return mbedtls_pk_setup(&key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY)) != 0 ||
	    mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(key), random_mbedtls,
		NULL) != 0;
}

static int
free_key(void **state)
{
	(void)state;
	mbedtls_pk_free(&key);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(certificates),
		cmocka_unit_test_teardown(describes, down_again),
		cmocka_unit_test_teardown(seals_into_little_room, down_again),
		cmocka_unit_test_teardown(opens_into_little_room, down_again),
		cmocka_unit_test_teardown(goodbyes, down_again),
		cmocka_unit_test_teardown(changed_octets_are_noticed, down_again),
		cmocka_unit_test_teardown(no_handshake, down_again),
	};
	const struct CMUnitTest tls12_tests[] = {
		cmocka_unit_test_teardown(renegotiation_is_refused, down_again),
	};
	int failed = 0;

	tls12 = true;
	failed += cmocka_run_group_tests_name("TLS 1.2", tests, make_key, free_key);
	failed += cmocka_run_group_tests_name("TLS 1.2 only", tls12_tests, make_key, free_key);
#ifdef MBEDTLS_SSL_PROTO_TLS1_3
	tls12 = false;
	failed += cmocka_run_group_tests_name("TLS 1.3", tests, make_key, free_key);
#endif
	return failed;
}
