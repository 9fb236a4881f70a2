#include "server/certificate_cmd.h"

#include "base/clock.h"
#include "crypt/certificate_make.h"
#include "crypt/dane.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DAY_S 86400

static struct serve_tls_files files;	/* large, and for one command */

int
certificate_cmd_make(const struct options *o, const struct private_file_place *place,
    const struct hostkey *key)
{
	static char text[CERTIFICATE_MAKE_MAX];
	int len = certificate_make(text, key, o->settings.hostname, clock_wall_s());

	errno = 0;
	if (len < 0)
		return -1;
	return private_file_put(place, HOSTKEY_FILE_CERTIFICATE, span(text, (size_t)len));
}

bool
certificate_cmd_exists(const struct private_file_place *place)
{
	const char *why;
	ssize_t len = private_file_read(place, HOSTKEY_FILE_CERTIFICATE, files.chain,
	    sizeof(files.chain), &why);

	return len >= 0 || errno != ENOENT;
}

/* Reads and parses the files that a session would use, without their notes. */
static enum certificate_fault
open_files(struct certificate *c, const struct serve_tls_files *f)
{
	enum certificate_fault fault = serve_tls_open(c, f);

	return fault == CERTIFICATE_GOOD ? certificate_in_time(c, clock_wall_s()) : fault;
}

/* Reads the files of the certificate; `public` is that of the host key. */
static void
read_files(const struct options *o, uint8_t public[HOSTKEY_PUBLIC_LEN])
{
	struct hostkey_statements said;

	hostkey_cmd_read(o, &said);
	serve_tls_read(&files, o, &said);
	memcpy(public, said.host.public, HOSTKEY_PUBLIC_LEN);
	hostkey_cmd_forget(&said);
}

static void
print_tlsa(const char *before, const struct options *o, struct span spki)
{
	char text[DANE_RECORD_LEN];

	dane_put_record(text, spki);
	printf("%s_25._tcp.%s. IN TLSA %.*s\n", before, o->settings.hostname, (int)sizeof(text),
	    text);
}

static void
print_tlsa_of_key(const char *before, const struct options *o, const uint8_t *public)
{
	uint8_t spki[DANE_SPKI_LEN];

	dane_put_spki(spki, public);
	print_tlsa(before, o, span(spki, sizeof(spki)));
}

/* What keeps a session from offering STARTTLS with these files; NULL: nothing. */
static const char *
why_not(const struct options *o, struct certificate *c, const struct serve_tls_files *f)
{
	if (o->settings.starttls == STARTTLS_NOBODY)
		return "starttls = no";
	if (o->settings.starttls == STARTTLS_MAILER)
		return "starttls = mailer";
	if (!f->found)
		return f->why != NULL && f->path != NULL ? f->why : "there is no certificate";
	enum certificate_fault fault = open_files(c, f);
	return fault == CERTIFICATE_GOOD ? NULL : certificate_fault_text(fault);
}

void
certificate_cmd_show(const struct options *o, const uint8_t *next_public)
{
	uint8_t public[HOSTKEY_PUBLIC_LEN], spki[DANE_SPKI_LEN];
	struct certificate c;

	read_files(o, public);
	dane_put_spki(spki, public);
	certificate_init(&c);
	const char *why = why_not(o, &c, &files);
	if (why != NULL) {
		printf("; no TLSA record, which would keep other hosts from sending: %s\n", why);
	} else {
		print_tlsa("", o, certificate_spki(&c));
		if (!span_equal(certificate_spki(&c), span(spki, sizeof(spki)))) {
			printf("; and for XCRYPT, since the certificate is not the host key's:\n");
			print_tlsa_of_key("", o, public);
		}
		if (next_public != NULL)
			print_tlsa_of_key("next ", o, next_public);
	}
	certificate_close(&c);
	serve_tls_forget(&files);
}

/* Whether the timer leaves it as it is. */
static bool
is_fresh(const struct options *o)
{
	struct certificate c;

	certificate_init(&c);
	bool fresh = open_files(&c, &files) == CERTIFICATE_GOOD &&
	    certificate_until_s(&c) - clock_wall_s() > CERTIFICATE_RENEW_DAYS * DAY_S &&
	    certificate_fits(&c, o->settings.hostname);
	certificate_close(&c);
	return fresh;
}

int
certificate_cmd_renew(struct options *o)
{
	struct private_file_place place;
	struct hostkey_statements said;
	const char *why = "";
	int result = 0;

	if (o->settings.certificate[0] != '\0' ||
	    private_file_place(&place, o->settings_file, o->settings.user, &why) < 0)
		return 0;
	hostkey_cmd_read(o, &said);
	serve_tls_read(&files, o, &said);
	if (files.found && !is_fresh(o) && certificate_cmd_make(o, &place, &said.host) < 0) {
		snprintf(o->error, sizeof(o->error), "%.300s/%s: cannot be renewed: %s",
		    place.directory, HOSTKEY_FILE_CERTIFICATE,
		    errno != 0 ? strerror(errno) : "no memory, or not a key");
		result = -1;
	}
	hostkey_cmd_forget(&said);
	serve_tls_forget(&files);
	return result;
}

static void
describe(const struct options *o, struct certificate *c, const struct serve_tls_files *f)
{
	int64_t days = (certificate_until_s(c) - clock_wall_s()) / DAY_S;
	const char *name = o->settings.hostname;
	char mem[1024];
	struct buf text;

	buf_init(&text, mem, sizeof(mem));
	certificate_names(c, &text);
	printf("starttls: ours, with %s certificate for%.*s,", f->own ? "the host key's" : "the",
	    (int)buf_len(&text), (const char *)buf_peek(&text).at);
	buf_clear(&text);
	certificate_issuer(c, &text);
	printf(" issued by%.*s, %" PRId64 " days left\n", (int)buf_len(&text),
	    (const char *)buf_peek(&text).at, days);
	if (!certificate_fits(c, name))
		printf("starttls: WARNING: the certificate is not for %s\n", name);
	if (days < SERVE_TLS_WARN_DAYS)
		printf("starttls: WARNING: the certificate expires soon\n");
}

int
certificate_cmd_test(const struct options *o, const struct serve_tls_files *f)
{
	const struct settings *set = &o->settings;
	struct certificate c;
	int result = 0;

	certificate_init(&c);
	const char *why = why_not(o, &c, f);
	if (why == NULL) {
		describe(o, &c, f);
	} else if (set->starttls == STARTTLS_NOBODY || set->starttls == STARTTLS_MAILER) {
		printf("starttls: %s\n", set->starttls == STARTTLS_NOBODY ? "not offered" :
		    "left to the mail server");
	} else {
		printf("starttls: not ours%s%s%s: %s\n", f->path != NULL ? ": " : "",
		    f->path != NULL ? f->path : "", set->starttls == STARTTLS_OWN ?
		    "; no client is served" : "; left to the mail server", why);
		result = set->starttls == STARTTLS_OWN || f->path != NULL || f->found ? -1 : 0;
	}
	certificate_close(&c);
	return result;
}
