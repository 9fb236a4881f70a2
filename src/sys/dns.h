/*
 * Messages of the DNS (RFC 1035 section 4): questions made, answers read.  No sockets here; an answer
 * may be hostile.
 */
#ifndef SYS_DNS_H
#define SYS_DNS_H

#include "base/octets.h"

#define DNS_MESSAGE_MAX 65535
#define DNS_QUESTION_MAX 272		/* header, a name of 255 octets, type and class */
#define DNS_NAME_MAX 256		/* the text of a name, with its NUL */

enum dns_type { DNS_A = 1, DNS_MX = 15, DNS_AAAA = 28 };
enum dns_code { DNS_NOERROR = 0, DNS_NXDOMAIN = 3 };

/*
 * A question for a server that looks further itself.  The octets used, or 0 when no host has such a name
 * (empty, or longer than 253; labels empty or longer than 63).
 */
size_t dns_question(uint8_t out[DNS_QUESTION_MAX], uint16_t id, const char *name, enum dns_type type);

/* Is the message an answer, and one to this question? */
bool dns_is_answer(struct span message, struct span question);

/* Of an answer: has it been cut to fit a datagram?  Did the server look for it at all?  The code. */
bool dns_is_cut(struct span answer);
bool dns_is_lame(struct span answer);
unsigned dns_code(struct span answer);

struct dns_reader {
	struct span message;
	size_t next;			/* where the next record begins */
	unsigned left;			/* records of the answer section that were not read yet */
};

struct dns_record {
	uint16_t type, class;
	size_t data, end;		/* where its data begin and end in the message */
};

/* Begins with the answer section.  False when the message is no answer, or malformed up to that section's end. */
bool dns_open(struct dns_reader *r, struct span message);

/* The next record of class IN of the answer section; false behind the last one. */
bool dns_next(struct dns_reader *r, struct dns_record *record);

/*
 * The name at `at`, which has to end at `end`, as text without a dot at its end: "" is the root.  What is
 * no letter, digit, `-` or `_` in a label becomes `?`.  False when it is malformed.
 */
bool dns_name(struct span message, size_t at, size_t end, char name[DNS_NAME_MAX]);

#endif
