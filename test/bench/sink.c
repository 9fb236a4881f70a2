/*
 * smtp-sink for large messages, which it reads as fast as they come: sink PORT WORKERS, on
 * 127.0.0.1.  What follows a message has to wait for the answer to it.
 */
#include "bench.h"

#include "base/buf.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct sink {
	int fd;
	bool in_message;
	uint8_t mem[256 * 1024];
	struct buf in;
};

static const struct {
	const char *verb, *reply;
} replies[] = {
	{ "EHLO", "250-mx.b.example\r\n250-PIPELINING\r\n250-SIZE 200000000\r\n250 8BITMIME\r\n" },
	{ "MAIL", "250 2.1.0 Ok\r\n" },
	{ "RCPT", "250 2.1.5 Ok\r\n" },
	{ "DATA", "354 Go ahead\r\n" },
	{ "QUIT", "221 2.0.0 Bye\r\n" },
	{ "", "500 5.5.1 What?\r\n" },
};

/* Answers the commands that are there.  False: it was QUIT. */
static bool
hear(struct sink *s, struct buf *out)
{
	struct span in = buf_peek(&s->in);
	size_t len, which = 0;

	while (!s->in_message && (len = span_find(in, '\n')) < in.len) {
		for (which = 0; !span_starts(in, span_of(replies[which].verb)); which++)
			continue;
		buf_put(out, span_of(replies[which].reply));
		s->in_message = strcmp(replies[which].verb, "DATA") == 0;
		buf_take(&s->in, len + 1);
		in = buf_peek(&s->in);
		if (strcmp(replies[which].verb, "QUIT") == 0)
			return false;
	}
	return true;
}

/* Drops the message; its end is the last thing there is, as nobody pipelines behind it. */
static void
swallow(struct sink *s, struct buf *out)
{
	static const char end[] = "\r\n.\r\n";
	struct span in = buf_peek(&s->in);
	size_t keep = sizeof(end) - 1;

	if (in.len < keep)
		return;
	if (memcmp(in.at + in.len - keep, end, keep) == 0) {
		s->in_message = false;
		buf_put(out, SPAN("250 2.0.0 Taken\r\n"));
		buf_clear(&s->in);
	} else {
		buf_take(&s->in, in.len - keep);
	}
}

static void
serve(struct sink *s)
{
	uint8_t mem[4096];
	struct buf out;
	bool goes_on = true;

	buf_init(&s->in, s->mem, sizeof(s->mem));
	buf_init(&out, mem, sizeof(mem));
	s->in_message = false;
	buf_put(&out, SPAN("220 mx.b.example ESMTP\r\n"));
	for (;;) {
		struct span said = buf_peek(&out);
		size_t room;

		if (said.len > 0 && write(s->fd, said.at, said.len) != (ssize_t)said.len)
			return;
		buf_clear(&out);
		if (!goes_on)
			return;
		uint8_t *space = buf_space(&s->in, &room);
		ssize_t len = read(s->fd, space, room);
		if (len <= 0)
			return;
		buf_added(&s->in, (size_t)len);
		if (s->in_message)
			swallow(s, &out);
		else
			goes_on = hear(s, &out);
	}
}

int
main(int argc, char *argv[])
{
	static struct sink sink;
	int on = 1, listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (argc != 3)
		return 64;
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)number(argv[1])),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	setsockopt(listen_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listen_fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    listen(listen_fd, 128) < 0)
		give_up("listening on loopback");
	for (unsigned long workers = number(argv[2]); workers > 1; workers--)
		if (fork_bound() == 0)
			break;
	while ((sink.fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		serve(&sink);
		close(sink.fd);
	}
	give_up("accept");
}
