/*
 * blackponyd's sessions: one client on descriptors 0 and 1, or the clients of a listening socket.
 */
#ifndef SERVER_SERVE_H
#define SERVER_SERVE_H

#include "cli/options.h"
#include "server/backend.h"
#include "server/hostkey_cmd.h"
#include "server/serve_tls.h"
#include "smtp/relay.h"

struct server {
	struct options options;
	struct session session;
	struct key_cache cache;
	struct relay relay;
	struct backend backend;
	struct hostkey_statements statements;
	struct serve_tls_files files;	/* the last member: most of it is not touched */
};

/*
 * Logs s->options.error.  A client gets `reply` (without CRLF), which says no more than it needs;
 * with -k, -t and -x there is no client.  Returns the exit status, 1.
 */
int server_refuse(struct server *s, const char *reply);

/* As server_refuse(), with s->backend's error. */
int server_refuse_backend(struct server *s);

/*
 * Serves the client on descriptors 0 and 1.  `argv` is the backend's program, or empty.  The exit
 * status.
 */
int serve(struct server *s, char *const argv[], bool by_hand);

/*
 * Serves the listening socket on descriptor 0, with one process a client, until it has been idle
 * for a minute.  The exit status of the process that it returns in.
 */
int serve_listener(struct server *s, char *const argv[]);

#endif
