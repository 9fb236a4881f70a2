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
typedef const char *parse_value(void *to, struct span value);

parse_value parse_text;			/* char[SETTINGS_TEXT_MAX], as are the next two */
parse_value parse_directory;		/* a whole path, or "off" */
parse_value parse_hostname;
parse_value parse_backend;		/* text again */
parse_value parse_policy;		/* enum policy */
parse_value parse_client_address;	/* enum client_address */
parse_value parse_duration;		/* int64_t, milliseconds */
parse_value parse_entries;		/* uint64_t, at least 1 */
parse_value parse_sessions;		/* the same */
parse_value parse_networks;		/* struct settings_networks */
parse_value parse_yes_no;		/* bool */
parse_value parse_facility;		/* int */

#endif
