/*
 * blackponyd: stands between a client and the backend, offers encryption, and changes nothing
 * else.
 *
 * Under a super-server, descriptors 0, 1 and often 2 are the client's socket: nothing is printed
 * there that is not SMTP.
 */
#include "server/certificate_cmd.h"
#include "server/self_test.h"
#include "sys/fd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct server server;

/* -x, for a timer. */
static int
expire(void)
{
	struct options *o = &server.options;
	struct key_cache_settings settings = options_key_cache(o, &o->suites);

	/* as started: root may own the directory of the settings */
	int renewed = certificate_cmd_renew(o);
	if (renewed < 0)
		options_complain(o);
	if (options_become(o) < 0)
		return server_refuse(&server, "");
	if (settings.directory == NULL || key_cache_expire(&settings) == 0)
		return renewed < 0 ? 1 : 0;
	snprintf(o->error, sizeof(o->error), "cache %s: cannot be renewed; see the log",
	    settings.directory);
	return server_refuse(&server, "");
}

/* -k and -x, which take no operands. */
static int
run_command(char *const operands[])
{
	struct options *o = &server.options;

	if (operands[0] != NULL) {
		snprintf(o->error, sizeof(o->error),
		    "usage: blackponyd -k new | show | next | change, or blackponyd -x");
		return server_refuse(&server, "");
	}
	return o->command != NULL ? hostkey_cmd(o) : expire();
}

/* Serves, or tests with -t.  `argv` is the backend's program, or empty. */
static int
run(char *const argv[])
{
	struct options *o = &server.options;

	if (session_make_room(&server.session) < 0) {
		snprintf(o->error, sizeof(o->error), "memory for a session: %s", strerror(errno));
		return server_refuse(&server, "421 4.3.2 Out of memory");
	}
	if (backend_check(&server.backend, argv, &o->settings) < 0)
		return server_refuse_backend(&server);
	if (options_may_become(o) < 0)
		return server_refuse(&server, "421 4.3.5 System incorrectly configured");
	if (o->test)
		return self_test(&server, argv);
	if (options_check_jail(o) < 0)
		return server_refuse(&server, "421 4.3.0 Service not available");
	switch (fd_kind(STDIN_FILENO)) {
	case FD_CONNECTED:
		return serve(&server, argv, false);
	case FD_LISTENING:
		return serve_listener(&server, argv);
	case FD_OTHER:
		break;
	}
	return serve(&server, argv, true);
}

int
main(int argc, char *argv[])
{
	struct options *o = &server.options;

	o->name = "blackponyd";
	bool started = options_read(o, argc, argv, "+:C:k:o:tvVx") == 0;
	fd_close_rest();
	options_open_log(o);
	if (!started)
		return server_refuse(&server, "421 4.3.5 System incorrectly configured");
	if (o->version) {
		options_print_version(o);
		return 0;
	}
	if (o->command != NULL || o->expire)
		return run_command(argv + optind);
	return run(argv + optind);
}
