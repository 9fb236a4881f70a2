#include "crypt/tls.h"

#include "crypt/mbedtls_compat.h"
#include "crypt/random.h"
#include "crypt/sodium.h"

#include <mbedtls/net_sockets.h>
#include <stdio.h>
#include <string.h>

#define PLAIN_MAX 16384		/* octets of content in one record */

static int
put_wire(void *state, const unsigned char *octets, size_t len)
{
	struct tls *t = state;
	size_t room = t->wire_out != NULL ? buf_room(t->wire_out) : 0;

	/* mbedTLS forgets an alert about a failed handshake that it cannot write at once */
	if (t->wire_out == NULL && !t->open && len <= sizeof(t->held) - t->held_len) {
		memcpy(t->held + t->held_len, octets, len);
		t->held_len += len;
		return (int)len;
	}
	if (t->wire_out == NULL && t->open)
		t->owes = true;
	if (room == 0)
		return MBEDTLS_ERR_SSL_WANT_WRITE;
	if (len > room)
		len = room;
	buf_put(t->wire_out, span(octets, len));
	return (int)len;
}

static int
get_wire(void *state, unsigned char *octets, size_t len)
{
	struct tls *t = state;

	if (t->wire_in == NULL || buf_len(t->wire_in) == 0)
		return MBEDTLS_ERR_SSL_WANT_READ;
	if (len > buf_len(t->wire_in))
		len = buf_len(t->wire_in);
	memcpy(octets, buf_peek(t->wire_in).at, len);
	buf_take(t->wire_in, len);
	return (int)len;
}

int
tls_set_up(struct tls *t, int endpoint)
{
	memset(t, 0, sizeof(*t));
	mbedtls_ssl_config_init(&t->config);
	mbedtls_ssl_init(&t->ssl);
	mbedtls_x509_crt_init(&t->roots);
	certificate_init(&t->own);
	t->started = true;
	t->server = endpoint == MBEDTLS_SSL_IS_SERVER;
	if (mbedtls_compat_tls13() < 0 || mbedtls_ssl_config_defaults(&t->config, endpoint,
	    MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT) != 0)
		return -1;
	mbedtls_ssl_conf_rng(&t->config, random_mbedtls, NULL);
	return 0;
}

int
tls_connect(struct tls *t)
{
	if (mbedtls_ssl_setup(&t->ssl, &t->config) != 0)
		return -1;
	mbedtls_ssl_set_bio(&t->ssl, t, put_wire, get_wire, NULL);
	return 0;
}

/* A client may also use DHE. */
static const int strict_suites[] = {
	TLS_SUITES,
	MBEDTLS_TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	MBEDTLS_TLS_DHE_RSA_WITH_AES_256_GCM_SHA384,
	MBEDTLS_TLS_DHE_RSA_WITH_AES_128_GCM_SHA256,
	0
};

int
tls_start(struct tls *t, const char *host, const uint8_t *roots, size_t roots_len, bool strict)
{
	if (tls_set_up(t, MBEDTLS_SSL_IS_CLIENT) < 0)
		return -1;
	/* mbedTLS may be unable to parse some of the system's roots; the others are used */
	if (roots != NULL)
		mbedtls_x509_crt_parse(&t->roots, roots, roots_len);
	mbedtls_ssl_conf_ca_chain(&t->config, &t->roots, NULL);
	mbedtls_ssl_conf_authmode(&t->config, MBEDTLS_SSL_VERIFY_OPTIONAL);
	mbedtls_compat_order_signatures(&t->config);
	if (strict) {
		mbedtls_ssl_conf_min_tls_version(&t->config, MBEDTLS_SSL_VERSION_TLS1_2);
		mbedtls_ssl_conf_ciphersuites(&t->config, strict_suites);
	}
	t->nameless = host == NULL;
	if (tls_connect(t) < 0)
		return -1;
	return mbedtls_ssl_set_hostname(&t->ssl, host) == 0 ? 0 : -1;
}

static bool
wants_more(int error)
{
	return error == MBEDTLS_ERR_SSL_WANT_READ || error == MBEDTLS_ERR_SSL_WANT_WRITE;
}

/* Whether an alert protocol_version (RFC 8446, section 6) is next on the wire. */
static bool
version_is_refused(const struct tls *t)
{
	static const uint8_t alert[] = { 21 }, fatal[] = { 2, 70 };
	struct span s = t->wire_in != NULL ? buf_peek(t->wire_in) : span(NULL, 0);

	return span_starts(s, span(alert, sizeof(alert))) &&
	    span_starts(span_from(s, 5), span(fatal, sizeof(fatal)));
}

/* Wipes what only the handshake needs. */
static void
forget_keys(struct tls *t)
{
	certificate_forget_key(&t->own);
	tls_ticket_forget(&t->ticket);
	if (t->server)
		sodium_wipe_stack();
}

/* Continues the handshake as far as the available octets permit. */
static void
shake_hands(struct tls *t)
{
	if (t->open || t->failed)
		return;
	t->version_refused = t->version_refused || version_is_refused(t);
	int error = mbedtls_ssl_handshake(&t->ssl);
	if (error == 0) {
		t->open = true;
		t->verdict = mbedtls_ssl_get_verify_result(&t->ssl);
	} else if (!wants_more(error)) {
		t->failed = true;
		t->error = error;
	}
	if (t->open || t->failed)
		forget_keys(t);
}

static int
tls_open(void *state, struct buf *plain, struct buf *wire)
{
	struct tls *t = state;
	int result = 0;

	t->wire_in = wire;
	shake_hands(t);
	while (t->open && !t->ended) {
		size_t room;
		uint8_t *space = buf_space(plain, &room);

		if (room == 0)
			break;
		int len = mbedtls_ssl_read(&t->ssl, space, room < PLAIN_MAX ? room : PLAIN_MAX);
		if (len > 0) {
			buf_added(plain, (size_t)len);
		} else if (len == 0 || len == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) {
			t->ended = true;
		} else if (len != MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET) {
			if (!wants_more(len)) {
				t->error = len;
				result = -1;
			}
			break;
		}
	}
	t->wire_in = NULL;
	return result;
}

/*
 * Sends an alert that mbedTLS could not write while it was reading; true when none is pending.
 * While one is, mbedtls_ssl_write() takes any call for the continuation of an earlier write and
 * drops its octets, so an empty write is used.
 */
static bool
paid(struct tls *t)
{
	if (t->owes && mbedtls_ssl_write(&t->ssl, NULL, 0) == 0)
		t->owes = false;
	return !t->owes;
}

/* Puts to the wire what was written while reading.  False: no room yet. */
static bool
put_held(struct tls *t, struct buf *wire)
{
	if (!buf_put(wire, span(t->held, t->held_len)))
		return false;
	t->held_len = 0;
	return true;
}

static int
tls_seal(void *state, struct buf *wire, struct buf *plain)
{
	struct tls *t = state;
	int result = 0;

	if (!put_held(t, wire))
		return 0;
	t->wire_out = wire;
	shake_hands(t);
	while (t->open && !t->we_ended && paid(t) && buf_len(plain) > 0) {
		struct span s = buf_peek(plain);
		/* an unfinished write must be repeated with the same length */
		size_t want = t->sealed > 0 ? t->sealed : s.len < PLAIN_MAX ? s.len : PLAIN_MAX;
		int len = mbedtls_ssl_write(&t->ssl, s.at, want);

		t->sealed = len > 0 ? 0 : want;
		if (len <= 0) {
			if (!wants_more(len)) {
				t->error = len;
				result = -1;
			}
			break;
		}
		buf_take(plain, (size_t)len);
	}
	t->wire_out = NULL;
	return result;
}

static bool
tls_end(void *state, struct buf *wire)
{
	struct tls *t = state;

	if (!t->open || t->we_ended)
		return true;
	t->wire_out = wire;
	t->we_ended = paid(t) && mbedtls_ssl_close_notify(&t->ssl) != MBEDTLS_ERR_SSL_WANT_WRITE;
	t->wire_out = NULL;
	return t->we_ended;
}

static bool
tls_ended(const void *state)
{
	const struct tls *t = state;

	return t->ended;
}

static bool
tls_holds(const void *state)
{
	const struct tls *t = state;

	return t->open && mbedtls_ssl_get_bytes_avail(&t->ssl) > 0;
}

static const char *
tls_fault(const void *state)
{
	const struct tls *t = state;
	static char text[32];

	if (t->version_refused)
		return TLS_FAULT_VERSION;
	snprintf(text, sizeof(text), "tls-error-%04x", (unsigned)-t->error);
	return text;
}

static enum layer_state
tls_state(const void *state)
{
	const struct tls *t = state;

	if (t->failed)
		return LAYER_FAILED;
	return t->open ? LAYER_OPEN : LAYER_OPENING;
}

static void
tls_stop(void *state)
{
	struct tls *t = state;

	if (!t->started)
		return;
	mbedtls_ssl_free(&t->ssl);
	mbedtls_ssl_config_free(&t->config);
	mbedtls_x509_crt_free(&t->roots);
	certificate_close(&t->own);
	tls_ticket_forget(&t->ticket);
	t->started = t->open = false;
}

const struct layer tls_layer = {
	.open = tls_open,
	.seal = tls_seal,
	.end = tls_end,
	.ended = tls_ended,
	.holds = tls_holds,
	.fault = tls_fault,
	.state = tls_state,
	.stop = tls_stop,
};

void
tls_describe(const struct tls *t, char *out, size_t out_len)
{
	if (!t->open)
		snprintf(out, out_len, "%s", "");
	else
		snprintf(out, out_len, "%s %s", mbedtls_ssl_get_version(&t->ssl),
		    mbedtls_ssl_get_ciphersuite(&t->ssl));
}

const mbedtls_x509_crt *
tls_peer_chain(const struct tls *t)
{
	return t->open ? mbedtls_ssl_get_peer_cert(&t->ssl) : NULL;
}

bool
tls_is_verified(const struct tls *t)
{
	return t->open && t->verdict == 0 && !t->nameless;
}

const char *
tls_certificate(const struct tls *t)
{
	static const struct {
		uint32_t flag;
		const char *word;
	} words[] = {
		{ MBEDTLS_X509_BADCERT_EXPIRED, "expired" },
		{ MBEDTLS_X509_BADCERT_FUTURE, "not-yet-valid" },
		{ MBEDTLS_X509_BADCERT_CN_MISMATCH, "wrong-name" },
		{ MBEDTLS_X509_BADCERT_REVOKED, "revoked" },
		{ MBEDTLS_X509_BADCERT_MISSING, "none" },
		{ MBEDTLS_X509_BADCERT_SKIP_VERIFY, "not-looked-at" },
	};

	if (t->verdict == 0)
		return t->nameless ? "not-named" : "verified";
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (t->verdict & words[i].flag)
			return words[i].word;
	return "not-trusted";
}
