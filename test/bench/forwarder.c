/*
 * The yardstick: what a program costs that stands where blackpony stands and does nothing but pass
 * octets on.  Descriptors 0 and 1 are one side, a connection to 127.0.0.1:PORT is the other.
 *
 *	forwarder PORT
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct way {
	int from_fd, to_fd;
	size_t head, tail;
	bool eof, shut;
	char mem[65536];
};

static struct way ways[2];

static int
dial(const char *port)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)atoi(port)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		exit(1);
	return fd;
}

static void
prepare(int fd)
{
	int on = 1;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static void
fill(struct way *w)
{
	ssize_t len = read(w->from_fd, w->mem, sizeof(w->mem));

	if (len > 0)
		w->tail = (size_t)len;
	else if (len == 0 || errno != EAGAIN)
		w->eof = true;
}

static void
drain(struct way *w)
{
	while (w->head < w->tail) {
		ssize_t len = write(w->to_fd, w->mem + w->head, w->tail - w->head);

		if (len < 0 && errno == EAGAIN)
			return;
		if (len < 0)
			exit(1);
		w->head += (size_t)len;
	}
	w->head = w->tail = 0;
	if (w->eof && !w->shut) {
		shutdown(w->to_fd, SHUT_WR);
		w->shut = true;
	}
}

int
main(int argc, char *argv[])
{
	if (argc != 2)
		return 64;
	int fd = dial(argv[1]);

	prepare(STDIN_FILENO);
	prepare(STDOUT_FILENO);
	prepare(fd);
	ways[0].from_fd = STDIN_FILENO;
	ways[1].to_fd = STDOUT_FILENO;
	ways[0].to_fd = ways[1].from_fd = fd;
	/* the service's end is the end */
	while (!ways[1].shut) {
		struct pollfd fds[4];

		for (int i = 0; i < 2; i++) {
			const struct way *w = &ways[i];
			bool holds = w->tail > 0, reads = !holds && !w->eof;

			fds[2 * i] = (struct pollfd){ reads ? w->from_fd : -1, POLLIN, 0 };
			fds[2 * i + 1] = (struct pollfd){ holds ? w->to_fd : -1, POLLOUT, 0 };
		}
		if (poll(fds, 4, 3600 * 1000) <= 0)
			return 1;
		for (int i = 0; i < 2; i++) {
			if (fds[2 * i].revents != 0)
				fill(&ways[i]);
			drain(&ways[i]);
		}
	}
	return 0;
}
