/* What the two programs share: the command line and the settings that it names. */
#include "unit.h"

#include "scratch.h"

#include "cli/options.h"

static struct options options;

#define LETTERS ":tvVC:o:f:"

/* Reads a command line given as arguments up to NULL; `*operands` is where the operands begin. */
static int
start(int *operands, ...)
{
	static char words[80][64];
	char *argv[80];
	va_list args;
	int argc = 0;

	va_start(args, operands);
	for (const char *word; (word = va_arg(args, const char *)) != NULL; argc++) {
		assert_true(argc < 79 && strlen(word) < sizeof(words[0]));
		argv[argc] = strcpy(words[argc], word);
	}
	va_end(args);
	argv[argc] = NULL;
	memset(&options, 0, sizeof(options));
	options.name = "blackpony";
	optind = 0;
	int result = options_read(&options, argc, argv, LETTERS);
	*operands = optind;
	return result;
}

static void
options_come_before_operands(void **state)
{
	int operands;

	(void)state;
	scratch_write("conf", "policy = must\nhostname = a.example\n", 35);
	const char *conf = scratch_path("conf");
	assert_int_equal(start(&operands, "x", "-tv", "-C", conf, "-o", "hostname=b.example", "-f",
	    "<>", "--", "-host", "-v", NULL), 0);
	assert_true(options.test && options.verbose);
	assert_false(options.version || options.expire);
	assert_string_equal(options.sender, "<>");
	assert_string_equal(options.settings.hostname, "b.example");
	assert_int_equal(operands, 9);
	assert_int_equal(options.suites.count, 2);
	assert_int_equal(start(&operands, "x", "-V", "-C", "/nowhere", NULL), 0);
	assert_true(options.version);
}

static void
assert_error(int result, const char *part)
{
	assert_int_equal(result, -1);
	if (strstr(options.error, part) == NULL)
		fail_msg("\"%s\" says nothing of \"%s\"", options.error, part);
}

/* statement 30 */
static void
threat_30_what_is_wrong_is_said(void **state)
{
	int operands;

	(void)state;
	scratch_write("empty", "", 0);
	const char *conf = scratch_path("empty");
	assert_error(start(&operands, "x", "-q", NULL), "-q");
	assert_error(start(&operands, "x", "-C", NULL), "-C needs an argument");
	assert_error(start(&operands, "x", "-C", "/nowhere/at/all", NULL), "/nowhere/at/all");
	assert_error(start(&operands, "x", "-C", conf, "-o", "nothing=1", NULL), "nothing");
	assert_error(start(&operands, "x", "-C", conf, "-o", "suites=t99_1.0", NULL), "t99_1.0");
	assert_error(start(&operands, "x", "-C", conf, "-o", "suites=rotn_0.1 rotn_0.1", NULL),
	    "rotn_0.1");
	assert_int_equal(start(&operands, "x", "-C", conf, "-o", "suites=", NULL), 0);
	assert_int_equal(options.suites.count, 0);
}

/* As many -o as are permitted, and one more. */
static void
options_have_a_limit(void **state)
{
	static char words[2 * OPTIONS_OPTIONS_MAX + 3][16];
	char *argv[2 * OPTIONS_OPTIONS_MAX + 6], conf[128];

	(void)state;
	scratch_write("empty", "", 0);
	snprintf(conf, sizeof(conf), "-C%s", scratch_path("empty"));
	for (int count = OPTIONS_OPTIONS_MAX; count <= OPTIONS_OPTIONS_MAX + 1; count++) {
		int argc = 0;

		argv[argc++] = strcpy(words[0], "x");
		argv[argc++] = conf;
		for (int i = 0; i < count; i++) {
			argv[argc++] = strcpy(words[2 * i + 1], "-o");
			argv[argc++] = strcpy(words[2 * i + 2], "policy=may");
		}
		argv[argc] = NULL;
		memset(&options, 0, sizeof(options));
		options.name = "blackpony";
		optind = 0;
		int result = options_read(&options, argc, argv, LETTERS);
		assert_int_equal(result, count > OPTIONS_OPTIONS_MAX ? -1 : 0);
	}
}

/* Each line that -V prints. */
static void
the_version_names_every_suite(void **state)
{
	static const char *const lines[] = {
		"chacha20poly1305_2.0: generation 2.0, X25519 and ML-KEM-768; ChaCha20-Poly1305, 256-bit key; ",
		"aes256gcm_2.0: generation 2.0, X25519 and ML-KEM-768; AES-256-GCM, 256-bit key; ",
		"arsyfor_1.0: generation 1.0, ", "t32_1.0: generation 1.0, ",
		"rotn_0.1: generation 0.1, ",
	};
	char text[4096], line[256];
	int old = dup(STDOUT_FILENO), out = open(scratch_path("said"), O_RDWR | O_CREAT, 0600);

	(void)state;
	options.name = "blackpony";
	fflush(stdout);
	assert_int_equal(dup2(out, STDOUT_FILENO), STDOUT_FILENO);
	options_print_version(&options);
	fflush(stdout);
	assert_int_equal(dup2(old, STDOUT_FILENO), STDOUT_FILENO);
	close(old);
	ssize_t len = pread(out, text, sizeof(text) - 1, 0);
	close(out);
	assert_true(len > 0);
	text[len] = '\0';
	snprintf(line, sizeof(line), "blackpony %s, libc ", VERSION);
	assert_memory_equal(text, line, strlen(line));
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		snprintf(line, sizeof(line), "\n%s", lines[i]);
		if (strstr(text, line) == NULL)
			fail_msg("%s is not in %s", lines[i], text);
	}
	for (const struct suite *s = suite_table; s->name != NULL; s++) {
		snprintf(line, sizeof(line), "\n%s: ", s->name);
		assert_non_null(strstr(text, line));
	}
}

static void
limits_are_the_settings(void **state)
{
	struct settings s = {
		.command_timeout_ms = 1, .data_timeout_ms = 2, .final_timeout_ms = 3,
		.handshake_timeout_ms = 4, .idle_timeout_ms = 5,
	};
	struct session_limits limits = options_limits(&s);

	(void)state;
	assert_int_equal(limits.command_ms, 1);
	assert_int_equal(limits.data_ms, 2);
	assert_int_equal(limits.final_ms, 3);
	assert_int_equal(limits.handshake_ms, 4);
	assert_int_equal(limits.idle_ms, 5);
	assert_int_equal(limits.linger_ms, 2000);
}

static void
the_cache_is_off_by_that_word_only(void **state)
{
	int operands;

	(void)state;
	scratch_write("empty", "", 0);
	const char *conf = scratch_path("empty");
	assert_int_equal(start(&operands, "x", "-C", conf, "-o", "cache=off", "-o",
	    "key-lifetime=90s",
	    NULL), 0);
	struct key_cache_settings cache = options_key_cache(&options, &options.suites);
	assert_null(cache.directory);
	assert_int_equal(cache.lifetime_s, 90);
	assert_int_equal(start(&operands, "x", "-C", conf, "-o", "cache=/tmp/offside", NULL), 0);
	assert_string_equal(options_key_cache(&options, &options.suites).directory, "/tmp/offside");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_come_before_operands),
		cmocka_unit_test(threat_30_what_is_wrong_is_said),
		cmocka_unit_test(options_have_a_limit),
		cmocka_unit_test(the_version_names_every_suite),
		cmocka_unit_test(limits_are_the_settings),
		cmocka_unit_test(the_cache_is_off_by_that_word_only),
	};

	return cmocka_run_group_tests(tests, scratch_open, scratch_close);
}
