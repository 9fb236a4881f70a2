/*
 * What the daemon of the setting policy-map demands for each destination (smtp/tls_policy.h).
 */
#ifndef CLIENT_POLICY_MAP_H
#define CLIENT_POLICY_MAP_H

#include "smtp/tls_policy.h"
#include "sys/host.h"
#include "sys/settings.h"

struct policy_map {
	struct tls_policy at[HOST_LIST_MAX];	/* by element of the host list */
};

/*
 * Whether it is about mail to a domain and its exchangers: not an address or a name in brackets,
 * and no domain whose policy is to encrypt nothing.
 */
bool policy_map_covers(const struct settings *settings, const struct host *host);

/*
 * Asks the daemon about each such domain in the list, until `deadline_ms` (base/clock.h) and for at
 * most ten seconds in all; not for use in the jail.  Nothing is demanded for the others, or if the
 * setting is empty.
 *
 * If there is no answer, or the daemon has none now, nothing is demanded either, and the log says
 * so.  An answer that is not understood becomes TLS_POLICY_UNKNOWN, and the log says so, too.
 */
void policy_map_ask(struct policy_map *map, const struct settings *settings,
    const struct host_list *hosts, int64_t deadline_ms);

#endif
