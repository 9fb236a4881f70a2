/*
 * DNS messages (RFC 1035 section 4): makes queries and parses answers, which may be hostile.  No
 * sockets here.
 */
#ifndef SYS_DNS_H
#define SYS_DNS_H

#include "base/span.h"

#define DNS_MESSAGE_MAX 65535
#define DNS_QUESTION_MAX 272		/* octets of header, name (at most 255), type and class */
#define DNS_NAME_MAX 256		/* characters of a name as text, with its NUL */

enum dns_type { DNS_A = 1, DNS_MX = 15, DNS_AAAA = 28 };
enum dns_code { DNS_NOERROR = 0, DNS_NXDOMAIN = 3 };

/*
 * Writes a recursive query.  Returns its length in octets, or 0 for a name that is empty, longer
 * than 253 characters, or has an empty label or one longer than 63.
 */
size_t dns_question(uint8_t out[DNS_QUESTION_MAX], uint16_t id, const char *name,
    enum dns_type type);

/* Whether the message is an answer to this query. */
bool dns_is_answer(struct span message, struct span question);

/*
 * Of an answer: whether it was truncated, whether its server cannot answer for the name, its
 * RCODE.
 */
bool dns_is_cut(struct span answer);
bool dns_is_lame(struct span answer);
unsigned dns_code(struct span answer);

struct dns_reader {
	struct span message;
	size_t next;			/* offset of the next record */
	unsigned left;			/* records of the answer section not read yet */
};

struct dns_record {
	uint16_t type, class;
	size_t data, end;		/* offsets where its data begin and end in the message */
};

/*
 * Prepares to read the answer section.  False if the message is no answer, or malformed before the
 * end of that section.
 */
bool dns_open(struct dns_reader *r, struct span message);

/* Reads the next record of class IN of the answer section; false after the last one. */
bool dns_next(struct dns_reader *r, struct dns_record *record);

/*
 * Reads the name at offset `at`, which must end at offset `end`, as text without a final dot; ""
 * is the root.  Octets of a label other than letters, digits, `-` and `_` become `?`.  False if
 * it is malformed.
 */
bool dns_name(struct span message, size_t at, size_t end, char name[DNS_NAME_MAX]);

#endif
