/*
 * `blackpony -k`: what is remembered of other hosts, for people to see and to change.
 */
#ifndef CLIENT_KNOWN_HOSTS_CMD_H
#define CLIENT_KNOWN_HOSTS_CMD_H

#include "cli/options.h"

/*
 * `-k list|show|pin|forget`, as p->command says; `operands` end in NULL.  Returns the exit status:
 * 1 too where there is nothing of that name.
 */
int known_hosts_cmd(struct options *p, char *const operands[]);

#endif
