#include "cli/options.h"

#include "base/log.h"
#include "sys/fd.h"
#include "sys/ids.h"
#include "sys/jail_parts.h"
#include "sys/locked.h"

#include <errno.h>
#include <mbedtls/version.h>
#include <signal.h>
#include <sodium/version.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * Under inetd, descriptor 2 is the client's socket; sendmail makes it the dialogue with its
 * mailer.
 */
static bool
stderr_is_ours(void)
{
	if (isatty(STDERR_FILENO))
		return true;
	return fd_is_open(STDERR_FILENO) && !fd_same(STDERR_FILENO, STDIN_FILENO) &&
	    !fd_same(STDERR_FILENO, STDOUT_FILENO);
}

static int
read_suites(struct options *p)
{
	struct settings *s = &p->settings;
	struct span culprit;
	char shown[64];

	if (suite_list_read(&p->suites, span_of(s->suites), &culprit) == 0)
		return 0;
	span_printable(shown, sizeof(shown), culprit);
	snprintf(p->error, sizeof(p->error), "%s: suites: \"%s\" %s; -V lists what is built in",
	    s->suites_origin, shown, suite_why_not(culprit));
	return -1;
}

static int
read_settings(struct options *p, const char *file, char *const options[], size_t option_count)
{
	struct settings *s = &p->settings;

	if (settings_file(s, file != NULL ? file : OPTIONS_SETTINGS, file != NULL) < 0)
		goto fail;
	for (size_t i = 0; i < option_count; i++)
		if (settings_option(s, options[i]) < 0)
			goto fail;
	if (settings_finish(s) < 0)
		goto fail;
	return read_suites(p);
fail:
	snprintf(p->error, sizeof(p->error), "%s", s->error);
	return -1;
}

int
options_read(struct options *p, int argc, char *argv[], const char *letters)
{
	const char *file = NULL;
	char *options[OPTIONS_OPTIONS_MAX];
	size_t option_count = 0;
	int letter;

	if (!fd_is_open(STDIN_FILENO) || !fd_is_open(STDOUT_FILENO) || !fd_is_open(STDERR_FILENO))
		fd_fill_standard();
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);	/* beyond the rlimit, write(2) fails with EFBIG */
	p->talks_to_people = stderr_is_ours();
	settings_defaults(&p->settings);
	opterr = 0;
	while ((letter = getopt(argc, argv, letters)) >= 0) {
		switch (letter) {
		case 'C':
			file = optarg;
			break;
		case 'o':
			if (option_count == OPTIONS_OPTIONS_MAX)
				snprintf(p->error, sizeof(p->error), "more than %d options -o",
				    OPTIONS_OPTIONS_MAX);
			else
				options[option_count++] = optarg;
			break;
		case 'f':
			p->sender = optarg;
			break;
		case 'k':
			p->command = optarg;
			break;
		case 't':
			p->test = true;
			break;
		case 'v':
			p->verbose = true;
			break;
		case 'V':
			p->version = true;
			break;
		case 'x':
			p->expire = true;
			break;
		case ':':
			snprintf(p->error, sizeof(p->error), "-%c needs an argument", optopt);
			break;
		default:
			snprintf(p->error, sizeof(p->error), "unknown option -%c; see %s(8)",
			    optopt, p->name);
			break;
		}
	}
	/* a person runs these, and may well send 2 where 1 goes */
	p->talks_to_people = p->talks_to_people || p->test || p->expire || p->command != NULL;
	p->settings_file = file != NULL ? file : OPTIONS_SETTINGS;
	if (p->error[0] != '\0')
		return -1;
	return p->version ? 0 : read_settings(p, file, options, option_count);
}

void
options_open_log(const struct options *p)
{
	bool to_stderr = p->verbose && fd_is_open(STDERR_FILENO) &&
	    !fd_same(STDERR_FILENO, STDIN_FILENO) && !fd_same(STDERR_FILENO, STDOUT_FILENO);

	log_open(p->name, p->settings.log_facility, to_stderr);
}

void
options_complain(const struct options *p)
{
	uint8_t mem[sizeof(p->error) + 64];
	struct buf line;

	log_line(LOG_ERR, "%s", p->error);
	if (!p->talks_to_people || log_verbose())
		return;
	buf_init(&line, mem, sizeof(mem));
	buf_printf(&line, "%s: %s\n", p->name, p->error);
	fd_write_all(STDERR_FILENO, buf_peek(&line), 2000);
}

void
options_print_version(const struct options *p)
{
#ifdef __GLIBC__
	const char *libc = "glibc";
#else
	const char *libc = "musl";
#endif

	/* of static libraries, which are as new as their headers */
	printf("%s %s, libc %s, mbedTLS %s, libsodium %s%s\n", p->name, VERSION, libc,
	    MBEDTLS_VERSION_STRING, SODIUM_VERSION_STRING,
	    jail_is_wide ? " (test build: wide jail)" : "");
	for (const struct suite *s = suite_table; s->name != NULL; s++) {
		const struct cipher *c = s->cipher;

		printf("%s: generation %s, %s; %s, ", s->name, s->kex->version_text,
		    s->kex->title, c->title);
		if (c->keys > 0)
			printf("%u keys; %s\n", c->keys, s->standing);
		else
			printf("%zu-bit key; %s\n", 8 * c->key_len, s->standing);
	}
}

struct key_cache_settings
options_key_cache(const struct options *p, const struct suite_list *suites)
{
	bool off = strcmp(p->settings.cache, "off") == 0;

	return (struct key_cache_settings){
		.directory = off ? NULL : p->settings.cache,
		.suites = suites,
		.lifetime_s = p->settings.key_lifetime_ms / 1000,
		.entries_max = p->settings.cache_entries,
	};
}

void
options_open_key_cache(const struct options *p, struct key_cache *cache,
    const struct suite_list *suites)
{
	struct key_cache_settings settings = options_key_cache(p, suites);

	key_cache_open(cache, &settings);
}

static int
fail_user(struct options *p, const char *why)
{
	const char *user = p->settings.user;

	snprintf(p->error, sizeof(p->error), "user%s%.200s: %s", user[0] != '\0' ? " " : "", user,
	    why);
	return -1;
}

int
options_may_become(struct options *p)
{
	const char *why;

	return ids_may_become(p->settings.user, &why) == 0 ? 0 : fail_user(p, why);
}

int
options_become(struct options *p)
{
	const char *why;

	/* swap would put keys on disk */
	if (locked_static() < 0)
		log_debug("keys in memory can be swapped: %s", strerror(errno));
	return ids_become(p->settings.user, &why) == 0 ? 0 : fail_user(p, why);
}

int
options_check_jail(struct options *p)
{
	size_t len = 0;

	for (enum jail_part part = 0; part < JAIL_PARTS; part++) {
		const char *why = jail_part_lacking(part), *name = jail_part_name(part);

		if (why == NULL)
			continue;
		if (!p->settings.jail_required)
			log_line(LOG_NOTICE, "jail: no %s: %s; continuing with the other parts",
			    name, why);
		else
			len += (size_t)snprintf(p->error + len, sizeof(p->error) - len,
			    "%s no %s: %s", len == 0 ? "jail-required:" : ";", name, why);
	}
	return len == 0 ? 0 : -1;
}

void
options_print_jail(void)
{
	uint8_t mem[512];
	struct buf out;
	const char *without = jail_landlock_without(jail_landlock_abi());

	buf_init(&out, mem, sizeof(mem));
	for (enum jail_part part = 0; part < JAIL_PARTS; part++) {
		const char *why = jail_part_lacking(part);

		buf_printf(&out, "jail: %s: %s%s", jail_part_name(part), why == NULL ? "yes" : "no, ",
		    why == NULL ? "" : why);
		if (part == JAIL_LANDLOCK && why == NULL && without != NULL)
			buf_printf(&out, ", without rules for %s", without);
		buf_printf(&out, "\n");
	}
	fd_write_all(STDOUT_FILENO, buf_peek(&out), 2000);
}

int
options_jail(struct options *p, enum jail jail)
{
	enum jail_need need = p->settings.jail_required ? JAIL_WHOLE : JAIL_AVAILABLE;
	const char *step;

	/* the files that grow: the journal, and standard error if it is a file */
	if (jail_enter(jail, OPTIONS_FILE_MAX, need, &step) == 0)
		return 0;
	snprintf(p->error, sizeof(p->error), "jail: %s: %s", step, strerror(errno));
	return -1;
}

struct session_limits
options_limits(const struct settings *s)
{
	return (struct session_limits){
		.command_ms = s->command_timeout_ms,
		.greeting_ms = s->command_timeout_ms,
		.data_ms = s->data_timeout_ms,
		.final_ms = s->final_timeout_ms,
		.handshake_ms = s->handshake_timeout_ms,
		.idle_ms = s->idle_timeout_ms,
		.linger_ms = 2000,
	};
}
