/*
 * blackpony: delivers mail to another host for the local MTA, encrypted where that host can.
 *
 * Without recipients it speaks SMTP on standard input and output; with recipients it takes a
 * message on standard input and answers with its exit status.  Descriptor 2 may be the dialogue
 * itself: nothing is printed there before options_read() has looked.
 */
#include "base/clock.h"
#include "client/deliver_main.h"
#include "client/known_hosts_cmd.h"
#include "client/test_report.h"
#include "client/transparent_main.h"
#include "sys/fd.h"
#include "sys/ids.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct client client;

static int
wrong_usage(void)
{
	return client_complain(&client, "4.3.5");
}

static int
fail(const char *what, const char *why)
{
	snprintf(client.options.error, sizeof(client.options.error), "%s: %s", what, why);
	return wrong_usage();
}

/* Sends, or tests with -t.  `operands`: the destination, and the recipients if there are any. */
static int
run(char *operands[], size_t count)
{
	if (client.options.test)
		return test_report(&client, operands[0]);
	if (count > 1)
		return deliver_main(&client, operands[0], operands + 1, count - 1);
	return transparent_main(&client, operands[0]);
}

static int
prepare_and_run(char *operands[], size_t count)
{
	struct options *o = &client.options;

	if (session_make_room(&client.session) < 0)
		return fail("memory for a session", strerror(errno));
	/* both programs share one cache, and so one identity */
	if (options_become(o) < 0)
		return wrong_usage();
	if (o->test)
		options_print_jail();
	if (options_check_jail(o) < 0)
		return client_complain(&client, "4.3.0");
	if (!o->test)
		kept_find(&client.kept, o, operands[0], client.caller_uid, count > 1);
	int code = run(operands, count);
	if (client.holder.active)
		holder_run(&client, code);
	kept_leave(&client.kept);
	client_wipe(&client);
	return code;
}

int
main(int argc, char *argv[])
{
	struct options *o = &client.options;
	const char *why;

	o->name = "blackpony";
	client.begun_ms = clock_ms();
	client.attempt.outside.fd = client.attempt.report.fd = -1;
	client.kept.lane_fd = client.holder.client_fd = -1;
	/* a run that hands its message over opens neither */
	store_none(&client.cache.store);
	store_none(&client.known_hosts.store);
	client.in_fd = STDIN_FILENO;
	client.out_fd = STDOUT_FILENO;
	client.caller_uid = getuid();
	/* before anything is read that another user may have written */
	bool dropped = ids_drop_leftovers(&why) == 0;
	bool started = options_read(o, argc, argv, "+:C:k:o:tvVf:") == 0;
	size_t count = (size_t)(argc - optind);

	fd_close_rest();
	options_open_log(o);
	client.session.limits = options_limits(&o->settings);
	client.smtp = count <= 1 && !o->test;
	if (!dropped)
		return fail("identity", why);
	if (!started)
		return wrong_usage();
	if (o->version) {
		options_print_version(o);
		return 0;
	}
	if (o->command != NULL)
		return known_hosts_cmd(o, argv + optind);
	if (count == 0 || (o->test && count > 1))
		return fail("usage", "blackpony [-tvV] [-C file] [-o name=value] [-f sender] [--] "
		    "host[:port] [recipient ...]");
	return prepare_and_run(argv + optind, count);
}
