/*
 * What the two programs have in common: the options they share, settings and suites read and checked, the
 * log opened, the key ring, and what a session is told by the settings.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "session/session.h"
#include "smtp/handshake.h"
#include "store/key_cache.h"
#include "sys/jail.h"
#include "sys/settings.h"

#ifndef VERSION
#define VERSION "unknown"
#endif
#ifndef SYSCONFDIR
#define SYSCONFDIR "/etc/blackpony"
#endif
#define OPTIONS_SETTINGS SYSCONFDIR "/blackpony.conf"

#define OPTIONS_OPTIONS_MAX 64		/* of -o */
#define OPTIONS_FILE_MAX (4u << 20)	/* octets: no session writes beyond that */

struct options {
	const char *name;
	struct settings settings;
	struct suite_list suites;
	bool talks_to_people;		/* descriptor 2 is not the peer's: errors may go there */
	bool test, expire, verbose, version;
	const char *sender;		/* -f; NULL: not given */
	const char *command;		/* -k; NULL: not given */
	const char *settings_file;	/* that was read, or would have been */
	char error[SETTINGS_ERROR_MAX];
};

/*
 * Reads the command line up to its first operand (optind is there then) and the settings.  `letters` is
 * getopt(3)'s.  0, or -1 with p->error.  Even then optind is behind what could be read, and the log can be
 * opened.
 */
int options_read(struct options *p, int argc, char *argv[], const char *letters);

/* Opens the log, to standard error as well under -v where that is nobody's socket. */
void options_open_log(const struct options *p);

/* Says p->error in the log, and on standard error where a person reads it. */
void options_complain(const struct options *p);

/* Writes the version and the suites built in to standard output. */
void options_print_version(const struct options *p);

/* The ring for these suites, as the settings have it. */
struct key_cache_settings options_key_cache(const struct options *p, const struct suite_list *suites);
void options_open_key_cache(const struct options *p, struct key_cache *cache, const struct suite_list *suites);

/*
 * Becomes the settings' user for good, and locks static memory, where keys will be; or looks only whether the
 * first could be done (sys/ids.h).  0, or -1 with p->error.
 */
int options_become(struct options *p);
int options_may_become(struct options *p);

/*
 * Goes to jail (sys/jail.h).  0, or -1 with p->error.
 */
int options_jail(struct options *p, enum jail jail);

struct session_limits options_limits(const struct settings *settings);

#endif
