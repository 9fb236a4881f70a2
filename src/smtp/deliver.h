/*
 * The machine of blackpony when the recipients are its arguments.  It delivers one message to all
 * of them or to none.  With PIPELINING (RFC 2920), MAIL, RCPT and DATA are sent together for one
 * recipient, MAIL and all RCPTs for several, and QUIT together with the final dot.  It ends with
 * the reply that settles the outcome.
 *
 * The message is read from `local`.  Its lines end in LF or CRLF.
 */
#ifndef SMTP_DELIVER_H
#define SMTP_DELIVER_H

#include "smtp/client_handshake.h"
#include "smtp/message.h"

#define DELIVER_TEXT_MAX 600

struct deliver_message {
	const char *sender;	/* MAILBOX_GOOD (smtp/mailbox.h), or "" for the null sender */
	char *const *recipients; /* all of them MAILBOX_GOOD */
	size_t recipient_count;
	uint64_t length;	/* octets to read from `local`; the file may have grown since */
	uint64_t octets;	/* octets on the wire without dot-stuffing, for SIZE */
	bool eight_bit;		/* the message has octets above 127 */
	bool utf8;		/* an address has octets above 127 */
};

enum deliver_state {
	DELIVER_HANDSHAKE,	/* smtp/client_handshake.h */
	DELIVER_ENVELOPE,	/* MAIL and RCPT */
	DELIVER_DATA,		/* sent DATA; with one recipient, perhaps in vain */
	DELIVER_BODY,		/* sending the message */
	DELIVER_FINAL,		/* waiting for the reply to the final dot */
	DELIVER_QUIT		/* the outcome is settled, and QUIT was sent if it could be */
};

/* For -v, such as "envelope"; a literal. */
const char *deliver_state_name(enum deliver_state state);

struct deliver {
	const struct client_settings *set;
	const struct deliver_message *message;
	struct key_source keys;
	const char *hostname;
	enum deliver_state state;
	bool pipelining, helo;		/* the server offers PIPELINING; it has refused EHLO */
	size_t said, answered;		/* commands of the envelope sent, and answered */
	size_t accepted, refused;	/* RCPTs answered with 2yz, and refused permanently */
	size_t put_off;			/* RCPTs answered otherwise */
	bool data_said, quit_said;	/* DATA, QUIT were sent, perhaps together with others */
	bool elsewhere;			/* nothing was accepted: the next host may be called */
	bool keeps, again;		/* keep the connection; it was kept */
	bool reset_said;		/* RSET was sent with the final dot */
	enum dots dots;
	bool line_start, last_cr;	/* what was sent last is a line end, or a CR */
	uint64_t taken;			/* octets of the message read, as message->length counts */
	uint64_t octets;		/* octets of the message sent, as message->octets counts */
	uint64_t block;			/* octets since the deadline was restarted */
	uint64_t message_end;		/* to_wire's octet count after the final dot */

	/* the outcome, and the reply that it rests on */
	enum outcome outcome;		/* OUTCOME_NONE: not settled */
	unsigned code;			/* the reply's code; 0: no reply settled it */
	bool to_rcpt;			/* the reply answered RCPT */
	char text[DELIVER_TEXT_MAX];	/* its last line, printable, NUL-terminated */
	const char *waits;		/* why its 5yz counts as temporary (a literal), or NULL */

	struct client_handshake client;
	struct reply reply;
};

/*
 * Prepares `d` for one message.  What `settings`, `message`, `hostname` and `keys` point to must
 * outlive it.  Without recipients it stops with QUIT after the handshake, as a test.
 */
void deliver_start(struct deliver *d, const struct client_settings *settings,
    const struct deliver_message *message, struct key_source keys, const char *hostname);

/* To be called for each new connection.  Nothing of the message may have been read before. */
void deliver_connected(struct deliver *d, enum client_call call);

/*
 * After deliver_start(): the connection is kept if no transaction is open there at the end
 * (io->keeps).
 */
void deliver_keep(struct deliver *d);

/*
 * A further message on the connection that was kept.  If it is lost, or the reply to MAIL is 421,
 * the session ends with OUTCOME_KEPT_LOST: then a new connection may be tried.
 */
void deliver_again(struct deliver *d, const struct deliver_message *message);

/* For struct machine. */
void deliver_step(void *deliver, struct io *io);
void deliver_fault(void *deliver, struct io *io, enum outcome fault);

void deliver_wipe(struct deliver *d);

#endif
