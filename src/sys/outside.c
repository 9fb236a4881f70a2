#include "sys/outside.h"

#include "base/log.h"
#include "sys/fd.h"
#include "sys/locked.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define OUTCOME_MS 1000			/* to wait for its exit */

/* Room for one descriptor, aligned as its header requires. */
union control {
	struct cmsghdr head;
	char room[CMSG_SPACE(sizeof(int))];
};

/* Sends one answer: an errno or 0, and what belongs to it. */
static void
send_answer(int to, int why, const struct outside_answer *answer)
{
	/* sendmsg() only reads the octets */
	struct iovec pieces[] = { { &why, sizeof(why) },
		{ (void *)(uintptr_t)answer->octets.at, answer->octets.len } };
	union control control = { .room = { 0 } };
	struct msghdr message = { .msg_iov = pieces, .msg_iovlen = 2 };

	if (answer->fd >= 0) {
		message.msg_control = &control;
		message.msg_controllen = sizeof(control.room);
		struct cmsghdr *head = CMSG_FIRSTHDR(&message);
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(sizeof(answer->fd));
		memcpy(CMSG_DATA(head), &answer->fd, sizeof(answer->fd));
	}
	if (sendmsg(to, &message, MSG_NOSIGNAL) < 0)
		_exit(1);		/* the session is gone */
}

static void
serve_all(int session, outside_serve *serve, void *context)
{
	struct outside_request request;
	ssize_t got;

	while ((got = recv(session, &request, sizeof(request), 0)) != 0) {
		struct outside_answer answer = { .fd = -1 };
		int why = 0;

		if (got < 0 && errno == EINTR)
			continue;
		if (got != (ssize_t)sizeof(request))
			return;
		if (serve(context, &request, &answer) < 0)
			why = errno != 0 ? errno : EIO;
		send_answer(session, why, &answer);
		if (answer.fd >= 0)
			close(answer.fd);
	}
}

/* Runs in the forked process and never returns. */
static _Noreturn void
be_outside(int session, pid_t parent, outside_serve *serve, void *context)
{
	/* our peer waits for the end of file, which only the session may cause */
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	if (!log_verbose())
		close(STDERR_FILENO);
	fd_fill_standard();
	locked_static();	/* if that fails, it did in the session too, which has logged it */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 && getppid() == parent)
		serve_all(session, serve, context);
	_exit(0);
}

int
outside_start(struct outside *o, outside_serve *serve, void *context)
{
	int ends[2];
	pid_t parent = getpid();

	o->fd = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -1;
	signal(SIGCHLD, SIG_IGN);	/* it need not be waited for */
	pid_t pid = fork();
	if (pid == 0) {
		close(ends[0]);
		be_outside(ends[1], parent, serve, context);
	}
	int why = errno;
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		errno = why;
		return -1;
	}
	o->fd = ends[0];
	return 0;
}

/* Receives an answer: at most `size` octets, and the descriptor that came with it. */
static ssize_t
take_answer(const struct outside *o, int *why, int *fd, void *to, size_t size)
{
	struct iovec pieces[] = { { why, sizeof(*why) }, { to, size } };
	union control control = { .room = { 0 } };
	struct msghdr message = { .msg_iov = pieces, .msg_iovlen = 2, .msg_control = &control,
		.msg_controllen = sizeof(control.room) };
	ssize_t got;

	do
		got = recvmsg(o->fd, &message, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	struct cmsghdr *head = got < 0 ? NULL : CMSG_FIRSTHDR(&message);
	if (head != NULL && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS &&
	    head->cmsg_len == CMSG_LEN(sizeof(*fd)))
		memcpy(fd, CMSG_DATA(head), sizeof(*fd));
	if (got < 0)
		return -1;
	if (got >= (ssize_t)sizeof(*why) && (message.msg_flags & MSG_TRUNC) == 0)
		return got - (ssize_t)sizeof(*why);
	errno = ECONNRESET;
	return -1;
}

static ssize_t
exchange(const struct outside *o, const struct outside_request *request, int *fd, void *to,
    size_t size)
{
	int why = 0;

	if (o->fd < 0) {
		errno = ENOTCONN;
		return -1;
	}
	if (send(o->fd, request, sizeof(*request), MSG_NOSIGNAL) != (ssize_t)sizeof(*request))
		return -1;
	ssize_t len = take_answer(o, &why, fd, to, size);
	if (len >= 0 && why != 0) {
		errno = why;
		return -1;
	}
	return len;
}

int
outside_ask(const struct outside *o, const struct outside_request *request, int *fd)
{
	int handed = -1;
	ssize_t len = exchange(o, request, &handed, NULL, 0);
	int why = errno;

	if (fd != NULL)
		*fd = len >= 0 ? handed : -1;
	if (handed >= 0 && (fd == NULL || len < 0))
		close(handed);
	errno = why;
	return len >= 0 ? 0 : -1;
}

ssize_t
outside_ask_for(const struct outside *o, const struct outside_request *request, void *to,
    size_t size)
{
	int handed = -1;
	ssize_t len = exchange(o, request, &handed, to, size);
	int why = errno;

	if (handed >= 0)
		close(handed);
	errno = why;
	return len;
}

void
outside_end(struct outside *o)
{
	struct pollfd fd = { .fd = o->fd, .events = POLLIN };

	if (o->fd < 0)
		return;
	shutdown(o->fd, SHUT_WR);
	/* there are no more answers, so what can be read is the end of file */
	if (poll(&fd, 1, OUTCOME_MS) < 0)
		log_debug("the process outside: %s", strerror(errno));
	close(o->fd);
	o->fd = -1;
}
