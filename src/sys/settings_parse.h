/*
 * How the value of one setting is read: what the table in settings.c points to.
 */
#ifndef SYS_SETTINGS_PARSE_H
#define SYS_SETTINGS_PARSE_H

#include "base/octets.h"

/*
 * Reads `value`, shorter than SETTINGS_TEXT_MAX, into `to`, an object of the type behind the name.
 * NULL; or, with `to` untouched, what is wrong with it and what was expected, to be put behind
 * "NAME = VALUE ".
 */
typedef const char *value_read(void *to, struct span value);

value_read value_text;			/* char[SETTINGS_TEXT_MAX], as are the next two */
value_read value_directory;		/* a whole path, or "off" */
value_read value_hostname;
value_read value_backend;		/* text again */
value_read value_policy;		/* enum policy */
value_read value_client_address;	/* enum client_address */
value_read value_duration;		/* int64_t, milliseconds */
value_read value_entries;		/* uint64_t, at least 1 */
value_read value_sessions;		/* the same */
value_read value_networks;		/* struct settings_networks */
value_read value_yes_no;		/* bool */
value_read value_facility;		/* int */

#endif
