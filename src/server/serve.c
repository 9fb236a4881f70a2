#include "server/serve.h"

#include "base/clock.h"
#include "base/log.h"
#include "cli/logline.h"
#include "server/identify.h"
#include "smtp/policy.h"
#include "store/meetings.h"
#include "sys/accept.h"
#include "sys/fd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define IDLE_MS 60000		/* then a listener without sessions exits */

int
server_refuse(struct server *s, const char *reply)
{
	const struct options *o = &s->options;
	uint8_t mem[512];
	struct buf line;

	options_complain(o);
	if (o->test || o->expire || o->command != NULL)
		return 1;
	buf_init(&line, mem, sizeof(mem));
	buf_printf(&line, "%s\r\n", reply);
	if (fd_kind(STDIN_FILENO) == FD_LISTENING)
		accept_refuse(STDIN_FILENO, buf_peek(&line));
	else
		fd_write_all(STDOUT_FILENO, buf_peek(&line), 2000);
	return 1;
}

int
server_refuse_backend(struct server *s)
{
	const struct backend *b = &s->backend;
	bool errno_says_why = b->error_number != 0;

	snprintf(s->options.error, sizeof(s->options.error), "mailer %s: %s%s%s",
	    b->text[0] != '\0' ? b->text : "-", b->error, errno_says_why ? ": " : "",
	    errno_says_why ? strerror(b->error_number) : "");
	return server_refuse(s, "421 4.3.0 The mail server here cannot be reached");
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
log_session(const struct server *s, const char *peer, uint16_t port, int64_t begun_ms,
    enum outcome end)
{
	const struct relay *r = &s->relay;
	uint8_t mem[LOG_LINE_MAX];
	struct buf line;

	buf_init(&line, mem, sizeof(mem));
	buf_printf(&line, "session client=%s:%u", peer[0] != '\0' ? peer : "[unknown]", port);
	log_pair(&line, "helo", span(r->said, r->said_len));
	log_pair(&line, "mailer", span_of(s->backend.text));
	logline_crypt(&line, &s->cache, &r->handshake,
	    r->crypt != CRYPT_ON ? "none" :
	    r->tls ? "starttls" : handshake_suite(&r->handshake)->name, r->why);
	if (r->tls)
		serve_tls_log(&line);
	if (r->crypt == CRYPT_ON)
		buf_printf(&line, " messages=%u", r->messages);
	logline_end(&line, &s->session, begun_ms, end);
	log_line(LOG_INFO, "%.*s", (int)buf_len(&line), (const char *)mem);
}

/* No handshake follows: no key, ours or another host's, is needed any more. */
static void
settle(void *server)
{
	struct server *s = server;

	handshake_settle(&s->relay.handshake);
	if (s->relay.handshake.owed)
		key_cache_settle(&s->cache);
	else
		key_cache_done(&s->cache);
	hostkey_cmd_forget(&s->statements);
	serve_tls_forget(&s->files);
}

/*
 * Called when the client's first record has verified: stores the pre-shared secret of a first
 * meeting, or marks it as used again.  Nothing is stored after that.
 */
static void
proved(void *server)
{
	struct server *s = server;

	handshake_proved(&s->relay.handshake);
	key_cache_done(&s->cache);
}

/* The host key statements for the EHLO reply in the encrypted session. */
static size_t
says(void *server, struct span lines[RELAY_SAYS_MAX], size_t *missing)
{
	struct server *s = server;
	struct hostkey_statements *said = &s->statements;
	size_t count = 0;

	hostkey_cmd_sign(&s->cache, said);
	*missing = 0;
	if (said->id_len > 0)
		lines[count++] = span(said->id, said->id_len);
	else
		*missing += HOSTKEY_ID_LINE_LEN;
	if (said->next_len > 0)
		lines[count++] = span(said->next, said->next_len);
	else
		*missing += HOSTKEY_NEXT_LINE_LEN;
	return count;
}

/* Relays between the client and the backend, from the client's first octet to the last. */
static void
relay_session(struct server *s, const struct client_info *client, const struct suite_list *suites,
    enum relay_starttls who)
{
	const struct settings *set = &s->options.settings;
	struct session_limits limits = options_limits(set);
	struct machine machine = { &s->relay, relay_step, relay_fault };
	char peer[RELAY_PEER_MAX];
	struct relay_settings settings = {
		.suites = suites,
		.encryption_required = policy_requires_encryption(set->policy),
		.starttls = who,
		.tls_name = serve_tls_name,
		.mark = set->mark,
		.hostname = set->hostname,
		.peer = peer,
		.says = says,
		.says_context = s,
	};
	int64_t begun = clock_ms();

	address_literal(&client->remote, peer);
	relay_start(&s->relay, &settings, key_cache_source(&s->cache));
	session_start(&s->session, machine, &limits);
	s->session.serving = true;
	s->session.tls_start = serve_tls_begin;
	s->session.settled = settle;
	s->session.settled_context = s;
	s->session.proved = proved;
	s->session.proved_context = s;
	s->session.by_hand = client->by_hand;
	session_wire(&s->session, STDIN_FILENO, STDOUT_FILENO);
	session_local(&s->session, s->backend.fd, s->backend.fd);
	if (s->backend.greeted)
		buf_put(&s->session.io.from_local, buf_peek(&s->backend.greeting.raw));
	enum outcome end = session_run(&s->session);
	log_session(s, peer, address_port(&client->remote), begun, end);
	relay_wipe(&s->relay);
	session_wipe(&s->session);
}

int
serve(struct server *s, char *const argv[], bool by_hand)
{
	struct client_info client = { .by_hand = by_hand };
	const struct settings *set = &s->options.settings;
	struct suite_list suites;
	enum relay_starttls who;
	int status = 0;

	if (identify(&client, set) < 0)
		return 1;
	/* as started, since sendmail needs root; its output is read without root */
	if (backend_open(&s->backend, argv, set, &client) < 0)
		return server_refuse_backend(s);
	hostkey_cmd_read(&s->options, &s->statements);
	serve_tls_read(&s->files, &s->options, &s->statements);
	if (options_become(&s->options) < 0)
		return server_refuse(s, "421 4.3.5 System incorrectly configured");
	suites = policy_suites(set->policy, &s->options.suites);
	suite_list_fast_first(&suites);
	options_open_key_cache(&s->options, &s->cache, &suites);
	meetings_set_client(&s->cache, &client.remote);
	key_cache_leave_directory(&s->cache);
	serve_tls_prepare(&s->files, &s->cache);
	fd_prepare(STDIN_FILENO);
	if (by_hand)
		fd_prepare(STDOUT_FILENO);
	if (options_jail(&s->options, JAIL_SESSION) < 0)
		status = server_refuse(s, "421 4.3.0 Service not available");
	else if (serve_tls_decide(&s->files, &s->options, &s->cache, &who) < 0)
		status = server_refuse(s, "421 4.7.0 TLS is not available");
	else if (backend_introduce(&s->backend, set, &client, &s->session) < 0)
		status = server_refuse_backend(s);
	else
		relay_session(s, &client, &suites, who);
	key_cache_close(&s->cache);
	hostkey_cmd_forget(&s->statements);
	serve_tls_forget(&s->files);
	return status;
}

int
serve_listener(struct server *s, char *const argv[])
{
	/* 1 and 2 may be the listening socket as well: neither we nor a backend may write there */
	for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++)
		if (fd_same(fd, STDIN_FILENO))
			close(fd);
	fd_fill_standard();
	switch (accept_loop(STDIN_FILENO, &s->options.settings, IDLE_MS)) {
	case ACCEPT_CLIENT:
		/* syslogd may have been restarted, and the jail allows no new connection */
		options_open_log(&s->options);
		return serve(s, argv, false);
	case ACCEPT_DONE:
		return 0;
	case ACCEPT_BROKEN:
		break;
	}
	snprintf(s->options.error, sizeof(s->options.error),
	    "descriptor 0: cannot accept connections: %s", strerror(errno));
	options_complain(&s->options);
	return 1;
}
