#include "crypt/dane.h"

#include "base/octets.h"

#include <sodium.h>
#include <string.h>

enum { DANE_TA = 2, DANE_EE = 3 };			/* usages */
enum { CERTIFICATE = 0, PUBLIC_KEY = 1 };		/* selectors */
enum { WHOLE = 0, SHA2_256 = 1, SHA2_512 = 2 };		/* matching types */

/* Whether it is one SEQUENCE in DER, with nothing after it. */
static bool
is_sequence(struct span s)
{
	size_t len, octets;

	if (s.len < 2 || s.at[0] != 0x30)
		return false;
	if (s.at[1] < 0x80)
		return s.len == 2u + s.at[1];
	octets = s.at[1] & 0x7f;
	if (octets < 1 || octets > 2 || s.len < 2 + octets)
		return false;
	len = octets == 1 ? s.at[2] : octets_get16(s.at + 2);
	return len >= (octets == 1 ? 0x80 : 0x100) && s.len == 2 + octets + len;
}

bool
dane_is_usable(const struct dns_tlsa *record)
{
	if ((record->usage != DANE_TA && record->usage != DANE_EE) ||
	    (record->selector != CERTIFICATE && record->selector != PUBLIC_KEY))
		return false;
	switch (record->matching) {
	case WHOLE:
		return is_sequence(record->data);
	case SHA2_256:
		return record->data.len == crypto_hash_sha256_BYTES;
	case SHA2_512:
		return record->data.len == crypto_hash_sha512_BYTES;
	default:
		return false;
	}
}

bool
dane_has_usable(const struct dns_tlsa_list *list)
{
	struct dns_tlsa record;
	size_t at = 0;

	while (dns_tlsa_next(list, &at, &record))
		if (dane_is_usable(&record))
			return true;
	return false;
}

/* Whether a usable record has this content, or its digest. */
static bool
has_content(const struct dns_tlsa *record, struct span content)
{
	uint8_t digest[crypto_hash_sha512_BYTES];

	if (record->matching == WHOLE)
		return span_equal(record->data, content);
	if (record->matching == SHA2_256)
		crypto_hash_sha256(digest, content.at, content.len);
	else
		crypto_hash_sha512(digest, content.at, content.len);
	return span_equal(record->data, span(digest, record->data.len));
}

static bool
has_certificate(const struct dns_tlsa *record, const mbedtls_x509_crt *crt)
{
	const mbedtls_x509_buf *content =
	    record->selector == CERTIFICATE ? &crt->raw : &crt->pk_raw;

	return has_content(record, span(content->p, content->len));
}

static enum dane_match
from_flags(uint32_t flags)
{
	const uint32_t date = MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE;

	if (flags == 0)
		return DANE_MATCHES;
	if (flags == MBEDTLS_X509_BADCERT_CN_MISMATCH)
		return DANE_WRONG_NAME;
	return (flags & ~(date | MBEDTLS_X509_BADCERT_CN_MISMATCH)) == 0 ? DANE_EXPIRED :
	    DANE_NOT_TRUSTED;
}

/* Verifies the chain with that certificate, and no other, as its trust anchor. */
static enum dane_match
verify_up_to(const mbedtls_x509_crt *chain, const mbedtls_x509_crt *anchor,
    const char *const *names, size_t count)
{
	enum dane_match best = DANE_NOT_TRUSTED;
	mbedtls_x509_crt root;

	mbedtls_x509_crt_init(&root);
	if (mbedtls_x509_crt_parse_der(&root, anchor->raw.p, anchor->raw.len) != 0)
		count = 0;
	for (size_t i = 0; i < count && best != DANE_MATCHES; i++) {
		uint32_t flags = 0;
		/* mbedTLS does not change the chain */
		int rc = mbedtls_x509_crt_verify_with_profile((mbedtls_x509_crt *)(uintptr_t)chain,
		    &root, NULL, &mbedtls_x509_crt_profile_default, names[i], &flags, NULL, NULL);
		enum dane_match match = from_flags(flags);

		if (rc != 0 && match == DANE_MATCHES)
			match = DANE_NOT_TRUSTED;
		if (match < best)
			best = match;
	}
	mbedtls_x509_crt_free(&root);
	return best;
}

static enum dane_match
match_record(const struct dns_tlsa *record, const mbedtls_x509_crt *chain,
    const char *const *names, size_t count)
{
	enum dane_match best = DANE_DIFFERENT;

	if (record->usage == DANE_EE)
		return has_certificate(record, chain) ? DANE_MATCHES : DANE_DIFFERENT;
	for (const mbedtls_x509_crt *crt = chain->next; crt != NULL; crt = crt->next) {
		if (!has_certificate(record, crt))
			continue;
		enum dane_match match = verify_up_to(chain, crt, names, count);
		if (match < best)
			best = match;
	}
	return best;
}

enum dane_match
dane_match_chain(const struct dns_tlsa_list *list, const mbedtls_x509_crt *chain,
    const char *const *names, size_t count, struct dns_tlsa *record)
{
	enum dane_match best = DANE_DIFFERENT;
	struct dns_tlsa next;
	size_t at = 0;

	while (best != DANE_MATCHES && dns_tlsa_next(list, &at, &next)) {
		if (!dane_is_usable(&next))
			continue;
		enum dane_match match = match_record(&next, chain, names, count);
		if (match < best) {
			best = match;
			*record = next;
		}
	}
	return best;
}

enum dane_match
dane_match_key(const struct dns_tlsa_list *list, const uint8_t public[HOSTKEY_PUBLIC_LEN],
    struct dns_tlsa *record)
{
	uint8_t spki[DANE_SPKI_LEN];
	struct dns_tlsa next;
	size_t at = 0;

	dane_put_spki(spki, public);
	while (dns_tlsa_next(list, &at, &next))
		if (dane_is_usable(&next) && next.usage == DANE_EE &&
		    next.selector == PUBLIC_KEY && has_content(&next, span(spki, sizeof(spki)))) {
			*record = next;
			return DANE_MATCHES;
		}
	return DANE_DIFFERENT;
}

void
dane_put_spki(uint8_t spki[DANE_SPKI_LEN], const uint8_t public[HOSTKEY_PUBLIC_LEN])
{
	/* AlgorithmIdentifier: id-ecPublicKey, secp256r1; then the BIT STRING of the point */
	static const uint8_t head[] = { 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce,
		0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03,
		0x42, 0x00 };

	_Static_assert(sizeof(head) + HOSTKEY_PUBLIC_LEN == DANE_SPKI_LEN, "and nothing else");
	memcpy(spki, head, sizeof(head));
	memcpy(spki + sizeof(head), public, HOSTKEY_PUBLIC_LEN);
}

void
dane_put_record(char text[DANE_RECORD_LEN], struct span spki)
{
	static const char head[] = { '3', ' ', '1', ' ', '1', ' ' };
	uint8_t digest[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(digest, spki.at, spki.len);
	memcpy(text, head, sizeof(head));
	octets_to_hex(text + sizeof(head), digest, sizeof(digest));
}
