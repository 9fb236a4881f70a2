/*
 * Functions that store.c (opening, looking up, appending) and store_rebuild.c (maintenance) share.
 * Only for these two files.
 */
#ifndef STORE_STORE_INTERNAL_H
#define STORE_STORE_INTERNAL_H

#include "store/store.h"
#include "sys/private_file.h"

#define STORE_NAME_MAX 64
/* Milliseconds to wait for the journal's lock; without it the entry is not stored. */
#define APPEND_TIMEOUT_MS 100

/* Logs a fault, at most one in a process.  Preserves errno. */
void store_complain(struct store *s, const char *suffix, const char *why);

const char *store_file_name(char out[STORE_NAME_MAX], const struct store *s, const char *suffix);
void store_close_fd(int *fd);
void store_open_cdb(struct store *s);
void store_open_journal(struct store *s);

/* Reads the journal, whose length was just found to be `size` octets.  0, or -1 with errno. */
int store_read_journal(struct store *s, off_t size);

/* Takes only the journal's lock, for appending.  0, or -1 with errno. */
int store_lock_journal(const struct store *s);

/*
 * Like store_lock(), but fails if another process is doing maintenance, and leaves the CDB
 * closed.
 */
int store_lock_at_once(struct store *s);

/* With the lock held: the journal's present status.  -1 with errno; ESTALE if it was replaced. */
int store_stat_locked(const struct store *s, struct stat *st);

#endif
