/*
 * TLS as a server, with mbedTLS's own client and octets carried by the test: what is accepted, what
 * becomes of the private key, tickets, and octets that are no handshake.
 */
#include "certificates.h"

#include "base/octets.h"
#include "crypt/tls_server.h"

#define NAME "mx.b.example"
#define HOUR_S 3600

static struct tls server;
static struct made made;
static struct tls_ticket ticket = { .key = { 7 }, .lifetime_s = HOUR_S };
static uint8_t mem[4][65536];
static struct buf up, down, to_seal, opened;	/* the wire's two directions, then plain octets */

static struct far {
	mbedtls_ssl_config config;
	mbedtls_ssl_context ssl;
	bool open;
	int error;
} far;

static int
far_sends(void *context, const unsigned char *octets, size_t len)
{
	(void)context;
	buf_put(&up, span(octets, len));
	return (int)len;
}

static int
far_receives(void *context, unsigned char *octets, size_t len)
{
	struct span s = buf_peek(&down);

	(void)context;
	if (s.len == 0)
		return MBEDTLS_ERR_SSL_WANT_READ;
	len = len < s.len ? len : s.len;
	memcpy(octets, s.at, len);
	buf_take(&down, len);
	return (int)len;
}

static void
far_up(void)
{
	memset(&far, 0, sizeof(far));
	mbedtls_ssl_config_init(&far.config);
	mbedtls_ssl_init(&far.ssl);
	assert_int_equal(mbedtls_compat_tls13(), 0);
	assert_int_equal(mbedtls_ssl_config_defaults(&far.config, MBEDTLS_SSL_IS_CLIENT,
	    MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT), 0);
	mbedtls_ssl_conf_rng(&far.config, random_mbedtls, NULL);
	mbedtls_ssl_conf_authmode(&far.config, MBEDTLS_SSL_VERIFY_NONE);
	/* 1.3 has its tickets after the handshake, and its own names */
	mbedtls_ssl_conf_max_tls_version(&far.config, MBEDTLS_SSL_VERSION_TLS1_2);
}

static void
far_connects(void)
{
	assert_int_equal(mbedtls_ssl_setup(&far.ssl, &far.config), 0);
	mbedtls_ssl_set_bio(&far.ssl, NULL, far_sends, far_receives, NULL);
}

static void
far_down(void)
{
	mbedtls_ssl_free(&far.ssl);
	mbedtls_ssl_config_free(&far.config);
}

static void
wires_up(void)
{
	buf_init(&up, mem[0], sizeof(mem[0]));
	buf_init(&down, mem[1], sizeof(mem[1]));
	buf_init(&to_seal, mem[2], sizeof(mem[2]));
	buf_init(&opened, mem[3], sizeof(mem[3]));
}

static void
server_up(void)
{
	wires_up();
	assert_int_equal(tls_server_start(&server, made_chain(&made), made_key(&made), &ticket), 0);
	assert_int_equal(tls_layer.state(&server), LAYER_OPENING);
}

static void
server_moves(void)
{
	tls_layer.open(&server, &opened, &up);
	tls_layer.seal(&server, &down, &to_seal);
}

static enum layer_state
shake_hands(void)
{
	for (int i = 0; i < 20; i++) {
		if (!far.open && far.error == 0) {
			int rc = mbedtls_ssl_handshake(&far.ssl);

			far.open = rc == 0;
			if (rc != 0 && rc != MBEDTLS_ERR_SSL_WANT_READ)
				far.error = rc;
		}
		server_moves();
	}
	return tls_layer.state(&server);
}

static int
set_up(void **state)
{
	(void)state;
	if (made.key_len == 0) {
		made_new_key(&made, 0);
		made_new_chain(&made, "CN=" NAME, LONG_AGO, AHEAD);
	}
	far_up();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	far_down();
	tls_layer.stop(&server);
	return 0;
}

static void
assert_carries(void)
{
	uint8_t out[16];

	assert_int_equal(mbedtls_ssl_write(&far.ssl, (const uint8_t *)"up", 2), 2);
	buf_put(&to_seal, SPAN("down"));
	server_moves();
	assert_true(span_equal(buf_peek(&opened), SPAN("up")));
	assert_int_equal(mbedtls_ssl_read(&far.ssl, out, sizeof(out)), 4);
	assert_memory_equal(out, "down", 4);
}

/* Statement 42: the private key and the ticket key are wiped when the handshake ends. */
static void
opens_and_forgets(void **state)
{
	static const uint8_t none[TLS_TICKET_KEY_LEN];
	char text[128];

	(void)state;
	server_up();
	far_connects();
	assert_int_not_equal(mbedtls_pk_get_type(&server.own.key), MBEDTLS_PK_NONE);
	assert_int_equal(shake_hands(), LAYER_OPEN);
	assert_int_equal(mbedtls_pk_get_type(&server.own.key), MBEDTLS_PK_NONE);
	assert_memory_equal(server.ticket.key, none, sizeof(none));
	assert_false(server.ticket.resumed);
	tls_describe(&server, text, sizeof(text));
	assert_string_equal(text, "TLSv1.2 TLS-ECDHE-ECDSA-WITH-CHACHA20-POLY1305-SHA256");
	assert_carries();
}

static void
with_rsa(void **state)
{
	static struct made rsa;
	char text[128];

	(void)state;
	made_new_key(&rsa, 2048);
	made_new_chain(&rsa, "CN=" NAME, LONG_AGO, AHEAD);
	wires_up();
	assert_int_equal(tls_server_start(&server, made_chain(&rsa), made_key(&rsa), NULL), 0);
	far_connects();
	assert_int_equal(shake_hands(), LAYER_OPEN);
	tls_describe(&server, text, sizeof(text));
	assert_string_equal(text, "TLSv1.2 TLS-ECDHE-RSA-WITH-CHACHA20-POLY1305-SHA256");
}

/* The alert that the server has sent; 0: none. */
static unsigned
alert(void)
{
	struct span s = buf_peek(&down);

	while (s.len >= 5) {
		size_t len = octets_get16(s.at + 3);

		if (s.at[0] == 21 && len == 2 && s.len >= 7)
			return s.at[6];
		s = span_from(s, 5 + len);
	}
	return 0;
}

static void
assert_refused(unsigned description)
{
	assert_int_equal(tls_layer.state(&server), LAYER_FAILED);
	assert_int_equal(alert(), description);
	assert_int_equal(mbedtls_pk_get_type(&server.own.key), MBEDTLS_PK_NONE);
}

/* Sends the client's first flight, and what the server makes of it. */
static void
only_hello(void)
{
	server_up();
	far_connects();
	assert_int_equal(mbedtls_ssl_handshake(&far.ssl), MBEDTLS_ERR_SSL_WANT_READ);
	server_moves();
}

/* Statement 42: TLS 1.2 at least. */
static void
old_versions(void **state)
{
	(void)state;
#if MBEDTLS_VERSION_MAJOR < 3
	for (int minor = MBEDTLS_SSL_MINOR_VERSION_1; minor < MBEDTLS_SSL_MINOR_VERSION_3; minor++) {
		far_down();
		far_up();
		mbedtls_ssl_conf_max_tls_version(&far.config, minor);
		mbedtls_ssl_conf_min_tls_version(&far.config, MBEDTLS_SSL_MINOR_VERSION_1);
		only_hello();
		assert_refused(70);	/* protocol_version */
		tls_layer.stop(&server);
	}
#endif
}

/* Statement 42: forward secrecy and an AEAD. */
static void
weak_suites(void **state)
{
	static const int all[][2] = {
		{ MBEDTLS_TLS_RSA_WITH_AES_128_GCM_SHA256 },
		{ MBEDTLS_TLS_RSA_WITH_AES_128_CBC_SHA },
		{ MBEDTLS_TLS_DHE_RSA_WITH_AES_128_GCM_SHA256 },
		{ MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA },
		{ MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256 },
		/* a certificate that is not there */
		{ MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		far_down();
		far_up();
		mbedtls_ssl_conf_ciphersuites(&far.config, all[i]);
		only_hello();
		assert_refused(40);	/* handshake_failure */
		tls_layer.stop(&server);
	}
}

/* A full handshake, then another with the session, whose ticket is sealed under `key`. */
static bool
resumes(const struct tls_ticket *then)
{
	mbedtls_ssl_session session;
	struct tls_ticket before = ticket;

	mbedtls_ssl_session_init(&session);
	server_up();
	far_connects();
	assert_int_equal(shake_hands(), LAYER_OPEN);
	assert_int_equal(mbedtls_ssl_get_session(&far.ssl, &session), 0);
	tls_layer.stop(&server);
	far_down();
	far_up();
	ticket = *then;
	server_up();
	ticket = before;
	far_connects();
	assert_int_equal(mbedtls_ssl_set_session(&far.ssl, &session), 0);
	assert_int_equal(shake_hands(), LAYER_OPEN);
	assert_carries();
	mbedtls_ssl_session_free(&session);
	return server.ticket.resumed;
}

static void
resumes_with_a_ticket(void **state)
{
	(void)state;
	assert_true(resumes(&ticket));
}

/* A ticket under another key, or where there are none, costs a full handshake and nothing else. */
static void
foreign_ticket(void **state)
{
	struct tls_ticket other = { .key = { 8 }, .lifetime_s = HOUR_S }, none = { .lifetime_s = 0 };

	(void)state;
	assert_false(resumes(&other));
	tear_down(NULL);
	set_up(NULL);
	assert_false(resumes(&none));
}

/* Each octet of a ticket is authenticated. */
static void
changed_ticket(void **state)
{
	uint8_t octets[1024], copy[1024];
	mbedtls_ssl_session session;
	uint32_t lifetime;
	size_t len;

	(void)state;
	server_up();
	far_connects();
	assert_int_equal(shake_hands(), LAYER_OPEN);
	mbedtls_ssl_session_init(&session);
	assert_int_equal(mbedtls_ssl_get_session(&far.ssl, &session), 0);
	assert_int_equal(tls_ticket_write(&ticket, &session, octets, octets + sizeof(octets), &len,
	    &lifetime), 0);
	assert_int_equal(lifetime, HOUR_S);
	for (size_t i = 0; i < len; i++) {
		mbedtls_ssl_session out;

		mbedtls_ssl_session_init(&out);
		memcpy(copy, octets, len);
		copy[i] ^= 1;
		assert_int_not_equal(tls_ticket_parse(&ticket, &out, copy, len), 0);
		memcpy(copy, octets, len);
		assert_int_not_equal(tls_ticket_parse(&ticket, &out, copy, i), 0);
		mbedtls_ssl_session_free(&out);
	}
	assert_false(ticket.resumed);
	/* no room for it */
	for (size_t room = 0; room < len; room++)
		assert_int_not_equal(tls_ticket_write(&ticket, &session, octets, octets + room,
		    &len, &lifetime), 0);
	mbedtls_ssl_session_free(&session);
}

static void
feed(const void *octets, size_t len)
{
	buf_put(&up, span(octets, len));
	server_moves();
}

static void
not_a_handshake(void **state)
{
	static const struct { const char *octets; size_t len; } all[] = {
		{ "EHLO a.example\r\n", 16 },
		{ "\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10\x01\x00\x80\x03\x00\x80", 17 },
		{ "\x15\x03\x01\x00\x02\x02\x28", 7 },			/* an alert */
		{ "\x17\x03\x03\x00\x05hello", 10 },			/* application data */
		{ "\x16\x03\x01\x00\x04\x02\x00\x00\x00", 9 },		/* ServerHello */
		{ "\x16\x03\x01\x00\x04\x01\x00\x00\x00", 9 },		/* empty ClientHello */
		{ "\x16\x03\x01\xff\xff", 5 },				/* longer than a record */
#ifndef MBEDTLS_SSL_PROTO_TLS1_3	/* which permits the first, and waits for more of the second */
		{ "\x14\x03\x03\x00\x01\x01", 6 },			/* change_cipher_spec */
		{ "\x16\x03\x01\x00\x04\x01\xff\xff\xff", 9 },
#endif
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		server_up();
		feed(all[i].octets, all[i].len);
		if (tls_layer.state(&server) != LAYER_FAILED)
			print_error("input %zu\n", i);
		assert_int_equal(tls_layer.state(&server), LAYER_FAILED);
		assert_true(strncmp(tls_layer.fault(&server), "tls-error-", 10) == 0);
		tls_layer.stop(&server);
	}
}

/* Each octet of the client's first flight flipped, and each truncation. */
static void
flips_and_cuts(void **state)
{
	static uint8_t hello[1024];
	size_t len;

	(void)state;
	server_up();
	far_connects();
	assert_int_equal(mbedtls_ssl_handshake(&far.ssl), MBEDTLS_ERR_SSL_WANT_READ);
	len = buf_len(&up);
	assert_in_range(len, 50, sizeof(hello));
	memcpy(hello, buf_peek(&up).at, len);
	tls_layer.stop(&server);
	for (size_t i = 0; i < len; i++) {
		server_up();
		feed(hello, i);
		assert_int_equal(tls_layer.state(&server), LAYER_OPENING);
		assert_int_equal(buf_len(&down), 0);
		tls_layer.stop(&server);
		if (i % 3 != 0)		/* a public-key operation each */
			continue;
		server_up();
		hello[i] ^= 0x20;
		feed(hello, len);
		hello[i] ^= 0x20;
		assert_int_not_equal(tls_layer.state(&server), LAYER_OPEN);
		tls_layer.stop(&server);
	}
}

/* 16 KB of extensions that nobody knows. */
static void
many_extensions(void **state)
{
	static uint8_t hello[16384];
	uint8_t *at = hello;
	size_t extensions = sizeof(hello) - 5 - 4 - 2 - 32 - 1 - 4 - 2 - 2;
	static const uint8_t random[32];

	(void)state;
	memset(hello, 0x55, sizeof(hello));
	memcpy(at, "\x16\x03\x01", 3);
	octets_put16(at + 3, (uint16_t)(sizeof(hello) - 5));
	octets_put32(at + 5, (uint32_t)(sizeof(hello) - 9));
	at[5] = 1;
	at += 9;
	memcpy(at, "\x03\x03", 2);
	memcpy(at + 2, random, sizeof(random));
	memcpy(at + 34, "\x00\x00\x02\xc0\x2b\x01\x00", 7);
	at += 41;
	octets_put16(at, (uint16_t)extensions);
	server_up();
	feed(hello, sizeof(hello));
	assert_int_equal(tls_layer.state(&server), LAYER_FAILED);
}

#ifdef MBEDTLS_SSL_PROTO_TLS1_3
/* Reads until nothing comes, tickets included. */
static void
far_reads(void)
{
	uint8_t out[16];

	for (int i = 0; i < 8; i++) {
		server_moves();
		(void)mbedtls_ssl_read(&far.ssl, out, sizeof(out));
	}
}

/* TLS 1.3, and a ticket of it; the ticket's key is wiped after it was used. */
static void
tls_1_3(void **state)
{
	static const uint8_t none[TLS_TICKET_KEY_LEN];
	mbedtls_ssl_session session;
	char text[128];

	(void)state;
	mbedtls_ssl_session_init(&session);
	for (int i = 0; i < 2; i++) {
		mbedtls_ssl_conf_max_tls_version(&far.config, MBEDTLS_SSL_VERSION_TLS1_3);
		mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(&far.config,
		    MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
		server_up();
		far_connects();
		if (i == 1)
			assert_int_equal(mbedtls_ssl_set_session(&far.ssl, &session), 0);
		assert_int_equal(shake_hands(), LAYER_OPEN);
		tls_describe(&server, text, sizeof(text));
		assert_string_equal(text, "TLSv1.3 TLS1-3-CHACHA20-POLY1305-SHA256");
		far_reads();
		assert_memory_equal(server.ticket.key, none, sizeof(none));
		assert_int_equal(mbedtls_pk_get_type(&server.own.key), MBEDTLS_PK_NONE);
		assert_int_equal(server.ticket.resumed, i);
		assert_carries();
		if (i == 0)
			assert_int_equal(mbedtls_ssl_get_session(&far.ssl, &session), 0);
		tls_layer.stop(&server);
		far_down();
		far_up();
	}
	mbedtls_ssl_session_free(&session);
}
#endif

/* Renegotiation is refused, and the session continues. */
static void
renegotiation(void **state)
{
	(void)state;
	mbedtls_ssl_conf_renegotiation(&far.config, MBEDTLS_SSL_RENEGOTIATION_ENABLED);
	server_up();
	far_connects();
	assert_int_equal(shake_hands(), LAYER_OPEN);
	mbedtls_ssl_renegotiate(&far.ssl);
	server_moves();
	buf_clear(&opened);
	assert_int_equal(tls_layer.state(&server), LAYER_OPEN);
	assert_true(buf_len(&down) > 0);
}

static void
unusable(void **state)
{
	(void)state;
	assert_true(tls_server_start(&server, made_chain(&made), span("", 1), NULL) < 0);
	tls_layer.stop(&server);
	assert_true(tls_server_start(&server, span("", 1), made_key(&made), NULL) < 0);
}

#define with_far(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		with_far(opens_and_forgets),
		with_far(with_rsa),
		with_far(old_versions),
		with_far(weak_suites),
		with_far(resumes_with_a_ticket),
		with_far(foreign_ticket),
		with_far(changed_ticket),
		with_far(not_a_handshake),
		with_far(flips_and_cuts),
		with_far(many_extensions),
#ifdef MBEDTLS_SSL_PROTO_TLS1_3
		with_far(tls_1_3),
#endif
		with_far(renegotiation),
		with_far(unusable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
