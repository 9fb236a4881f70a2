/*
 * Reaching the mailer behind blackponyd: a program started for the session, or an address.
 */
#ifndef MAILER_H
#define MAILER_H

#include "sys/child.h"
#include "sys/settings.h"

/* The two ends of the conversation; a socket is both. */
struct mailer {
	int fd;
	pid_t pid;		/* 0: not a program of ours */
	const char *error;	/* of the last call that failed: what to do about it */
	char text[256];		/* "/usr/sbin/sendmail" or "127.0.0.1:25", for the log */
};

/*
 * Checks that program (NULL-terminated, or argv[0] NULL for none) and settings go together.  0, or -1
 * with m->error.
 */
int mailer_check(struct mailer *m, char *const argv[], const struct settings *settings);

/* Reaches it for this caller.  0, or -1 with m->error (and errno). */
int mailer_open(struct mailer *m, char *const argv[], const struct settings *settings,
    const struct child_caller *caller);

#endif
