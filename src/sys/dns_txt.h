/*
 * TXT records (RFC 1035 section 3.3.14) of a DNS answer.  No look-ups here.
 */
#ifndef SYS_DNS_TXT_H
#define SYS_DNS_TXT_H

#include "sys/dns.h"

/*
 * Reads the next TXT record of `name` from `reader` (dns_open() before): its strings, joined, go to
 * `text` of `size` octets, and their length to `*len`.  `*len` is `size` + 1 if they do not fit or
 * the record is malformed, and `text` is undefined then.  False after the last record.
 */
bool dns_txt_next(struct dns_reader *reader, const char *name, uint8_t *text, size_t size,
    size_t *len);

#endif
