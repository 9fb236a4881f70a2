#include "end.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WHOLE ((size_t)1 << 20)

struct pace
pace_make(uint64_t seed, unsigned series)
{
	static const size_t packets[] = { 536, 1448, 1460, 4096, 16384, 16383, 65536, 77 };
	struct pace p = { .d = dice_start(seed, 100 + series),
		.read_max = WHOLE,
		.write_max = WHOLE };

	if (dice_chance(&p.d, 550))
		return p;
	if (dice_chance(&p.d, 500))
		p.read_max = packets[dice_below(&p.d, 8)];
	if (dice_chance(&p.d, 500))
		p.write_max = packets[dice_below(&p.d, 8)];
	if (dice_chance(&p.d, 500)) {
		p.tiny = (unsigned)dice_order(&p.d, 10, 600);
		p.tiny_max = dice_order(&p.d, 1, 64);
	}
	if (dice_chance(&p.d, 400)) {
		p.rests = (unsigned)dice_order(&p.d, 1, 30);
		p.rests_often = (unsigned)dice_order(&p.d, 10, 1000);
	}
	return p;
}

/* How many octets to read or write this time. */
static size_t
piece(struct end *e, size_t max)
{
	struct pace *p = &e->pace;

	if (p->tiny == 0)
		return max;
	p->tiny--;
	return dice_between(&p->d, 1, p->tiny_max < max ? p->tiny_max : max);
}

static void
rest(struct end *e, int64_t now)
{
	struct pace *p = &e->pace;

	if (p->rests == 0 || !dice_chance(&p->d, p->rests_often))
		return;
	p->rests--;
	e->rests_until = now + (int64_t)dice_between(&p->d, 1, dice_chance(&p->d, 950) ? 3 : 40);
}

void
end_start(struct end *e, int rfd, int wfd, struct text *in, struct text *out, size_t *sent)
{
	*e = (struct end){ .rfd = rfd, .wfd = wfd, .in = in, .out = out, .sent = sent,
		.pace = { .read_max = WHOLE, .write_max = WHOLE } };
}

static bool
has_to_write(const struct end *e)
{
	return e->wfd >= 0 && !e->broken && !e->closed && !e->shaking &&
	    (*e->sent < e->out->len || e->closes);
}

bool
end_wants_write(const struct end *e, int64_t now)
{
	return has_to_write(e) && now >= e->rests_until &&
	    (e->eof || now >= e->read_at + e->lazy_ms);
}

bool
end_wants_read(const struct end *e, int64_t now)
{
	return e->rfd >= 0 && !e->eof && now >= e->rests_until;
}

int
end_patience(const struct end *e, int64_t now, int most)
{
	int64_t until = e->rests_until;

	if (has_to_write(e) && e->read_at + e->lazy_ms > until)
		until = e->read_at + e->lazy_ms;
	return until <= now || until - now > most ? most : (int)(until - now);
}

static void
shake(struct end *e)
{
	int result = mbedtls_ssl_handshake(e->tls);

	if (result == 0) {
		e->shaking = false;
		e->moved++;
	} else if (result != MBEDTLS_ERR_SSL_WANT_READ && result != MBEDTLS_ERR_SSL_WANT_WRITE) {
		e->eof = e->broken = true;
	}
}

static ssize_t
get(struct end *e, uint8_t *to, size_t len)
{
	if (e->tls == NULL)
		return read(e->rfd, to, len);
	int got = mbedtls_ssl_read(e->tls, to, len);
	if (got == MBEDTLS_ERR_SSL_WANT_READ || got == MBEDTLS_ERR_SSL_WANT_WRITE) {
		errno = EAGAIN;
		return -1;
	}
	if (got == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
		return 0;
	errno = EPROTO;
	return got < 0 ? -1 : got;
}

void
end_read(struct end *e, int64_t now)
{
	if (!end_wants_read(e, now))
		return;
	e->read_at = now;
	if (e->shaking) {
		shake(e);
		return;
	}
	do {
		size_t len = piece(e, e->pace.read_max < 65536 ? e->pace.read_max : 65536);
		ssize_t got = get(e, text_room(e->in, len), len);

		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (got <= 0) {
			e->eof = true;
			e->broken = e->broken || got < 0;
			return;
		}
		e->in->len += (size_t)got;
		e->moved += (uint64_t)got;
	/* poll(2) does not see what TLS has read already */
	} while (e->tls != NULL && mbedtls_ssl_get_bytes_avail(e->tls) > 0);
	rest(e, now);
}

static ssize_t
put(struct end *e, const uint8_t *octets, size_t len)
{
	if (e->tls == NULL)
		return write(e->wfd, octets, len);
	int result = mbedtls_ssl_write(e->tls, octets, len);
	if (result == MBEDTLS_ERR_SSL_WANT_READ || result == MBEDTLS_ERR_SSL_WANT_WRITE) {
		errno = EAGAIN;
		return -1;
	}
	return result;
}

static void
half_close(struct end *e)
{
	if (e->tls != NULL)
		mbedtls_ssl_close_notify(e->tls);
	if (shutdown(e->wfd, SHUT_WR) < 0 && errno == ENOTSOCK) {
		close(e->wfd);
		e->wfd = -1;
	}
	e->closed = true;
}

void
end_write(struct end *e, int64_t now)
{
	if (!end_wants_write(e, now))
		return;
	if (*e->sent == e->out->len) {
		half_close(e);
		return;
	}
	size_t len = e->out->len - *e->sent, max = piece(e, e->pace.write_max);
	if (len > max)
		len = max;
	if (e->tls_owes > 0)
		len = e->tls_owes;
	ssize_t put_len = put(e, e->out->at + *e->sent, len);
	e->tls_owes = e->tls != NULL && put_len < 0 ? len : 0;
	if (put_len < 0) {
		e->broken = errno != EAGAIN && errno != EINTR;
		return;
	}
	*e->sent += (size_t)put_len;
	e->moved += (uint64_t)put_len;
	rest(e, now);
}

void
end_close(struct end *e)
{
	if (e->tls != NULL)
		mbedtls_ssl_free(e->tls);
	if (e->rfd >= 0)
		close(e->rfd);
	if (e->wfd >= 0 && e->wfd != e->rfd)
		close(e->wfd);
	e->rfd = e->wfd = -1;
	e->tls = NULL;
	e->eof = e->broken = true;
}

void
end_narrow(int fd, uint64_t seed, unsigned series)
{
	struct dice d = dice_start(seed, 200 + series);
	bool small = dice_chance(&d, 300);
	int sizes[2] = { 1 << 20, 1 << 20 };
	int segment = small || dice_chance(&d, 300) ? 1460 : 32768;

	/* less room than some segments need, so that each waits for a delayed acknowledgement */
	if (small)
		sizes[dice_below(&d, 2)] = (int)dice_order(&d, 8192, 131072);
	if (segment == 1460 && dice_chance(&d, 200))
		segment = 536;
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &sizes[0], sizeof(sizes[0]));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &sizes[1], sizeof(sizes[1]));
	setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof(segment));
}
