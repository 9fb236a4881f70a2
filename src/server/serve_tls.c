#include "server/serve_tls.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/octets.h"
#include "crypt/sodium.h"
#include "crypt/tls_server.h"
#include "store/certificate_cache.h"
#include "sys/private_file.h"

#include <errno.h>
#include <inttypes.h>
#include <sodium/crypto_generichash.h>
#include <stdio.h>
#include <string.h>

#define DAY_S 86400
#define NOTE_UNREADABLE CERTIFICATE_FAULTS	/* a fault of a note: the files cannot be read */

static struct tls tls;
static struct serve_tls_files *prepared;
static struct key_cache *prepared_cache;

/* Reads one file, and adds the NUL that mbedTLS wants after PEM.  0, or -1. */
static int
read_pem(struct serve_tls_files *files, const char *path, bool secret, uint8_t *out, size_t room,
    size_t *len)
{
	ssize_t got = private_file_read_path(path, secret, out, room - 1, &files->why);

	files->path = path;
	if (got < 0)
		return -1;
	out[got] = '\0';
	*len = (size_t)got + 1;
	return 0;
}

static void
read_named(struct serve_tls_files *files, const struct settings *set)
{
	bool apart = set->certificate_key[0] != '\0';

	files->found = read_pem(files, set->certificate, !apart, files->chain,
	    sizeof(files->chain), &files->chain_len) == 0 &&
	    read_pem(files, apart ? set->certificate_key : set->certificate, true, files->key,
	    sizeof(files->key), &files->key_len) == 0;
}

static void
read_own(struct serve_tls_files *files, const struct options *o,
    const struct hostkey_statements *said)
{
	struct private_file_place place;
	ssize_t len;

	if (!said->has_host ||
	    private_file_place(&place, o->settings_file, o->settings.user, &files->why) < 0)
		return;
	len = private_file_read(&place, HOSTKEY_FILE_CERTIFICATE, files->chain,
	    sizeof(files->chain) - 1, &files->why);
	if (len < 0 && errno != ENOENT)
		files->path = HOSTKEY_FILE_CERTIFICATE;
	if (len < 0)
		return;
	files->chain[len] = '\0';
	files->chain_len = (size_t)len + 1;
	certificate_put_key(files->key, &said->host);
	files->key_len = CERTIFICATE_KEY_LEN;
	files->found = files->own = true;
}

void
serve_tls_read(struct serve_tls_files *files, const struct options *o,
    const struct hostkey_statements *said)
{
	const struct settings *set = &o->settings;

	memset(files, 0, offsetof(struct serve_tls_files, chain));
	if (set->starttls != STARTTLS_OWN && set->starttls != STARTTLS_AUTO)
		return;
	if (set->certificate[0] != '\0')
		read_named(files, set);
	else
		read_own(files, o, said);
}

void
serve_tls_forget(struct serve_tls_files *files)
{
	octets_wipe(files->key, files->key_len);
	files->key_len = 0;
	files->found = false;
}

/* A digest of all that a note depends on. */
static void
digest_of(const struct serve_tls_files *files, uint8_t out[CERTIFICATE_CACHE_DIGEST_LEN])
{
	crypto_generichash_state state;

	crypto_generichash_init(&state, NULL, 0, CERTIFICATE_CACHE_DIGEST_LEN);
	if (files->found) {
		crypto_generichash_update(&state, files->chain, files->chain_len);
		crypto_generichash_update(&state, files->key, files->key_len);
	} else {
		crypto_generichash_update(&state, (const uint8_t *)files->path,
		    strlen(files->path) + 1);
		crypto_generichash_update(&state, (const uint8_t *)files->why,
		    strlen(files->why));
	}
	crypto_generichash_final(&state, out, CERTIFICATE_CACHE_DIGEST_LEN);
	octets_wipe(&state, sizeof(state));
	sodium_wipe_stack();
}

enum certificate_fault
serve_tls_open(struct certificate *c, const struct serve_tls_files *files)
{
	enum certificate_fault fault = certificate_open(c, span(files->chain, files->chain_len),
	    span(files->key, files->key_len));

	return fault == CERTIFICATE_GOOD ? certificate_check_pair(c) : fault;
}

/* Parses the files, and logs what the host's administrator should know. */
static void
judge(struct serve_tls_files *files, const struct options *o, struct certificate_note *note)
{
	const struct settings *set = &o->settings;
	const char *path = files->own ? HOSTKEY_FILE_CERTIFICATE : set->certificate;
	int64_t now_s = clock_wall_s(), days;
	struct certificate c;

	*note = (struct certificate_note){ .fault = NOTE_UNREADABLE };
	if (!files->found) {
		log_line(LOG_WARNING, "no STARTTLS: %s: %s", files->path, files->why);
		return;
	}
	certificate_init(&c);
	enum certificate_fault fault = serve_tls_open(&c, files);
	note->fault = (uint8_t)fault;
	if (fault == CERTIFICATE_GOOD) {
		note->until_s = certificate_until_s(&c);
		fault = certificate_in_time(&c, now_s);
		if (fault == CERTIFICATE_NOT_YET) {
			note->fault = (uint8_t)fault;
			note->until_s = certificate_from_s(&c);
		}
	}
	if (certificate_fault_is_of_key(fault) && set->certificate_key[0] != '\0')
		path = set->certificate_key;
	days = (note->until_s - now_s) / DAY_S;
	if (fault != CERTIFICATE_GOOD)
		log_line(LOG_WARNING, "no STARTTLS: %s: %s", path, certificate_fault_text(fault));
	else if (days < SERVE_TLS_WARN_DAYS)
		log_line(LOG_WARNING, "%s: the certificate expires in %" PRId64 " days", path,
		    days);
	if (fault == CERTIFICATE_GOOD && !certificate_fits(&c, set->hostname))
		log_line(LOG_WARNING, "%s: the certificate is not for %s", path, set->hostname);
	certificate_close(&c);
}

/* A note that a certificate is not valid yet counts until it is. */
static bool
is_noted(struct key_cache *cache, const uint8_t *digest, struct certificate_note *note)
{
	return certificate_cache_find(cache, digest, note) &&
	    (note->fault != CERTIFICATE_NOT_YET || clock_wall_s() < note->until_s);
}

/* Whether the certificate can be used; if not, `*why` is a literal or files->why. */
static bool
is_usable(struct serve_tls_files *files, const struct options *o, struct key_cache *cache,
    const char **why)
{
	uint8_t digest[CERTIFICATE_CACHE_DIGEST_LEN];
	struct certificate_note note;

	*why = "no certificate; blackponyd -k new makes one";
	if (!files->found && files->path == NULL)
		return false;
	digest_of(files, digest);
	if (!is_noted(cache, digest, &note)) {
		judge(files, o, &note);
		certificate_cache_keep(cache, digest, &note);
	}
	if (note.fault == NOTE_UNREADABLE)
		*why = files->why != NULL ? files->why : "it cannot be read";
	else if (note.fault != CERTIFICATE_GOOD)
		*why = certificate_fault_text((enum certificate_fault)note.fault);
	else if (note.until_s < clock_wall_s())
		*why = certificate_fault_text(CERTIFICATE_EXPIRED);
	else
		return true;
	return false;
}

int
serve_tls_decide(struct serve_tls_files *files, struct options *o, struct key_cache *cache,
    enum relay_starttls *who)
{
	enum starttls wanted = o->settings.starttls;
	const char *why;

	*who = wanted == STARTTLS_NOBODY ? RELAY_STARTTLS_NOBODY : RELAY_STARTTLS_BACKEND;
	if (wanted != STARTTLS_OWN && wanted != STARTTLS_AUTO)
		return 0;
	if (is_usable(files, o, cache, &why)) {
		*who = RELAY_STARTTLS_OWN;
		return 0;
	}
	serve_tls_forget(files);
	if (wanted == STARTTLS_AUTO)
		return 0;
	snprintf(o->error, sizeof(o->error), "starttls = own, but no certificate can be used: "
	    "%s%s%s", files->path != NULL ? files->path : "", files->path != NULL ? ": " : "", why);
	return -1;
}

void
serve_tls_prepare(struct serve_tls_files *files, struct key_cache *cache)
{
	prepared = files;
	prepared_cache = cache;
}

int
serve_tls_begin(const char *unused, const struct layer **layer, void **state)
{
	struct tls_ticket ticket = { .resumed = false };

	(void)unused;
	*layer = &tls_layer;
	*state = &tls;
	_Static_assert(KEY_CACHE_TICKET_LEN == TLS_TICKET_KEY_LEN, "one length");
	ticket.lifetime_s = key_cache_ticket_key(prepared_cache, ticket.key);
	int result = tls_server_start(&tls, span(prepared->chain, prepared->chain_len),
	    span(prepared->key, prepared->key_len), &ticket);
	octets_wipe(&ticket, sizeof(ticket));
	serve_tls_forget(prepared);
	return result;
}

const char *
serve_tls_name(void *unused)
{
	static char text[96];

	(void)unused;
	tls_describe(&tls, text, sizeof(text));
	return text;
}

void
serve_tls_log(struct buf *line)
{
	log_pair(line, "tls", span_of(serve_tls_name(NULL)));
	buf_printf(line, " resumed=%s", tls.ticket.resumed ? "yes" : "no");
}
