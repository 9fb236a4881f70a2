/*
 * blackpony's machine when the recipients are in its arguments: one message, to all of them or to none.
 *
 * The message is the first octets from `local`, with lines that end in LF or CRLF.
 */
#ifndef SMTP_DELIVER_H
#define SMTP_DELIVER_H

#include "smtp/client_handshake.h"
#include "smtp/message.h"

#define DELIVER_TEXT_MAX 600

struct deliver_message {
	const char *sender;		/* "" is the null sender; the others are good (smtp/mailbox.h) */
	char *const *recipients;
	size_t recipient_count;
	uint64_t length;		/* its octets in `local`; a file may have grown, and more is not taken */
	uint64_t octets;		/* as it will be on the wire, for SIZE */
	bool eight_bit;			/* has octets above 127 */
	bool utf8;			/* has them in its envelope's addresses */
};

enum deliver_state {
	DELIVER_HANDSHAKE,
	DELIVER_ENVELOPE,	/* MAIL and RCPTs */
	DELIVER_DATA,		/* DATA said */
	DELIVER_BODY,
	DELIVER_FINAL,		/* the reply to the final dot */
	DELIVER_QUIT		/* QUIT said: what is to be reported is settled */
};

struct deliver {
	const struct client_settings *set;
	const struct deliver_message *message;
	struct key_source keys;
	const char *hostname;
	enum deliver_state state;
	bool pipelining, helo;
	size_t said, answered;		/* of MAIL and the RCPTs */
	size_t accepted, refused;	/* RCPTs answered with 2yz; with 5yz that is for good ... */
	size_t put_off;			/* ... and with anything else */
	bool elsewhere;			/* before anything was taken: the next host may be asked */
	enum dots dots;
	bool line_start, last_cr;	/* of the message as it goes out */
	uint64_t taken;			/* octets of the message so far, as message->length counts them */
	uint64_t octets;		/* and as message->octets does */
	uint64_t block;
	uint64_t message_end;		/* to_wire's octet count behind the final dot */

	/* the outcome */
	enum outcome outcome;		/* OUTCOME_NONE: not settled */
	unsigned code;			/* of the reply it rests on; 0: none */
	bool to_rcpt;			/* that was a reply to RCPT */
	char text[DELIVER_TEXT_MAX];	/* that reply's last line, printable, NUL-terminated */
	const char *waits;		/* why that reply means later although it is 5yz (a literal), or NULL */

	struct client_handshake client;
	struct reply reply;
};

/*
 * What `settings`, `message`, `hostname` and `keys` point to must outlive it.
 * With no recipients at all it only opens and quits, as a test.
 */
void deliver_start(struct deliver *d, const struct client_settings *settings,
    const struct deliver_message *message, struct key_source keys, const char *hostname);

/* Before the first call and each one after it.  Nothing of the message has been taken then. */
void deliver_connected(struct deliver *d, bool plain);

/* For struct machine. */
void deliver_step(void *deliver, struct io *io);
void deliver_fault(void *deliver, struct io *io, enum outcome fault);

void deliver_wipe(struct deliver *d);

#endif
