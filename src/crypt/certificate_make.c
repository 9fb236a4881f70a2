#include "crypt/certificate_make.h"

#include "base/octets.h"
#include "crypt/certificate.h"
#include "crypt/mbedtls_compat.h"
#include "crypt/random.h"
#include "crypt/sodium.h"

#include <mbedtls/oid.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define DAY_S 86400
#define COMMON_NAME_MAX 64		/* ub-common-name of RFC 5280 */
#define NAME_OCTETS_MAX 255
#define SERIAL_LEN 16
#define TAG_SEQUENCE 0x30
#define TAG_DNS_NAME 0x82

/* Appends a tag and a length in DER. */
static void
put_head(struct buf *out, uint8_t tag, size_t len)
{
	uint8_t head[3] = { tag, 0x81, (uint8_t)len };

	if (len < 0x80)
		head[1] = (uint8_t)len;
	buf_put(out, span(head, len < 0x80 ? 2 : 3));
}

/* GeneralNames with one dNSName. */
static int
set_alternative_name(mbedtls_x509write_cert *crt, const char *hostname)
{
	uint8_t inner_mem[NAME_OCTETS_MAX + 4], mem[sizeof(inner_mem) + 4];
	struct span name = span_of(hostname);
	struct buf inner, outer;

	buf_init(&inner, inner_mem, sizeof(inner_mem));
	put_head(&inner, TAG_DNS_NAME, name.len);
	buf_put(&inner, name);
	buf_init(&outer, mem, sizeof(mem));
	if (buf_len(&inner) > UINT8_MAX)
		return -1;
	put_head(&outer, TAG_SEQUENCE, buf_len(&inner));
	buf_put(&outer, buf_peek(&inner));
	return mbedtls_x509write_crt_set_extension(crt, MBEDTLS_OID_SUBJECT_ALT_NAME,
	    MBEDTLS_OID_SIZE(MBEDTLS_OID_SUBJECT_ALT_NAME), 0, buf_peek(&outer).at,
	    buf_len(&outer));
}

static int
set_name(mbedtls_x509write_cert *crt, const char *hostname)
{
	char subject[COMMON_NAME_MAX + 4] = "CN=blackponyd";

	if (strlen(hostname) > NAME_OCTETS_MAX)
		return -1;
	if (strlen(hostname) <= COMMON_NAME_MAX)
		snprintf(subject, sizeof(subject), "CN=%s", hostname);
	if (mbedtls_x509write_crt_set_subject_name(crt, subject) != 0 ||
	    mbedtls_x509write_crt_set_issuer_name(crt, subject) != 0)
		return -1;
	return set_alternative_name(crt, hostname) == 0 ? 0 : -1;
}

static void
put_time(char out[16], int64_t unix_s)
{
	time_t clock = (time_t)unix_s;
	struct tm utc;

	gmtime_r(&clock, &utc);
	strftime(out, 16, "%Y%m%d%H%M%S", &utc);
}

static int
set_rest(mbedtls_x509write_cert *crt, int64_t now_s)
{
	uint8_t serial[SERIAL_LEN];
	char from[16], until[16];

	if (random_octets(serial, sizeof(serial)) < 0)
		return -1;
	serial[0] = (uint8_t)((serial[0] & 0x3f) | 0x40);	/* positive, and of this length */
	put_time(from, now_s - DAY_S);
	put_time(until, now_s + (int64_t)CERTIFICATE_MAKE_DAYS * DAY_S);
	mbedtls_x509write_crt_set_version(crt, MBEDTLS_X509_CRT_VERSION_3);
	mbedtls_x509write_crt_set_md_alg(crt, MBEDTLS_MD_SHA256);
	if (mbedtls_x509write_crt_set_serial_raw(crt, serial, sizeof(serial)) != 0 ||
	    mbedtls_x509write_crt_set_validity(crt, from, until) != 0)
		return -1;
	return mbedtls_x509write_crt_set_basic_constraints(crt, 0, -1) == 0 ? 0 : -1;
}

int
certificate_make(char out[CERTIFICATE_MAKE_MAX], const struct hostkey *key,
    const char *hostname, int64_t now_s)
{
	uint8_t der[CERTIFICATE_KEY_LEN];
	mbedtls_x509write_cert crt;
	mbedtls_pk_context pk;
	int len = -1;

	mbedtls_x509write_crt_init(&crt);
	mbedtls_pk_init(&pk);
	certificate_put_key(der, key);
	if (mbedtls_pk_parse_key(&pk, der, sizeof(der), NULL, 0, random_mbedtls, NULL) == 0 &&
	    mbedtls_pk_check_pair(&pk, &pk, random_mbedtls, NULL) == 0 &&
	    set_name(&crt, hostname) == 0 && set_rest(&crt, now_s) == 0) {
		mbedtls_x509write_crt_set_subject_key(&crt, &pk);
		mbedtls_x509write_crt_set_issuer_key(&crt, &pk);
		if (mbedtls_x509write_crt_pem(&crt, (uint8_t *)out, CERTIFICATE_MAKE_MAX,
		    random_mbedtls, NULL) == 0)
			len = (int)strlen(out);
	}
	octets_wipe(der, sizeof(der));
	mbedtls_pk_free(&pk);
	mbedtls_x509write_crt_free(&crt);
	sodium_wipe_stack();	/* mbedTLS leaves the key there when it signs */
	return len;
}
