/*
 * Looks up a key in a constant database (CDB) with few reads.
 *
 * CDB's hash function is public, so other hosts can choose keys that collide.  libcdb would
 * compare all of them; here a search ends after CDB_LOOK_PROBES, and the database counts as
 * damaged.
 */
#ifndef STORE_CDB_LOOK_H
#define STORE_CDB_LOOK_H

#include "base/span.h"

#define CDB_LOOK_PROBES 512	/* a regular database of 65,536 entries needs at most 30 */

/*
 * Looks up `key`.  Returns 1 with up to `room` octets in `value` and their number in `*len`; 0
 * when the key is not there; -1 with errno: EBADMSG when the file is not a CDB, the value is
 * longer than `room`, or too many keys collide.
 */
int cdb_look(int fd, struct span key, uint8_t *value, size_t room, size_t *len);

#endif
