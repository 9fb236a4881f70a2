/*
 * What TLSA records say of a certificate or a host key (RFC 6698, RFC 7671, RFC 7672 section 3):
 * pure decisions.  sys/tlsa_lookup.h finds the records.
 */
#ifndef CRYPT_DANE_H
#define CRYPT_DANE_H

#include "crypt/hostkey.h"
#include "sys/dns_tlsa.h"

#include <mbedtls/x509_crt.h>

#define DANE_SPKI_LEN 91	/* octets of a host key as SubjectPublicKeyInfo, in DER */
#define DANE_RECORD_LEN 70	/* characters of "3 1 1 " and a digest */

/*
 * Usable are usage 2 (DANE-TA) and 3 (DANE-EE) with selector 0 or 1 and matching type 0, 1 or 2,
 * if the data are a whole object in DER, a SHA-256 digest, or a SHA-512 digest.  PKIX-TA and
 * PKIX-EE are not usable for SMTP (RFC 7672 section 3.1.3).
 */
bool dane_is_usable(const struct dns_tlsa *record);

/*
 * Whether any record is usable.  If so, one of the usable ones has to match; if none is, the
 * session has to be encrypted, and is not authenticated (RFC 7672 section 2.2).
 */
bool dane_has_usable(const struct dns_tlsa_list *list);

enum dane_match {			/* from the best to the worst */
	DANE_MATCHES,
	DANE_WRONG_NAME,	/* usage 2: the certificate has none of the names */
	DANE_EXPIRED,		/* usage 2: a certificate is expired, or not valid yet */
	DANE_NOT_TRUSTED,	/* usage 2: the chain does not lead to the matching certificate */
	DANE_DIFFERENT		/* no usable record matches any certificate or key */
};

/*
 * Compares the records with the certificates that a server sent, its own first.  A record of usage
 * 3 has to match the first one, whose names and dates do not count.  A record of usage 2 has to
 * match a later one; then the chain up to that one and its dates have to be right, and the first
 * one must have one of the `count` names: the TLSA base name, and the domain if its MX look-up was
 * secure.  `*record` is the record that decided, in the list; unchanged if DANE_DIFFERENT.
 */
enum dane_match dane_match_chain(const struct dns_tlsa_list *list, const mbedtls_x509_crt *chain,
    const char *const *names, size_t count, struct dns_tlsa *record);

/*
 * Compares the records of usage 3 and selector 1 with a host key of XCRYPT (xcrypt(7), HOST KEYS).
 * DANE_MATCHES or DANE_DIFFERENT.
 */
enum dane_match dane_match_key(const struct dns_tlsa_list *list,
    const uint8_t public[HOSTKEY_PUBLIC_LEN], struct dns_tlsa *record);

/* A host key as SubjectPublicKeyInfo (RFC 5480): what a certificate with the same key has. */
void dane_put_spki(uint8_t spki[DANE_SPKI_LEN], const uint8_t public[HOSTKEY_PUBLIC_LEN]);

/* The data of the TLSA record 3 1 1 for a SubjectPublicKeyInfo, as in a zone file; no NUL. */
void dane_put_record(char text[DANE_RECORD_LEN], struct span spki);

#endif
