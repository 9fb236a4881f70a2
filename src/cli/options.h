/*
 * What the two programs have in common: the options they share, settings and suites read and checked, the
 * log opened, the key ring, and what a session is told by the settings.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "store/key_cache.h"
#include "session/session.h"
#include "smtp/handshake.h"
#include "sys/jail.h"
#include "sys/settings.h"

#ifndef VERSION
#define VERSION "unknown"
#endif
#ifndef SYSCONFDIR
#define SYSCONFDIR "/etc/blackpony"
#endif
#define PROGRAM_SETTINGS SYSCONFDIR "/blackpony.conf"

#define PROGRAM_OPTIONS_MAX 64		/* of -o */
#define PROGRAM_FILE_MAX (4u << 20)	/* octets: no session writes beyond that */

struct program {
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
int program_start(struct program *p, int argc, char *argv[], const char *letters);

/* Opens the log, to standard error as well under -v where that is nobody's socket. */
void program_log(const struct program *p);

/* Says p->error in the log, and on standard error where a person reads it. */
void program_complain(const struct program *p);

/* Writes the version and the suites built in to standard output. */
void program_print_version(const struct program *p);

/* The ring for these suites, as the settings have it. */
struct ring_settings program_ring(const struct program *p, const struct suite_list *suites);
void program_open_ring(const struct program *p, struct ring *ring, const struct suite_list *suites);

/*
 * Becomes the settings' user for good, and locks static memory, where keys will be; or looks only whether the
 * first could be done (sys/ids.h).  0, or -1 with p->error.
 */
int program_become(struct program *p);
int program_may_become(struct program *p);

/*
 * Goes to jail (sys/jail.h).  0, or -1 with p->error.
 */
int program_jail(struct program *p, enum jail jail);

struct session_limits program_limits(const struct settings *settings);

/* "hit", "miss", "off" or "-", for the log. */
const char *program_cache_word(const struct ring *ring, const struct handshake *handshake);

/*
 * " crypt=... why=... cache=..." to the end of a log line.  `crypt` is a suite, "starttls" or "none",
 * `why` why it is no suite; NULL where it is one, or nobody knows.
 */
void program_log_crypt(struct buf *line, const struct ring *ring,
    const struct handshake *handshake, const char *crypt, const char *why);

/* " in=... out=... seconds=... end=..." */
void program_log_end(struct buf *line, const struct session *session, int64_t begun_ms,
    enum ending end);

#endif
