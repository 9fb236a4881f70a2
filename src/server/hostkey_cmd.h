/*
 * This host's own key, a file beside the settings (sys/private_file.h): `blackponyd -k`, and the
 * statements that a session makes with it.
 */
#ifndef SERVER_HOSTKEY_CMD_H
#define SERVER_HOSTKEY_CMD_H

#include "cli/options.h"
#include "store/hostkey_cache.h"

/*
 * Runs p->command: new makes a key and its certificate, show prints the key and the TLSA record,
 * next announces a successor, change puts the successor in its place.  Returns the exit status.
 */
int hostkey_cmd(struct options *p);

/*
 * For -t, as the settings' user: prints the host key that a session would use.  0, or -1 if there
 * is one that cannot be used.
 */
int hostkey_cmd_test(const struct options *p);

/*
 * The host key that a session signs with, and its statements: the EHLO reply lines from `XCRYPT-`
 * on.
 */
struct hostkey_statements {
	struct hostkey host;
	uint8_t next_public[HOSTKEY_PUBLIC_LEN];
	bool has_host, has_next;
	char id[HOSTKEY_STATEMENT_MAX], next[HOSTKEY_STATEMENT_MAX];
	size_t id_len, next_len;	/* 0: no such statement */
};

/*
 * Reads the host key and its successor.  A file that cannot be used is logged and ignored.  To be
 * called before root is dropped, so that the files may be readable by root only.
 */
void hostkey_cmd_read(const struct options *p, struct hostkey_statements *said);

/* Signs the statements, once the session is encrypted, and wipes the host key. */
void hostkey_cmd_sign(struct key_cache *cache, struct hostkey_statements *said);

/* Wipes the host key and keeps the statements. */
void hostkey_cmd_forget(struct hostkey_statements *said);

#endif
