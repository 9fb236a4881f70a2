/*
 * blackponyd's STARTTLS: the files of the certificate, whether it is offered, and TLS as the layer
 * of a session.
 */
#ifndef SERVER_SERVE_TLS_H
#define SERVER_SERVE_TLS_H

#include "cli/options.h"
#include "crypt/certificate.h"
#include "crypt/layer.h"
#include "server/hostkey_cmd.h"
#include "smtp/relay.h"

#define SERVE_TLS_CHAIN_MAX 65536	/* octets of a chain, with a NUL */
#define SERVE_TLS_KEY_MAX 32768		/* octets of a private key, likewise */
#define SERVE_TLS_WARN_DAYS 14		/* a warning is logged when less is left */

struct serve_tls_files {
	bool found;		/* both could be read */
	bool own;		/* self-signed, of the host key */
	const char *path;	/* the file that cannot be read, or NULL: no file is named */
	const char *why;	/* why not */
	size_t chain_len, key_len;	/* with the NUL of PEM */
	uint8_t chain[SERVE_TLS_CHAIN_MAX], key[SERVE_TLS_KEY_MAX];
};

/*
 * Reads the files that the settings name, else the certificate of the host key, which `said` has.
 * Parses nothing.  For use as started: a file of root's is read by root.
 */
void serve_tls_read(struct serve_tls_files *files, const struct options *o,
    const struct hostkey_statements *said);

/* Parses the two files.  CERTIFICATE_GOOD also says that they belong together. */
enum certificate_fault serve_tls_open(struct certificate *c, const struct serve_tls_files *files);

/* Wipes the private key, and from then on there is no certificate. */
void serve_tls_forget(struct serve_tls_files *files);

/*
 * Decides who answers STARTTLS, and logs once a day what is wrong with the certificate.  0, or -1
 * with o->error: the settings demand a usable certificate, and none was found.
 */
int serve_tls_decide(struct serve_tls_files *files, struct options *o, struct key_cache *cache,
    enum relay_starttls *who);

/* For serve_tls_begin(): what the next session uses.  Both must outlive it. */
void serve_tls_prepare(struct serve_tls_files *files, struct key_cache *cache);

/* session->tls_start: starts TLS as a server, and wipes files->key.  0, or -1. */
int serve_tls_begin(const char *unused, const struct layer **layer, void **state);

/*
 * Version and cipher suite of the session's TLS, "TLSv1.2 TLS-ECDHE-..."; valid until the next
 * call.
 */
const char *serve_tls_name(void *unused);

/* Appends " tls=... resumed=yes" to a log line. */
void serve_tls_log(struct buf *line);

#endif
