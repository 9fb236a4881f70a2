/*
 * Reaching the mailer behind blackponyd: a program started for the session, or an address; and telling
 * it who is calling, in one of the ways of the setting client-address.
 */
#ifndef SERVER_BACKEND_H
#define SERVER_BACKEND_H

#include "session/session.h"
#include "smtp/line.h"
#include "sys/child.h"
#include "sys/settings.h"

struct backend {
	int fd;
	pid_t pid;		/* 0: not a program of ours */
	bool greeted;		/* it had to be talked to already ... */
	struct reply greeting;	/* ... and this is what the client is to hear first */
	/* of the last call that failed: what to do about it, and errno if that says more, else 0 */
	const char *error;
	int error_number;
	char text[256];		/* "/usr/sbin/sendmail" or "127.0.0.1:25", for the log */
};

/*
 * Checks that program (NULL-terminated, or argv[0] NULL for none) and settings go together.  0, or -1
 * with b->error.
 */
int backend_check(struct backend *b, char *const argv[], const struct settings *settings);

/*
 * Reaches it for this caller, with the identity that we have, and reads nothing from it.  0, or -1 with b->error
 * and b->error_number.
 */
int backend_open(struct backend *b, char *const argv[], const struct settings *settings,
    const struct client_info *client);

/*
 * Tells it who is calling, where that is a dialogue (xclient): to be called when root has been given up.  `session`
 * is for that, and is free for use again afterwards.  0, or -1 with b->error.
 */
int backend_introduce(struct backend *b, const struct settings *settings,
    const struct client_info *client, struct session *session);

#endif
