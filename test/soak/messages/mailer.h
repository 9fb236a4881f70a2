/*
 * The mailer of the campaign: an SMTP server whose every answer follows from a seed and from what it has
 * heard, so that it answers the same whether it is reached directly or through the programs.
 *
 * Hellos at the beginning count for nothing, for blackpony says one more than its mailer did.  It has no
 * descriptors: octets are put to `in`, mailer_step() is called, and what it says is in `out`.
 */
#ifndef SOAK_MAILER_H
#define SOAK_MAILER_H

#include "dice.h"
#include "text.h"

#define MAILER_KEYWORDS 24

struct mailer_script {
	uint64_t seed;
	char keywords[MAILER_KEYWORDS][100];
	size_t keyword_count;
	bool pipelining, chunking, auth, size, eight_bit, utf8, starttls;	/* keywords that are there */
	bool no_ehlo;		/* EHLO is refused */
	bool one_ehlo;		/* and so is a second one */
	bool refuses_tls;
	unsigned refuses;	/* in a thousand answers */
	unsigned closes;	/* ... of those, with 421 and the end */
	unsigned talks;		/* in a thousand replies, those of many lines */
	unsigned lines_max;	/* ... and of how many: blackpony itself takes 16 KB */
	bool odd;		/* replies may be of odd forms, and long */
};

enum event_kind { EVENT_HELLO, EVENT_LINE, EVENT_CONTINUED, EVENT_MESSAGE, EVENT_CHUNK, EVENT_PART };

struct event {
	enum event_kind kind;
	size_t at, len;		/* in `in` */
	size_t line_at, line_len;	/* of EVENT_CHUNK, its BDAT line */
	bool begins;		/* the first octets of a message */
	bool last, stray;	/* a chunk with LAST; one of no transaction */
};

enum mailer_state { MAILER_COMMAND, MAILER_CONTINUED, MAILER_DATA, MAILER_CHUNK, MAILER_TLS,
	MAILER_CLOSED };

struct mailer {
	const struct mailer_script *script;
	enum mailer_state state;
	struct text in, out;
	size_t at, seen;	/* in `in`: done with; looked at for an end */
	struct event *events;
	size_t count, cap;
	uint64_t answers;	/* what each answer is drawn from, but for hellos at the beginning */
	bool hellos_only;
	unsigned hellos;
	bool helo;
	bool mail, message_begun, chunked, chunk_last;
	unsigned rcpts, rounds;
	size_t chunk_at, chunk_len;	/* the BDAT line */
	uint64_t chunk_left;
	size_t begun_at;
	const char *fault;	/* what a client must not do, and this one did; or NULL */
	unsigned messages;	/* taken */
};

/* What its seed says, keywords and all; `inside`: blackponyd is to encrypt; `tls`: it is to have STARTTLS;
 * `letter`: blackpony reads its replies itself. */
void mailer_script(struct mailer_script *script, uint64_t seed, bool inside, bool tls, bool letter);

void mailer_start(struct mailer *m, const struct mailer_script *script);
void mailer_step(struct mailer *m);

/* The client is gone: what was begun is an event, too. */
void mailer_end(struct mailer *m);

/* For people: each thing it heard on a line. */
void mailer_show(const struct mailer *m, struct text *out);

/* The verb of a line in upper case; "" where it has none. */
void mailer_verb(const uint8_t *line, size_t len, char verb[12]);

#endif
