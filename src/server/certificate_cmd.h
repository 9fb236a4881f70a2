/*
 * The certificate of blackponyd's STARTTLS as people see it: made for the host key, shown as a TLSA
 * record, renewed by the timer, and described by -t.
 */
#ifndef SERVER_CERTIFICATE_CMD_H
#define SERVER_CERTIFICATE_CMD_H

#include "server/serve_tls.h"
#include "sys/private_file.h"

/*
 * Makes the self-signed certificate of `key`, in place of one that exists.  0, or -1 with errno, or
 * with 0 in errno if it could not be computed.
 */
int certificate_cmd_make(const struct options *o, const struct private_file_place *place,
    const struct hostkey *key);

/* Whether there is one, usable or not. */
bool certificate_cmd_exists(const struct private_file_place *place);

/*
 * Prints the TLSA records of the certificate that a client gets, of the host key if the certificate
 * is of another one, and of the next host key (NULL: none).  Without a certificate that can be
 * used, says why no record may be published.
 */
void certificate_cmd_show(const struct options *o, const uint8_t *next_public);

/*
 * For the timer, as started: renews the certificate of the host key if there is one, and it ends
 * within a year or fits neither the key nor the host name.  0, or -1 with o->error.
 */
int certificate_cmd_renew(struct options *o);

/*
 * For -t: prints what a client would get after STARTTLS, from files that serve_tls_read() has read.
 * 0, or -1 if the settings name or want a certificate that cannot be used.
 */
int certificate_cmd_test(const struct options *o, const struct serve_tls_files *files);

#endif
