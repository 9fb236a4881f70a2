/*
 * The certificate and private key that blackponyd shows after STARTTLS: parsed, judged and
 * described.  Octets in, octets out; sys/private_file.h reads the files.
 */
#ifndef CRYPT_CERTIFICATE_H
#define CRYPT_CERTIFICATE_H

#include "base/buf.h"
#include "crypt/hostkey.h"

#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>

#define CERTIFICATE_KEY_LEN 121		/* octets of a host key in DER */

enum certificate_fault {
	CERTIFICATE_GOOD,
	CERTIFICATE_UNREADABLE,		/* the chain contains no certificate that can be parsed */
	CERTIFICATE_KEY_ENCRYPTED,	/* the key needs a passphrase */
	CERTIFICATE_KEY_UNREADABLE,	/* the key cannot be parsed */
	CERTIFICATE_KEY_KIND,		/* neither RSA of 2048 bits or more nor ECDSA */
	CERTIFICATE_KEY_FOREIGN,	/* the key is that of another certificate */
	CERTIFICATE_NOT_YET,		/* it is not valid yet */
	CERTIFICATE_EXPIRED,
	CERTIFICATE_FAULTS
};

/* What is wrong, for the log; a literal. */
const char *certificate_fault_text(enum certificate_fault fault);

/* Whether it is a fault of the key, not of the certificate. */
static inline bool
certificate_fault_is_of_key(enum certificate_fault fault)
{
	return fault >= CERTIFICATE_KEY_ENCRYPTED && fault <= CERTIFICATE_KEY_FOREIGN;
}

struct certificate {
	mbedtls_x509_crt chain;		/* the certificate first, then its issuers */
	mbedtls_pk_context key;
};

/* Makes `c` empty; certificate_close() has no effect then. */
void certificate_init(struct certificate *c);

/*
 * Parses a chain and its private key, each in PEM with a final NUL that its length counts; the key
 * may be DER.  `c` is empty before, and has to be closed in any case.
 */
enum certificate_fault certificate_open(struct certificate *c, struct span chain, struct span key);

/* Whether the two belong together; with ECDSA this is a public-key operation. */
enum certificate_fault certificate_check_pair(const struct certificate *c);

/* Parses a chain only. */
enum certificate_fault certificate_open_chain(struct certificate *c, struct span chain);

/* CERTIFICATE_GOOD, _NOT_YET or _EXPIRED at `now_s` (Unix time). */
enum certificate_fault certificate_in_time(const struct certificate *c, int64_t now_s);

/* The beginning and the end of its validity, Unix time. */
int64_t certificate_from_s(const struct certificate *c);
int64_t certificate_until_s(const struct certificate *c);

/* Whether the certificate is for the host `name`. */
bool certificate_fits(struct certificate *c, const char *name);

/*
 * Appends its names, separated by blanks: the DNS names of subjectAltName, else the subject.
 * Characters that are not printable become `?`.  Names for which there is no room are left out.
 */
void certificate_names(const struct certificate *c, struct buf *out);

/* Appends who issued it, likewise. */
void certificate_issuer(const struct certificate *c, struct buf *out);

/*
 * Its SubjectPublicKeyInfo in DER, for its TLSA record (crypt/dane.h).  Valid as long as `c` is
 * open.
 */
struct span certificate_spki(const struct certificate *c);

/* Wipes the private key; the certificate stays. */
void certificate_forget_key(struct certificate *c);

/* Frees both, and wipes the key. */
void certificate_close(struct certificate *c);

/* A host key as an EC private key in DER (RFC 5915), for certificate_open(). */
void certificate_put_key(uint8_t out[CERTIFICATE_KEY_LEN], const struct hostkey *key);

#endif
