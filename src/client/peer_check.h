/*
 * What a client makes of the host that it has reached: what is remembered of it (store/known_hosts.h), the
 * host key that it shows (store/hostkey_cache.h) and the policy come together here, when the opening asks
 * (smtp/client_handshake.h).  What is learned is remembered, and what is wrong goes into the log.
 *
 * Where the host is, and which others its destination has, is for the caller to know.
 */
#ifndef CLIENT_PEER_CHECK_H
#define CLIENT_PEER_CHECK_H

#include "smtp/client_handshake.h"
#include "smtp/policy.h"

struct judge {
	struct memory *memory;
	struct ring *ring;
	int64_t (*now_s)(void);		/* seconds since 1970 */

	/* for each target */
	enum policy policy;
	const struct suite_list *suites;	/* enabled here, as far as the policy allows */
	struct memory_place place;

	/* of the present connection */
	enum vouch shown;		/* VOUCH_NONE in the clear, too */
	struct vouched vouched;		/* for VOUCH_GOOD */
	struct trust trust;		/* trust.text is empty unless it was refused */
};

/* Before each connection. */
void judge_connected(struct judge *j);

/* For struct opening_settings; `judge` is the context. */
enum ending judge_opening(void *judge, const struct opening *o, bool again);

/*
 * The DNS says that the destination, j->place without hosts, does not exist or takes no mail: `why`, a
 * literal.  END_NONE where that may be believed, or the end it comes to.
 */
enum ending judge_nowhere(struct judge *j, const char *why);

/* " downgrade=..." or " key-changed=...", where one of them is so. */
void judge_log(const struct judge *j, struct buf *line);

#endif
