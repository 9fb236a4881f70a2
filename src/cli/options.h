/*
 * The start-up that both programs share: command line, settings, log, key cache, identity, jail,
 * and the timeouts of a session.
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

#define OPTIONS_OPTIONS_MAX 64		/* most -o on a command line */
#define OPTIONS_FILE_MAX (4u << 20)	/* octets; rlimit on a file that a session writes */

struct options {
	const char *name;
	struct settings settings;
	struct suite_list suites;
	bool talks_to_people;		/* errors also go to descriptor 2 */
	bool test, expire, verbose, version;
	const char *sender;		/* -f; NULL: not given */
	const char *command;		/* -k; NULL: not given */
	const char *settings_file;	/* path: -C, or the default */
	char error[SETTINGS_ERROR_MAX];
};

/*
 * Reads the command line up to its first operand, to which optind points then, and the settings.
 * `letters` is for getopt(3).  p->name must be set.  argv must outlive p.  0, or -1 with
 * p->error; after an error, too, optind is valid and the log can be opened.
 */
int options_read(struct options *p, int argc, char *argv[], const char *letters);

/*
 * Opens the log.  With -v it goes to descriptor 2 as well, unless that is the same file as 0 or
 * 1.
 */
void options_open_log(const struct options *p);

/* Logs p->error, and prints it on standard error if p->talks_to_people. */
void options_complain(const struct options *p);

/* Prints the version, those of the libraries inside, and the suites that are built in. */
void options_print_version(const struct options *p);

/* The key cache for `suites`, as the settings describe it.  `suites` must outlive the cache. */
struct key_cache_settings options_key_cache(const struct options *p,
    const struct suite_list *suites);
void options_open_key_cache(const struct options *p, struct key_cache *cache,
    const struct suite_list *suites);

/*
 * options_become() becomes the settings' user for good, and locks static memory, which will hold
 * keys.  options_may_become() only checks that the user can be taken (sys/ids.h).  0, or -1 with
 * p->error.
 */
int options_become(struct options *p);
int options_may_become(struct options *p);

/*
 * For use at start: logs each part of the jail that the kernel lacks (sys/jail_parts.h).  With the
 * setting jail-required, that is an error instead.  0, or -1 with p->error.
 */
int options_check_jail(struct options *p);

/* For -t: prints a line for each part, and what the kernel lacks, on standard output. */
void options_print_jail(void);

/* Enters the jail (sys/jail.h).  0, or -1 with p->error. */
int options_jail(struct options *p, enum jail jail);

/* The settings' timeouts. */
struct session_limits options_limits(const struct settings *settings);

#endif
