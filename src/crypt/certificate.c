#include "crypt/certificate.h"

#include "crypt/mbedtls_compat.h"
#include "crypt/random.h"
#include "crypt/sodium.h"

#include <mbedtls/error.h>
#include <mbedtls/pem.h>
#include <string.h>

#define RSA_BITS_MIN 2048
#define DNS_NAME 2		/* the tag of dNSName in GeneralName, RFC 5280 section 4.2.1.6 */
#define TAG_NUMBER 0x1f

const char *
certificate_fault_text(enum certificate_fault fault)
{
	static const char *const texts[CERTIFICATE_FAULTS] = {
		[CERTIFICATE_GOOD] = "good",
		[CERTIFICATE_UNREADABLE] = "not a certificate in PEM",
		[CERTIFICATE_KEY_ENCRYPTED] = "the key is encrypted",
		[CERTIFICATE_KEY_UNREADABLE] = "not a private key in PEM",
		[CERTIFICATE_KEY_KIND] = "the key is neither ECDSA nor RSA of 2048 bits or more",
		[CERTIFICATE_KEY_FOREIGN] = "the key is that of another certificate",
		[CERTIFICATE_NOT_YET] = "the certificate is not valid yet",
		[CERTIFICATE_EXPIRED] = "the certificate has expired",
	};

	return texts[fault];
}

void
certificate_init(struct certificate *c)
{
	mbedtls_x509_crt_init(&c->chain);
	mbedtls_pk_init(&c->key);
}

enum certificate_fault
certificate_open_chain(struct certificate *c, struct span chain)
{
	/* an issuer that mbedTLS cannot parse is left out; the first one decides */
	if (mbedtls_x509_crt_parse(&c->chain, chain.at, chain.len) < 0 || c->chain.version == 0)
		return CERTIFICATE_UNREADABLE;
	return CERTIFICATE_GOOD;
}

static enum certificate_fault
open_key(struct certificate *c, struct span key)
{
	switch (mbedtls_pk_parse_key(&c->key, key.at, key.len, NULL, 0, random_mbedtls, NULL)) {
	case 0:
		break;
	case MBEDTLS_ERR_PK_PASSWORD_REQUIRED:
	case MBEDTLS_ERR_PK_PASSWORD_MISMATCH:
	case MBEDTLS_ERR_PEM_PASSWORD_REQUIRED:
	case MBEDTLS_ERR_PEM_PASSWORD_MISMATCH:
		return CERTIFICATE_KEY_ENCRYPTED;
	default:
		return CERTIFICATE_KEY_UNREADABLE;
	}
	bool rsa = mbedtls_pk_can_do(&c->key, MBEDTLS_PK_RSA);
	if (rsa ? mbedtls_pk_get_bitlen(&c->key) < RSA_BITS_MIN :
	    !mbedtls_pk_can_do(&c->key, MBEDTLS_PK_ECDSA))
		return CERTIFICATE_KEY_KIND;
	return CERTIFICATE_GOOD;
}

enum certificate_fault
certificate_open(struct certificate *c, struct span chain, struct span key)
{
	enum certificate_fault fault = certificate_open_chain(c, chain);

	if (fault == CERTIFICATE_GOOD)
		fault = open_key(c, key);
	sodium_wipe_stack();	/* mbedTLS's base64 leaves parts of the key there */
	return fault;
}

enum certificate_fault
certificate_check_pair(const struct certificate *c)
{
	int rc = mbedtls_pk_check_pair(&c->chain.pk, &c->key, random_mbedtls, NULL);

	sodium_wipe_stack();
	return rc == 0 ? CERTIFICATE_GOOD : CERTIFICATE_KEY_FOREIGN;
}

/* Seconds since 1970, by the days of the civil calendar; years begin in March. */
static int64_t
unix_s(const mbedtls_x509_time *t)
{
	int64_t year = t->year - (t->mon <= 2), month = t->mon + (t->mon <= 2 ? 9 : -3);
	int64_t days = 365 * year + year / 4 - year / 100 + year / 400 +
	    (153 * month + 2) / 5 + t->day - 1 - 719468;

	return ((days * 24 + t->hour) * 60 + t->min) * 60 + t->sec;
}

enum certificate_fault
certificate_in_time(const struct certificate *c, int64_t now_s)
{
	if (now_s > unix_s(&c->chain.valid_to))
		return CERTIFICATE_EXPIRED;
	return now_s < unix_s(&c->chain.valid_from) ? CERTIFICATE_NOT_YET : CERTIFICATE_GOOD;
}

int64_t
certificate_from_s(const struct certificate *c)
{
	return unix_s(&c->chain.valid_from);
}

int64_t
certificate_until_s(const struct certificate *c)
{
	return unix_s(&c->chain.valid_to);
}

bool
certificate_fits(struct certificate *c, const char *name)
{
	uint32_t flags = 0;

	(void)mbedtls_x509_crt_verify(&c->chain, &c->chain, NULL, name, &flags, NULL, NULL);
	return (flags & MBEDTLS_X509_BADCERT_CN_MISMATCH) == 0;
}

static void
put_text(struct buf *out, struct span text)
{
	char shown[256];

	if (text.len >= sizeof(shown) || buf_room(out) < text.len + 1)
		return;
	size_t len = span_printable(shown, sizeof(shown), text);
	buf_put(out, SPAN(" "));
	buf_put(out, span(shown, len));
}

static void
put_dn(struct buf *out, const mbedtls_x509_name *dn)
{
	char text[256];

	if (mbedtls_x509_dn_gets(text, sizeof(text), dn) > 0)
		put_text(out, span_of(text));
}

void
certificate_names(const struct certificate *c, struct buf *out)
{
	size_t before = buf_len(out);

	for (const mbedtls_x509_sequence *s = &c->chain.subject_alt_names; s != NULL; s = s->next)
		if (s->buf.p != NULL && (s->buf.tag & TAG_NUMBER) == DNS_NAME)
			put_text(out, span(s->buf.p, s->buf.len));
	if (buf_len(out) == before)
		put_dn(out, &c->chain.subject);
}

void
certificate_issuer(const struct certificate *c, struct buf *out)
{
	put_dn(out, &c->chain.issuer);
}

struct span
certificate_spki(const struct certificate *c)
{
	return span(c->chain.pk_raw.p, c->chain.pk_raw.len);
}

void
certificate_forget_key(struct certificate *c)
{
	mbedtls_pk_free(&c->key);	/* wipes it */
}

void
certificate_close(struct certificate *c)
{
	mbedtls_pk_free(&c->key);
	mbedtls_x509_crt_free(&c->chain);
}

void
certificate_put_key(uint8_t out[CERTIFICATE_KEY_LEN], const struct hostkey *key)
{
	/* ECPrivateKey: version 1, the key, the curve, the public key */
	static const uint8_t head[] = { 0x30, 0x77, 0x02, 0x01, 0x01, 0x04, 0x20 };
	static const uint8_t middle[] = { 0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d,
		0x03, 0x01, 0x07, 0xa1, 0x44, 0x03, 0x42, 0x00 };

	_Static_assert(sizeof(head) + HOSTKEY_PRIVATE_LEN + sizeof(middle) + HOSTKEY_PUBLIC_LEN ==
	    CERTIFICATE_KEY_LEN, "the parts are the whole");
	memcpy(out, head, sizeof(head));
	out += sizeof(head);
	memcpy(out, key->private, HOSTKEY_PRIVATE_LEN);
	out += HOSTKEY_PRIVATE_LEN;
	memcpy(out, middle, sizeof(middle));
	memcpy(out + sizeof(middle), key->public, HOSTKEY_PUBLIC_LEN);
}
