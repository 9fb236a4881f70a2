#include "mailer.h"

#include "sys/dial.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

int
mailer_check(struct mailer *m, char *const argv[], const struct settings *settings)
{
	m->fd = -1;
	m->pid = 0;
	snprintf(m->text, sizeof(m->text), "%s", argv[0] != NULL ? argv[0] : settings->backend);
	if (argv[0] != NULL && settings->backend[0] != '\0')
		m->error = "there is a program and a backend setting; only one can be the mailer";
	else if (argv[0] == NULL && settings->backend[0] == '\0')
		m->error = "no mailer: give a program, or an address as the setting backend";
	else if (argv[0] != NULL)
		return 0;
	else if (settings->client_address == CLIENT_ADDRESS_AUTO)
		m->error = "client-address = auto cannot know what the mailer at an address takes: "
		    "say client-address = none, and make sure with -t that it does not relay";
	else
		return 0;
	errno = EINVAL;
	return -1;
}

/*
 * A mailer on loopback may relay for 127.0.0.1, which is the host's own.  It should know 127.0.0.25 as
 * nobody.
 */
static const struct address *
stranger_on_loopback(const struct address *to, struct address *from)
{
	if (address_family(to) != AF_INET || !address_is_loopback(to))
		return NULL;
	address_read(from, SPAN("127.0.0.25"), 0);
	return from;
}

int
mailer_open(struct mailer *m, char *const argv[], const struct settings *settings,
    const struct child_caller *caller)
{
	struct address to, from;

	if (mailer_check(m, argv, settings) == -1)
		return -1;
	if (argv[0] != NULL) {
		m->fd = child_start(argv, caller, &m->pid);
		m->error = "the program cannot be started";
	} else {
		dial_read_backend(&to, span_of(settings->backend));
		m->fd = dial(&to, stranger_on_loopback(&to, &from), settings->connect_timeout_ms);
		m->error = "it cannot be reached";
	}
	return m->fd == -1 ? -1 : 0;
}
