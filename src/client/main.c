/*
 * blackpony: calls another host for the mailer here, and encrypts where that host can.
 *
 * Without recipients it speaks SMTP on standard input and output; with recipients it takes a message
 * on standard input and answers with its exit status.  Standard error may be the dialogue itself.
 */
#include "base/clock.h"
#include "base/log.h"
#include "store/known_hosts.h"
#include "client/attempt.h"
#include "client/envelope.h"
#include "client/test_report.h"
#include "client/known_hosts_cmd.h"
#include "smtp/transparent.h"
#include "smtp/deliver.h"
#include "smtp/outcome.h"
#include "smtp/mailbox.h"
#include "client/starttls.h"
#include "sys/ids.h"
#include "sys/spool.h"
#include "client/last_words.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct program program = { .name = "blackpony" };
static struct session session;
static struct ring ring;
static struct memory memory;
static struct host_list hosts;
static struct opening_settings opening_settings = { .suites = &program.suites };
static struct call call;
static struct caller caller;
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
	char text[TRUST_TEXT_MAX + 210];
	struct buf line;
	enum ending end = call_nowhere(&call, why);
	const char *said = call.judge.trust.text;

	buf_init(&line, mem, sizeof(mem));
	buf_put(&line, SPAN("look-up"));
	log_pair(&line, "to", span_of(operand));
	log_pair(&line, "error", span_of(call.targets.why));
	judge_log(&call.judge, &line);
	if (end != END_NONE)
		log_pair(&line, "end", span_of(ending_row(end)->log));
	log_line(LOG_NOTICE, "%.*s", (int)buf_len(&line), (const char *)mem);
	if (end == END_NONE)
		return answer(EXIT_NO_HOST, status, call.targets.why);
	/* a command names the host */
	snprintf(text, sizeof(text), "%.200s%s%s", strstr(said, TRUST_COMMAND) != NULL ? "" :
	    call.judge.place.domain, strstr(said, TRUST_COMMAND) != NULL ? "" : " ", said);
	return answer(EXIT_LATER, ending_row(end)->status, text);
}

/*
 * Before any key is in memory: the process outside has none, and the session in the jail has what it may know
 * of other hosts.
 */
static int
prepare_outside(void)
{
	if (call_prepare(&call) == 0) {
		program_open_ring(&program, &ring, &program.suites);
		ring_leave_directory(&ring);
		return EXIT_SENT;
	}
	snprintf(program.error, sizeof(program.error), "no process to dial: %s", strerror(errno));
	program_complain(&program);
	return answer(EXIT_LATER, "4.3.0", program.error);
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
		snprintf(program.error, sizeof(program.error), "%.*s: %s", (int)buf_len(&shown),
		    (const char *)mem, why);
		program_complain(&program);
		return answer(EXIT_LATER, "4.3.5", program.error);
	}
	call.program = &program;
	call.ring = &ring;
	call.memory = &memory;
	call.hosts = &hosts;
	call.deadline_ms = begun_ms + program.settings.dial_timeout_ms;
	enum lookup found = host_lookup(&call.targets, &hosts, call.deadline_ms);
	if (found == LOOKUP_FOUND)
		return prepare_outside();
	if (found == LOOKUP_NO_DOMAIN)
		return nowhere(operand, "no-such-domain", "5.1.2");
	if (found == LOOKUP_NULL_MX)
		return nowhere(operand, "null-mx", "5.1.10");
	log_line(LOG_NOTICE, "look-up to=%.200s error=%s", operand, call.targets.why);
	return answer(EXIT_LATER, "4.4.3", call.targets.why);
}

static int
in_no_jail(void)
{
	program_complain(&program);
	return answer(EXIT_LATER, "4.3.0", program.error);
}

static void
open_memory(void)
{
	bool off = strcmp(program.settings.known, "off") == 0;

	memory_open(&memory, off ? NULL : program.settings.known, clock_wall_s());
}

/* What only a session needs to know. */
static void
wipe_everything(void)
{
	caller_wipe(&caller);
	deliver_wipe(&deliver);
	session_wipe(&session);
	ring_close(&ring);
	memory_close(&memory);
	call_settled(&call);
	starttls_done();
}

/* The host is decided on: nobody else is called, and no key of ours, or of others, is needed any more. */
static void
settle(void)
{
	call_settled(&call);
	ring_done(&ring);
	agreement_wipe(&call.opening->handshake.agreement);
	starttls_done();
}

/* What both ways of sending share. */
static void
prepare_call(struct machine machine, struct opening *opening,
    void (*connected)(void *, bool))
{
	struct session_limits limits = program_limits(&program.settings);

	session_start(&session, machine, &limits);
	call.session = &session;
	call.opening_settings = &opening_settings;
	call.opening = opening;
	call.machine = machine.machine;
	call.connected = connected;
	session.settled = settle;
	session.tls_start = starttls_begin;
}

static void
caller_connects(void *machine, bool plain)
{
	caller_connected(machine, plain);
}

/* The mailer gets its last word where it is waiting for one. */
static void
last_word(enum ending end)
{
	uint8_t mem[1024];
	struct buf out;
	char text[WORDS_REPLY_MAX];

	words_reply(text, &call, end);
	buf_init(&out, mem, sizeof(mem));
	caller_give_up(&caller, &out, text);
	fd_write_all(STDOUT_FILENO, buf_peek(&out), session.limits.linger_ms);
}

/* SMTP on standard input and output. */
static int
speak(void)
{
	struct machine machine = { &caller, caller_step, caller_fault };

	caller_start(&caller, &opening_settings, ring_source(&ring));
	prepare_call(machine, &caller.opening, caller_connects);
	fd_prepare(STDIN_FILENO);
	fd_prepare(STDOUT_FILENO);
	session_local(&session, STDIN_FILENO, STDOUT_FILENO);
	if (call_may_need_tls(&call))
		starttls_prepare();
	if (program_jail(&program, JAIL_CALL) == -1)
		return in_no_jail();
	enum ending end = call_run(&call);
	last_word(end);
	return end == END_DONE ? EXIT_SENT : EXIT_LATER;
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
	snprintf(sender, sizeof(sender), "%.64s@%s", entry->pw_name, program.settings.hostname);
	return sender;
}

/* The outcome on standard output, and as an exit status. */
static int
report(enum ending end)
{
	const struct ending_row *row = ending_row(end);
	struct span text = span_from(span_of(deliver.text), 4);
	char line[DELIVER_TEXT_MAX + 64], status[13];
	int code = row->exit_code;

	ending_status(status, deliver.code, text);
	switch (end) {
	case END_REFUSED_FOR_GOOD:
		code = ending_refusal_exit(deliver.code, text, deliver.to_rcpt);
		return answer(code, status, deliver.text);
	case END_REFUSED_LATER:
		if (deliver.code < 400)
			return answer(code, row->status, deliver.text);
		if (deliver.code < 500)
			return answer(code, status, deliver.text);
		snprintf(line, sizeof(line), "%s: %s", deliver.waits != NULL ? deliver.waits :
		    row->text, deliver.text);
		return answer(code, row->status, line);
	case END_SENT:
		return answer(code, status, deliver.text);
	default:
		if (call.greeting.code != 0 &&
		    (end == END_GREETED_LATER || end == END_GREETED_NEVER)) {
			char said[301];

			span_printable(said, sizeof(said), reply_last_line(&call.greeting));
			snprintf(line, sizeof(line), "%.200s said: %s", call.told->name, said);
			return answer(code, row->status, line);
		}
		return answer(code, row->status, words_why(&call, end));
	}
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

	message.sender = program.sender != NULL ? program.sender : default_sender();
	if (strcmp(message.sender, "<>") == 0)
		message.sender = "";
	code = envelope_prepare(&message, recipients, &status, program.error, sizeof(program.error));
	if (code != EXIT_SENT) {
		program_complain(&program);
		return answer(code, status, program.error);
	}
	if (spool_open(&spool, STDIN_FILENO) == -1) {
		snprintf(program.error, sizeof(program.error), "the message cannot be read or kept: %s",
		    strerror(errno));
		program_complain(&program);
		return answer(EXIT_LATER, "4.3.1", program.error);
	}
	message.length = spool.length;
	message.octets = spool.octets;
	message.eight_bit = spool.eight_bit;

	deliver_start(&deliver, &opening_settings, &message, ring_source(&ring),
	    program.settings.hostname);
	prepare_call(machine, &deliver.opening, deliver_connects);
	session_local(&session, spool.fd, -1);
	/* the mailer that waits for our exit status has its own limit, and may bounce the message then */
	session.until_ms = begun_ms + program.settings.message_timeout_ms;
	call.delivers = true;
	if (call_may_need_tls(&call))
		starttls_prepare();
	code = program_jail(&program, JAIL_CALL) == 0 ? report(call_run(&call)) : in_no_jail();
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
	uint8_t mem[FOUND_MAX];
	struct buf out;
	int code;

	code = look_up(operand);
	lookup_ms = clock_ms() - begun_ms;
	if (code != EXIT_SENT)
		return EXIT_LATER;
	deliver_start(&deliver, &opening_settings, &nothing, ring_source(&ring),
	    program.settings.hostname);
	prepare_call(machine, &deliver.opening, deliver_connects);
	session_local(&session, -1, -1);
	call.delivers = true;
	starttls_prepare();
	if (program_jail(&program, JAIL_CALL) == -1)
		return in_no_jail();
	enum ending end = call_run(&call);
	/* stdio would ask of standard output what the jail does not tell */
	buf_init(&out, mem, sizeof(mem));
	if (end == END_NOT_REACHED) {
		buf_printf(&out, "not reached: %s\n", call.why);
		code = EXIT_LATER;
	} else {
		found_put(&out, &call, lookup_ms);
		if (end != END_DONE)
			buf_printf(&out, "ended: %s\n", words_why(&call, end));
		code = end == END_TRUST ? EXIT_LATER : deliver.opening.encrypted ? 0 :
		    end == END_DONE ? 1 : EXIT_LATER;
	}
	fd_write_all(STDOUT_FILENO, buf_peek(&out), session.limits.linger_ms);
	deliver_wipe(&deliver);
	return code;
}

static int
wrong_usage(void)
{
	program_complain(&program);
	return answer(EXIT_LATER, "4.3.5", program.error);
}

int
main(int argc, char *argv[])
{
	const char *why;
	int code;

	begun_ms = clock_ms();
	call.outside.fd = -1;
	who_called = getuid();
	/* before anything is read that somebody else could have written */
	bool dropped = ids_drop_leftovers(&why) == 0;
	bool started = program_start(&program, argc, argv, "+:C:k:o:tvVf:") == 0;

	fd_close_rest();
	program_log(&program);
	session.limits = program_limits(&program.settings);
	/* an answer to people is one without a mailer's code */
	has_recipients = argc - optind > 1 || program.test;
	if (!dropped) {
		snprintf(program.error, sizeof(program.error), "identity: %s", why);
		return wrong_usage();
	}
	if (!started)
		return wrong_usage();
	if (program.version) {
		program_print_version(&program);
		return 0;
	}
	if (program.command != NULL)
		return knowns_run(&program, argv + optind);
	if (argc == optind || (program.test && argc - optind > 1)) {
		snprintf(program.error, sizeof(program.error), "usage: blackpony [-tvV] [-C file] "
		    "[-o name=value] [-f sender] [--] host[:port] [recipient ...]");
		return wrong_usage();
	}
	if (session_make_room(&session) == -1) {
		snprintf(program.error, sizeof(program.error), "memory for a session: %s", strerror(errno));
		return wrong_usage();
	}
	/* both programs share one cache, and so one identity */
	if (program_become(&program) == -1)
		return wrong_usage();
	open_memory();
	if (program.test) {
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
