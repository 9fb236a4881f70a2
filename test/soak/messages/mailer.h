/*
 * The mail server of the campaign.  Every reply of this SMTP server follows from a seed and
 * from what it has got, so that it is the same whether the server is reached directly or
 * through the programs. EHLO and HELO at the beginning do not count, since blackpony sends one
 * more than its local MTA did.  It has no descriptors: octets are put into `in`, mailer_step()
 * is called, and what it sends is in `out`.
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
	bool pipelining, chunking, auth, size, eight_bit, utf8, starttls;	/* offered */
	bool no_ehlo;		/* EHLO is refused */
	bool one_ehlo;		/* a second EHLO is refused */
	bool refuses_tls;
	/*
	 * blackpony may answer MAIL in its place, and then does not send it if nothing comes of
	 * it: its reply is the one that blackpony gives, and does not count
	 */
	bool mail_apart;
	unsigned refuses;	/* refusals in a thousand replies */
	unsigned closes;	/* those of them, in a thousand, that are 421 and the end */
	unsigned talks;		/* replies of many lines, in a thousand */
	unsigned lines_max;	/* and how many lines: blackpony itself accepts 16 KB */
	bool odd;		/* replies may have unusual forms, and be long */
};

enum event_kind { EVENT_HELLO, EVENT_LINE, EVENT_CONTINUED, EVENT_MESSAGE, EVENT_CHUNK, EVENT_PART };

struct event {
	enum event_kind kind;
	size_t at, len;		/* position in `in` */
	size_t line_at, line_len;	/* of EVENT_CHUNK: its BDAT line */
	bool begins;		/* the first octets of a message */
	bool last, stray;	/* a chunk with LAST; a chunk outside a transaction */
};

enum mailer_state { MAILER_COMMAND, MAILER_CONTINUED, MAILER_DATA, MAILER_CHUNK, MAILER_TLS,
	MAILER_CLOSED };

struct mailer {
	const struct mailer_script *script;
	enum mailer_state state;
	struct text in, out;
	size_t at, seen;	/* octets of `in` handled, and looked at for an end */
	struct event *events;
	size_t count, cap;
	uint64_t answers;	/* replies so far, without the first to EHLO and HELO */
	bool hellos_only;
	unsigned hellos;
	bool helo;
	bool mail, message_begun, chunked, chunk_last;
	unsigned rcpts, rounds;
	size_t chunk_at, chunk_len;	/* the BDAT line */
	uint64_t chunk_left;
	size_t begun_at;
	const char *fault;	/* what this client did and must not do, or NULL */
	unsigned messages;	/* messages accepted */
};

/*
 * Draws the script, keywords included, from a seed.  `inside`: blackponyd will encrypt.  `tls`:
 * it offers STARTTLS.  `letter`: blackpony reads its replies itself.  `sender`: else, it passes
 * them on.
 */
void mailer_script(struct mailer_script *script, uint64_t seed, bool inside, bool tls, bool letter,
    bool sender);

void mailer_start(struct mailer *m, const struct mailer_script *script);
void mailer_step(struct mailer *m);

/* The client is gone: what has begun becomes an event, too. */
void mailer_end(struct mailer *m);

/* For people: each thing that it got, on a line. */
void mailer_show(const struct mailer *m, struct text *out);

/* The verb of a line in upper case; "" if it has none. */
void mailer_verb(const uint8_t *line, size_t len, char verb[12]);

#endif
