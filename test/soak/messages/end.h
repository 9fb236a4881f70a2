/*
 * One end of a connection: descriptors, and how they are read and written: in what pieces, and with what
 * rests.  Nothing blocks.
 */
#ifndef SOAK_END_H
#define SOAK_END_H

#include "dice.h"
#include "text.h"

#include <mbedtls/ssl.h>

struct pace {
	struct dice d;
	size_t read_max, write_max;	/* octets at a time */
	unsigned tiny;			/* so many reads and writes have no more than tiny_max octets */
	size_t tiny_max;
	unsigned rests;			/* so many of them are followed by a rest ... */
	unsigned rests_often;		/* ... with this chance in a thousand */
};

struct end {
	int rfd, wfd;		/* -1: none */
	struct pace pace;
	struct text *in, *out;
	size_t *sent;		/* of `out` */
	bool eof, broken;	/* nothing more comes; nobody reads */
	bool closes, closed;	/* half-close behind the last octet; that is done */
	int64_t rests_until;	/* milliseconds */
	mbedtls_ssl_context *tls;	/* NULL: in the clear */
	bool shaking;		/* TLS has not opened yet */
	size_t tls_owes;	/* octets that TLS has taken and not written */
	int lazy_ms;		/* it writes only when nothing has come for so long */
	int64_t read_at;	/* milliseconds */
	uint64_t moved;		/* octets, both ways */
};

/* Paces of every kind, most of them without any. */
struct pace pace_make(uint64_t seed, unsigned series);

void end_start(struct end *e, int rfd, int wfd, struct text *in, struct text *out, size_t *sent);
bool end_wants_write(const struct end *e, int64_t now);
bool end_wants_read(const struct end *e, int64_t now);

/* How long until a wish may come up without poll(2); `most` when there is none such. */
int end_patience(const struct end *e, int64_t now, int most);

/* Each moves some octets; to be called when poll(2) says so. */
void end_read(struct end *e, int64_t now);
void end_write(struct end *e, int64_t now);
void end_close(struct end *e);

/* Small socket buffers, and packets as on an Ethernet, for those who get them; `fd` may be a listener. */
void end_narrow(int fd, uint64_t seed, unsigned series);

/* TLS for the mailer's end.  end_tls_ready() makes keys and a certificate, once. */
void end_tls_ready(void);
void end_tls_start(struct end *e);

#endif
