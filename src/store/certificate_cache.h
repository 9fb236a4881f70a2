/*
 * What is known of the certificate that blackponyd shows after STARTTLS, as entries in the key
 * cache's store: a session has to know whether it can be used, but not to parse it.  An entry
 * counts for a day, so that what the log says of a certificate is said once a day.
 */
#ifndef STORE_CERTIFICATE_CACHE_H
#define STORE_CERTIFICATE_CACHE_H

#include "store/key_cache.h"

#define CERTIFICATE_CACHE_DIGEST_LEN 32

struct certificate_note {
	uint8_t fault;		/* an enum certificate_fault, or another number of the caller's */
	int64_t until_s;	/* the end of its validity, Unix time; its beginning if not yet valid */
};

/*
 * Looks up the note about files with this digest.  False: no note is younger than a day.
 */
bool certificate_cache_find(struct key_cache *cache,
    const uint8_t digest[CERTIFICATE_CACHE_DIGEST_LEN], struct certificate_note *note);

/* Stores a note.  A fault costs only that the files are parsed again, and is logged with -v. */
void certificate_cache_keep(struct key_cache *cache,
    const uint8_t digest[CERTIFICATE_CACHE_DIGEST_LEN], const struct certificate_note *note);

/* For the key cache: the keep callback for these entries. */
enum compact_keep certificate_cache_worth(struct entry entry, int64_t now_s);

#endif
