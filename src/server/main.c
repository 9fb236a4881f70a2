/*
 * blackponyd: stands between a client and the mailer here, offers encryption, and is otherwise not there.
 *
 * Under a super-server, descriptors 0, 1 and often 2 are the client's socket: nothing is printed that is
 * not SMTP.
 */
#include "sys/accept.h"
#include "base/clock.h"
#include "base/log.h"
#include "server/identify.h"
#include "server/hostkey_cmd.h"
#include "server/backend.h"
#include "cli/options.h"
#include "smtp/dialog.h"
#include "smtp/outcome.h"
#include "smtp/probe.h"
#include "smtp/relay.h"
#include "sys/dial.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define IDLE_MS 60000		/* without a call and without a session, with a listening socket */

static struct program program = { .name = "blackponyd" };
static struct session session;
static struct ring ring;
static struct relay relay;
static struct probe probe;
static struct mailer mailer;
static struct keys_statements said;

/* For the log; to the client, no more than it needs. */
static int
refuse(const char *reply)
{
	uint8_t mem[512];
	struct buf line;

	program_complain(&program);
	if (program.test || program.expire || program.command != NULL)
		return 1;
	buf_init(&line, mem, sizeof(mem));
	buf_printf(&line, "%s\r\n", reply);
	if (fd_kind(STDIN_FILENO) == FD_LISTENING)
		accept_refuse(STDIN_FILENO, buf_peek(&line));
	else
		fd_write_all(STDOUT_FILENO, buf_peek(&line), 2000);
	return 1;
}

static int
refuse_mailer(void)
{
	snprintf(program.error, sizeof(program.error), "mailer %s: %s%s%s",
	    mailer.text[0] != '\0' ? mailer.text : "-", mailer.error,
	    errno == EINVAL ? "" : ": ", errno == EINVAL ? "" : strerror(errno));
	return refuse("421 4.3.0 The mailer here cannot be reached");
}

/* The client's address literal, RFC 5321 section 4.1.3. */
static void
address_literal(const struct address *a, char out[RELAY_PEER_MAX])
{
	char text[FD_ADDRESS_MAX];

	address_text(a, text);
	if (text[0] == '\0')
		out[0] = '\0';
	else
		snprintf(out, RELAY_PEER_MAX, "[%s%s]", address_family(a) == AF_INET6 ? "IPv6:" : "",
		    text);
}

static void
log_session(const char *peer, uint16_t port, int64_t begun_ms, enum ending end)
{
	uint8_t mem[LOG_LINE_MAX];
	struct buf line;

	buf_init(&line, mem, sizeof(mem));
	buf_printf(&line, "session client=%s:%u", peer[0] != '\0' ? peer : "[unknown]", port);
	log_pair(&line, "helo", span(relay.said, relay.said_len));
	log_pair(&line, "mailer", span_of(mailer.text));
	program_log_crypt(&line, &ring, &relay.handshake,
	    relay.crypt == CRYPT_ON ? handshake_suite(&relay.handshake)->name : "none", relay.why);
	if (relay.crypt == CRYPT_ON)
		buf_printf(&line, " messages=%u", relay.messages);
	program_log_end(&line, &session, begun_ms, end);
	log_line(LOG_INFO, "%.*s", (int)buf_len(&line), (const char *)mem);
}

static void
suites_to_offer(struct suite_list *suites)
{
	switch (program.settings.policy) {
	case POLICY_NEVER:
		suites->count = 0;
		break;
	case POLICY_KNOWN:
	case POLICY_MUST:
	case POLICY_PINNED:
		*suites = suite_list_for_must(&program.suites);
		break;
	case POLICY_MAY:
		*suites = program.suites;
		break;
	}
}

/* There is no handshake to come: no key of ours, or of others, is needed any more. */
static void
settle(void)
{
	ring_done(&ring);
	agreement_wipe(&relay.handshake.agreement);
}

/* The relay between the client and the mailer, from the client's first octet to the last. */
static void
relay_session(const struct child_caller *caller, const struct suite_list *suites)
{
	struct session_limits limits = program_limits(&program.settings);
	struct machine machine = { &relay, relay_step, relay_fault };
	char peer[RELAY_PEER_MAX];
	struct relay_settings settings = {
		.suites = suites,
		.must = program.settings.policy == POLICY_MUST ||
		    program.settings.policy == POLICY_PINNED,
		.mark = program.settings.mark,
		.hostname = program.settings.hostname,
		.peer = peer,
	};
	int64_t begun = clock_ms();

	settings.says[0] = span(said.id, said.id_len);
	settings.says[1] = span(said.next, said.next_len);
	address_literal(&caller->remote, peer);
	relay_start(&relay, &settings, ring_source(&ring));
	session_start(&session, machine, &limits);
	session.serving = true;
	session.settled = settle;
	session.by_hand = caller->by_hand;
	session_wire(&session, STDIN_FILENO, STDOUT_FILENO);
	session_local(&session, mailer.fd, mailer.fd);
	if (mailer.greeted)
		buf_put(&session.io.from_local, buf_peek(&mailer.greeting.raw));
	enum ending end = session_run(&session);
	log_session(peer, address_port(&caller->remote), begun, end);
	relay_wipe(&relay);
	session_wipe(&session);
}

/* One client on descriptors 0 and 1. */
static int
serve(char *const mailer_argv[], bool by_hand)
{
	struct child_caller caller = { .by_hand = by_hand };
	struct suite_list suites;
	int status = 0;

	if (identify(&caller, &program.settings) == -1)
		return 1;
	/* with the identity we have: sendmail wants root's.  Nothing that it says is read before that has gone */
	if (mailer_open(&mailer, mailer_argv, &program.settings, &caller) == -1)
		return refuse_mailer();
	if (program_become(&program) == -1)
		return refuse("421 4.3.5 Bad settings here");
	suites_to_offer(&suites);
	program_open_ring(&program, &ring, &suites);
	keys_say(&program, &ring, &said);
	ring_leave_directory(&ring);
	fd_prepare(STDIN_FILENO);
	if (by_hand)
		fd_prepare(STDOUT_FILENO);
	if (program_jail(&program, JAIL_SESSION) == -1)
		status = refuse("421 4.3.0 Not able to serve now");
	else if (mailer_introduce(&mailer, &program.settings, &caller, &session) == -1)
		status = refuse_mailer();
	else
		relay_session(&caller, &suites);
	ring_close(&ring);
	return status;
}

/* Descriptor 0 is a listening socket, and so may 1 and 2 be: nothing may go there, by us or by a mailer. */
static int
serve_listener(char *const mailer_argv[])
{
	for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++)
		if (fd_same(fd, STDIN_FILENO))
			close(fd);
	fd_fill_standard();
	switch (accept_loop(STDIN_FILENO, &program.settings, IDLE_MS)) {
	case ACCEPT_CLIENT:
		/* syslogd may have been started anew since we were, and the jail forbids to call it then */
		program_log(&program);
		return serve(mailer_argv, false);
	case ACCEPT_DONE:
		return 0;
	case ACCEPT_BROKEN:
		break;
	}
	snprintf(program.error, sizeof(program.error), "descriptor 0: cannot accept from it: %s",
	    strerror(errno));
	program_complain(&program);
	return 1;
}

/* The mailer, which has been reached, as a stranger from that address.  The exit status. */
static int
probe_as(struct span stranger, const struct child_caller *caller)
{
	struct session_limits limits = program_limits(&program.settings);
	struct machine machine = { &probe, probe_step, ask_fault };

	if (mailer_introduce(&mailer, &program.settings, caller, &session) == -1)
		return refuse_mailer();
	probe_start(&probe, program.settings.hostname);
	session_start(&session, machine, &limits);
	session_wire(&session, mailer.fd, mailer.fd);
	session_local(&session, -1, -1);
	if (mailer.greeted)
		buf_put(&session.io.from_wire, buf_peek(&mailer.greeting.raw));
	enum ending end = session_run(&session);
	if (end != END_DONE) {
		printf("mailer: %s: %s\n", mailer.text, ending_row(end)->text);
		return 1;
	}
	printf("a stranger's mail to a foreign domain, from %.*s: %s (%s)\n", (int)stranger.len,
	    (const char *)stranger.at,
	    probe.relays ? "ACCEPTED, this would be an open relay" : "refused", probe.said);
	return probe.relays ? 1 : 0;
}

/* In a process of its own, for what the mailer says is read as the user, and the next one is started as root. */
static int
ask_as(struct span stranger, char *const mailer_argv[])
{
	struct child_caller caller = { .by_hand = false };
	int status = 1;

	address_read(&caller.remote, stranger, 40025);
	bool six = address_family(&caller.remote) == AF_INET6;
	address_read(&caller.local, six ? SPAN("2001:db8::25") : SPAN("192.0.2.25"), 25);
	if (mailer_open(&mailer, mailer_argv, &program.settings, &caller) == -1)
		return refuse_mailer();
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		status = program_become(&program) == -1 ? refuse("") : probe_as(stranger, &caller);
		fflush(stdout);
		_exit(status);
	}
	close(mailer.fd);
	if (pid == -1) {
		snprintf(program.error, sizeof(program.error), "no process to ask the mailer in: %s",
		    strerror(errno));
		return refuse("");
	}
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/*
 * Would the mailer behind relay for a stranger?  Asked twice, for Debian's access map for sendmail knows
 * 192.0.2.0/24 as nobody's, and rejects it whatever it does with others.
 */
static int
ask(char *const mailer_argv[])
{
	const struct settings *s = &program.settings;
	struct address to;

	/* there the client calls the mailer itself, and has to be of its family */
	if (s->client_address == CLIENT_ADDRESS_TRANSPARENT &&
	    dial_read_backend(&to, span_of(s->backend)) == 0 && address_family(&to) == AF_INET6)
		return ask_as(SPAN("2001:db8::1"), mailer_argv);
	int first = ask_as(SPAN("192.0.2.1"), mailer_argv);
	if (first != 0)
		return first;
	return ask_as(SPAN("203.0.113.1"), mailer_argv);
}

/* -t: what a session would find: its settings, its user, the mailer, the cache, the host key. */
static int
test(char *const mailer_argv[])
{
	const struct settings *s = &program.settings;

	printf("settings: good\n");
	fflush(stdout);
	int status = ask(mailer_argv);
	if (status != 0)
		return status;
	if (program_become(&program) == -1)
		return refuse("");
	program_open_ring(&program, &ring, &program.suites);
	if (!ring.stored && strcmp(s->cache, "off") != 0)
		printf("cache: %s: cannot be used, so each connection takes a public-key operation; the log"
		    " says why\n", s->cache);
	ring_close(&ring);
	return keys_test(&program) == 0 ? 0 : 1;
}

/* -x: for a timer. */
static int
expire(void)
{
	struct ring_settings settings = program_ring(&program, &program.suites);

	if (program_become(&program) == -1)
		return refuse("");
	if (settings.directory == NULL || ring_expire(&settings) == 0)
		return 0;
	snprintf(program.error, sizeof(program.error), "cache %s: cannot be renewed; the log says why",
	    settings.directory);
	return refuse("");
}

int
main(int argc, char *argv[])
{
	bool started = program_start(&program, argc, argv, "+:C:k:o:tvVx") == 0;

	fd_close_rest();
	program_log(&program);
	if (!started)
		return refuse("421 4.3.5 Bad settings here");
	if (program.version) {
		program_print_version(&program);
		return 0;
	}
	if ((program.command != NULL || program.expire) && argv[optind] != NULL) {
		snprintf(program.error, sizeof(program.error),
		    "usage: blackponyd -k new | show | next | change, or blackponyd -x, and no more");
		return refuse("");
	}
	if (program.command != NULL)
		return keys_run(&program);
	if (program.expire)
		return expire();
	if (session_make_room(&session) == -1) {
		snprintf(program.error, sizeof(program.error), "memory for a session: %s", strerror(errno));
		return refuse("421 4.3.2 No memory here");
	}
	if (mailer_check(&mailer, argv + optind, &program.settings) == -1)
		return refuse_mailer();
	if (program_may_become(&program) == -1)
		return refuse("421 4.3.5 Bad settings here");
	if (program.test)
		return test(argv + optind);
	switch (fd_kind(STDIN_FILENO)) {
	case FD_CONNECTED:
		return serve(argv + optind, false);
	case FD_LISTENING:
		return serve_listener(argv + optind);
	case FD_OTHER:
		break;
	}
	return serve(argv + optind, true);
}
