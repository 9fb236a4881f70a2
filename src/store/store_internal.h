/*
 * What the two files of the store share: store.c (opening, looking up, appending) and store_rebuild.c
 * (maintenance).  For them only.
 */
#ifndef STORE_STORE_INTERNAL_H
#define STORE_STORE_INTERNAL_H

#include "store/private_dir.h"
#include "store/store.h"

#define STORE_NAME_MAX 64
/* Never longer: who cannot have the lock can do without what it is for. */
#define APPEND_TIMEOUT_MS 100

/* One line in the log for one process.  Leaves errno alone. */
void store_complain(struct store *s, const char *suffix, const char *why);

const char *store_file_name(char out[STORE_NAME_MAX], const struct store *s, const char *suffix);
void store_close_fd(int *fd);
void store_open_cdb(struct store *s);
void store_open_journal(struct store *s);

/* Reads the journal, `size` octets long a moment ago.  0, or -1 with errno. */
int store_read_journal(struct store *s, off_t size);

/* The journal's lock alone, for appending.  0, or -1 with errno. */
int store_lock_journal(const struct store *s);

/* store_lock(), but not where somebody else maintains, and without opening the CDB. */
int store_lock_at_once(struct store *s);

/* Under the lock: what the journal is now.  -1 with errno; ESTALE: it was replaced. */
int store_stat_locked(const struct store *s, struct stat *st);

#endif
