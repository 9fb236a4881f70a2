#include "sys/handover.h"

#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 4
#define PARTS_MAX 4

/* Room for the descriptors, aligned as their header requires. */
union control {
	struct cmsghdr head;
	char room[CMSG_SPACE(HANDOVER_FDS * sizeof(int))];
};

static int
handover_fail(int fd)
{
	int why = errno;

	close(fd);
	errno = why;
	return -1;
}

static int
make_address(struct sockaddr_un *address, const char *path)
{
	size_t len = strlen(path);

	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (len >= sizeof(address->sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(address->sun_path, path, len);
	return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* Whether the other end is a process of that user. */
static bool
is_of(int fd, uid_t uid)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	    len == sizeof(peer) && peer.uid == uid;
}

int
handover_listen(const char *path, int fd)
{
	struct sockaddr_un address;
	int made = make_address(&address, path);

	if (made < 0)
		return -1;
	if ((unlink(path) < 0 && errno != ENOENT) ||
	    bind(made, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(made, BACKLOG) < 0)
		return handover_fail(made);
	if (made == fd)
		return 0;
	if (dup3(made, fd, O_CLOEXEC) < 0)
		return handover_fail(made);
	close(made);
	return 0;
}

int
handover_connect(const char *path, uid_t uid)
{
	struct sockaddr_un address;
	int fd = make_address(&address, path);

	if (fd < 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return handover_fail(fd);
	errno = EPERM;
	return is_of(fd, uid) ? fd : handover_fail(fd);
}

int
handover_accept(int listen_fd, uid_t uid)
{
	int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return -1;
	errno = EPERM;
	return is_of(fd, uid) ? fd : handover_fail(fd);
}

int
handover_pair(int ends[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends);
}

int
handover_send(int fd, const struct span *parts, size_t count, const int *fds)
{
	struct iovec pieces[PARTS_MAX];
	union control control = { .room = { 0 } };
	struct msghdr message = { .msg_iov = pieces };
	ssize_t sent;

	if (count > PARTS_MAX) {
		errno = EINVAL;
		return -1;
	}
	for (size_t i = 0; i < count; i++)
		pieces[message.msg_iovlen++] = (struct iovec){ (void *)(uintptr_t)parts[i].at,
			parts[i].len };
	if (fds != NULL) {
		message.msg_control = &control;
		message.msg_controllen = sizeof(control.room);
		struct cmsghdr *head = CMSG_FIRSTHDR(&message);
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(HANDOVER_FDS * sizeof(int));
		memcpy(CMSG_DATA(head), fds, HANDOVER_FDS * sizeof(int));
	}
	do
		sent = fds == NULL && count == 1 ? send(fd, parts->at, parts->len, MSG_NOSIGNAL) :
		    sendmsg(fd, &message, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -1 : 0;
}

/* Takes the descriptors that came with a message; closes them if they are not wanted. */
static void
take_descriptors(struct msghdr *message, int *fds)
{
	int got[HANDOVER_FDS] = { -1, -1 };
	struct cmsghdr *head = CMSG_FIRSTHDR(message);

	if (head == NULL || head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
		return;
	size_t len = head->cmsg_len - CMSG_LEN(0);
	memcpy(got, CMSG_DATA(head), len < sizeof(got) ? len : sizeof(got));
	for (size_t i = 0; i < HANDOVER_FDS; i++)
		if (fds != NULL)
			fds[i] = got[i];
		else if (got[i] >= 0)
			close(got[i]);
}

ssize_t
handover_receive(int fd, void *mem, size_t room, int *fds, int64_t deadline_ms)
{
	struct iovec piece = { mem, room };
	union control control = { .room = { 0 } };
	struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control,
		.msg_controllen = sizeof(control.room) };
	ssize_t got;

	for (size_t i = 0; fds != NULL && i < HANDOVER_FDS; i++)
		fds[i] = -1;
	do {
		if (fd_wait(fd, POLLIN, deadline_ms) < 0)
			return -1;
		got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
	} while (got < 0 && (errno == EINTR || errno == EAGAIN));
	if (got < 0)
		return -1;
	take_descriptors(&message, fds);
	if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0)
		return got;
	for (size_t i = 0; fds != NULL && i < HANDOVER_FDS; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	errno = EMSGSIZE;
	return -1;
}
