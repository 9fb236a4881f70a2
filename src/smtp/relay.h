/*
 * The machine of blackponyd, between a client on the wire and the backend.
 *
 * It adds our offers to the reply to EHLO and answers XCRYPT and STARTTLS.  In the clear it becomes
 * a pipe of octets at the first command that does not belong to the start of a session, such as
 * MAIL.
 * Encrypted, it follows the dialogue closely enough to put a trace line in front of each message.
 * The octets of messages are not changed.
 */
#ifndef SMTP_RELAY_H
#define SMTP_RELAY_H

#include "smtp/handshake.h"
#include "smtp/io.h"
#include "smtp/line.h"
#include "smtp/message.h"

#define RELAY_QUEUE 2048	/* unanswered commands; when it is full, no more are read */
#define RELAY_NAME_MAX 255	/* octets kept of the name in EHLO or HELO */
#define RELAY_PEER_MAX 80
#define RELAY_SAYS_MAX 2
#define RELAY_HELLO_MAX 510	/* octets of the EHLO line (RFC 5321), for the transcript */
#define RELAY_EHLO_MAX 4096	/* octets kept of the backend's reply to EHLO */

enum relay_starttls {		/* who answers STARTTLS */
	RELAY_STARTTLS_BACKEND,	/* the backend, if it offers it: the session becomes a pipe */
	RELAY_STARTTLS_OWN,	/* we do, with io->start_tls */
	RELAY_STARTTLS_NOBODY
};

struct relay_settings {
	const struct suite_list *suites;	/* suites to offer; empty: no XCRYPT */
	bool encryption_required;		/* accept no mail in the clear */
	bool mark;				/* add a trace line to each message */
	enum relay_starttls starttls;
	/* version and suite of our TLS; NULL unless `starttls` is ours */
	const char *(*tls_name)(void *context);
	const char *hostname;			/* our name in trace lines and replies */
	const char *peer;			/* the client's address literal, "[192.0.2.1]" */
	/*
	 * Called once when 2.0 encrypts: sets our lines (host key statements) for the EHLO reply
	 * in the encrypted session and returns their number.  The lines must stay valid.
	 * `*missing` receives the total length of those that this host does not have.  NULL: no
	 * lines.
	 */
	size_t (*says)(void *context, struct span lines[RELAY_SAYS_MAX], size_t *missing);
	void *says_context;
};

enum relay_input {		/* what the next octet from the wire belongs to */
	INPUT_COMMAND,
	INPUT_CONTINUATION,	/* the line that a 334 reply asked for (AUTH) */
	INPUT_MESSAGE,		/* a message after DATA, up to CRLF.CRLF */
	INPUT_CHUNK,		/* a chunk after BDAT: `chunk_left` octets */
	INPUT_SKIP,		/* the rest of a line that was too long */
	INPUT_OVER		/* nothing: the client has closed its side */
};

/* For -v, such as "command" and "given-up"; literals. */
const char *relay_input_name(enum relay_input input);

enum relay_crypt {
	CRYPT_NOT_YET,		/* no attempt has been made */
	CRYPT_ANSWERED,		/* we have answered 250 XCRYPT; XCRYPT OK should be next */
	CRYPT_GIVEN_UP,		/* the attempt failed; there is only one */
	CRYPT_TLS,		/* STARTTLS is accepted and its handshake going on */
	CRYPT_ON		/* encrypted, by either way */
};

const char *relay_crypt_name(enum relay_crypt crypt);

struct relay {
	const struct relay_settings *set;
	struct handshake handshake;
	enum relay_crypt crypt;
	bool tls;		/* encrypted by STARTTLS, not by XCRYPT */
	bool authenticated;	/* the backend has accepted AUTH */
	enum relay_input input;
	enum dots dots;

	uint8_t queue[RELAY_QUEUE];	/* ring of the verbs that wait for a reply */
	size_t queue_head, queue_len;
	bool sync;		/* the next command waits until the queue is empty */
	bool early;		/* the client did not wait: it sent octets before its turn */

	enum verb hello;	/* the last EHLO or HELO that was accepted; VERB_OTHER: none yet */
	uint8_t name[RELAY_NAME_MAX];	/* the name in it */
	size_t name_len;
	uint8_t said[RELAY_NAME_MAX];	/* the name in the last EHLO or HELO, accepted or not */
	size_t said_len;
	uint8_t hello_line[RELAY_HELLO_MAX];	/* the last EHLO or HELO line, accepted or not */
	size_t hello_line_len;	/* 0: none, or too long */
	bool offered;		/* the last reply to EHLO had our XCRYPT line */
	bool hello_inside;	/* EHLO or HELO was accepted since encryption began */
	struct span says[RELAY_SAYS_MAX];	/* our lines in the EHLO reply inside */
	size_t says_count;
	bool chunking;		/* the backend offers CHUNKING */

	size_t ehlo_len;		/* octets in `ehlo`; 0: no reply is kept */
	uint8_t ehlo_name[RELAY_NAME_MAX];	/* the name in the EHLO that it answers */
	size_t ehlo_name_len;

	size_t held_len;	/* octets in `held` */
	unsigned reply_lines;	/* lines seen of the current reply */
	unsigned reply_code;	/* the code of its first line */

	bool trace_due;		/* the trace line goes in front of the next octet of DATA */
	bool begun;		/* the backend has accepted the first chunk of this message */
	uint64_t chunk_left;	/* octets of the current chunk that have not come yet */
	uint64_t block;		/* octets of the message since the deadline was restarted */
	uint64_t message_end;	/* relay_sent() at the end of the last message or chunk */
	bool done;		/* the backend has answered QUIT with 221 */
	bool heard_inside;	/* the first encrypted octet has come */
	bool gone;		/* the backend has said that it closes (421, 521, its greeting) */
	enum outcome leaving;	/* the outcome once the backend's unexpected reply is complete */
	unsigned last_code;	/* the code of the last whole reply that the client has seen */
	unsigned messages;	/* messages accepted */
	const char *why;	/* why it is in the clear (a literal); NULL while not known */

	uint8_t ehlo[RELAY_EHLO_MAX];	/* the backend's last reply to EHLO in the clear */
	uint8_t held[LINE_MAX_OCTETS];	/* the last line of a reply to EHLO, not yet passed on */
};

/*
 * relay_start() prepares `r` for a connection.  `settings` and what `keys` points to must
 * outlive it.  relay_step() and relay_fault() are for struct machine.  relay_wipe() wipes the
 * keys and must be called at the end.
 */
void relay_start(struct relay *r, const struct relay_settings *settings, struct key_source keys);
void relay_step(void *relay, struct io *io);
void relay_fault(void *relay, struct io *io, enum outcome fault);
void relay_wipe(struct relay *r);

#endif
