/*
 * `blackpony -k`: shows and changes known hosts.
 */
#ifndef CLIENT_KNOWN_HOSTS_CMD_H
#define CLIENT_KNOWN_HOSTS_CMD_H

#include "cli/options.h"

/*
 * Runs p->command: list, show, pin or forget.  `operands` end in NULL.  Returns the exit status,
 * 1 also if nothing is known of the host.
 */
int known_hosts_cmd(struct options *p, char *const operands[]);

#endif
