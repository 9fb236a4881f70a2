/*
 * A client of a socketmap daemon (socketmap_table(5) of Postfix): asks it one question.
 *
 * Question and answer are netstrings, "LENGTH:OCTETS,".  The question is "MAP KEY"; the answer is a
 * word and, after a blank, its text.
 */
#ifndef SYS_SOCKETMAP_H
#define SYS_SOCKETMAP_H

#include "sys/address.h"

#define SOCKETMAP_ANSWER_MAX 16384	/* octets of an answer, without the netstring around it */

enum socketmap_said {
	SOCKETMAP_OK,			/* there is an entry, the text */
	SOCKETMAP_NOT_FOUND,		/* there is none */
	SOCKETMAP_TEMP,			/* it cannot tell now; the text says why */
	SOCKETMAP_TIMEOUT,		/* likewise */
	SOCKETMAP_PERM,			/* it never can; the text says why */
	SOCKETMAP_UNKNOWN,		/* the answer is not understood: malformed or too long */
	SOCKETMAP_SILENT		/* not reached, or no whole answer by the deadline */
};

struct socketmap_answer {
	enum socketmap_said said;
	struct span text;		/* in `mem`; empty if SOCKETMAP_UNKNOWN or _SILENT */
	int error;			/* SOCKETMAP_SILENT: an errno that says why */
	uint8_t mem[SOCKETMAP_ANSWER_MAX + sizeof("16384:,")];
};

/*
 * Parses where the daemon listens: "inet:ADDRESS:PORT", "inet:localhost:PORT" (127.0.0.1) or
 * "unix:PATH" with an absolute path.  An IPv6 address is written in brackets.  0, or -1.
 */
int socketmap_read_place(struct address *out, struct span text);

/* Asks the daemon at `place` for `key` in `map`, until `deadline_ms` (base/clock.h). */
void socketmap_ask(struct socketmap_answer *answer, const struct address *place, const char *map,
    const char *key, int64_t deadline_ms);

enum netstring { NETSTRING_MORE, NETSTRING_WHOLE, NETSTRING_BROKEN };

/*
 * Parses a netstring at the front of `octets`; what follows it is ignored.  NETSTRING_MORE: it is
 * not complete.  NETSTRING_BROKEN: it is malformed, or its content is longer than `max` octets.
 * `*content` is set for NETSTRING_WHOLE.
 */
enum netstring socketmap_netstring(struct span octets, size_t max, struct span *content);

/*
 * Parses the content of an answer.  SOCKETMAP_UNKNOWN if it does not begin with a word of the
 * protocol, in upper case and with a blank or nothing after it.  `*text` is what follows the blank.
 */
enum socketmap_said socketmap_read(struct span content, struct span *text);

#endif
