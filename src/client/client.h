/*
 * What both ways of sending and -t share: the state of one run of blackpony, the look-up of the
 * destination, and the answer when nothing was sent.
 */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include "client/attempt.h"
#include "client/holder.h"
#include "client/kept.h"
#include "smtp/deliver.h"
#include "smtp/transparent.h"
#include "store/known_hosts.h"

struct client {
	struct options options;
	struct session session;
	struct key_cache cache;
	struct known_hosts known_hosts;
	struct host_list hosts;		/* as named in the arguments */
	struct client_settings settings;	/* of the handshake; set for each target */
	struct attempt attempt;
	struct transparent transparent;
	struct transparent_kept *transparent_kept;	/* NULL: not needed */
	struct deliver deliver;
	struct machine machine;		/* around which session and attempt are set up */
	struct kept kept;
	struct kept_leftover leftover;	/* of a kept connection that was of no use */
	struct holder holder;
	int in_fd, out_fd;		/* standard input and output of the local MTA */
	int64_t begun_ms;		/* clock_ms() at the start of the program */
	int64_t spent_ms;		/* before the look-up; not part of dial-timeout */
	bool smtp;			/* standard output is an SMTP dialogue */
	uid_t caller_uid;		/* real user ID at the start */
};

/*
 * Writes the answer for a run that ends here to standard output: an SMTP reply if c->smtp, else
 * one line.  `status` is an enhanced status code, `text` one line without it.  Returns
 * `exit_code`.
 */
int client_answer(struct client *c, int exit_code, const char *status, const char *text);

/*
 * As client_answer() with exit code EXIT_LATER and c->options.error, which goes to the log as
 * well.
 */
int client_complain(struct client *c, const char *status);

/*
 * If a connection to the destination is kept, hands `message` (NULL: SMTP) to its holder, with
 * in_fd and standard output; else splits off a holder, if that is due.  True, with the exit code:
 * another process has done the work.  False: to be done here.
 */
bool client_hand_over(struct client *c, const struct deliver_message *message, int in_fd,
    int64_t until_ms, int *exit_code);

/*
 * Looks up the destination `operand` and starts the process that dials (sys/outside.h).
 * EXIT_SENT, or the exit code after the answer has been given.
 */
int client_look_up(struct client *c, const char *operand);

/*
 * Sets up session and attempt around a machine.  `handshake` is the machine's, `connected` its
 * function for a new connection.
 */
void client_prepare(struct client *c, struct machine machine, struct client_handshake *handshake,
    void (*connected)(void *machine, enum client_call call));

/* Enters the jail.  0, or -1 with c->options.error. */
int client_jail(struct client *c);

/* Wipes keys and everything that went through. */
void client_wipe(struct client *c);

#endif
