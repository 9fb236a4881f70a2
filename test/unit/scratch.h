/* A scratch directory, and the files in it. */
#ifndef TEST_SCRATCH_H
#define TEST_SCRATCH_H

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char scratch[64];	/* the directory; scratch_path() names files in it */

static int
scratch_remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st, (void)kind, (void)where;
	return remove(path);
}

static int
scratch_open(void **state)
{
	(void)state;
	/* in memory if possible, because the tests sync often */
	snprintf(scratch, sizeof(scratch), "%s/scratch.XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	return mkdtemp(scratch) == NULL ? -1 : 0;
}

static int
scratch_close(void **state)
{
	(void)state;
	return nftw(scratch, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* The path is valid until the fourth call after this one. */
static const char *
scratch_path(const char *name)
{
	static char paths[4][128];
	static unsigned turn;
	char *path = paths[turn++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", scratch, name);
	return path;
}

static inline long
scratch_size(const char *name)
{
	struct stat st;

	return stat(scratch_path(name), &st) < 0 ? -1 : (long)st.st_size;
}

static inline void
scratch_write(const char *name, const void *octets, size_t len)
{
	int fd = open(scratch_path(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, octets, len) != (ssize_t)len || close(fd) < 0)
		abort();
}

/* The contents of a file, to be freed. */
static inline uint8_t *
scratch_read(const char *name, size_t *len)
{
	int fd = open(scratch_path(name), O_RDONLY);
	long size = scratch_size(name);
	uint8_t *octets = malloc((size_t)size + 1);

	if (fd < 0 || octets == NULL || read(fd, octets, (size_t)size) != size)
		abort();
	close(fd);
	*len = (size_t)size;
	return octets;
}

/*
 * Limits the size of files from now on, as a full disk would; 0: the original limit.
 */
static inline void
scratch_limit(size_t len)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = len ? len : limit.rlim_max;
	setrlimit(RLIMIT_FSIZE, &limit);
}

#endif
