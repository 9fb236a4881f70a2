/*
 * A directory that nobody but us may look into, and the files in it.
 */
#ifndef STORE_PRIVATE_DIR_H
#define STORE_PRIVATE_DIR_H

#include "base/span.h"

#include <sys/stat.h>
#include <sys/types.h>

/*
 * Opens the directory, and makes it where it is missing.  It has to be a directory itself, no link
 * to one, of mode 0700 exactly, and belong to `owner`.  Returns a descriptor, or -1; the log says
 * why.
 */
int private_dir_open(const char *path, uid_t owner);

/*
 * Opens a regular file of `owner`, without waiting.  Returns a descriptor and fills in `*st`, or
 * -1 with errno; EINVAL for anything but such a file, which is left alone.
 */
int private_file_open(int dirfd, const char *name, int flags, uid_t owner, struct stat *st);

/* Is NAME still the file that is open as `fd`?  With `fd` -1: is there still none? */
bool private_file_unchanged(int dirfd, const char *name, int fd);

/* Reads up to `len` octets from a file's front.  Returns how many there were, or -1 with errno. */
ssize_t private_file_pread(int fd, uint8_t *out, size_t len);

/* The same into memory of its own, to be freed; NULL where `len` is 0.  0, or -1 with errno. */
int private_file_load(int fd, size_t len, struct span *file);

/* Locks a file, for this opening of it, within `timeout_ms`.  0, or -1 with errno. */
int private_file_lock(int fd, int64_t timeout_ms);

#endif
