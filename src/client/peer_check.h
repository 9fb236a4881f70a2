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

struct peer_check {
	struct known_hosts *known_hosts;
	struct key_cache *cache;
	int64_t (*now_s)(void);		/* seconds since 1970 */

	/* for each target */
	enum policy policy;
	const struct suite_list *suites;	/* enabled here, as far as the policy allows */
	struct known_hosts_place place;

	/* of the present connection */
	enum statement_verdict shown;		/* STATEMENT_NONE in the clear, too */
	struct verified_statement verified;		/* for STATEMENT_GOOD */
	struct policy_verdict verdict;		/* trust.text is empty unless it was refused */
};

/* Before each connection. */
void peer_check_start(struct peer_check *j);

/* For struct client_settings; `judge` is the context. */
enum outcome peer_check_decide(void *check, const struct client_handshake *o, bool again);

/*
 * The DNS says that the destination, j->place without hosts, does not exist or takes no mail: `why`, a
 * literal.  OUTCOME_NONE where that may be believed, or the end it comes to.
 */
enum outcome peer_check_nowhere(struct peer_check *j, const char *why);

/* " downgrade=..." or " key-changed=...", where one of them is so. */
void peer_check_log(const struct peer_check *j, struct buf *line);

#endif
