/*
 * Small files that nobody but their owner may look into.  Knows nothing of what they hold.
 *
 * A crash leaves a file as it was or as it is to be, and perhaps a NAME.new that nobody reads.
 */
#ifndef SYS_PRIVATE_FILE_H
#define SYS_PRIVATE_FILE_H

#include "base/span.h"

#include <sys/types.h>

#define HOSTKEY_FILE "host.key"		/* this host's key, in the directory of the settings */
#define HOSTKEY_FILE_NEXT "host.next"	/* the one that comes after it */

#define PRIVATE_FILE_PATH_MAX 4096

struct private_file_place {
	char directory[PRIVATE_FILE_PATH_MAX];
	uid_t owner;		/* whose the files are, and whose they become */
	gid_t group;
};

/*
 * Where the files of these settings are: beside the file of the settings.  They belong to `user`
 * where we are root and it is not empty, and to ourselves otherwise.  0, or -1 with `*why` a literal.
 */
int private_file_place(struct private_file_place *place, const char *settings_file, const char *user,
    const char **why);

/*
 * Reads all of a file, which has to be shorter than `room`, to `out`.  Returns its length; or -1 with
 * errno, and in `*why` what is wrong with it: ENOENT where there is none, EPERM where it belongs to
 * somebody else or others may read it, EINVAL for what is no file or too long.
 */
ssize_t private_file_read(const struct private_file_place *place, const char *name, void *out, size_t room,
    const char **why);

/* Makes a file, of mode 0600, synced.  0, or -1 with errno: EEXIST where there is one already. */
int private_file_create(const struct private_file_place *place, const char *name, struct span octets);

/* Puts one file in the place of another, synced.  0, or -1 with errno. */
int private_file_replace(const struct private_file_place *place, const char *name, const char *by);

#endif
