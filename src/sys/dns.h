/*
 * DNS messages (RFC 1035 section 4): makes queries and parses answers, which may be hostile.  No
 * sockets here.
 */
#ifndef SYS_DNS_H
#define SYS_DNS_H

#include "base/span.h"

#define DNS_MESSAGE_MAX 65535
#define DNS_QUESTION_MAX 272		/* octets of header, name (at most 255), type and class */
#define DNS_EDNS_LEN 11			/* octets of the OPT record of a query */
#define DNS_QUERY_MAX (DNS_QUESTION_MAX + DNS_EDNS_LEN)
#define DNS_NAME_MAX 256		/* characters of a name as text, with its NUL */
#define DNS_CASE_LEN 32			/* random octets for the letters of a name: a bit each */

enum dns_type {
	DNS_A = 1,
	DNS_NS = 2,
	DNS_CNAME = 5,
	DNS_SOA = 6,
	DNS_MX = 15,
	DNS_TXT = 16,
	DNS_AAAA = 28,
	DNS_TLSA = 52
};

enum dns_code { DNS_NOERROR = 0, DNS_SERVFAIL = 2, DNS_NXDOMAIN = 3 };

/*
 * Writes a recursive query; "." is the root.  Returns its length in octets, or 0 for a name that
 * is empty, longer than 253 characters, or has an empty label or one longer than 63.
 */
size_t dns_question(uint8_t out[DNS_QUESTION_MAX], uint16_t id, const char *name,
    enum dns_type type);

/*
 * Flips the case of the letters in the name of a query of `len` octets by the bits of `random`.
 * An attacker who forges an answer has to guess them too (draft-vixie-dnsext-dns0x20).
 */
void dns_mix_case(uint8_t *question, size_t len, const uint8_t random[DNS_CASE_LEN]);

/*
 * Asks the server for the result of its validation: sets the AD bit (RFC 6840 section 5.7), and
 * with `edns` appends an OPT record with the DO bit (RFC 6891, RFC 3225).  `question` is a query
 * of `len` octets; returns the length of the message.
 */
size_t dns_want_dnssec(uint8_t question[DNS_QUERY_MAX], size_t len, bool edns);

/*
 * Whether the message is an answer to this query, which is given without its OPT record.  The case
 * of letters counts only for dns_is_answer_exactly().
 */
bool dns_is_answer(struct span message, struct span question);
bool dns_is_answer_exactly(struct span message, struct span question);

/*
 * Gives the question in an answer the letters of `name` again, since other names in the message
 * may point into it.  `message` is an answer to a query for `name`.
 */
void dns_restore_case(uint8_t *message, const char *name);

/*
 * Of an answer: whether it was truncated, whether its server cannot answer for the name, whether
 * its server has validated all of it (the AD bit), its RCODE.
 */
bool dns_is_cut(struct span answer);
bool dns_is_lame(struct span answer);
bool dns_is_secure(struct span answer);
unsigned dns_code(struct span answer);

struct dns_reader {
	struct span message;
	size_t next;			/* offset of the next record */
	unsigned left;			/* records of the answer section not read yet */
};

struct dns_record {
	uint16_t type, class;
	size_t name, name_end;		/* offsets where its owner's name begins and ends */
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
 * Whether the authority section of an answer has an SOA record.  With no record of the type asked
 * for, it says that there is none (RFC 2308 section 2.2).
 */
bool dns_has_soa(struct span answer);

/*
 * Reads the name at offset `at`, which must end at offset `end`, as text without a final dot; ""
 * is the root.  Octets of a label other than letters, digits, `-` and `_` become `?`.  False if
 * it is malformed.
 */
bool dns_name(struct span message, size_t at, size_t end, char name[DNS_NAME_MAX]);

#endif
