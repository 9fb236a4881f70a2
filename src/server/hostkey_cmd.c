#include "server/hostkey_cmd.h"

#include "base/log.h"
#include "base/octets.h"
#include "server/certificate_cmd.h"
#include "sys/private_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* One more than the longest file, to notice one that is too long. */
#define ROOM (HOSTKEY_FILE_MAX + 1)

static int
fail(struct options *p, const struct private_file_place *place, const char *name, const char *why)
{
	snprintf(p->error, sizeof(p->error), "%.300s/%s: %s", place->directory, name, why);
	options_complain(p);
	return -1;
}

/* 0, or -1 with errno and `*why`. */
static int
load(const struct private_file_place *place, const char *name, struct hostkey *key,
    const char **why)
{
	char text[ROOM];
	ssize_t len = private_file_read(place, name, text, sizeof(text), why);
	int result = len < 0 ? -1 : 0;

	if (result == 0 && !hostkey_get_file(key, span(text, (size_t)len))) {
		errno = EINVAL;
		*why = "not a host key";
		result = -1;
	}
	octets_wipe(text, sizeof(text));
	return result;
}

static void
print(const char *before, const struct hostkey *key)
{
	char text[HOSTKEY_TEXT_LEN];

	hostkey_put_public(text, key->public);
	printf("%s%.*s\n", before, HOSTKEY_TEXT_LEN, text);
}

/* Makes a key; fails if there is one. */
static int
make(struct options *p, const struct private_file_place *place, const char *name)
{
	struct hostkey key;
	char text[HOSTKEY_FILE_MAX];
	int result = hostkey_make(&key);

	if (result < 0) {
		fail(p, place, name, "cannot make a key: no randomness, or no memory");
	} else {
		result = private_file_create(place, name, span(text, hostkey_put_file(text, &key)));
		if (result < 0)
			fail(p, place, name, errno == EEXIST ? "exists already" :
			    strerror(errno));
		else
			print("", &key);
	}
	octets_wipe(text, sizeof(text));
	hostkey_wipe(&key);
	return result;
}

/* Reads the key, and prints it after `before`; NULL: does not print. */
static int
show(struct options *p, const struct private_file_place *place, const char *name,
    const char *before)
{
	struct hostkey key;
	const char *why;

	if (load(place, name, &key, &why) < 0)
		return fail(p, place, name, why);
	if (before != NULL)
		print(before, &key);
	hostkey_wipe(&key);
	return 0;
}

static int
show_all(struct options *p, const struct private_file_place *place)
{
	struct hostkey next;
	const char *why;

	if (show(p, place, HOSTKEY_FILE, "") < 0)
		return -1;
	bool has_next = load(place, HOSTKEY_FILE_NEXT, &next, &why) == 0;
	if (!has_next && errno != ENOENT)
		return fail(p, place, HOSTKEY_FILE_NEXT, why);
	if (has_next)
		print("next ", &next);
	certificate_cmd_show(p, has_next ? next.public : NULL);
	if (has_next)
		hostkey_wipe(&next);
	return 0;
}

/* Makes the certificate of the host key, in place of any other. */
static int
certify(struct options *p, const struct private_file_place *place)
{
	struct hostkey key;
	const char *why;

	if (load(place, HOSTKEY_FILE, &key, &why) < 0)
		return fail(p, place, HOSTKEY_FILE, why);
	int result = certificate_cmd_make(p, place, &key);
	if (result < 0)
		fail(p, place, HOSTKEY_FILE_CERTIFICATE,
		    errno != 0 ? strerror(errno) : "cannot be made");
	hostkey_wipe(&key);
	return result;
}

/*
 * Makes a key and, unless the settings name a certificate, one for it.  Where there is a key
 * without a certificate, makes only that.
 */
static int
make_both(struct options *p, const struct private_file_place *place)
{
	bool named = p->settings.certificate[0] != '\0', only_certify = false;
	struct hostkey key;
	const char *why;

	if (!named && !certificate_cmd_exists(place) &&
	    load(place, HOSTKEY_FILE, &key, &why) == 0) {
		print("", &key);
		hostkey_wipe(&key);
		only_certify = true;
	}
	if (!only_certify && make(p, place, HOSTKEY_FILE) < 0)
		return -1;
	return named ? 0 : certify(p, place);
}

/* Makes the successor; fails without a present key. */
static int
announce(struct options *p, const struct private_file_place *place)
{
	return show(p, place, HOSTKEY_FILE, NULL) < 0 ? -1 : make(p, place, HOSTKEY_FILE_NEXT);
}

static int
change(struct options *p, const struct private_file_place *place)
{
	if (show(p, place, HOSTKEY_FILE_NEXT, NULL) < 0)
		return -1;
	if (private_file_replace(place, HOSTKEY_FILE, HOSTKEY_FILE_NEXT) < 0)
		return fail(p, place, HOSTKEY_FILE, strerror(errno));
	if (show(p, place, HOSTKEY_FILE, "") < 0)
		return -1;
	return certificate_cmd_exists(place) ? certify(p, place) : 0;
}

int
hostkey_cmd(struct options *p)
{
	const char *what = p->command, *why;
	struct private_file_place place;
	int result = -1;

	if (private_file_place(&place, p->settings_file, p->settings.user, &why) < 0) {
		snprintf(p->error, sizeof(p->error), "user %s: %s", p->settings.user, why);
		options_complain(p);
	} else if (strcmp(what, "new") == 0) {
		result = make_both(p, &place);
	} else if (strcmp(what, "show") == 0) {
		result = show_all(p, &place);
	} else if (strcmp(what, "next") == 0) {
		result = announce(p, &place);
	} else if (strcmp(what, "change") == 0) {
		result = change(p, &place);
	} else {
		snprintf(p->error, sizeof(p->error), "-k %.40s: use new, show, next or change",
		    what);
		options_complain(p);
	}
	return result < 0 ? 1 : 0;
}

/* For -t.  0, also without a key; -1 if a session could not use it. */
static int
try(const struct private_file_place *place, const char *name, const char *before, const char *none)
{
	struct hostkey key;
	const char *why;

	if (load(place, name, &key, &why) == 0) {
		print(before, &key);
		hostkey_wipe(&key);
	} else if (errno != ENOENT) {
		printf("host key: %s/%s: not used: %s\n", place->directory, name, why);
		return -1;
	} else if (none != NULL) {
		printf("%s\n", none);
	}
	return 0;
}

int
hostkey_cmd_test(const struct options *p)
{
	struct private_file_place place;
	const char *why;

	if (private_file_place(&place, p->settings_file, p->settings.user, &why) < 0) {
		printf("host key: %s\n", why);
		return -1;
	}
	if (try(&place, HOSTKEY_FILE, "host key: ", "host key: none; blackponyd -k new makes one") <
	    0)
		return -1;
	return try(&place, HOSTKEY_FILE_NEXT, "host key: next ", NULL);
}

/* For a session.  False without a key, or if it cannot be used, which is logged. */
static bool
take(const struct private_file_place *place, const char *name, struct hostkey *key)
{
	const char *why;

	if (load(place, name, key, &why) == 0)
		return true;
	if (errno != ENOENT)
		log_line(LOG_WARNING, "%.300s/%s: not used: %s", place->directory, name, why);
	return false;
}

void
hostkey_cmd_read(const struct options *p, struct hostkey_statements *said)
{
	struct private_file_place place;
	struct hostkey next;
	const char *why;

	memset(said, 0, sizeof(*said));
	if (private_file_place(&place, p->settings_file, p->settings.user, &why) < 0)
		return;
	said->has_host = take(&place, HOSTKEY_FILE, &said->host);
	said->has_next = said->has_host && take(&place, HOSTKEY_FILE_NEXT, &next);
	if (said->has_next) {
		memcpy(said->next_public, next.public, sizeof(said->next_public));
		hostkey_wipe(&next);
	}
}

void
hostkey_cmd_sign(struct key_cache *cache, struct hostkey_statements *said)
{
	struct hostkey_id id;
	struct hostkey_next next;

	if (said->has_host && hostkey_cache_id(cache, &kex_hybrid, &said->host, &id) == 0)
		said->id_len = hostkey_put_id(said->id, &id);
	if (said->id_len > 0 && said->has_next &&
	    hostkey_cache_next(cache, &kex_hybrid, &said->host, id.until_s, said->next_public,
	    &next) == 0)
		said->next_len = hostkey_put_next(said->next, &next);
	hostkey_cmd_forget(said);
}

void
hostkey_cmd_forget(struct hostkey_statements *said)
{
	hostkey_wipe(&said->host);
	said->has_host = said->has_next = false;
}
