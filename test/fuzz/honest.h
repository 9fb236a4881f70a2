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
 * The keys of a host: pairs that are the same for every input, and secrets kept from earlier, or
 * not.  A client has kept what belongs to a server that offers `offered`.  Good until it is asked
 * for again for that host.
 */
struct key_source honest_keys(enum host host, enum kept kept, const struct suite_list *offered);

/* What that host was given to keep of a first meeting; NULL: nothing. */
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
 * Puts its next line, CRLF included, to `out`: what is to be said to what it has heard.  A server
 * begins with its reply to EHLO, in which `keyword` is a line, unless it is empty.  False:
 * nothing.  A client has to be told (handshake_hello()) which EHLO counts.
 */
bool honest_says(struct honest *h, struct span heard, struct span keyword, struct buf *out);

/* Whether both have the same keys. */
bool honest_same_keys(const struct agreement *a, const struct agreement *b);

#endif
