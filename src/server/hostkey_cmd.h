/*
 * This host's own key, a file beside the settings (sys/private_file.h): `blackponyd -k`, and the
 * statements that a session makes with it.
 */
#ifndef SERVER_HOSTKEY_CMD_H
#define SERVER_HOSTKEY_CMD_H

#include "cli/options.h"
#include "store/hostkey_cache.h"

/*
 * Runs p->command: new makes a key, show prints it, next announces a successor, change puts the
 * successor in its place.  Returns the exit status.
 */
int hostkey_cmd(struct options *p);

/*
 * For -t, as the settings' user: prints the host key that a session would use.  0, or -1 if there
 * is one that cannot be used.
 */
int hostkey_cmd_test(const struct options *p);

struct hostkey_statements {	/* of a reply to EHLO, from `XCRYPT-` on; length 0: none */
	char id[HOSTKEY_STATEMENT_MAX], next[HOSTKEY_STATEMENT_MAX];
	size_t id_len, next_len;
};

/*
 * Makes the statements for the EHLO reply inside; none if there is no host key, or one that
 * cannot be used, which is logged.  For use as the settings' user, before the jail.  Wipes the
 * host key.
 */
void hostkey_cmd_statements(const struct options *p, struct key_cache *cache,
    struct hostkey_statements *said);

#endif
