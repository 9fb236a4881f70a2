/*
 * blackpony: calls another host for the mailer here, and encrypts where that host can.
 *
 * Without recipients it speaks SMTP on standard input and output; with recipients it takes a message
 * on standard input and answers with its exit status.  Standard error may be the dialogue itself.
 */
#include "base/clock.h"
#include "base/log.h"
#include "client/attempt.h"
#include "client/envelope.h"
#include "client/known_hosts_cmd.h"
#include "client/last_words.h"
#include "client/starttls.h"
#include "client/test_report.h"
#include "smtp/deliver.h"
#include "smtp/mailbox.h"
#include "smtp/outcome.h"
#include "smtp/transparent.h"
#include "store/known_hosts.h"
#include "sys/fd.h"
#include "sys/ids.h"
#include "sys/spool.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct options options = { .name = "blackpony" };
static struct session session;
static struct key_cache cache;
static struct known_hosts known_hosts;
static struct host_list hosts;
static struct client_settings client_settings = { .suites = &options.suites };
static struct attempt attempt;
static struct transparent transparent;
static struct deliver deliver;
static int64_t begun_ms;
static bool has_recipients;
static uid_t who_called;

/* The answer when nothing came of it: a reply to the mailer, or the line for standard output. */
static int
answer(int exit_code, const char *status, const char *text)
{
	const char *code = exit_code == EXIT_NO_HOST ? "554" : "421";
	uint8_t mem[1024];
	struct buf line;

	buf_init(&line, mem, sizeof(mem));
	if (has_recipients)
		buf_printf(&line, "%s %.800s\n", status, text);
	else
		buf_printf(&line, "%s %s %s%.800s\r\n", code, status, words_own(text), text);
	fd_write_all(STDOUT_FILENO, buf_peek(&line), session.limits.linger_ms);
	return exit_code;
}

/* There is no such host, or it takes no mail: for good, unless mail waits for another word than the DNS's. */
static int
nowhere(const char *operand, const char *why, const char *status)
{
	uint8_t mem[LOG_LINE_MAX];
	char text[POLICY_TEXT_MAX + 210];
	struct buf line;
	enum outcome end = call_nowhere(&attempt, why);
	const char *said = attempt.check.verdict.text;

	buf_init(&line, mem, sizeof(mem));
	buf_put(&line, SPAN("look-up"));
	log_pair(&line, "to", span_of(operand));
	log_pair(&line, "error", span_of(attempt.targets.why));
	peer_check_log(&attempt.check, &line);
	if (end != OUTCOME_NONE)
		log_pair(&line, "end", span_of(outcome_row(end)->log));
	log_line(LOG_NOTICE, "%.*s", (int)buf_len(&line), (const char *)mem);
	if (end == OUTCOME_NONE)
		return answer(EXIT_NO_HOST, status, attempt.targets.why);
	/* a command names the host */
	snprintf(text, sizeof(text), "%.200s%s%s", strstr(said, POLICY_COMMAND) != NULL ? "" :
	    attempt.check.place.domain, strstr(said, POLICY_COMMAND) != NULL ? "" : " ", said);
	return answer(EXIT_LATER, outcome_row(end)->status, text);
}

/*
 * Before any key is in memory: the process outside has none, and the session in the jail has what it may know
 * of other hosts.
 */
static int
prepare_outside(void)
{
	if (call_prepare(&attempt) == 0) {
		options_open_key_cache(&options, &cache, &options.suites);
		key_cache_leave_directory(&cache);
		return EXIT_SENT;
	}
	snprintf(options.error, sizeof(options.error), "no process to dial: %s", strerror(errno));
	options_complain(&options);
	return answer(EXIT_LATER, "4.3.0", options.error);
}

static int
look_up(const char *operand)
{
	uint8_t mem[LOG_VALUE_MAX + 4];
	struct buf shown;
	const char *why;

	if (host_list_read(&hosts, span_of(operand), &why) == -1) {
		/* it goes into a reply: nothing in it may end that early */
		buf_init(&shown, mem, sizeof(mem));
		log_escape(&shown, span_of(operand));
		snprintf(options.error, sizeof(options.error), "%.*s: %s", (int)buf_len(&shown),
		    (const char *)mem, why);
		options_complain(&options);
		return answer(EXIT_LATER, "4.3.5", options.error);
	}
	attempt.options = &options;
	attempt.cache = &cache;
	attempt.known_hosts = &known_hosts;
	attempt.hosts = &hosts;
	attempt.deadline_ms = begun_ms + options.settings.dial_timeout_ms;
	enum lookup found = mx_lookup(&attempt.targets, &hosts, attempt.deadline_ms);
	if (found == LOOKUP_FOUND)
		return prepare_outside();
	if (found == LOOKUP_NO_DOMAIN)
		return nowhere(operand, "no-such-domain", "5.1.2");
	if (found == LOOKUP_NULL_MX)
		return nowhere(operand, "null-mx", "5.1.10");
	log_line(LOG_NOTICE, "look-up to=%.200s error=%s", operand, attempt.targets.why);
	return answer(EXIT_LATER, "4.4.3", attempt.targets.why);
}

static int
in_no_jail(void)
{
	options_complain(&options);
	return answer(EXIT_LATER, "4.3.0", options.error);
}

static void
open_known_hosts(void)
{
	bool off = strcmp(options.settings.known, "off") == 0;

	known_hosts_open(&known_hosts, off ? NULL : options.settings.known, clock_wall_s());
}

/* What only a session needs to know. */
static void
wipe_everything(void)
{
	transparent_wipe(&transparent);
	deliver_wipe(&deliver);
	session_wipe(&session);
	key_cache_close(&cache);
	known_hosts_close(&known_hosts);
	call_settled(&attempt);
	starttls_done();
}

/* The host is decided on: nobody else is called, and no key of ours, or of others, is needed any more. */
static void
settle(void)
{
	call_settled(&attempt);
	key_cache_done(&cache);
	agreement_wipe(&attempt.client->handshake.agreement);
	starttls_done();
}

/* What both ways of sending share. */
static void
prepare_call(struct machine machine, struct client_handshake *client,
    void (*connected)(void *, bool))
{
	struct session_limits limits = options_limits(&options.settings);

	session_start(&session, machine, &limits);
	attempt.session = &session;
	attempt.client_settings = &client_settings;
	attempt.client = client;
	attempt.machine = machine.machine;
	attempt.connected = connected;
	session.settled = settle;
	session.tls_start = starttls_begin;
}

static void
transparent_connects(void *machine, bool plain)
{
	transparent_connected(machine, plain);
}

/* The mailer gets its last word where it is waiting for one. */
static void
last_word(enum outcome end)
{
	uint8_t mem[1024];
	struct buf out;
	char text[WORDS_REPLY_MAX];

	words_reply(text, &attempt, end);
	buf_init(&out, mem, sizeof(mem));
	transparent_give_up(&transparent, &out, text);
	fd_write_all(STDOUT_FILENO, buf_peek(&out), session.limits.linger_ms);
}

/* SMTP on standard input and output. */
static int
speak(void)
{
	struct machine machine = { &transparent, transparent_step, transparent_fault };

	transparent_start(&transparent, &client_settings, key_cache_source(&cache));
	prepare_call(machine, &transparent.client, transparent_connects);
	fd_prepare(STDIN_FILENO);
	fd_prepare(STDOUT_FILENO);
	session_local(&session, STDIN_FILENO, STDOUT_FILENO);
	if (attempt_may_need_tls(&attempt))
		starttls_prepare();
	if (options_jail(&options, JAIL_CALL) == -1)
		return in_no_jail();
	enum outcome end = attempt_run(&attempt);
	last_word(end);
	return end == OUTCOME_DONE ? EXIT_SENT : EXIT_LATER;
}

static void
deliver_connects(void *machine, bool plain)
{
	deliver_connected(machine, plain);
}

/* Who sends, when nobody said: the user who calls us. */
static const char *
default_sender(void)
{
	static char sender[MAILBOX_MAX];
	const struct passwd *entry = getpwuid(who_called);

	if (entry == NULL)
		return "";
	snprintf(sender, sizeof(sender), "%.64s@%s", entry->pw_name, options.settings.hostname);
	return sender;
}

/* The outcome on standard output, and as an exit status. */
static int
report(enum outcome end)
{
	const struct outcome_row *row = outcome_row(end);
	struct span text = span_from(span_of(deliver.text), 4);
	char line[DELIVER_TEXT_MAX + 64], status[13];
	int code = row->exit_code;

	outcome_status(status, deliver.code, text);
	switch (end) {
	case OUTCOME_REFUSED_FOR_GOOD:
		code = outcome_refusal_exit(deliver.code, text, deliver.to_rcpt);
		return answer(code, status, deliver.text);
	case OUTCOME_REFUSED_LATER:
		if (deliver.code < 400)
			return answer(code, row->status, deliver.text);
		if (deliver.code < 500)
			return answer(code, status, deliver.text);
		snprintf(line, sizeof(line), "%s: %s", deliver.waits != NULL ? deliver.waits :
		    row->text, deliver.text);
		return answer(code, row->status, line);
	case OUTCOME_SENT:
		return answer(code, status, deliver.text);
	default:
		if (attempt.greeting.code != 0 &&
		    (end == OUTCOME_GREETED_LATER || end == OUTCOME_GREETED_NEVER)) {
			char said[301];

			span_printable(said, sizeof(said), reply_last_line(&attempt.greeting));
			snprintf(line, sizeof(line), "%.200s said: %s", attempt.alerted->name,
			    said);
			return answer(code, row->status, line);
		}
		return answer(code, row->status, words_why(&attempt, end));
	}
}

/* The message from standard input; EXIT_SENT, or what was answered. */
static int
read_message(struct spool *spool, int64_t until_ms)
{
	int64_t before_ms = clock_ms();

	if (spool_open(spool, STDIN_FILENO, until_ms) == 0) {
		/* dial-timeout does not count the time that the mailer took to write it */
		attempt.deadline_ms += clock_ms() - before_ms;
		return EXIT_SENT;
	}
	bool late = errno == ETIMEDOUT;
	if (late)
		snprintf(options.error, sizeof(options.error),
		    "standard input did not end within message-timeout");
	else
		snprintf(options.error, sizeof(options.error),
		    "the message cannot be read or kept: %s", strerror(errno));
	options_complain(&options);
	return answer(EXIT_LATER, late ? "4.3.0" : "4.3.1", options.error);
}

/* A message on standard input to the recipients in the arguments. */
static int
send_message(char *recipients[], size_t count)
{
	struct machine machine = { &deliver, deliver_step, deliver_fault };
	struct deliver_message message = { .recipients = recipients, .recipient_count = count };
	struct spool spool;
	const char *status;
	int code;

	message.sender = options.sender != NULL ? options.sender : default_sender();
	if (strcmp(message.sender, "<>") == 0)
		message.sender = "";
	code = envelope_prepare(&message, recipients, &status, options.error,
	    sizeof(options.error));
	/* where it was converted, its memory is as long-lived as the option's was */
	options.sender = message.sender;
	if (code != EXIT_SENT) {
		options_complain(&options);
		return answer(code, status, options.error);
	}
	/* the mailer that waits for our exit status has its own limit, and may bounce the message then */
	int64_t until_ms = begun_ms + options.settings.message_timeout_ms;
	code = read_message(&spool, until_ms);
	if (code != EXIT_SENT)
		return code;
	message.length = spool.length;
	message.octets = spool.octets;
	message.eight_bit = spool.eight_bit;

	deliver_start(&deliver, &client_settings, &message, key_cache_source(&cache),
	    options.settings.hostname);
	prepare_call(machine, &deliver.client, deliver_connects);
	session_local(&session, spool.fd, -1);
	session.until_ms = until_ms;
	attempt.delivers = true;
	if (attempt_may_need_tls(&attempt))
		starttls_prepare();
	code = options_jail(&options, JAIL_CALL) == 0 ? report(attempt_run(&attempt)) :
							in_no_jail();
	close(spool.fd);
	return code;
}

/* -t: opens as for a message, says what it found, and quits. */
static int
test(const char *operand)
{
	struct machine machine = { &deliver, deliver_step, deliver_fault };
	struct deliver_message nothing = { .sender = "" };
	int64_t lookup_ms;
	uint8_t mem[TEST_REPORT_MAX];
	struct buf out;
	int code;

	code = look_up(operand);
	lookup_ms = clock_ms() - begun_ms;
	if (code != EXIT_SENT)
		return EXIT_LATER;
	deliver_start(&deliver, &client_settings, &nothing, key_cache_source(&cache),
	    options.settings.hostname);
	prepare_call(machine, &deliver.client, deliver_connects);
	session_local(&session, -1, -1);
	attempt.delivers = true;
	starttls_prepare();
	if (options_jail(&options, JAIL_CALL) == -1)
		return in_no_jail();
	enum outcome end = attempt_run(&attempt);
	/* stdio would ask of standard output what the jail does not tell */
	buf_init(&out, mem, sizeof(mem));
	if (end == OUTCOME_NOT_REACHED) {
		buf_printf(&out, "not reached: %s\n", attempt.why);
		code = EXIT_LATER;
	} else {
		test_report_put(&out, &attempt, lookup_ms);
		if (end != OUTCOME_DONE)
			buf_printf(&out, "ended: %s\n", words_why(&attempt, end));
		code = end == OUTCOME_NOT_TRUSTED ? EXIT_LATER : deliver.client.encrypted ? 0 :
		    end == OUTCOME_DONE ? 1 : EXIT_LATER;
	}
	fd_write_all(STDOUT_FILENO, buf_peek(&out), session.limits.linger_ms);
	deliver_wipe(&deliver);
	return code;
}

static int
wrong_usage(void)
{
	options_complain(&options);
	return answer(EXIT_LATER, "4.3.5", options.error);
}

int
main(int argc, char *argv[])
{
	const char *why;
	int code;

	begun_ms = clock_ms();
	attempt.outside.fd = -1;
	who_called = getuid();
	/* before anything is read that somebody else could have written */
	bool dropped = ids_drop_leftovers(&why) == 0;
	bool started = options_read(&options, argc, argv, "+:C:k:o:tvVf:") == 0;

	fd_close_rest();
	options_open_log(&options);
	session.limits = options_limits(&options.settings);
	/* an answer to people is one without a mailer's code */
	has_recipients = argc - optind > 1 || options.test;
	if (!dropped) {
		snprintf(options.error, sizeof(options.error), "identity: %s", why);
		return wrong_usage();
	}
	if (!started)
		return wrong_usage();
	if (options.version) {
		options_print_version(&options);
		return 0;
	}
	if (options.command != NULL)
		return known_hosts_cmd(&options, argv + optind);
	if (argc == optind || (options.test && argc - optind > 1)) {
		snprintf(options.error, sizeof(options.error), "usage: blackpony [-tvV] [-C file] "
		    "[-o name=value] [-f sender] [--] host[:port] [recipient ...]");
		return wrong_usage();
	}
	if (session_make_room(&session) == -1) {
		snprintf(options.error, sizeof(options.error), "memory for a session: %s",
		    strerror(errno));
		return wrong_usage();
	}
	/* both programs share one cache, and so one identity */
	if (options_become(&options) == -1)
		return wrong_usage();
	open_known_hosts();
	if (options.test) {
		code = test(argv[optind]);
	} else {
		code = look_up(argv[optind]);
		if (code == EXIT_SENT && has_recipients)
			code = send_message(argv + optind + 1, (size_t)(argc - optind - 1));
		else if (code == EXIT_SENT)
			code = speak();
	}
	wipe_everything();
	return code;
}
