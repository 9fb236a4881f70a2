/*
 * blackponyd's machine: between a client on the wire and the mailer behind.
 *
 * It adds our offer to the reply to EHLO, answers XCRYPT, and then either becomes a pipe of octets
 * (in the clear, at the first command that is not about saying hello) or follows the encrypted dialogue
 * closely enough to put a trace line in front of each message.  Message octets pass as they are.
 */
#ifndef SMTP_RELAY_H
#define SMTP_RELAY_H

#include "smtp/handshake.h"
#include "smtp/io.h"
#include "smtp/line.h"
#include "smtp/message.h"

#define RELAY_QUEUE 2048	/* commands unanswered; then no more are read */
#define RELAY_NAME_MAX 255	/* octets of the name a client gives itself, as kept */
#define RELAY_PEER_MAX 80
#define RELAY_SAYS_MAX 2
#define RELAY_EHLO_MAX 4096	/* octets of the mailer's EHLO reply, as kept */

struct relay_settings {
	const struct suite_list *suites;	/* offered; none: no XCRYPT */
	bool must;				/* nothing in the clear */
	bool mark;				/* the trace line */
	const char *hostname;			/* in it, and in our own replies */
	const char *peer;			/* the client's address literal, "[192.0.2.1]" */
	struct span says[RELAY_SAYS_MAX];	/* lines of ours in the EHLO reply inside; empty: none */
};

enum relay_input {		/* what the next octet from the wire belongs to */
	INPUT_COMMAND,
	INPUT_CONTINUATION,	/* the line an AUTH exchange asked for */
	INPUT_MESSAGE,		/* DATA: up to CRLF.CRLF */
	INPUT_CHUNK,		/* BDAT: `chunk_left` octets */
	INPUT_SKIP,		/* the rest of a line that was too long */
	INPUT_OVER		/* nothing more */
};

enum relay_crypt {
	CRYPT_NOT_YET,		/* no attempt has been made */
	CRYPT_ANSWERED,		/* 250 XCRYPT said: XCRYPT OK is next */
	CRYPT_GIVEN_UP,		/* the attempt is used up */
	CRYPT_ON
};

struct relay {
	const struct relay_settings *set;
	struct handshake handshake;
	enum relay_crypt crypt;
	enum relay_input input;
	enum dots dots;

	uint8_t queue[RELAY_QUEUE];	/* verbs unanswered, a ring */
	size_t queue_head, queue_len;
	bool sync;		/* the next command waits until all are answered */
	bool early;		/* ... and something has come that did not */

	enum verb hello;	/* EHLO or HELO, as last accepted; VERB_OTHER: none yet */
	uint8_t name[RELAY_NAME_MAX];	/* as given with it */
	size_t name_len;
	uint8_t said[RELAY_NAME_MAX];	/* as given with the last one, accepted or not */
	size_t said_len;
	bool offered;		/* our line was in the last EHLO reply */
	bool hello_inside;	/* said again since encryption */
	bool chunking;		/* the mailer offers it */

	size_t ehlo_len;		/* of `ehlo`; 0: not to be kept */
	uint8_t ehlo_name[RELAY_NAME_MAX];	/* and what that EHLO said */
	size_t ehlo_name_len;

	size_t held_len;
	unsigned reply_lines;	/* lines seen of the present reply */
	unsigned reply_code;	/* of its first */

	bool trace_due;		/* our line goes before DATA's first octet */
	bool begun;		/* the mailer has taken the first chunk of the present message */
	uint64_t chunk_left;
	uint64_t block;		/* octets of message since the deadline began */
	uint64_t message_end;	/* to_local's octet count at the end of the last message or chunk */
	bool done;		/* the mailer has answered QUIT with 221 */
	bool heard_inside;	/* a first octet has come encrypted */
	bool gone;		/* the mailer has said its last word: its end follows */
	enum outcome leaving;	/* ... and is saying it unasked: what comes of that at its end */
	unsigned last_code;	/* of the last whole reply that the client has seen */
	unsigned messages;	/* accepted */
	const char *why;	/* in the clear because ... (a literal), NULL while not known */

	uint8_t ehlo[RELAY_EHLO_MAX];	/* the mailer's last reply to EHLO in the clear */
	uint8_t held[LINE_MAX_OCTETS];	/* the EHLO reply's line before this one */
};

/*
 * Starts it.  `settings` and what `keys` points to must outlive it.  relay_step() and relay_fault() are
 * its functions for struct machine; relay_wipe() is always to be called at the end.
 */
void relay_start(struct relay *r, const struct relay_settings *settings, struct key_source keys);
void relay_step(void *relay, struct io *io);
void relay_fault(void *relay, struct io *io, enum outcome fault);
void relay_wipe(struct relay *r);

#endif
