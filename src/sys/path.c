#include "sys/path.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

bool
path_is_absent(const char *path)
{
	char folder[PATH_MAX];
	size_t len = strlen(path);
	struct stat st;
	char *slash;

	if (len >= sizeof(folder) || lstat(path, &st) == 0 || errno != ENOENT)
		return false;
	memcpy(folder, path, len + 1);
	/* the deepest path component that exists (even as a link) must lead to something */
	while ((slash = strrchr(folder, '/')) != NULL && slash != folder) {
		*slash = '\0';
		if (lstat(folder, &st) == 0)
			return stat(folder, &st) == 0;
	}
	return true;
}
