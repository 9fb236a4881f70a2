/*
 * The parsers of the settings' values, to which the table in settings.c points.
 */
#ifndef SYS_SETTINGS_PARSE_H
#define SYS_SETTINGS_PARSE_H

#include "base/span.h"

/*
 * Parses `value`, shorter than SETTINGS_TEXT_MAX, into `to`, an object of the type given below.
 * Returns NULL; or, with `to` unchanged, what is wrong and what was expected, as a text to follow
 * "NAME = VALUE ".
 */
typedef const char *parse_value(void *to, struct span value);

parse_value parse_text;			/* char[SETTINGS_TEXT_MAX] */
parse_value parse_directory;		/* char[SETTINGS_TEXT_MAX]: an absolute path, or "off" */
parse_value parse_path;			/* char[SETTINGS_TEXT_MAX]: an absolute path, or empty */
parse_value parse_hostname;		/* char[SETTINGS_TEXT_MAX] */
parse_value parse_backend;		/* char[SETTINGS_TEXT_MAX] */
parse_value parse_policy;		/* enum policy */
parse_value parse_dane;			/* enum dane */
parse_value parse_policy_map;		/* char[SETTINGS_TEXT_MAX] */
parse_value parse_client_address;	/* enum client_address */
parse_value parse_starttls;		/* enum starttls */
parse_value parse_duration;		/* int64_t, milliseconds */
parse_value parse_duration_or_none;	/* the same; "0" is 0 */
parse_value parse_entries;		/* uint64_t, at least 1 */
parse_value parse_sessions;		/* uint64_t, at least 1 */
parse_value parse_networks;		/* struct settings_networks */
parse_value parse_yes_no;		/* bool */
parse_value parse_facility;		/* int */

#endif
