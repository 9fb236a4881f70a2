/*
 * Private directories and files: only their owner may use them.  The state of the store is kept in
 * such a directory; host keys are kept in such files beside the settings.
 */
#ifndef SYS_PRIVATE_FILE_H
#define SYS_PRIVATE_FILE_H

#include "base/span.h"

#include <sys/stat.h>
#include <sys/types.h>

#define PRIVATE_FILE_WHY_MAX 64		/* octets of a reason, with its NUL */

/*
 * Opens the directory `path`, creating it if it is missing.  It must be a directory, not a
 * symbolic link, of mode 0700 exactly, and belong to `owner`.  Returns a descriptor, or -1 with
 * the reason in `why`.
 */
int private_dir_open(const char *path, uid_t owner, char why[PRIVATE_FILE_WHY_MAX]);

enum private_file_result {
	PRIVATE_FILE_OPEN,
	PRIVATE_FILE_LINK,		/* it is a symbolic link */
	PRIVATE_FILE_NOT_REGULAR,	/* it is not a regular file */
	PRIVATE_FILE_FOREIGN,		/* it belongs to another user */
	PRIVATE_FILE_ERROR		/* a system call failed; errno tells why */
};

/*
 * Opens the regular file `name` of `owner` in `dirfd`, without blocking; `flags` as for open(2),
 * mode 0600 with O_CREAT.  PRIVATE_FILE_OPEN: `*fd` is a descriptor and `*st` is filled in.
 * Otherwise `*fd` is -1 and the file is left alone.
 */
enum private_file_result private_file_open(int dirfd, const char *name, int flags, uid_t owner, int *fd,
    struct stat *st);

/*
 * True if `name` is still the file that is open as `fd`; with fd -1, if there is still no such
 * file.
 */
bool private_file_unchanged(int dirfd, const char *name, int fd);

/*
 * Reads up to `len` octets from the start of a file.  Returns the number read, or -1 with errno.
 */
ssize_t private_file_pread(int fd, uint8_t *out, size_t len);

/*
 * The same, into memory that the caller frees; `file->at` is NULL if `len` is 0.  0, or -1 with
 * errno.
 */
int private_file_load(int fd, size_t len, struct span *file);

/*
 * Locks the open file description with flock(2), waiting at most `timeout_ms`.  0, or -1 with
 * errno.
 */
int private_file_lock(int fd, int64_t timeout_ms);

#define HOSTKEY_FILE "host.key"		/* the key of this host, in the directory of the settings */
#define HOSTKEY_FILE_NEXT "host.next"	/* its successor */
#define HOSTKEY_FILE_CERTIFICATE "host.cert"	/* the self-signed certificate of the key */

#define PRIVATE_FILE_PATH_MAX 4096

struct private_file_place {
	char directory[PRIVATE_FILE_PATH_MAX];
	uid_t owner;		/* owner that the files have, and get when created */
	gid_t group;
};

/*
 * The place of the files that belong to these settings: the directory of the settings file.  Their
 * owner is `user` if we are root and `user` is not empty, else ourselves.  0, or -1 with `*why` a
 * literal.
 */
int private_file_place(struct private_file_place *place, const char *settings_file, const char *user,
    const char **why);

/*
 * Reads a whole file, which must be shorter than `room` octets, belong to the owner and not be
 * accessible to others, into `out`.  Returns its length, or -1 with the reason in `*why` (valid
 * until the next call of strerror()) and `out` wiped.  errno is ENOENT then if there is no such
 * file, and only then.
 */
ssize_t private_file_read(const struct private_file_place *place, const char *name, void *out, size_t room,
    const char **why);

/*
 * Reads a whole file at any path, which must be shorter than `room` octets; links are followed.
 * `secret`: others must not be able to read or write it, and it must belong to root or to us.
 * Returns its length, or -1 as private_file_read().
 */
ssize_t private_file_read_path(const char *path, bool secret, void *out, size_t room,
    const char **why);

/*
 * Creates a file of mode 0600 with these octets, and syncs it.  A crash leaves no file or the
 * whole file, and perhaps a NAME.new that is never read.  0, or -1 with errno; EEXIST if there is
 * a file already.
 */
int private_file_create(const struct private_file_place *place, const char *name, struct span octets);

/* The same, but replaces a file that exists. */
int private_file_put(const struct private_file_place *place, const char *name, struct span octets);

/* Renames file `by` to `name`, replacing it, and syncs the directory.  0, or -1 with errno. */
int private_file_replace(const struct private_file_place *place, const char *name, const char *by);

#endif
