/*
 * TLS as a server.  The first octet of an input chooses:
 *
 *	0 octets		what a client sends, in pieces of growing length
 *	1 {at mask}... 		an honest client's octets, changed there (at: two octets)
 *	2 {at mask}...		the same, with a ticket of an earlier connection
 *	3 octets		a ticket
 */
#include "fuzz.h"

#include "base/octets.h"
#include "crypt/certificate_make.h"
#include "crypt/random.h"
#include "crypt/tls_server.h"

#include <mbedtls/ssl.h>
#include <string.h>

#define NOW_S INT64_C(1790000000)
#define CHANGES_MAX 16

static uint8_t mem[4][65536];
static struct buf up, down, to_seal, opened;
static char chain[CERTIFICATE_MAKE_MAX];
static uint8_t key[CERTIFICATE_KEY_LEN];
static struct tls server;
static const struct tls_ticket ticket = { .key = { 7 }, .lifetime_s = 3600 };

static struct far {
	mbedtls_ssl_config config;
	mbedtls_ssl_context ssl;
	bool open, failed;
	struct { size_t at; uint8_t mask; } changes[CHANGES_MAX];
	size_t changes_count;
	uint64_t sent;
	bool changed;
} far;

static mbedtls_ssl_session session;
static bool has_session;

static int
far_sends(void *context, const unsigned char *octets, size_t len)
{
	(void)context;
	for (size_t i = 0; i < len; i++, far.sent++) {
		uint8_t octet = octets[i];

		for (size_t j = 0; j < far.changes_count; j++)
			if (far.changes[j].at == far.sent)
				octet ^= far.changes[j].mask;
		far.changed = far.changed || octet != octets[i];
		buf_put(&up, span(&octet, 1));
	}
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
start(void)
{
	if (chain[0] == '\0') {
		struct hostkey host;

		assert(hostkey_make(&host) == 0);
		certificate_put_key(key, &host);
		assert(certificate_make(chain, &host, "mx.b.example", NOW_S) > 0);
	}
	buf_init(&up, mem[0], sizeof(mem[0]));
	buf_init(&down, mem[1], sizeof(mem[1]));
	buf_init(&to_seal, mem[2], sizeof(mem[2]));
	buf_init(&opened, mem[3], sizeof(mem[3]));
	assert(tls_server_start(&server, span(chain, strlen(chain) + 1), span(key, sizeof(key)),
	    &ticket) == 0);
}

static void
serve(void)
{
	int result = tls_layer.open(&server, &opened, &up);

	if (result == 0)
		tls_layer.seal(&server, &down, &to_seal);
	if (tls_layer.state(&server) == LAYER_OPENING)
		return;
	/* statement 42: the key is needed no longer */
	assert(mbedtls_pk_get_type(&server.own.key) == MBEDTLS_PK_NONE);
	for (size_t i = 0; i < sizeof(server.ticket.key); i++)
		assert(server.ticket.key[i] == 0);
}

/* Octets without keys never open it. */
static void
raw(struct span octets)
{
	start();
	for (size_t piece = 1; octets.len > 0; piece += piece / 2 + 1) {
		buf_put(&up, take_octets(&octets, piece));
		serve();
	}
	assert(tls_layer.state(&server) != LAYER_OPEN && buf_len(&opened) == 0);
	tls_layer.stop(&server);
}

static void
far_start(struct span changes)
{
	memset(&far, 0, sizeof(far));
	for (; changes.len > 0 && far.changes_count < CHANGES_MAX; far.changes_count++) {
		far.changes[far.changes_count].at = take_number(&changes);
		far.changes[far.changes_count].mask = take_octet(&changes);
	}
	mbedtls_ssl_config_init(&far.config);
	mbedtls_ssl_init(&far.ssl);
	assert(mbedtls_ssl_config_defaults(&far.config, MBEDTLS_SSL_IS_CLIENT,
	    MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT) == 0);
	mbedtls_ssl_conf_rng(&far.config, random_mbedtls, NULL);
	mbedtls_ssl_conf_authmode(&far.config, MBEDTLS_SSL_VERIFY_NONE);
#ifdef MBEDTLS_SSL_PROTO_TLS1_3
	mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(&far.config,
	    MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
#endif
	assert(mbedtls_ssl_setup(&far.ssl, &far.config) == 0);
	mbedtls_ssl_set_bio(&far.ssl, NULL, far_sends, far_receives, NULL);
}

static void
both(void)
{
	for (int i = 0; i < 12; i++) {
		if (!far.open && !far.failed) {
			int rc = mbedtls_ssl_handshake(&far.ssl);

			far.open = rc == 0;
			far.failed = rc != 0 && rc != MBEDTLS_ERR_SSL_WANT_READ;
		}
		serve();
	}
}

/* In TLS 1.3 the ticket comes before the first octets, and each step of it ends a call. */
static int
far_reads(uint8_t *out, size_t len)
{
	int rc = 0;

	for (int i = 0; i < 4 && rc <= 0; i++)
		rc = mbedtls_ssl_read(&far.ssl, out, len);
	return rc;
}

/* What the server opens to is a client that has the same keys. */
static void
look_at_open(void)
{
	uint8_t out[8];

	assert(far.open);
	far.changes_count = 0;		/* those are of the handshake */
	if (!far.changed)
		assert(mbedtls_ssl_write(&far.ssl, (const uint8_t *)"hello", 5) == 5);
	buf_put(&to_seal, SPAN("words"));
	serve();
	assert(far_reads(out, sizeof(out)) == 5 && memcmp(out, "words", 5) == 0);
	if (!far.changed)
		assert(span_equal(buf_peek(&opened), SPAN("hello")));
}

static void
honest(struct span changes, bool resumes)
{
	start();
	far_start(changes);
	if (resumes && has_session)
		assert(mbedtls_ssl_set_session(&far.ssl, &session) == 0);
	both();
	if (tls_layer.state(&server) == LAYER_OPEN)
		look_at_open();
	assert(far.changed || (far.open && tls_layer.state(&server) == LAYER_OPEN));
	if (resumes && has_session && !far.changed)
		assert(server.ticket.resumed);
	if (resumes && !has_session && far.open && !far.changed)
		has_session = mbedtls_ssl_get_session(&far.ssl, &session) == 0;
	mbedtls_ssl_free(&far.ssl);
	mbedtls_ssl_config_free(&far.config);
	tls_layer.stop(&server);
}

static void
look_at_ticket(struct span octets)
{
	static uint8_t copy[4096];
	struct tls_ticket t = ticket;
	mbedtls_ssl_session out;
	struct span s = take_octets(&octets, sizeof(copy));

	mbedtls_ssl_session_init(&out);
	if (s.len > 0)
		memcpy(copy, s.at, s.len);
	assert(tls_ticket_parse(&t, &out, copy, s.len) != 0 && !t.resumed);
	mbedtls_ssl_session_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span input = span(data, size);
	uint8_t what = take_octet(&input) & 3;

	if (what == 2 && !has_session)
		honest(span(NULL, 0), true);
	if (what == 0)
		raw(input);
	else if (what == 3)
		look_at_ticket(input);
	else
		honest(input, what == 2);
	return 0;
}
