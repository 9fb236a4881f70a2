/*
 * The PROXY protocol, versions 1 and 2 (haproxy's proxy-protocol.txt): a header in front of a TCP
 * connection that says between whom it really is.
 */
#ifndef SYS_PROXY_H
#define SYS_PROXY_H

#include "base/buf.h"
#include "sys/address.h"

#define PROXY_V1_MAX 107	/* octets, CRLF included */
#define PROXY_V2_HEAD 16
#define PROXY_MAX 4096		/* of a version 2 header that we read, its extensions included */

/*
 * Puts a header for a connection from `remote` to `local` to `out`.  Addresses that are not TCP's, or
 * not of one family: UNKNOWN, or LOCAL.
 */
void proxy_put_v1(struct buf *out, const struct address *remote, const struct address *local);
void proxy_put_v2(struct buf *out, const struct address *remote, const struct address *local);

enum proxy {
	PROXY_GOOD,	/* the addresses are in `remote` and `local`, both of remote's family */
	PROXY_LOCAL,	/* a header of the proxy's own connection: it says nothing */
	PROXY_MORE,	/* not all there */
	PROXY_BAD	/* not of the form, or too long */
};

/*
 * Reads a header at the front of `s`.  `*used` is its length where it is all there, and never more than
 * the header's own octets; for PROXY_MORE it is how many octets of `s` are known to belong to it.
 */
enum proxy proxy_read(struct span s, struct address *remote, struct address *local, size_t *used);

/*
 * Reads a header from a connection, exactly its octets, within `timeout_ms`.  What it is, PROXY_MORE
 * for one that did not come in time.
 */
enum proxy proxy_receive(int fd, struct address *remote, struct address *local,
    int64_t timeout_ms);

#endif
