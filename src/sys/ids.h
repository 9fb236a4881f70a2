/*
 * Whom a process runs as: given up for good, and checked.
 */
#ifndef SYS_IDS_H
#define SYS_IDS_H

#include <sys/types.h>

/* Who a user of /etc/passwd is, and its primary group.  0, or -1 with `*why` a literal. */
int ids_find(const char *user, uid_t *uid, gid_t *gid, const char **why);

/*
 * From root to the user of /etc/passwd named, with its primary group and no other, for good.  When the
 * process is not root there is nothing to give up, and it stays what it is.  As root without a name, "", it
 * fails: to stay root takes the name "root".  0, or -1 with `*why` a literal.
 */
int ids_become(const char *user, const char **why);

/* Only looks whether that could be done. */
int ids_may_become(const char *user, const char **why);

/*
 * Under sendmail's F=S the effective ids are the mailer's, but the real uid is still root's and group 0 is
 * still there: a child could take root back.  Takes root back to clear the groups, and drops it for
 * good.  Whoever is not in that position keeps what it has.  0, or -1 with `*why` a literal.
 */
int ids_drop_leftovers(const char **why);

#endif
