/*
 * One end of a connection: its descriptors, and how they are read and written: in pieces of
 * which size, and with which pauses.  Nothing blocks.
 */
#ifndef SOAK_END_H
#define SOAK_END_H

#include "dice.h"
#include "text.h"

#include <mbedtls/ssl.h>

struct pace {
	struct dice d;
	size_t read_max, write_max;	/* octets at a time */
	unsigned tiny;			/* that many have at most tiny_max octets */
	size_t tiny_max;
	unsigned rests;			/* that many of them are followed by a pause */
	unsigned rests_often;		/* the chance of that, in a thousand */
};

struct end {
	int rfd, wfd;		/* -1: none */
	struct pace pace;
	struct text *in, *out;
	size_t *sent;		/* octets of `out` sent */
	bool eof, broken;	/* nothing more comes; the peer does not read */
	bool closes, closed;	/* half-close after the last octet; it is done */
	int64_t rests_until;	/* milliseconds */
	mbedtls_ssl_context *tls;	/* NULL: in the clear */
	bool shaking;		/* the TLS handshake is not finished */
	size_t tls_owes;	/* octets that TLS has taken and not written */
	int lazy_ms;		/* it writes only when nothing has come for that long */
	int64_t read_at;	/* milliseconds */
	uint64_t moved;		/* octets in both directions */
};

/* Draws a pace of any kind; most have no limits. */
struct pace pace_make(uint64_t seed, unsigned series);

void end_start(struct end *e, int rfd, int wfd, struct text *in, struct text *out, size_t *sent);
bool end_wants_write(const struct end *e, int64_t now);
bool end_wants_read(const struct end *e, int64_t now);

/* Milliseconds until something can be done without poll(2); `most` if there is no such thing. */
int end_patience(const struct end *e, int64_t now, int most);

/* Each moves some octets; to be called when poll(2) says so. */
void end_read(struct end *e, int64_t now);
void end_write(struct end *e, int64_t now);
void end_close(struct end *e);

/* For some: small socket buffers, and packets as on an Ethernet.  `fd` may be a listener. */
void end_narrow(int fd, uint64_t seed, unsigned series);

/* TLS for the mail server's end.  end_tls_ready() makes keys and a certificate, once. */
void end_tls_ready(void);
void end_tls_start(struct end *e);

#endif
