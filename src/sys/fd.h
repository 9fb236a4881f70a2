/*
 * Descriptors: what every socket of ours needs, and the few questions asked of them.
 */
#ifndef SYS_FD_H
#define SYS_FD_H

#include "base/buf.h"

#include <sys/socket.h>

/* Text of an address: "192.0.2.1" or "2001:db8::1", NUL-terminated.  IPv4-mapped ones as IPv4. */
#define FD_ADDRESS_MAX 64

struct address {
	socklen_t len;			/* 0: none (not a TCP socket) */
	struct sockaddr_storage at;
};

/*
 * O_NONBLOCK on, but not for a terminal, which others share and where poll(2) is enough; TCP_NODELAY on
 * where it is a TCP socket.  0, or -1 with errno.
 */
int fd_prepare(int fd);

/*
 * Is it a stream socket, and a listening one?  One whose peer has already reset it counts as connected:
 * otherwise a reset would turn a client into a terminal.
 */
enum fd_kind { FD_OTHER, FD_CONNECTED, FD_LISTENING };
enum fd_kind fd_kind(int fd);

/* Is there such a descriptor? */
bool fd_is_open(int fd);

/* Opens /dev/null where 0, 1 or 2 is closed, so that no socket of ours is taken for one of them. */
void fd_fill_standard(void);

/* Are the two the same file (device and inode)? */
bool fd_same(int a, int b);

/* The peer's and our own address; len 0 where there is none. */
void fd_peer(int fd, struct address *out);
void fd_own(int fd, struct address *out);

/* Text and port of an address; "" and 0 where len is 0. An IPv4-mapped IPv6 address is IPv4. */
void address_text(const struct address *a, char out[FD_ADDRESS_MAX]);
uint16_t address_port(const struct address *a);
/* AF_INET, AF_INET6 or AF_UNSPEC, mapped addresses as AF_INET. */
int address_family(const struct address *a);
/* The octets of an address in network order: 4, 16 or, where there is none, 0 of them. */
struct span address_octets(const struct address *a);
/* Are two of one family, and their first `bits` bits the same? */
bool address_same_network(const struct address *a, const struct address *b, unsigned bits);
/* An IPv4-mapped IPv6 address becomes the IPv4 one that a socket of that family takes. */
void address_unmap(struct address *a);
/* Is it a loopback address?  0.0.0.0 or ::, which lead to this host as well? */
bool address_is_loopback(const struct address *a);
bool address_is_unspecified(const struct address *a);
/* Do two name the same host (ports apart)? */
bool address_same_host(const struct address *a, const struct address *b);

/* Reads a numeric address; 0, or -1 when it is none. */
int address_read(struct address *out, struct span text, uint16_t port);

/*
 * Reads what is there into the room of `b`, without waiting (the descriptor is non-blocking).
 * FD_DONE: at least one octet.  FD_WAIT: nothing there, or no room.
 */
enum fd_result { FD_DONE, FD_WAIT, FD_EOF, FD_BROKEN };
enum fd_result fd_read(int fd, struct buf *b);

/* Writes what `b` holds as far as it goes.  FD_DONE: all of it.  SIGPIPE is ignored by the mains. */
enum fd_result fd_write(int fd, struct buf *b);

/* Can at least one octet be read now, without waiting?  For sockets and pipes; takes nothing. */
bool fd_has_octets(int fd);

/*
 * Waits until poll(2) has something to say of `events`, until `deadline_ms` (base/clock.h).
 * 0, or -1 with errno (ETIMEDOUT).
 */
int fd_wait(int fd, short events, int64_t deadline_ms);

/* Blocking write of all of `s`, at most `timeout_ms`, for last words. 0, or -1. */
int fd_write_all(int fd, struct span s, int64_t timeout_ms);

#endif
