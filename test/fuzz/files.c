#include "files.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[] = "/dev/shm/blackpony-fuzz-XXXXXX";
static const char *store;

static const char *
path(const char *suffix)
{
	static char out[sizeof(directory) + 32];

	snprintf(out, sizeof(out), "%s/%s%s", directory, store, suffix);
	return out;
}

/* Also the files of other stores in it. */
static void
remove_all(void)
{
	struct dirent *entry;
	DIR *folder = opendir(directory);

	if (folder == NULL)
		return;
	while ((entry = readdir(folder)) != NULL)
		unlinkat(dirfd(folder), entry->d_name, 0);
	closedir(folder);
	rmdir(directory);
}

static void
put_file(const char *suffix, struct span octets)
{
	int fd = open(path(suffix), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert(fd >= 0 && write(fd, octets.at, octets.len) == (ssize_t)octets.len);
	close(fd);
}

const char *
files_make(const char *name, struct span input, struct span *journal)
{
	struct span cdb = take_octets(&input, take_number(&input));

	if (store == NULL) {
		assert(mkdtemp(directory) != NULL);
		atexit(remove_all);
		store = name;
	}
	remove_all();
	assert(mkdir(directory, 0700) == 0);
	put_file(".cdb", cdb);
	put_file(".journal", input);
	*journal = input;
	return directory;
}
