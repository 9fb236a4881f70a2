/*
 * An honest peer for a machine on its stage, which sends the right lines.  Without one, no
 * script of a fuzzer would ever get inside.
 */
#ifndef HONEST_H
#define HONEST_H

#include "fuzz.h"

#include "smtp/handshake.h"

enum host { HOST_TESTED, HOST_HONEST };
enum kept { KEPT_NOTHING, KEPT_RIGHT, KEPT_WRONG };

/*
 * The keys of a host: the same pairs for every input, and stored secrets or none.  A client's
 * entry belongs to a server that offers `offered`.  Valid until the next call for the same host.
 */
struct key_source honest_keys(enum host host, enum kept kept, const struct suite_list *offered);

/* The entry that this host stored after a first meeting; NULL: none. */
const struct hybrid_kept *honest_has_kept(enum host host);

/* Reads the names of suites, without those not built in: mbedTLS may have no Blowfish. */
void honest_suites(struct suite_list *list, const char *names);

struct honest {
	struct handshake handshake;
	unsigned step;
	bool server;
	bool agreed;		/* the handshake has finished, as far as this end can see */
};

/* `suites` must outlive it. */
void honest_start(struct honest *h, bool server, const struct suite_list *suites);
void honest_wipe(struct honest *h);

/*
 * Puts its next line, CRLF included, to `out`: the response to `heard`.  A server begins with its
 * reply to EHLO, which has the line `keyword` unless that is empty.  False: nothing to say. A
 * client must have been given the EHLO line that counts (handshake_hello()).
 */
bool honest_says(struct honest *h, struct span heard, struct span keyword, struct buf *out);

/* Whether both have the same keys. */
bool honest_same_keys(const struct agreement *a, const struct agreement *b);

#endif
