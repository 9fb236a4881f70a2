/* The self-signed certificate of a host key, for hosts without a certificate of an authority. */
#ifndef CRYPT_CERTIFICATE_MAKE_H
#define CRYPT_CERTIFICATE_MAKE_H

#include "crypt/hostkey.h"

#define CERTIFICATE_MAKE_MAX 4096	/* octets of the text, with a NUL */
#define CERTIFICATE_MAKE_DAYS 3650	/* how long it is valid */
#define CERTIFICATE_RENEW_DAYS 365	/* the timer renews it when less is left */

/*
 * Writes a certificate for `hostname` (at most 255 octets) in PEM, valid from a day before `now_s`
 * (Unix time) for CERTIFICATE_MAKE_DAYS.  Subject and subjectAltName are the name; a name of more
 * than 64 octets does not fit into a subject and is only in the latter.  Returns its length without
 * the NUL, or -1: no memory, or the halves of the key do not match.
 */
int certificate_make(char out[CERTIFICATE_MAKE_MAX], const struct hostkey *key,
    const char *hostname, int64_t now_s);

#endif
