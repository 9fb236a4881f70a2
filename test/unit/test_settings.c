/* Settings: the file line by line, and the command line. */
#include "settings_fixture.h"

#include <errno.h>
#include <sys/utsname.h>
#include <syslog.h>

static void
defaults_are_those_of_the_manual(void **state)
{
	(void)state;
	assert_string_equal(s.suites, "chacha20poly1305_2.0 aes256gcm_2.0");
	assert_int_equal(s.policy, POLICY_MAY);
	assert_int_equal(s.dane, DANE_AUTO);
	assert_string_equal(s.policy_map, "");
	assert_string_equal(s.tlsrpt, "");
	assert_null(s.policies);
	assert_string_equal(s.user, "");
	assert_string_equal(s.backend, "");
	assert_int_equal(s.client_address, CLIENT_ADDRESS_AUTO);
	assert_int_equal(s.cache[0], '/');
	assert_int_equal(s.known[0], '/');
	assert_int_equal(s.key_lifetime_ms, 2 * 3600 * 1000);
	assert_int_equal(s.cache_entries, 65536);
	assert_true(s.mark);
	assert_false(s.jail_required);
	assert_int_equal(s.starttls, STARTTLS_AUTO);
	assert_string_equal(s.certificate, "");
	assert_string_equal(s.certificate_key, "");
	assert_int_equal(s.connect_timeout_ms, 30 * 1000);
	assert_int_equal(s.dial_timeout_ms, 4 * 60 * 1000);
	assert_int_equal(s.handshake_timeout_ms, 30 * 1000);
	assert_int_equal(s.command_timeout_ms, 5 * 60 * 1000);
	assert_int_equal(s.data_timeout_ms, 10 * 60 * 1000);
	assert_int_equal(s.final_timeout_ms, 3600 * 1000);
	assert_int_equal(s.idle_timeout_ms, 2 * 3600 * 1000);
	assert_int_equal(s.message_timeout_ms, 3 * 3600 * 1000);
	assert_int_equal(s.log_facility, LOG_MAIL);
}

static void
every_setting_can_be_set(void **state)
{
	(void)state;
	good("# a comment\n"
	    "\n"
	    "suites = arsyfor_1.0\n"
	    "policy=must\n"
	    "\tuser\t=\tblackpony\t\n"
	    "backend = [::1]:10025\n"
	    "client-address = none   # said so\n"
	    "cache = off\n"
	    "known = /srv/known\n"
	    "key-lifetime = 1d\n"
	    "cache-entries = 1000\n"
	    "hostname = mx.b.example\n"
	    "mark = no\n"
	    "jail-required = yes\n"
	    "starttls = own\n"
	    "certificate = /etc/x/fullchain.pem\n"
	    "policy-map = unix:/run/map\n"
	    "tlsrpt = /run/tlsrpt.sock\n"
	    "certificate-key = /etc/x/privkey.pem\n"
	    "connect-timeout = 1s\n"
	    "dial-timeout = 2s\n"
	    "handshake-timeout = 3s\n"
	    "command-timeout = 4s\n"
	    "data-timeout = 5s\n"
	    "final-timeout = 6s\n"
	    "idle-timeout = 7s\n"
	    "log = local3");
	char origin[64];
	snprintf(origin, sizeof(origin), "%s:3", CONF);
	assert_string_equal(s.suites, "arsyfor_1.0");
	assert_string_equal(s.suites_origin, origin);
	assert_int_equal(s.policy, POLICY_MUST);
	assert_string_equal(s.user, "blackpony");
	assert_string_equal(s.backend, "[::1]:10025");
	assert_int_equal(s.client_address, CLIENT_ADDRESS_NONE);
	assert_string_equal(s.cache, "off");
	assert_string_equal(s.known, "/srv/known");
	assert_int_equal(s.key_lifetime_ms, 86400000);
	assert_int_equal(s.cache_entries, 1000);
	assert_string_equal(s.hostname, "mx.b.example");
	assert_false(s.mark);
	assert_true(s.jail_required);
	assert_int_equal(s.starttls, STARTTLS_OWN);
	assert_string_equal(s.certificate, "/etc/x/fullchain.pem");
	assert_string_equal(s.policy_map, "unix:/run/map");
	assert_string_equal(s.tlsrpt, "/run/tlsrpt.sock");
	assert_string_equal(s.certificate_key, "/etc/x/privkey.pem");
	assert_int_equal(s.connect_timeout_ms, 1000);
	assert_int_equal(s.dial_timeout_ms, 2000);
	assert_int_equal(s.handshake_timeout_ms, 3000);
	assert_int_equal(s.command_timeout_ms, 4000);
	assert_int_equal(s.data_timeout_ms, 5000);
	assert_int_equal(s.final_timeout_ms, 6000);
	assert_int_equal(s.idle_timeout_ms, 7000);
	assert_int_equal(s.log_facility, LOG_LOCAL3);
}

static void
comments_begin_at_the_front_or_after_blanks(void **state)
{
	(void)state;
	good("  # indented\nbackend = /run/a#b\nsuites = # none\nuser = a=b # c # d\n#user = e");
	assert_string_equal(s.backend, "/run/a#b");
	assert_string_equal(s.suites, "");
	assert_string_equal(s.user, "a=b");
	assert_int_equal(settings_option(&s, "user=a #b"), 0);
	assert_string_equal(s.user, "a #b");
}

static void
options_override_the_file(void **state)
{
	(void)state;
	good("policy = must\nhostname = a.example\n");
	assert_int_equal(settings_option(&s, "policy=never"), 0);
	assert_int_equal(settings_option(&s, " policy = may "), 0);
	assert_int_equal(settings_option(&s, "suites=t32_1.0"), 0);
	assert_int_equal(s.policy, POLICY_MAY);
	assert_string_equal(s.suites_origin, "-o");
	assert_int_equal(settings_option(&s, "polcy=may"), -1);
	assert_string_equal(s.error, "-o: unknown setting polcy; did you mean policy?");
	assert_int_equal(settings_option(&s, "policy"), -1);
	assert_string_equal(s.error, "-o: found policy, expected name = value");
	assert_int_equal(settings_option(&s, ""), -1);
	assert_int_equal(settings_option(&s, "policy=may\nuser=x"), -1);
	assert_string_equal(s.error, "-o: found an octet 0x0a, expected text");
}

/* statement 30 */
static void
threat_30_unknown_names(void **state)
{
	(void)state;
	bad("\npolici = may\n", "2: unknown setting polici; did you mean policy?");
	bad("session = 3", "1: unknown setting session; did you mean sessions?");
	bad("Policy = may", "1: unknown setting Policy; did you mean policy?");
	bad("tls = yes", "1: unknown setting tls; see blackpony.conf(5)");
	bad("listen_addresses = 1", "1: unknown setting listen_addresses;"
	    " see blackpony.conf(5)");
	bad("p\xf6licy = may", "1: unknown setting p?licy; did you mean policy?");
	bad("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa = 1",
	    "1: unknown setting aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...;"
	    " see blackpony.conf(5)");
}

/* statement 30 */
static void
threat_30_no_assignment(void **state)
{
	(void)state;
	bad("policy may", "1: found policy may, expected name = value");
	bad("= may", "1: found = may, expected name = value");
	bad("mark = yes\n\n\nuser\n", "4: found user, expected name = value");
}

/* statement 30 */
static void
threat_30_set_twice(void **state)
{
	(void)state;
	bad("mark = yes\nuser = a\nmark = yes\n", "3: mark is set twice");
	free_policies(&s);
	bad("policy.a.example = may\npolicy.A.example. = must\n",
	    "2: policy.A.example is set twice");
	free_policies(&s);
	good("policy.a.example = may\npolicy..a.example = must\n");
	good("policy.a.example = must\n");
}

/* statement 30 */
static void
threat_30_octets_that_are_no_text(void **state)
{
	(void)state;
	bad("mark = yes\nuser = a\0b\n", "2: found an octet 0x00, expected text");
	free_policies(&s);
	bad("# a\0b\n", "1: found an octet 0x00, expected text");
	bad("mark = yes\r\n", "1: found an octet 0x0d, expected text");
	bad("\x7f", "1: found an octet 0x7f, expected text");
	bad("user = a\033[2J", "1: found an octet 0x1b, expected text");
	good("# \xc3\xa4 comment in UTF-8\n");
}

/* statement 30 */
static void
threat_30_lengths(void **state)
{
	char text[1100];

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text, "user=", 5);
	assert_int_equal(read_octets(span(text, 5 + SETTINGS_TEXT_MAX - 1)), 0);
	assert_int_equal(strlen(s.user), SETTINGS_TEXT_MAX - 1);
	bad_octets(span(text, 5 + SETTINGS_TEXT_MAX),
	    "1: user: expected at most 255 characters");

	text[0] = '#';
	assert_int_equal(read_octets(span(text, 1024)), 0);
	text[1024] = '\n';
	assert_int_equal(read_octets(span(text, 1025)), 0);
	text[1024] = 'a';
	bad_octets(span(text, 1025), "1: line too long, expected at most 1024 octets");
}

/* statement 30 */
static void
threat_30_no_final_newline(void **state)
{
	(void)state;
	good("mark = no\nuser = a");
	assert_string_equal(s.user, "a");
	good("");
	good("\n");
}

/* Asserts that `path` cannot be read, and the reason in the error. */
static void
cannot_be_read(const char *path, bool must, int why)
{
	char want[SETTINGS_ERROR_MAX];

	assert_int_equal(settings_file(&s, path, must), -1);
	snprintf(want, sizeof(want), "%s: cannot be read: %s", path, strerror(why));
	assert_string_equal(s.error, want);
}

/* statement 30 */
static void
threat_30_files_that_cannot_be_read(void **state)
{
	(void)state;
	cannot_be_read(scratch, false, EISDIR);
	assert_int_equal(settings_file(&s, scratch_path("missing"), false), 0);
	cannot_be_read(scratch_path("missing"), true, ENOENT);
	/* if a dangling link hides the settings, the defaults must not be used */
	assert_int_equal(symlink("nowhere", scratch_path("link")), 0);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(settings_file(&s, scratch_path(i % 2 ? "link" : "link/file"),
				     i < 2),
		    -1);
		assert_non_null(strstr(s.error, "cannot be read: dangling symbolic link"));
	}

	good("mark = no");
	assert_int_equal(chmod(CONF, 0), 0);
	if (geteuid() == 0) {
		/* root can read everything; a path that is too long fails in the same way */
		char far[5000];
		memset(far, 'a', sizeof(far) - 1);
		far[sizeof(far) - 1] = '\0';
		assert_int_equal(settings_file(&s, far, false), -1);
		assert_one_line();
		assert_non_null(strstr(s.error, strerror(ENAMETOOLONG)));
	} else {
		cannot_be_read(CONF, false, EACCES);
	}
	assert_int_equal(chmod(CONF, 0600), 0);
}

/* statement 30: as a user without permission */
static void
threat_30_no_permission(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	good("mark = no");
	assert_int_equal(chmod(scratch, 0700), 0);
	assert_int_equal(seteuid(65534), 0);
	int result = settings_file(&s, CONF, false);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(result, -1);
	assert_non_null(strstr(s.error, strerror(EACCES)));
}

static void
the_host_has_a_name(void **state)
{
	struct utsname host;

	(void)state;
	assert_int_equal(uname(&host), 0);
	assert_int_equal(settings_option(&s, "certificate-key=/k.pem"), 0);
	assert_int_equal(settings_finish(&s), -1);
	assert_string_equal(s.error, "certificate-key: set certificate as well");
	assert_int_equal(settings_option(&s, "certificate-key="), 0);
	assert_int_equal(settings_finish(&s), 0);
	assert_string_equal(s.hostname, host.nodename);
	good("hostname = mx.b.example");
	assert_int_equal(settings_finish(&s), 0);
	assert_string_equal(s.hostname, "mx.b.example");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(defaults_are_those_of_the_manual),
		TEST(every_setting_can_be_set),
		TEST(comments_begin_at_the_front_or_after_blanks),
		TEST(options_override_the_file),
		TEST(threat_30_unknown_names),
		TEST(threat_30_no_assignment),
		TEST(threat_30_set_twice),
		TEST(threat_30_octets_that_are_no_text),
		TEST(threat_30_lengths),
		TEST(threat_30_no_final_newline),
		TEST(threat_30_files_that_cannot_be_read),
		TEST(threat_30_no_permission),
		TEST(the_host_has_a_name),
	};

	return cmocka_run_group_tests(tests, scratch_open, scratch_close);
}
