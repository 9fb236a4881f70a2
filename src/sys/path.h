/* Path names. */
#ifndef SYS_PATH_H
#define SYS_PATH_H

#include <stdbool.h>

/*
 * After ENOENT: whether the file was never created.  False if it or a directory on the way to it
 * is a dangling link: then the file exists elsewhere and is not reachable now.
 */
bool path_is_absent(const char *path);

#endif
