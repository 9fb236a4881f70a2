/*
 * Descriptors: what every socket of ours needs, and the few questions asked of them.
 */
#ifndef SYS_FD_H
#define SYS_FD_H

#include "base/buf.h"

#include <sys/socket.h>

/* Text of an address: "192.0.2.1" or "2001:db8::1", NUL-terminated. */
#define FD_ADDRESS_MAX 64

/*
 * An address has one form.  The functions that make one turn an IPv4-mapped IPv6 address into the IPv4 one, and
 * nothing else writes into a struct address: two addresses of the same host always compare as the same.
 */
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

/* Closes all but 0, 1 and 2: whatever whoever started us had open, no session has. */
void fd_close_rest(void);

/* Are the two the same file (device and inode)? */
bool fd_same(int a, int b);

/* The peer's and our own address; len 0 where there is none. */
void fd_peer(int fd, struct address *out);
void fd_own(int fd, struct address *out);

/* Makes one of 4 or 16 octets in network order; of any other number, none (len 0). */
void address_make(struct address *out, struct span octets, uint16_t port);
/* Makes one of a struct sockaddr of the kernel's or libc's; len 0 where that is neither IPv4 nor IPv6. */
void address_from(struct address *out, const void *sockaddr, socklen_t len);
/* Reads a numeric address; 0, or -1 when it is none. */
int address_read(struct address *out, struct span text, uint16_t port);
/* AF_INET or AF_INET6, as an address was written: "::ffff:192.0.2.1" is written as AF_INET6. */
int address_written_family(struct span text);
/*
 * Makes `a` one of `family` where it is of the other, for those who need both ends of a connection in one: IPv4
 * becomes 64:ff9b::192.0.2.1 (RFC 6052), IPv6 becomes 192.0.0.8, the IPv4 dummy address (RFC 7600).
 */
void address_join_family(struct address *a, int family);

/* Text and port of an address; "" and 0 where len is 0. */
void address_text(const struct address *a, char out[FD_ADDRESS_MAX]);
uint16_t address_port(const struct address *a);
/* AF_INET, AF_INET6 or AF_UNSPEC. */
int address_family(const struct address *a);
/* The octets of an address in network order: 4, 16 or, where there is none, 0 of them. */
struct span address_octets(const struct address *a);
/* Are two of one family, and their first `bits` bits the same? */
bool address_same_network(const struct address *a, const struct address *b, unsigned bits);
/* Is it a loopback address?  0.0.0.0 or ::, which lead to this host as well? */
bool address_is_loopback(const struct address *a);
bool address_is_unspecified(const struct address *a);
/* Do two name the same host (ports apart)? */
bool address_same_host(const struct address *a, const struct address *b);

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
