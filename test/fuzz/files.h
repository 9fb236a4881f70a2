/*
 * Writes a store's files to a scratch directory.  An input is the length of NAME.cdb, that
 * file, and NAME.journal.
 */
#ifndef FILES_H
#define FILES_H

#include "fuzz.h"

/*
 * Creates the directory anew with the two files, and returns its path.  `*journal` is the
 * contents of the second.  A target uses only one NAME.  The directory is removed when the
 * program ends.
 */
const char *files_make(const char *name, struct span input, struct span *journal);

#endif
