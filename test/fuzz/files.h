/*
 * A store's files in a scratch folder, out of an input: the length of NAME.cdb, that file, and NAME.journal.
 */
#ifndef FILES_H
#define FILES_H

#include "fuzz.h"

/*
 * Makes the folder anew with those two files, and returns it; `*journal` is what the second has.  A target
 * has one NAME.  The folder goes when the program ends.
 */
const char *files_make(const char *name, struct span input, struct span *journal);

#endif
