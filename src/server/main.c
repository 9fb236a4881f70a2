/*
 * blackponyd: stands between a client and the mailer here, offers encryption, and is otherwise not there.
 *
 * Under a super-server, descriptors 0, 1 and often 2 are the client's socket: nothing is printed that is
 * not SMTP.
 */
#include "base/clock.h"
#include "base/log.h"
#include "cli/options.h"
#include "server/backend.h"
#include "server/hostkey_cmd.h"
#include "server/identify.h"
#include "smtp/dialog.h"
#include "smtp/outcome.h"
#include "smtp/policy.h"
#include "smtp/probe.h"
#include "smtp/relay.h"
#include "sys/accept.h"
#include "sys/dial.h"
#include "sys/fd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define IDLE_MS 60000		/* without a call and without a session, with a listening socket */

static struct options options = { .name = "blackponyd" };
static struct session session;
static struct key_cache cache;
static struct relay relay;
static struct probe probe;
static struct backend backend;
static struct hostkey_statements said;

/* For the log; to the client, no more than it needs. */
static int
refuse(const char *reply)
{
	uint8_t mem[512];
	struct buf line;

	options_complain(&options);
	if (options.test || options.expire || options.command != NULL)
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
	snprintf(options.error, sizeof(options.error), "mailer %s: %s%s%s",
	    backend.text[0] != '\0' ? backend.text : "-", backend.error,
	    errno == EINVAL ? "" : ": ", errno == EINVAL ? "" : strerror(errno));
	return refuse("421 4.3.0 The mailer here cannot be reached");
}

/* The client's address literal, RFC 5321 section 4.1.3. */
static void
address_literal(const struct address *a, char out[RELAY_PEER_MAX])
{
	char text[ADDRESS_TEXT_MAX];

	address_text(a, text);
	if (text[0] == '\0')
		out[0] = '\0';
	else
		snprintf(out, RELAY_PEER_MAX, "[%s%s]",
		    address_family(a) == AF_INET6 ? "IPv6:" : "", text);
}

static void
log_session(const char *peer, uint16_t port, int64_t begun_ms, enum outcome end)
{
	uint8_t mem[LOG_LINE_MAX];
	struct buf line;

	buf_init(&line, mem, sizeof(mem));
	buf_printf(&line, "session client=%s:%u", peer[0] != '\0' ? peer : "[unknown]", port);
	log_pair(&line, "helo", span(relay.said, relay.said_len));
	log_pair(&line, "mailer", span_of(backend.text));
	logline_crypt(&line, &cache, &relay.handshake,
	    relay.crypt == CRYPT_ON ? handshake_suite(&relay.handshake)->name : "none", relay.why);
	if (relay.crypt == CRYPT_ON)
		buf_printf(&line, " messages=%u", relay.messages);
	logline_end(&line, &session, begun_ms, end);
	log_line(LOG_INFO, "%.*s", (int)buf_len(&line), (const char *)mem);
}

/* There is no handshake to come: no key of ours, or of others, is needed any more. */
static void
settle(void)
{
	key_cache_done(&cache);
	agreement_wipe(&relay.handshake.agreement);
}

/* The relay between the client and the mailer, from the client's first octet to the last. */
static void
relay_session(const struct client_info *client, const struct suite_list *suites)
{
	struct session_limits limits = options_limits(&options.settings);
	struct machine machine = { &relay, relay_step, relay_fault };
	char peer[RELAY_PEER_MAX];
	struct relay_settings settings = {
		.suites = suites,
		.encryption_required = policy_requires_encryption(options.settings.policy),
		.mark = options.settings.mark,
		.hostname = options.settings.hostname,
		.peer = peer,
	};
	int64_t begun = clock_ms();

	settings.says[0] = span(said.id, said.id_len);
	settings.says[1] = span(said.next, said.next_len);
	address_literal(&client->remote, peer);
	relay_start(&relay, &settings, key_cache_source(&cache));
	session_start(&session, machine, &limits);
	session.serving = true;
	session.settled = settle;
	session.by_hand = client->by_hand;
	session_wire(&session, STDIN_FILENO, STDOUT_FILENO);
	session_local(&session, backend.fd, backend.fd);
	if (backend.greeted)
		buf_put(&session.io.from_local, buf_peek(&backend.greeting.raw));
	enum outcome end = session_run(&session);
	log_session(peer, address_port(&client->remote), begun, end);
	relay_wipe(&relay);
	session_wipe(&session);
}

/* One client on descriptors 0 and 1. */
static int
serve(char *const mailer_argv[], bool by_hand)
{
	struct client_info client = { .by_hand = by_hand };
	struct suite_list suites;
	int status = 0;

	if (identify(&client, &options.settings) == -1)
		return 1;
	/* with the identity we have: sendmail wants root's.  Nothing that it says is read before that has gone */
	if (backend_open(&backend, mailer_argv, &options.settings, &client) == -1)
		return refuse_mailer();
	if (options_become(&options) == -1)
		return refuse("421 4.3.5 Bad settings here");
	suites = policy_suites(options.settings.policy, &options.suites);
	options_open_key_cache(&options, &cache, &suites);
	hostkey_cmd_statements(&options, &cache, &said);
	key_cache_leave_directory(&cache);
	fd_prepare(STDIN_FILENO);
	if (by_hand)
		fd_prepare(STDOUT_FILENO);
	if (options_jail(&options, JAIL_SESSION) == -1)
		status = refuse("421 4.3.0 Not able to serve now");
	else if (mailer_introduce(&backend, &options.settings, &client, &session) == -1)
		status = refuse_mailer();
	else
		relay_session(&client, &suites);
	key_cache_close(&cache);
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
	switch (accept_loop(STDIN_FILENO, &options.settings, IDLE_MS)) {
	case ACCEPT_CLIENT:
		/* syslogd may have been started anew since we were, and the jail forbids to call it then */
		options_open_log(&options);
		return serve(mailer_argv, false);
	case ACCEPT_DONE:
		return 0;
	case ACCEPT_BROKEN:
		break;
	}
	snprintf(options.error, sizeof(options.error), "descriptor 0: cannot accept from it: %s",
	    strerror(errno));
	options_complain(&options);
	return 1;
}

/* The mailer, which has been reached, as a stranger from that address.  The exit status. */
static int
probe_as(struct span stranger, const struct client_info *client)
{
	struct session_limits limits = options_limits(&options.settings);
	struct machine machine = { &probe, probe_step, dialog_fault };

	if (mailer_introduce(&backend, &options.settings, client, &session) == -1)
		return refuse_mailer();
	probe_start(&probe, options.settings.hostname);
	session_start(&session, machine, &limits);
	session_wire(&session, backend.fd, backend.fd);
	session_local(&session, -1, -1);
	if (backend.greeted)
		buf_put(&session.io.from_wire, buf_peek(&backend.greeting.raw));
	enum outcome end = session_run(&session);
	if (end != OUTCOME_DONE) {
		printf("mailer: %s: %s\n", backend.text, outcome_row(end)->text);
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
	struct client_info client = { .by_hand = false };
	int status = 1;

	address_read(&client.remote, stranger, 40025);
	bool six = address_family(&client.remote) == AF_INET6;
	address_read(&client.local, six ? SPAN("2001:db8::25") : SPAN("192.0.2.25"), 25);
	if (backend_open(&backend, mailer_argv, &options.settings, &client) == -1)
		return refuse_mailer();
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		status = options_become(&options) == -1 ? refuse("") : probe_as(stranger, &client);
		fflush(stdout);
		_exit(status);
	}
	close(backend.fd);
	if (pid == -1) {
		snprintf(options.error, sizeof(options.error),
		    "no process to ask the mailer in: %s", strerror(errno));
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
	const struct settings *s = &options.settings;
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
	const struct settings *s = &options.settings;

	printf("settings: good\n");
	fflush(stdout);
	int status = ask(mailer_argv);
	if (status != 0)
		return status;
	if (options_become(&options) == -1)
		return refuse("");
	options_open_key_cache(&options, &cache, &options.suites);
	if (!cache.stored && strcmp(s->cache, "off") != 0)
		printf(
		    "cache: %s: cannot be used, so each connection takes a public-key operation; the log"
		    " says why\n",
		    s->cache);
	key_cache_close(&cache);
	return hostkey_cmd_test(&options) == 0 ? 0 : 1;
}

/* -x: for a timer. */
static int
expire(void)
{
	struct key_cache_settings settings = options_key_cache(&options, &options.suites);

	if (options_become(&options) == -1)
		return refuse("");
	if (settings.directory == NULL || key_cache_expire(&settings) == 0)
		return 0;
	snprintf(options.error, sizeof(options.error),
	    "cache %s: cannot be renewed; the log says why", settings.directory);
	return refuse("");
}

int
main(int argc, char *argv[])
{
	bool started = options_read(&options, argc, argv, "+:C:k:o:tvVx") == 0;

	fd_close_rest();
	options_open_log(&options);
	if (!started)
		return refuse("421 4.3.5 Bad settings here");
	if (options.version) {
		options_print_version(&options);
		return 0;
	}
	if ((options.command != NULL || options.expire) && argv[optind] != NULL) {
		snprintf(options.error, sizeof(options.error),
		    "usage: blackponyd -k new | show | next | change, or blackponyd -x, and no more");
		return refuse("");
	}
	if (options.command != NULL)
		return hostkey_cmd(&options);
	if (options.expire)
		return expire();
	if (session_make_room(&session) == -1) {
		snprintf(options.error, sizeof(options.error), "memory for a session: %s",
		    strerror(errno));
		return refuse("421 4.3.2 No memory here");
	}
	if (backend_check(&backend, argv + optind, &options.settings) == -1)
		return refuse_mailer();
	if (options_may_become(&options) == -1)
		return refuse("421 4.3.5 Bad settings here");
	if (options.test)
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
