/*
 * Connections kept for the next message: where they are found, and how a run of blackpony hands
 * its message to the process that holds one (client/holder.h).
 *
 * A connection serves only runs that are alike: the same destination, settings, user, way of
 * sending and known hosts.  A digest of all that is the key.  `kept` in the directory of the key
 * cache has four files, the lanes, for each value of the first ten bits of a key: four such
 * connections can be kept side by side.  A lane's file contains the key that used it last, and its
 * modification time says when.  A process locks the file while it uses the lane.  The lock tells a
 * connection in use from one that waits.  The holder listens on the lane's socket.
 */
#ifndef CLIENT_KEPT_H
#define CLIENT_KEPT_H

#include "cli/options.h"
#include "crypt/sha256.h"
#include "smtp/deliver.h"
#include "sys/handover.h"
#include "sys/spool.h"

#define KEPT_LANES 4
#define KEPT_STRINGS_MAX 65536	/* octets of sender and recipients; more are sent anew */
#define KEPT_SAID_MAX 65536	/* octets that a local MTA may have said */

enum kept_standing {
	KEPT_OFF,		/* switched off, or no lane can be used */
	KEPT_FIRST,		/* no run like this one within keep-open */
	KEPT_BURST		/* there was one: keep the connection, or use the kept one */
};

struct kept {
	enum kept_standing standing;
	int lane_fd;			/* locked; -1: KEPT_OFF */
	uid_t uid;
	uint8_t key[SHA256_LEN];
	char path[HANDOVER_PATH_MAX];	/* of the socket */
};

/* What is handed over, before the sender and the recipients, each with its NUL. */
struct kept_job {
	uint8_t key[SHA256_LEN];
	bool delivers;			/* one message; descriptors: message, standard output */
	bool eight_bit, utf8;		/* else SMTP; descriptors: standard input and output */
	uint32_t recipients;
	uint64_t length, octets;	/* struct deliver_message */
	int64_t until_ms;		/* clock_ms(); 0: none */
};

enum kept_word {
	KEPT_TAKEN,			/* the job: the descriptors are to follow, with an octet */
	KEPT_RESULT,			/* the job is done: `exit_code` */
	KEPT_ANEW			/* nothing of it was sent: a new connection is needed */
};

struct kept_answer {
	enum kept_word word;
	int exit_code;
	/* KEPT_ANEW without recipients: what the local MTA has said and was told, in this order */
	uint32_t said, told;
	uint32_t answered;		/* unless 0: it has got a reply to its MAIL */
};

struct kept_leftover {			/* the same */
	bool any, answered;
	size_t said, told;
	uint8_t octets[KEPT_SAID_MAX];
};

/*
 * Finds and locks a lane for mail to `operand`.  `caller` is the real user at the start,
 * `delivers` whether the recipients are arguments.  For use before anything is looked up.
 */
void kept_find(struct kept *k, const struct options *options, const char *operand, uid_t caller,
    bool delivers);

/* Whether a connection is kept at this moment, in use or not. */
bool kept_is_open(const struct options *options, const char *operand, uid_t caller, bool delivers);

/* Notes that the destination was called now; kept_leave() also unlocks the lane. */
void kept_touch(const struct kept *k);
void kept_leave(struct kept *k);

/*
 * Hands SMTP on `fds` (descriptors of standard input and output) or, with `message`, a message and
 * standard output to the holder, and waits for the result: true, with the exit code.  False: there
 * is no holder, or its connection was of no use; a new one is needed, and `*leftover` is what the
 * local MTA has said and was told.
 */
bool kept_hand_over(struct kept *k, const struct deliver_message *message, int64_t until_ms,
    const int fds[HANDOVER_FDS], int *exit_code, struct kept_leftover *leftover);

/* Waits for the result of a holder that has started; its exit code. */
int kept_await(int fd);

#endif
