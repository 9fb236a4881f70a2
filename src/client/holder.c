#include "client/holder.h"

#include "base/clock.h"
#include "base/log.h"
#include "client/client.h"
#include "client/deliver_main.h"
#include "client/transparent_main.h"
#include "smtp/outcome.h"
#include "sys/fd.h"
#include "sys/locked.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <unistd.h>

#define JOB_MS 1000		/* for a process that has connected to say what it wants */
#define DESCRIPTORS_MS 10000	/* for it to send its descriptors, when its job was taken */
#define RESET_MS 30000		/* at most, for the reply to RSET */
#define GRACE_S 60		/* after which a timer ends a holder that should have ended */

/* The descriptors of the local MTA get other numbers; 0 to 2 stay open as /dev/null. */
static int
move_standard(struct client *c)
{
	c->in_fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	c->out_fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (c->in_fd < 0 || c->out_fd < 0)
		return -1;
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	/* descriptor 2 may be the dialogue, too */
	if (!log_verbose())
		close(STDERR_FILENO);
	fd_fill_standard();
	return 0;
}

/* In the process that was forked. */
static int
become_holder(struct client *c, int waiting_fd)
{
	struct holder *h = &c->holder;
	sigset_t term;

	setsid();
	options_open_log(&c->options);
	h->client_fd = waiting_fd;
	h->since_ms = clock_ms();
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	if (locked_static() < 0)
		log_debug("keys in memory can be swapped: %s", strerror(errno));
	if (move_standard(c) < 0 || sigprocmask(SIG_BLOCK, &term, NULL) < 0)
		return -1;
	h->signal_fd = signalfd(-1, &term, SFD_CLOEXEC | SFD_NONBLOCK);
	h->active = h->signal_fd >= 0;
	return h->active ? 0 : -1;
}

/* Allocates, and listens, so that all that can fail has been done before the fork. */
static int
prepare_holder(struct client *c, int ends[2])
{
	c->holder.memory = calloc(1, sizeof(*c->holder.memory));
	c->transparent_kept = calloc(1, sizeof(*c->transparent_kept));
	if (c->holder.memory == NULL || c->transparent_kept == NULL)
		return -1;
	if (handover_pair(ends) < 0)
		return -1;
	if (handover_listen(c->kept.path, JAIL_LISTEN_FD) == 0)
		return 0;
	close(ends[0]);
	close(ends[1]);
	return -1;
}

bool
holder_split(struct client *c, int *exit_code)
{
	int ends[2];

	if (c->kept.standing != KEPT_BURST || prepare_holder(c, ends) < 0)
		return false;
	pid_t pid = fork();
	if (pid == 0) {
		close(ends[0]);
		if (become_holder(c, ends[1]) < 0)
			_exit(EXIT_LATER);
		return false;
	}
	close(ends[1]);
	close(JAIL_LISTEN_FD);
	if (pid > 0)
		*exit_code = kept_await(ends[0]);
	close(ends[0]);
	return pid > 0;
}

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/*
 * Tells the process that waits how its job has ended; from then on it may end.  The local MTA's
 * descriptors are closed first: nothing of ours may keep them open.
 */
static bool
holder_answer(struct client *c, enum kept_word word, int exit_code)
{
	struct kept_answer head = { .word = word, .exit_code = exit_code };
	struct buf out;

	if (word != KEPT_TAKEN) {
		close_fd(&c->in_fd);
		close_fd(&c->out_fd);
	}
	buf_init(&out, c->holder.memory->answer, sizeof(c->holder.memory->answer));
	if (word == KEPT_ANEW && !c->attempt.delivers) {
		struct span said = transparent_said(&c->transparent);
		struct span rest = buf_peek(&c->session.io.from_local);
		struct span told = transparent_told(&c->transparent);

		head.said = (uint32_t)(said.len + rest.len);
		head.told = (uint32_t)told.len;
		head.answered = transparent_has_answered(&c->transparent);
		/* with too much to pass on there is no answer, and the message waits */
		if (!buf_put(&out, span((const uint8_t *)&head, sizeof(head))) ||
		    !buf_put(&out, said) || !buf_put(&out, rest) || !buf_put(&out, told))
			buf_clear(&out);
	} else {
		buf_put(&out, span((const uint8_t *)&head, sizeof(head)));
	}
	struct span octets = buf_peek(&out);
	bool sent = octets.len > 0 && handover_send(c->holder.client_fd, &octets, 1, NULL) == 0;
	if (!sent)
		log_debug("kept: the process that waits has gone");
	buf_wipe(&out);
	return sent;
}

static void
release(struct client *c, enum kept_word word, int exit_code)
{
	(void)holder_answer(c, word, exit_code);
	close_fd(&c->holder.client_fd);
}

/* Should nothing else do so, SIGALRM ends this process in that time.  0: never. */
static void
set_timer(int64_t seconds)
{
	struct itimerval timer = { .it_value = { .tv_sec = (time_t)seconds } };

	/* not alarm(3), which is a system call of its own on some machines */
	if (setitimer(ITIMER_REAL, &timer, NULL) < 0)
		log_debug("kept: no timer: %s", strerror(errno));
}

/* Runs the connection without a message. */
static enum outcome
rest(struct client *c, int64_t timeout_ms, bool listens)
{
	struct session *s = &c->session;
	struct rest *r = &c->holder.memory->rest;

	session_continue(s, (struct machine){ r, rest_step, rest_fault });
	if (listens)
		session_watch(s, JAIL_LISTEN_FD, c->holder.signal_fd);
	s->until_ms = 0;
	s->limits.idle_ms = s->limits.command_ms = timeout_ms;
	set_timer(timeout_ms / 1000 + GRACE_S);
	enum outcome end = session_run(s);
	set_timer(0);
	s->limits = options_limits(&c->options.settings);
	return end;
}

/* Milliseconds that the connection may stay idle; 0: it takes no other message. */
static int64_t
idle_ms(const struct client *c)
{
	int64_t left = c->holder.since_ms + KEEP_MS - clock_ms();
	int64_t most = c->options.settings.keep_open_ms;

	if (c->holder.messages >= KEEP_MESSAGES || left <= 0)
		return 0;
	return left < most ? left : most;
}

/* Reads a job from a process that has connected.  False: none came, or it has another key. */
static bool
read_job(struct client *c, struct kept_job *job)
{
	struct holder *h = &c->holder;
	struct holder_memory *m = h->memory;
	ssize_t got = handover_receive(h->client_fd, m->job, sizeof(m->job), NULL,
	    clock_ms() + JOB_MS);

	if (got < (ssize_t)sizeof(*job))
		return false;
	memcpy(job, m->job, sizeof(*job));
	if (memcmp(job->key, c->kept.key, sizeof(job->key)) != 0 ||
	    job->delivers != c->attempt.delivers)
		return false;
	struct span strings = span(m->job + sizeof(*job), (size_t)got - sizeof(*job));
	h->message = (struct deliver_message){ .sender = (const char *)strings.at,
		.recipients = m->recipients, .recipient_count = job->recipients,
		.length = job->length, .octets = job->octets, .eight_bit = job->eight_bit,
		.utf8 = job->utf8 };
	for (size_t i = 0; job->delivers && i <= job->recipients; i++) {
		size_t len = span_find(strings, '\0');

		if (len == strings.len || i > sizeof(m->recipients) / sizeof(m->recipients[0]))
			return false;
		if (i > 0)
			m->recipients[i - 1] = (char *)(uintptr_t)strings.at;
		strings = span_from(strings, len + 1);
	}
	return true;
}

/*
 * Accepts a job of another run.  False: there is no job, or that run has stopped waiting: it sends
 * the message itself then.
 */
static bool
take_job(struct client *c, struct kept_job *job)
{
	struct holder *h = &c->holder;
	int fds[HANDOVER_FDS] = { -1, -1 };
	uint8_t octet;

	h->client_fd = handover_accept(JAIL_LISTEN_FD, c->kept.uid);
	if (h->client_fd < 0)
		return false;
	if (read_job(c, job) && holder_answer(c, KEPT_TAKEN, 0) &&
	    handover_receive(h->client_fd, &octet, sizeof(octet), fds,
		clock_ms() + DESCRIPTORS_MS) > 0 && fds[0] >= 0 && fds[1] >= 0) {
		c->in_fd = fds[0];
		c->out_fd = fds[1];
		return true;
	}
	close_fd(&fds[0]);
	close_fd(&fds[1]);
	close_fd(&h->client_fd);
	return false;
}

/* Whether what was sent of the job is nothing that counts, so that it can be sent anew. */
static bool
is_anew(const struct client *c, enum outcome end)
{
	return end == OUTCOME_KEPT_LOST ||
	    (c->attempt.delivers && c->session.io.elsewhere && c->session.io.others);
}

/* Sends the message of another run. */
static void
do_job(struct client *c, const struct kept_job *job)
{
	struct session *s = &c->session;
	struct holder *h = &c->holder;
	bool delivers = c->attempt.delivers;
	int64_t begun_ms = clock_ms();

	session_continue(s, c->machine);
	session_local(s, c->in_fd, delivers ? -1 : c->out_fd);
	session_watch(s, h->client_fd, -1);
	s->until_ms = job->until_ms;
	s->limits.greeting_ms = c->options.settings.dial_timeout_ms / 2;
	if (delivers)
		deliver_again(&c->deliver, &h->message);
	else
		transparent_again(&c->transparent);
	c->attempt.messages = ++h->messages;
	enum outcome end = attempt_again(&c->attempt, begun_ms);
	if (is_anew(c, end))
		release(c, KEPT_ANEW, 0);
	else if (delivers)
		release(c, KEPT_RESULT, deliver_report(c, end));
	else
		release(c, KEPT_RESULT, transparent_report(c, end));
}

/* Waits for another run.  False: the connection has ended, or its time has come. */
static bool
await_job(struct client *c, struct kept_job *job)
{
	struct rest *r = &c->holder.memory->rest;
	struct session *s = &c->session;

	rest_start(r, s->io.reset, s->io.resets);
	rest(c, RESET_MS, false);
	while (s->io.keeps) {
		int64_t left = idle_ms(c);

		if (left == 0)
			break;
		rest_wait(r);
		enum outcome end = rest(c, left, true);
		if (s->watch_ready[1] || !s->io.keeps) {
			if (end == OUTCOME_UNASKED_REPLY)
				log_line(LOG_NOTICE, "kept connection to %s: unasked reply",
				    c->attempt.target->name);
			break;
		}
		if (take_job(c, job))
			return true;
	}
	if (s->io.keeps) {
		rest_leave(r);
		rest(c, RESET_MS, false);
	}
	return false;
}

void
holder_run(struct client *c, int exit_code)
{
	struct kept_job job;

	/* a host that is not as it was is checked for each message */
	bool alarmed = c->attempt.check.verdict.alarm != ALARM_NONE;

	c->holder.messages = alarmed ? KEEP_MESSAGES : 1;
	kept_leave(&c->kept);
	release(c, KEPT_RESULT, exit_code);
	while (c->session.io.keeps && await_job(c, &job))
		do_job(c, &job);
	close(JAIL_LISTEN_FD);
}
