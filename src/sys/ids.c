#include "sys/ids.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Whether real, effective and saved IDs are these, and root cannot be regained. */
static bool
is_for_good(uid_t uid, gid_t gid)
{
	uid_t r, e, s;
	gid_t rg, eg, sg;

	if (getresuid(&r, &e, &s) < 0 || getresgid(&rg, &eg, &sg) < 0)
		return false;
	if (r != uid || e != uid || s != uid || rg != gid || eg != gid || sg != gid)
		return false;
	return uid == 0 || setuid(0) < 0;
}

/*
 * Reads /etc/passwd itself: a static program has no name service switch, and a system user does
 * not need one.
 */
int
ids_find(const char *user, uid_t *uid, gid_t *gid, const char **why)
{
	FILE *file = fopen("/etc/passwd", "re");
	const struct passwd *entry;
	bool found = false;

	if (file == NULL) {
		*why = "/etc/passwd cannot be read";
		return -1;
	}
	while (!found && (entry = fgetpwent(file)) != NULL) {
		found = strcmp(entry->pw_name, user) == 0;
		*uid = entry->pw_uid;
		*gid = entry->pw_gid;
	}
	fclose(file);
	if (!found)
		*why = "there is no such user in /etc/passwd";
	return found ? 0 : -1;
}

/* Determines the user to become: 1 with both IDs, 0 if there is nothing to do, or -1. */
static int
find_wanted(const char *user, uid_t *uid, gid_t *gid, const char **why)
{
	if (geteuid() != 0)
		return 0;
	if (user[0] != '\0')
		return ids_find(user, uid, gid, why) == 0 ? 1 : -1;
	*why = "not set, and blackpony does not run as root unless told to: name a user, as the "
	    "sample file does, or set user = root";
	return -1;
}

int
ids_may_become(const char *user, const char **why)
{
	uid_t uid;
	gid_t gid;

	return find_wanted(user, &uid, &gid, why) < 0 ? -1 : 0;
}

int
ids_become(const char *user, const char **why)
{
	uid_t uid;
	gid_t gid;
	int wanted = find_wanted(user, &uid, &gid, why);

	if (wanted <= 0)
		return wanted;
	/* groups first, since changing them needs root */
	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 ||
	    setresuid(uid, uid, uid) < 0 || !is_for_good(uid, gid)) {
		*why = "root could not be given up";
		return -1;
	}
	return 0;
}

int
ids_drop_leftovers(const char **why)
{
	uid_t real, uid, saved;
	gid_t gid = getegid();
	const char *failed = NULL;

	if (getresuid(&real, &uid, &saved) < 0) {
		*why = "the user IDs cannot be read";
		return -1;
	}
	if (uid == 0 || (real == uid && saved == uid))
		return 0;
	/* only root can drop group 0; if that fails, root is given up all the same */
	if ((real == 0 || saved == 0) &&
	    (setresuid(0, 0, 0) < 0 || setgroups(0, NULL) < 0))
		failed = "root's groups could not be given up";
	if (setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0 ||
	    !is_for_good(uid, gid))
		failed = "root could not be given up";
	if (failed == NULL)
		return 0;
	*why = failed;
	return -1;
}
