/*
 * Internationalized host names: converts UTF-8 to the A-labels of RFC 5891 that DNS and SMTP use.
 */
#ifndef SYS_IDNA_H
#define SYS_IDNA_H

#include "sys/host.h"

/*
 * Writes `name` in ASCII, NUL-terminated; a name that is in ASCII already is copied unchecked.
 * False if it contains a NUL, is not UTF-8, cannot be a host name, or is longer than
 * HOST_NAME_MAX.
 */
bool idna_to_ascii(char out[HOST_NAME_MAX + 1], struct span name);

#endif
