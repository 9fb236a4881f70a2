/*
 * Host names with letters beyond ASCII, as people write them: to what the DNS and SMTP have (A-labels, RFC 5891).
 */
#ifndef SYS_IDNA_H
#define SYS_IDNA_H

#include "sys/host.h"

/*
 * `name` in ASCII, with a NUL: itself when it is that already, whatever it is.  False: it is no UTF-8, or no host
 * can have that name, or it is longer than HOST_NAME_MAX.
 */
bool idna_to_ascii(char out[HOST_NAME_MAX + 1], struct span name);

#endif
