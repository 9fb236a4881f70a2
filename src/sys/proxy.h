/*
 * The PROXY protocol, versions 1 and 2 (haproxy's proxy-protocol.txt): a header at the start of a
 * TCP connection that names the addresses of the original connection.
 */
#ifndef SYS_PROXY_H
#define SYS_PROXY_H

#include "base/buf.h"
#include "sys/address.h"

#define PROXY_V1_MAX 107	/* octets of a version 1 header, with CRLF */
#define PROXY_V2_HEAD 16	/* octets of a version 2 header before the addresses */
#define PROXY_MAX 4096		/* octets that we accept of a version 2 header, with extensions */

/*
 * Appends to `out` a header for a connection from `remote` to `local`.  If they are not TCP
 * addresses of the same family, the header says UNKNOWN or LOCAL.
 */
void proxy_put_v1(struct buf *out, const struct address *remote, const struct address *local);
void proxy_put_v2(struct buf *out, const struct address *remote, const struct address *local);

enum proxy {
	PROXY_GOOD,	/* `remote` and `local` are set, both to addresses of remote's family */
	PROXY_LOCAL,	/* the connection is the proxy's own; the header has no addresses */
	PROXY_MORE,	/* incomplete */
	PROXY_BAD	/* malformed or too long */
};

/*
 * Parses a header at the front of `s`.  `*used` gets the length of a complete header; for
 * PROXY_MORE, the number of octets of `s` that belong to it.
 */
enum proxy proxy_read(struct span s, struct address *remote, struct address *local, size_t *used);

/*
 * Receives exactly a header's octets from a connection.  Returns PROXY_MORE if it is incomplete
 * after `timeout_ms`.
 */
enum proxy proxy_receive(int fd, struct address *remote, struct address *local,
    int64_t timeout_ms);

#endif
