#include "host.h"
#include "run.h"

#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define NAP_MS 50
#define FLOOD 300		/* outstanding replies; ordinary groups have fewer */
#define FLOOD_LAZY_MS 80

enum { SERIES_MAIL, SERIES_USER, SERIES_NEAR, SERIES_FAR };

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Accepts and closes the connections of late callers. */
static void
drain(int fd)
{
	int other;

	while ((other = accept4(fd, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		close(other);
}

static int
take_call(int fd, bool blocks)
{
	int one = 1, other = accept4(fd, NULL, NULL, SOCK_CLOEXEC | (blocks ? 0 : SOCK_NONBLOCK));

	if (other < 0)
		give_up("accept");
	setsockopt(other, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return other;
}

static void
add_child(struct run *r, pid_t pid)
{
	r->children[r->child_count++] = pid;
}

static void
blocks_not(int fd)
{
	if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		give_up("fcntl");
}

/* blackpony, with pipes or a socket pair, as a local MTA starts it. */
static void
start_sender(struct run *r, unsigned port)
{
	struct dice d = dice_start(r->set->seed, 300);
	int in[2], out[2];

	if (dice_chance(&d, 400) && r->set->letter == NULL) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in) < 0)
			give_up("socketpair");
		/* our end, its end */
		add_child(r, host_blackpony(r->host, r->set, port, in[1], in[1]));
		close(in[1]);
		blocks_not(in[0]);
		r->user.rfd = r->user.wfd = in[0];
		return;
	}
	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
		give_up("pipe");
	if (dice_chance(&d, 400)) {
		fcntl(in[1], F_SETPIPE_SZ, 4096);
		fcntl(out[1], F_SETPIPE_SZ, 4096);
	}
	if (r->set->letter != NULL && r->set->letter_in_file) {
		close(in[0]);
		close(in[1]);
		in[0] = r->host->message_fd;
		in[1] = -1;
	}
	add_child(r, host_blackpony(r->host, r->set, port, in[0], out[1]));
	if (in[1] >= 0)
		close(in[0]);
	close(out[1]);
	blocks_not(out[0]);
	if (in[1] >= 0)
		blocks_not(in[1]);
	r->user.rfd = out[0];
	r->user.wfd = in[1];
}

static void
write_message(struct host *h, const struct text *letter)
{
	size_t at = 0;

	if (ftruncate(h->message_fd, 0) < 0 || lseek(h->message_fd, 0, SEEK_SET) < 0)
		give_up("message");
	while (at < letter->len) {
		ssize_t put = pwrite(h->message_fd, letter->at + at, letter->len - at, (off_t)at);

		if (put <= 0)
			give_up("message");
		at += (size_t)put;
	}
}

static void
start(struct run *r)
{
	const struct setup *set = r->set;
	struct host *h = r->host;
	bool ours = set->cutter || set->each;	/* the wire leads to us first */
	unsigned port = !set->daemon ? h->mail_port : ours ? h->wire_port : h->daemon_port;

	drain(h->mail_fd);
	drain(h->wire_fd);
	if (set->daemon && !set->each)
		host_need_daemon(h);
	end_narrow(h->mail_fd, set->seed, SERIES_MAIL);
	end_narrow(h->wire_fd, set->seed, SERIES_NEAR);
	r->user.pace = pace_make(set->seed, SERIES_USER);
	if (set->sender)
		start_sender(r, port);
	else
		r->user.rfd = r->user.wfd = host_connect(port, set->seed, SERIES_USER);
}

static void
mailer_called(struct run *r)
{
	int fd = take_call(r->host->mail_fd, false);
	struct dice d = dice_start(r->set->seed, 301);

	if (r->called) {
		close(fd);
		snprintf(r->fault, sizeof(r->fault), "the mailer was called twice");
		return;
	}
	r->called = true;
	r->mail.rfd = r->mail.wfd = fd;
	r->mail.pace = pace_make(r->set->seed, SERIES_MAIL);
	r->lazy_ms = dice_chance(&d, 80) ? 3 : 0;
	r->mail.eof = false;
}

static void
wire_called(struct run *r)
{
	const struct setup *set = r->set;
	int fd = take_call(r->host->wire_fd, set->each);

	if (set->each) {
		add_child(r, host_blackponyd(r->host, set, fd));
		close(fd);
		return;
	}
	r->near.rfd = r->near.wfd = fd;
	r->near.pace = pace_make(set->seed, SERIES_NEAR);
	r->near.eof = false;
	r->far.rfd = r->far.wfd = host_connect(r->host->daemon_port, set->seed, SERIES_FAR);
	r->far.pace = pace_make(set->seed, SERIES_FAR);
	r->far.eof = false;
}

/* Octets that have passed through the wire are forgotten. */
static void
renew(struct text *t, size_t *sent)
{
	if (*sent == t->len)
		*sent = t->len = 0;
}

static void
step(struct run *r)
{
	struct mailer *m = r->mailer;
	struct client *c = r->client;

	mailer_step(m);
	if (m->state == MAILER_TLS && r->mail.tls == NULL && *r->mail.sent == m->out.len) {
		end_tls_start(&r->mail);
		m->state = MAILER_COMMAND;
	}
	r->mail.closes = r->mail.closes || m->state == MAILER_CLOSED || r->mail.eof;
	if (c != NULL) {
		client_step(c);
		/* a mail server that replies at once would keep the relay's queue from filling */
		bool flood = c->plan->flood && c->owed_end - c->owed_first > FLOOD;
		r->mail.lazy_ms = flood ? FLOOD_LAZY_MS : r->lazy_ms;
		r->user.closes = r->user.closes || (c->over && c->plan->cut) || r->user.eof;
	} else {
		r->mail.lazy_ms = r->lazy_ms;
		r->user.closes = true;
	}
	r->near.closes = r->near.closes || r->far.eof;
	r->far.closes = r->far.closes || r->near.eof;
	renew(&r->up, &r->up_sent);
	renew(&r->down, &r->down_sent);
}

static bool
is_over(const struct run *r)
{
	return r->user.eof && (!r->called || (r->mail.eof && (r->mail.closed || r->mail.broken)));
}

static uint64_t
moved(const struct run *r)
{
	return r->mail.moved + r->user.moved + r->near.moved + r->far.moved;
}

/* Whether one of our programs is runnable and only waits for the processor (proc(5)). */
static bool
machine_is_late(void)
{
	DIR *proc = opendir("/proc");
	bool late = false;

	for (struct dirent *e; proc != NULL && !late && (e = readdir(proc)) != NULL;) {
		char path[300], line[300] = "", state = 'S';
		int group = 0;

		snprintf(path, sizeof(path), "/proc/%s/stat", e->d_name);
		FILE *stat = e->d_name[0] >= '1' && e->d_name[0] <= '9' ? fopen(path, "re") : NULL;
		if (stat == NULL)
			continue;
		if (fgets(line, sizeof(line), stat) != NULL && strstr(line, "(blackpony") != NULL &&
		    sscanf(strrchr(line, ')') + 1, " %c %*d %d", &state, &group) == 2)
			late = group == getpgrp() && (state == 'R' || state == 'D');
		fclose(stat);
	}
	if (proc != NULL)
		closedir(proc);
	return late;
}

/* One poll(2), and what it reported. */
static void
turn(struct run *r)
{
	struct end *ends[4] = { &r->mail, &r->user, &r->near, &r->far };
	struct pollfd fds[10] = { { .fd = r->host->mail_fd, .events = POLLIN },
		{ .fd = r->near.rfd < 0 && (r->set->cutter || r->set->each) ? r->host->wire_fd :
										-1,
		    .events = POLLIN } };
	int64_t now = now_ms();
	int patience = NAP_MS;

	for (int i = 0; i < 4; i++) {
		struct end *e = ends[i];

		fds[2 + 2 * i] = (struct pollfd){ .fd = end_wants_read(e, now) ? e->rfd : -1,
			.events = POLLIN };
		fds[3 + 2 * i] = (struct pollfd){ .fd = end_wants_write(e, now) ? e->wfd : -1,
			.events = POLLOUT };
		patience = end_patience(e, now, patience);
	}
	if (poll(fds, 10, patience) <= 0)
		return;
	now = now_ms();
	if (fds[0].revents != 0)
		mailer_called(r);
	if (fds[1].revents != 0)
		wire_called(r);
	for (int i = 0; i < 4; i++) {
		if (fds[2 + 2 * i].revents != 0)
			end_read(ends[i], now);
		if (fds[3 + 2 * i].revents != 0)
			end_write(ends[i], now);
	}
}

static void
stalled(struct run *r)
{
	snprintf(r->fault, sizeof(r->fault),
	    "STALL: nothing moved for %d ms; mailer state %d, it has heard "
	    "%zu octets, client %s",
	    r->host->stall_ms, (int)r->mailer->state, r->mailer->in.len,
	    r->user.eof ? "at its end" : "waiting");
}

static void
finish(struct run *r)
{
	int patience = r->host->stall_ms;

	r->octets = moved(r);
	end_close(&r->user);
	end_close(&r->mail);
	end_close(&r->near);
	end_close(&r->far);
	for (unsigned i = 0; i < r->child_count; i++) {
		r->statuses[i] = host_wait(r->children[i], r->fault[0] != '\0' ? 200 : patience);
		if (r->statuses[i] < 0 && r->fault[0] == '\0')
			snprintf(r->fault, sizeof(r->fault), "STALL: a program did not end");
	}
	/* what is late must not reach the mail server of the next dialogue */
	if (r->fault[0] != '\0')
		host_renew(r->host);
	mailer_end(r->mailer);
}

/*
 * Runs until all is over or nothing moves any more.  Only turns in which we ourselves were
 * scheduled count: the machine may be busy for longer than that.
 */
static void
watch(struct run *r)
{
	int64_t still = 0, most = r->host->stall_ms;
	uint64_t before = 0;

	while (r->fault[0] == '\0') {
		int64_t began = now_ms();

		step(r);
		if (is_over(r))
			break;
		turn(r);
		int64_t took = now_ms() - began;
		still = moved(r) != before ? 0 : still + (took < NAP_MS ? took : NAP_MS);
		before = moved(r);
		if (still > most && most < 10 * r->host->stall_ms && machine_is_late())
			most += r->host->stall_ms;
		else if (still > most)
			stalled(r);
	}
}

void
run_through(struct run *r, struct host *h, const struct setup *set, struct mailer *m,
    struct client *c)
{
	struct text up = r->up, down = r->down, said = r->said;

	memset(r, 0, sizeof(*r));
	text_clear(&up);
	text_clear(&down);
	text_clear(&said);
	r->up = up;
	r->down = down;
	r->said = said;
	r->host = h;
	r->set = set;
	r->mailer = m;
	r->client = c;
	end_start(&r->mail, -1, -1, &m->in, &m->out, &(size_t){ 0 });
	end_start(&r->near, -1, -1, &r->up, &r->down, &r->down_sent);
	end_start(&r->far, -1, -1, &r->down, &r->up, &r->up_sent);
	if (c != NULL)
		end_start(&r->user, -1, -1, &c->in, &c->out, &c->sent);
	else
		end_start(&r->user, -1, -1, &r->said, set->letter, &r->letter_sent);
	size_t mail_sent = 0;
	r->mail.sent = &mail_sent;
	if (set->letter != NULL && set->letter_in_file)
		write_message(h, set->letter);
	start(r);
	watch(r);
	finish(r);
}
