/*
 * The user and groups a process runs as: root is given up for good, and that is checked.
 */
#ifndef SYS_IDS_H
#define SYS_IDS_H

#include <sys/types.h>

/* Looks up a user and its primary group in /etc/passwd.  0, or -1 with `*why` a literal. */
int ids_find(const char *user, uid_t *uid, gid_t *gid, const char **why);

/*
 * Changes for good from root to a user of /etc/passwd, with only its primary group.  Without
 * root, nothing is changed.  As root with an empty name it fails: to stay root needs the name
 * "root".  0, or -1 with `*why` a literal.
 */
int ids_become(const char *user, const char **why);

/* Only checks whether ids_become() can find the user. */
int ids_may_become(const char *user, const char **why);

/*
 * Under sendmail's F=S the effective IDs are the delivery agent's, but the real UID is still
 * root's and group 0 is still present, so that a child could become root again.  Becomes root to
 * clear the groups, then drops root for good.  Without such leftovers nothing is changed.  0, or
 * -1 with `*why` a literal.
 */
int ids_drop_leftovers(const char **why);

#endif
