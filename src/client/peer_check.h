/*
 * The check of a host before a message goes to it.
 *
 * It gathers the facts: what is known of the host (store/known_hosts.h), the host key that it
 * shows (store/hostkey_cache.h), its TLSA records (client/host_tlsa.h), and the time.  It asks
 * policy for the verdict (smtp/policy.h) and applies it: it writes to known hosts, and logs a
 * warning if the host is not as expected.
 */
#ifndef CLIENT_PEER_CHECK_H
#define CLIENT_PEER_CHECK_H

#include "client/host_tlsa.h"
#include "smtp/client_handshake.h"
#include "smtp/policy.h"
#include "store/hostkey_cache.h"
#include "store/known_hosts.h"

struct peer_check {
	struct known_hosts *known_hosts;
	struct key_cache *cache;
	int64_t (*now_s)(void);		/* seconds since 1970 */

	/* set for each target */
	enum policy policy;
	const struct suite_list *suites;	/* that the policy accepts */
	struct known_hosts_place place;
	struct host_tlsa *tlsa;		/* NULL: there are no records */
	const struct tls_policy *entry;	/* of the policy map, for the domain; NULL: none */
	bool listed;			/* as in struct policy_facts */

	/* results for the present connection */
	enum statement_verdict shown;		/* STATEMENT_NONE in the clear */
	struct verified_statement verified;	/* for STATEMENT_GOOD */
	struct policy_verdict verdict;
};

/* Clears the results.  Call it before each connection. */
void peer_check_start(struct peer_check *check);

/*
 * The `check` of struct client_settings; `context` is a struct peer_check.  OUTCOME_NONE if the
 * session may go on, else how it ends.  `again`: may the host be called again in the clear?  If
 * it may, nothing is logged or written yet, because that call is checked, too.
 */
enum outcome peer_check_decide(void *context, const struct client_handshake *ch, bool again);

/*
 * The DNS says that the destination does not exist or takes no mail; `why` is a literal that
 * says which. `place` has no hosts then.  OUTCOME_NONE if the message may bounce for that, else
 * how the attempt ends.
 */
enum outcome peer_check_not_in_dns(struct peer_check *check, const char *why);

/* Puts " auth=... asked=..." to a log line, and what the TLSA records say. */
void peer_check_log_auth(const struct peer_check *check, struct buf *line);

/* The level of the entry. */
enum tls_policy_level peer_check_entry(const struct peer_check *check);

/*
 * Whether the host may be called at all, whatever it is going to show.  If not, the verdict says
 * why, and that another host may do.
 */
bool peer_check_may_call(struct peer_check *check);

/* The facts about a known host, which point into it.  `incomplete` is false. */
struct policy_known peer_check_known(const struct known_host *known);

/* Puts " downgrade=..." or " key-changed=..." to a log line, if there is an alarm. */
void peer_check_log(const struct peer_check *check, struct buf *line);

#endif
