#include "server/self_test.h"

#include "server/certificate_cmd.h"
#include "server/tlsa_test.h"
#include "smtp/dialog.h"
#include "smtp/outcome.h"
#include "smtp/probe.h"
#include "sys/dial.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Asks the backend, which is connected, to relay for `stranger`.  The exit status. */
static int
probe_as(struct server *s, struct span stranger, const struct client_info *client)
{
	const struct settings *set = &s->options.settings;
	struct session_limits limits = options_limits(set);
	static struct probe probe;
	struct machine machine = { &probe, probe_step, dialog_fault };

	if (backend_introduce(&s->backend, set, client, &s->session) < 0)
		return server_refuse_backend(s);
	probe_start(&probe, set->hostname);
	session_start(&s->session, machine, &limits);
	session_wire(&s->session, s->backend.fd, s->backend.fd);
	session_local(&s->session, -1, -1);
	if (s->backend.greeted)
		buf_put(&s->session.io.from_wire, buf_peek(&s->backend.greeting.raw));
	enum outcome end = session_run(&s->session);
	if (end != OUTCOME_DONE) {
		printf("mailer: %s: %s\n", s->backend.text, outcome_row(end)->text);
		return 1;
	}
	printf("a stranger's mail to a foreign domain, from %.*s: %s (%s)\n", (int)stranger.len,
	    (const char *)stranger.at,
	    probe.relays ? "ACCEPTED, this would be an open relay" : "refused", probe.said);
	return probe.relays ? 1 : 0;
}

/*
 * Opens the backend for `stranger` and probes it in a child process, which reads the backend's
 * replies as the settings' user.  This process keeps its identity and can start the next backend
 * as root.  The exit status.
 */
static int
ask_as(struct server *s, struct span stranger, char *const argv[])
{
	struct client_info client = { .by_hand = false };
	int status = 1;

	address_read(&client.remote, stranger, 40025);
	bool six = address_family(&client.remote) == AF_INET6;
	address_read(&client.local, six ? SPAN("2001:db8::25") : SPAN("192.0.2.25"), 25);
	if (backend_open(&s->backend, argv, &s->options.settings, &client) < 0)
		return server_refuse_backend(s);
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		status = options_become(&s->options) < 0 ? server_refuse(s, "") :
		    probe_as(s, stranger, &client);
		fflush(stdout);
		_exit(status);
	}
	close(s->backend.fd);
	if (pid < 0) {
		snprintf(s->options.error, sizeof(s->options.error),
		    "cannot fork to ask the mailer: %s", strerror(errno));
		return server_refuse(s, "");
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/*
 * Does the backend relay for strangers?  Asked from two networks: the access map for sendmail in
 * Debian rejects 192.0.2.0/24 whatever it does with others.
 */
static int
ask(struct server *s, char *const argv[])
{
	const struct settings *set = &s->options.settings;
	struct address to;

	/* the backend sees the client's address, which has to be of its family */
	if (set->client_address == CLIENT_ADDRESS_TRANSPARENT &&
	    dial_read_backend(&to, span_of(set->backend)) == 0 && address_family(&to) == AF_INET6)
		return ask_as(s, SPAN("2001:db8::1"), argv);
	int first = ask_as(s, SPAN("192.0.2.1"), argv);
	if (first != 0)
		return first;
	return ask_as(s, SPAN("203.0.113.1"), argv);
}

int
self_test(struct server *s, char *const argv[])
{
	const struct settings *set = &s->options.settings;

	printf("settings: good\n");
	fflush(stdout);
	options_print_jail();
	if (options_check_jail(&s->options) < 0)
		return server_refuse(s, "");
	int status = ask(s, argv);
	if (status != 0)
		return status;
	hostkey_cmd_read(&s->options, &s->statements);
	serve_tls_read(&s->files, &s->options, &s->statements);
	if (options_become(&s->options) < 0)
		return server_refuse(s, "");
	options_open_key_cache(&s->options, &s->cache, &s->options.suites);
	if (!s->cache.stored && strcmp(set->cache, "off") != 0)
		printf(
		    "cache: %s: cannot be used, so each connection takes a public-key "
		    "operation; see the log\n",
		    set->cache);
	key_cache_close(&s->cache);
	if (hostkey_cmd_test(&s->options) < 0)
		status = 1;
	if (certificate_cmd_test(&s->options, &s->files) < 0)
		status = 1;
	if (tlsa_test(&s->options, &s->files, &s->statements) < 0)
		status = 1;
	serve_tls_forget(&s->files);
	hostkey_cmd_forget(&s->statements);
	return status;
}
