/*
 * This host's own key, which lies beside the settings (sys/private_file.h): `blackponyd -k`, and what a
 * session says with it.
 */
#ifndef SERVER_HOSTKEY_CMD_H
#define SERVER_HOSTKEY_CMD_H

#include "cli/options.h"
#include "store/hostkey_cache.h"

/*
 * `blackponyd -k new|show|next|change`, as p->command says: makes, shows, announces, changes.
 * Returns the exit status.
 */
int hostkey_cmd(struct options *p);

/*
 * Says on standard output what host key a session here would have, to be asked as the `user`.  0, or
 * -1 when there is one and it may not be used.
 */
int hostkey_cmd_test(const struct options *p);

struct hostkey_statements {	/* lines of a reply to EHLO, from `XCRYPT-` on; lengths 0: none */
	char id[HOSTKEY_STATEMENT_MAX], next[HOSTKEY_STATEMENT_MAX];
	size_t id_len, next_len;
};

/*
 * What a session here says of itself, inside: nothing where there is no host key, or one that may
 * not be used (said in the log).  To be asked as the `user`, before the jail; the host key itself
 * is wiped again.
 */
void hostkey_cmd_statements(const struct options *p, struct key_cache *cache, struct hostkey_statements *said);

#endif
