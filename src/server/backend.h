/*
 * Connects to the backend of blackponyd, a program started for the session or a server at an
 * address, and tells it who is calling, in the way of the setting client-address.
 */
#ifndef SERVER_BACKEND_H
#define SERVER_BACKEND_H

#include "session/session.h"
#include "smtp/reply.h"
#include "sys/child.h"
#include "sys/settings.h"

struct backend {
	int fd;
	pid_t pid;		/* of the program; 0: a server */
	bool greeted;		/* its greeting has been read, into `greeting`, ... */
	struct reply greeting;	/* ... and is still to be sent to the client */
	/* of the last function that failed: a text, and errno if that explains it, else 0 */
	const char *error;
	int error_number;
	char text[256];		/* "/usr/sbin/sendmail" or "127.0.0.1:25", for the log */
};

/*
 * Checks that the program (`argv` NULL-terminated, argv[0] NULL for none) and the settings go
 * together.  0, or -1 with b->error.
 */
int backend_check(struct backend *b, char *const argv[], const struct settings *settings);

/*
 * Starts the program or connects to the server, for this client and with the present identity.
 * Reads nothing from it.  0, or -1 with b->error and b->error_number.
 */
int backend_open(struct backend *b, char *const argv[], const struct settings *settings,
    const struct client_info *client);

/*
 * With client-address = xclient, tells the backend who is calling, and keeps its greeting.  For
 * use after root has been given up, because it reads replies.  `session` is used for that, and
 * free again afterwards.  0, or -1 with b->error.
 */
int backend_introduce(struct backend *b, const struct settings *settings,
    const struct client_info *client, struct session *session);

#endif
