/*
 * PROXY headers.  The input is what comes on the connection, the header first.  The result does
 * not depend on how octets come, and no octet after the header is taken.
 */
#include "fuzz.h"

#include "sys/proxy.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct header {
	enum proxy is;
	size_t used;
	struct address remote, local;
};

static struct header
look(struct span s)
{
	struct header h = { .used = 0 };

	h.is = proxy_read(s, &h.remote, &h.local, &h.used);
	assert(h.used <= s.len && h.used <= PROXY_MAX);
	return h;
}

static void
assert_same(const struct header *a, const struct header *b)
{
	char x[ADDRESS_TEXT_MAX], y[ADDRESS_TEXT_MAX];

	assert(a->is == b->is);
	if (a->is == PROXY_GOOD || a->is == PROXY_LOCAL)
		assert(a->used == b->used);
	if (a->is != PROXY_GOOD)
		return;
	address_text(&a->remote, x);
	address_text(&b->remote, y);
	assert(strcmp(x, y) == 0 && address_port(&a->remote) == address_port(&b->remote));
	address_text(&a->local, x);
	address_text(&b->local, y);
	assert(strcmp(x, y) == 0 && address_port(&a->local) == address_port(&b->local));
}

/*
 * Whatever part of it has come, the result is the same, and no octet beyond it is taken.
 */
static void
look_at_parts(struct span s, const struct header *whole)
{
	size_t end = whole->is == PROXY_GOOD || whole->is == PROXY_LOCAL ? whole->used : s.len;

	for (size_t len = 0; len < s.len; len += len < 300 ? 1 : 97) {
		struct header part = look(span(s.at, len));

		assert(part.used <= end || whole->is == PROXY_BAD);
		if (part.is != PROXY_MORE)
			assert_same(&part, whole);
	}
}

/* proxy_receive() from a connection on which all of `s` and its end have come. */
static void
receive(struct span s, const struct header *whole)
{
	int fds[2];
	uint8_t rest[1 << 16];
	struct header got = { .used = 0 };

	assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
	assert(write(fds[1], s.at, s.len) == (ssize_t)s.len);
	shutdown(fds[1], SHUT_WR);
	got.is = proxy_receive(fds[0], &got.remote, &got.local, 1000);
	if (whole->is == PROXY_GOOD || whole->is == PROXY_LOCAL) {
		got.used = whole->used;
		assert_same(&got, whole);
		assert(read(fds[0], rest, sizeof(rest)) == (ssize_t)(s.len - whole->used));
	} else {
		assert(got.is == PROXY_BAD);
	}
	close(fds[0]);
	close(fds[1]);
}

/* What is read can be written, and reads the same again. */
static void
put_back(const struct header *h)
{
	uint8_t mem[2][PROXY_MAX];
	struct buf out[2];

	for (size_t i = 0; i < 2; i++) {
		buf_init(&out[i], mem[i], sizeof(mem[i]));
		(i == 0 ? proxy_put_v1 : proxy_put_v2)(&out[i], &h->remote, &h->local);
		struct header again = look(buf_peek(&out[i]));
		assert(again.used == buf_len(&out[i]));
		assert(again.is == PROXY_GOOD);
		again.used = h->used;
		assert_same(&again, h);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span s = span(data, size < 20000 ? size : 20000);

	fixed_start(1);
	struct header whole = look(s);
	look_at_parts(s, &whole);
	receive(s, &whole);
	if (whole.is == PROXY_GOOD)
		put_back(&whole);
	return 0;
}
