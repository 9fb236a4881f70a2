/*
 * Looking a key up in a constant database (CDB), in few reads.
 *
 * The hash is no secret, so other hosts can choose keys that meet in one place.  libcdb looks through all of
 * them; here the search ends after CDB_LOOK_PROBES, and the database counts as damaged.
 */
#ifndef STORE_CDB_LOOK_H
#define STORE_CDB_LOOK_H

#include "base/octets.h"

#define CDB_LOOK_PROBES 512	/* a good database of 65,536 entries takes 30 at most */

/*
 * 1: found, at most `room` octets to `value` and their number to `*len`; 0: not there; -1 with errno, which is
 * EBADMSG for a file that is no database, has a longer value there, or too many keys in one place.
 */
int cdb_look(int fd, struct span key, uint8_t *value, size_t room, size_t *len);

#endif
