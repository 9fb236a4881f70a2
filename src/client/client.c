#include "client/client.h"

#include "base/clock.h"
#include "base/log.h"
#include "client/last_words.h"
#include "client/starttls.h"
#include "smtp/outcome.h"
#include "sys/fd.h"
#include "sys/resolver.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int
client_answer(struct client *c, int exit_code, const char *status, const char *text)
{
	const char *code = exit_code == EXIT_NO_HOST ? "554" : "421";
	uint8_t mem[1024];
	struct buf line;

	buf_init(&line, mem, sizeof(mem));
	if (c->smtp)
		buf_printf(&line, "%s %s %s%.800s\r\n", code, status, words_own(text), text);
	else
		buf_printf(&line, "%s %.800s\n", status, text);
	fd_write_all(c->out_fd, buf_peek(&line), c->session.limits.linger_ms);
	return exit_code;
}

int
client_complain(struct client *c, const char *status)
{
	options_complain(&c->options);
	return client_answer(c, EXIT_LATER, status, c->options.error);
}

/*
 * The DNS says that the host does not exist or takes no mail.  That costs the message, unless
 * something is known of the host: then the message waits.
 */
static int
no_such_host(struct client *c, const char *operand, const char *why, const char *status)
{
	uint8_t mem[LOG_LINE_MAX];
	char text[POLICY_TEXT_MAX + 210];
	struct buf line;
	enum outcome end = attempt_nowhere(&c->attempt, why);
	const char *said = c->attempt.check.verdict.text;
	bool has_command = strstr(said, POLICY_COMMAND) != NULL;

	buf_init(&line, mem, sizeof(mem));
	buf_put(&line, SPAN("look-up"));
	log_pair(&line, "to", span_of(operand));
	log_pair(&line, "error", span_of(c->attempt.targets.why));
	peer_check_log(&c->attempt.check, &line);
	if (end != OUTCOME_NONE)
		log_pair(&line, "end", span_of(outcome_row(end)->log));
	log_line(LOG_NOTICE, "%.*s", (int)buf_len(&line), (const char *)mem);
	if (end == OUTCOME_NONE)
		return client_answer(c, EXIT_NO_HOST, status, c->attempt.targets.why);
	/* a command names the host */
	snprintf(text, sizeof(text), "%.200s%s%s",
	    has_command ? "" : c->attempt.check.place.domain, has_command ? "" : " ", said);
	return client_answer(c, EXIT_LATER, outcome_row(end)->status, text);
}

/*
 * The process outside starts before any key is in memory.  It has no keys, and the session in the
 * jail gets what is known of the targets.
 */
static int
start_outside(struct client *c)
{
	if (attempt_prepare(&c->attempt) == 0) {
		options_open_key_cache(&c->options, &c->cache, &c->options.suites);
		key_cache_for_client(&c->cache);
		key_cache_leave_directory(&c->cache);
		return EXIT_SENT;
	}
	snprintf(c->options.error, sizeof(c->options.error),
	    "the process that dials cannot be started: %s", strerror(errno));
	return client_complain(c, "4.3.0");
}

static int
read_hosts(struct client *c, const char *operand)
{
	uint8_t mem[LOG_VALUE_MAX + 4];
	struct buf shown;
	const char *why;

	if (host_list_read(&c->hosts, span_of(operand), &why) == 0)
		return EXIT_SENT;
	/* escaped: the text becomes part of a reply, and must not end it early */
	buf_init(&shown, mem, sizeof(mem));
	log_escape(&shown, span_of(operand));
	snprintf(c->options.error, sizeof(c->options.error), "%.*s: %s", (int)buf_len(&shown),
	    (const char *)mem, why);
	return client_complain(c, "4.3.5");
}

bool
client_hand_over(struct client *c, const struct deliver_message *message, int in_fd,
    int64_t until_ms, int *exit_code)
{
	const int fds[HANDOVER_FDS] = { in_fd, STDOUT_FILENO };
	int64_t before_ms = clock_ms();
	bool done = c->kept.standing == KEPT_BURST &&
	    kept_hand_over(&c->kept, message, until_ms, fds, exit_code, &c->leftover);

	c->spent_ms += clock_ms() - before_ms;
	return done || holder_split(c, exit_code);
}

int
client_look_up(struct client *c, const char *operand)
{
	struct attempt *a = &c->attempt;
	int code = read_hosts(c, operand);

	if (code != EXIT_SENT)
		return code;
	bool off = strcmp(c->options.settings.known, "off") == 0;
	known_hosts_open(&c->known_hosts, off ? NULL : c->options.settings.known, clock_wall_s());
	c->settings.suites = &c->options.suites;
	a->options = &c->options;
	a->cache = &c->cache;
	a->known_hosts = &c->known_hosts;
	a->hosts = &c->hosts;
	a->deadline_ms = c->begun_ms + c->spent_ms + c->options.settings.dial_timeout_ms;
	resolver_use_dnssec(c->options.settings.dane);
	enum lookup found = mx_lookup(&a->targets, &c->hosts, a->deadline_ms);
	if (resolver_servers()->probed)
		log_line(LOG_NOTICE, "no name server of resolv.conf validates DNSSEC: TLSA records"
		    " are not used");
	/* also if there is no such domain: the message waits then, if an entry demands anything */
	if (found != LOOKUP_LATER)
		policy_map_ask(&a->map, &c->options.settings, &c->hosts, a->deadline_ms);
	switch (found) {
	case LOOKUP_FOUND:
		tls_report_prepare(&a->report, &c->options.settings, &c->hosts, a->deadline_ms);
		return start_outside(c);
	case LOOKUP_NO_DOMAIN:
		return no_such_host(c, operand, "no-such-domain", "5.1.2");
	case LOOKUP_NULL_MX:
		return no_such_host(c, operand, "null-mx", "5.1.10");
	default:
		log_line(LOG_NOTICE, "look-up to=%.200s error=%s", operand, a->targets.why);
		return client_answer(c, EXIT_LATER, "4.4.3", a->targets.why);
	}
}

/*
 * The host is decided on: no other call follows, and no key, ours or another host's, is needed
 * any more.
 */
static void
settle(void *client)
{
	struct client *c = client;

	attempt_settled(&c->attempt);
	handshake_settle(&c->attempt.client->handshake);
	if (c->attempt.client->handshake.owed)
		key_cache_settle(&c->cache);
	else
		key_cache_done(&c->cache);
	starttls_done();
}

/*
 * Called when the server's first record after one of ours has verified: stores the pre-shared
 * secret of a first meeting.  Nothing is stored after that.
 */
static void
proved(void *client)
{
	struct client *c = client;

	handshake_proved(&c->attempt.client->handshake);
	if (c->session.settled == NULL)
		key_cache_done(&c->cache);
}

void
client_prepare(struct client *c, struct machine machine, struct client_handshake *handshake,
    void (*connected)(void *machine, enum client_call call))
{
	struct session_limits limits = options_limits(&c->options.settings);

	session_start(&c->session, machine, &limits);
	if (c->holder.active)
		session_watch(&c->session, c->holder.client_fd, -1);
	c->machine = machine;
	c->session.settled = settle;
	c->session.settled_context = c;
	c->session.proved = proved;
	c->session.proved_context = c;
	c->session.tls_start = starttls_begin;
	if (c->attempt.report.fd >= 0)
		c->session.local_seen = tls_report_look;
	c->session.local_seen_context = &c->attempt.report;
	c->attempt.session = &c->session;
	c->attempt.client_settings = &c->settings;
	c->attempt.client = handshake;
	c->attempt.machine = machine.machine;
	c->attempt.connected = connected;
}

int
client_jail(struct client *c)
{
	return options_jail(&c->options, c->holder.active ? JAIL_KEEP : JAIL_CALL);
}

void
client_wipe(struct client *c)
{
	transparent_wipe(&c->transparent);
	deliver_wipe(&c->deliver);
	session_wipe(&c->session);
	key_cache_close(&c->cache);
	known_hosts_close(&c->known_hosts);
	tls_report_close(&c->attempt.report);
	attempt_settled(&c->attempt);
	starttls_done();
}
