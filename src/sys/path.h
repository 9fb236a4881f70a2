/* Names of files. */
#ifndef SYS_PATH_H
#define SYS_PATH_H

#include <stdbool.h>

/*
 * After ENOENT: was nothing ever put there?  False where a link leads nowhere, be it the file's own name or a folder
 * on the way to it: then something was put somewhere else, and cannot be reached now.
 */
bool path_is_absent(const char *path);

#endif
