#include "sys/dns.h"

#include "base/octets.h"

#include <string.h>

#define HEADER 12
#define LABEL_MAX 63
#define QR 0x8000u
#define AA 0x0400u
#define TC 0x0200u
#define RD 0x0100u
#define RA 0x0080u
#define AD 0x0020u
#define POINTER 0xc0u
#define CLASS_IN 1
#define TYPE_OPT 41
#define EDNS_SIZE 1232		/* octets that arrive over UDP without fragments */
#define EDNS_DO 0x8000u

enum { AT_ID = 0, AT_FLAGS = 2, AT_COUNTS = 4, QUESTIONS = 0, ANSWERS, AUTHORITIES, OTHERS };

static unsigned
flags(struct span message)
{
	return octets_get16(message.at + AT_FLAGS);
}

static unsigned
count(struct span message, unsigned section)
{
	return octets_get16(message.at + AT_COUNTS + 2 * section);
}

size_t
dns_question(uint8_t out[DNS_QUESTION_MAX], uint16_t id, const char *name, enum dns_type type)
{
	struct span rest = span_of(name), label;
	size_t len = HEADER;

	if (strcmp(name, ".") == 0)
		rest = span(NULL, 0);
	else if (rest.len == 0 || rest.len > 253 || rest.at[rest.len - 1] == '.')
		return 0;
	memset(out, 0, HEADER);
	octets_put16(out + AT_ID, id);
	octets_put16(out + AT_FLAGS, RD);
	octets_put16(out + AT_COUNTS, 1);
	while (span_word(&rest, '.', &label)) {
		if (label.len == 0 || label.len > LABEL_MAX)
			return 0;
		out[len++] = (uint8_t)label.len;
		memcpy(out + len, label.at, label.len);
		len += label.len;
	}
	out[len++] = 0;
	octets_put16(out + len, (uint16_t)type);
	octets_put16(out + len + 2, CLASS_IN);
	return len + 4;
}

void
dns_mix_case(uint8_t *question, size_t len, const uint8_t random[DNS_CASE_LEN])
{
	/* the length of a label is less than any letter */
	for (size_t i = 0; HEADER + i < len - 4; i++) {
		uint8_t *octet = &question[HEADER + i], folded = *octet | 0x20;

		if (folded >= 'a' && folded <= 'z' && (random[i / 8] >> i % 8 & 1) != 0)
			*octet ^= 0x20;
	}
}

size_t
dns_want_dnssec(uint8_t question[DNS_QUERY_MAX], size_t len, bool edns)
{
	uint8_t *opt = question + len;

	octets_put16(question + AT_FLAGS, RD | AD);
	if (!edns)
		return len;
	octets_put16(question + AT_COUNTS + 2 * OTHERS, 1);
	memset(opt, 0, DNS_EDNS_LEN);		/* the root, and no options */
	octets_put16(opt + 1, TYPE_OPT);
	octets_put16(opt + 3, EDNS_SIZE);
	octets_put16(opt + 7, EDNS_DO);
	return len + DNS_EDNS_LEN;
}

/*
 * The answer must repeat our question (letter case aside): a 16-bit ID alone is easy to guess
 * (RFC 5452).
 */
bool
dns_is_answer(struct span message, struct span question)
{
	if (message.len < question.len || (flags(message) & QR) == 0)
		return false;
	return octets_get16(message.at) == octets_get16(question.at) &&
	    count(message, QUESTIONS) == 1 &&
	    span_equal_nocase(span(message.at + HEADER, question.len - HEADER),
		span_from(question, HEADER));
}

bool
dns_is_answer_exactly(struct span message, struct span question)
{
	return dns_is_answer(message, question) &&
	    span_equal(span(message.at + HEADER, question.len - HEADER),
		span_from(question, HEADER));
}

void
dns_restore_case(uint8_t *message, const char *name)
{
	uint8_t question[DNS_QUESTION_MAX];
	size_t len = dns_question(question, 0, name, DNS_A);

	if (len > 0)
		memcpy(message + HEADER, question + HEADER, len - HEADER - 4);
}

bool
dns_is_cut(struct span answer)
{
	return (flags(answer) & TC) != 0;
}

/* A server that neither has the zone nor recurses may reply with any code and no answer. */
bool
dns_is_lame(struct span answer)
{
	return (flags(answer) & (AA | RA)) == 0 && count(answer, ANSWERS) == 0;
}

bool
dns_is_secure(struct span answer)
{
	return (flags(answer) & AD) != 0;
}

unsigned
dns_code(struct span answer)
{
	return flags(answer) & 15;
}

/* The offset after a name; 0 if the name is malformed or nothing follows. */
static size_t
skip_name(struct span message, size_t at)
{
	while (at < message.len && message.at[at] != 0 && message.at[at] <= LABEL_MAX)
		at += 1 + (size_t)message.at[at];
	if (at >= message.len || (message.at[at] != 0 && message.at[at] < POINTER))
		return 0;
	at += message.at[at] == 0 ? 1 : 2;
	return at < message.len ? at : 0;
}

/* The offset after the record; 0 if it is incomplete. */
static size_t
dns_read_record(struct span message, size_t at, struct dns_record *record)
{
	record->name = at;
	at = record->name_end = skip_name(message, at);
	if (at == 0 || message.len - at < 10)
		return 0;
	record->type = octets_get16(message.at + at);
	record->class = octets_get16(message.at + at + 2);
	record->data = at + 10;
	record->end = record->data + octets_get16(message.at + at + 8);
	return record->end <= message.len ? record->end : 0;
}

bool
dns_open(struct dns_reader *r, struct span message)
{
	struct dns_record record;
	size_t at = HEADER;

	if (message.len < HEADER || message.len > DNS_MESSAGE_MAX || (flags(message) & QR) == 0)
		return false;
	for (unsigned i = count(message, QUESTIONS); i > 0; i--) {
		at = skip_name(message, at);
		if (at == 0 || message.len - at < 4)
			return false;
		at += 4;
	}
	*r = (struct dns_reader){ .message = message, .next = at, .left = count(message, ANSWERS) };
	/* only the answer section is checked; errors in later sections do no harm */
	for (unsigned i = r->left; i > 0; i--)
		if ((at = dns_read_record(message, at, &record)) == 0)
			return false;
	return true;
}

bool
dns_next(struct dns_reader *r, struct dns_record *record)
{
	while (r->left > 0) {
		r->left--;
		r->next = dns_read_record(r->message, r->next, record);
		if (r->next != 0 && record->class == CLASS_IN)
			return true;
	}
	return false;
}

bool
dns_has_soa(struct span answer)
{
	struct dns_reader r;
	struct dns_record record;

	if (!dns_open(&r, answer))
		return false;
	for (unsigned i = r.left + count(answer, AUTHORITIES); i > 0; i--) {
		r.next = dns_read_record(answer, r.next, &record);
		if (r.next == 0)
			return false;
		if (i <= count(answer, AUTHORITIES) && record.type == DNS_SOA)
			return true;
	}
	return false;
}

static char
dns_shown(uint8_t octet)
{
	bool letter = (octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z');

	return letter || (octet >= '0' && octet <= '9') || octet == '-' || octet == '_' ?
	    (char)octet :
	    '?';
}

/* Pointers must point backwards, so this terminates. */
bool
dns_name(struct span message, size_t at, size_t end, char name[DNS_NAME_MAX])
{
	size_t len = 0, bound = at;
	bool jumped = false;

	while (at < message.len && message.at[at] != 0) {
		size_t octet = message.at[at];

		if ((octet & POINTER) == POINTER) {
			if (message.len - at < 2 || (!jumped && at + 2 != end))
				return false;
			at = (octet & ~(size_t)POINTER) << 8 | message.at[at + 1];
			if (at < HEADER || at >= bound)
				return false;
			bound = at;
			jumped = true;
			continue;
		}
		if (octet > LABEL_MAX || message.len - at <= octet ||
		    len + octet + 1 >= DNS_NAME_MAX)
			return false;
		if (len > 0)
			name[len++] = '.';
		for (size_t i = 1; i <= octet; i++)
			name[len++] = dns_shown(message.at[at + i]);
		at += 1 + octet;
	}
	name[len] = '\0';
	return at < message.len && (jumped || at + 1 == end);
}
