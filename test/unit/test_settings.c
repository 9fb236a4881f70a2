#include "unit.h"

#include "sys/settings.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <syslog.h>
#include <unistd.h>

static struct settings s;
static char dir[] = "/tmp/test_settings.XXXXXX";
static char path[sizeof(dir) + 32];

static int
make_dir(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/conf", dir);
	return 0;
}

static int
remove_dir(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

static int
defaults(void **state)
{
	(void)state;
	settings_defaults(&s);
	return 0;
}

static int
release(void **state)
{
	(void)state;
	settings_free(&s);
	return 0;
}

static int
read_octets(struct span text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text.at, 1, text.len, file), text.len);
	assert_int_equal(fclose(file), 0);
	return settings_file(&s, path, true);
}

static void
good(const char *text)
{
	if (read_octets(span_of(text)) < 0)
		fail_msg("%s", s.error);
}

static void
assert_one_line(void)
{
	assert_true(strlen(s.error) < sizeof(s.error) - 1);
	for (const char *c = s.error; *c != '\0'; c++)
		assert_in_range(*c, ' ', '~');
}

/* The error for `text` is "FILE:" and `want`. */
static void
bad_octets(struct span text, const char *want)
{
	char whole[SETTINGS_ERROR_MAX];

	assert_int_equal(read_octets(text), -1);
	assert_one_line();
	snprintf(whole, sizeof(whole), "%s:%s", path, want);
	assert_string_equal(s.error, whole);
}

#define bad(text, want) bad_octets(SPAN(text), want)

static void
defaults_are_those_of_the_manual(void **state)
{
	(void)state;
	assert_string_equal(s.suites, "chacha20poly1305_2.0 aes256gcm_2.0");
	assert_int_equal(s.policy, POLICY_MAY);
	assert_null(s.policies);
	assert_string_equal(s.user, "");
	assert_string_equal(s.backend, "");
	assert_int_equal(s.client_address, CLIENT_ADDRESS_AUTO);
	assert_int_equal(s.cache[0], '/');
	assert_int_equal(s.known[0], '/');
	assert_int_equal(s.key_lifetime_ms, 2 * 3600 * 1000);
	assert_int_equal(s.cache_entries, 65536);
	assert_true(s.mark);
	assert_int_equal(s.connect_timeout_ms, 30 * 1000);
	assert_int_equal(s.dial_timeout_ms, 4 * 60 * 1000);
	assert_int_equal(s.handshake_timeout_ms, 30 * 1000);
	assert_int_equal(s.command_timeout_ms, 5 * 60 * 1000);
	assert_int_equal(s.data_timeout_ms, 10 * 60 * 1000);
	assert_int_equal(s.final_timeout_ms, 3600 * 1000);
	assert_int_equal(s.idle_timeout_ms, 2 * 3600 * 1000);
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
	    "connect-timeout = 1s\n"
	    "dial-timeout = 2s\n"
	    "handshake-timeout = 3s\n"
	    "command-timeout = 4s\n"
	    "data-timeout = 5s\n"
	    "final-timeout = 6s\n"
	    "idle-timeout = 7s\n"
	    "log = local3");
	char origin[64];
	snprintf(origin, sizeof(origin), "%s:3", path);
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
comments_begin_at_the_front_or_behind_blanks(void **state)
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
	assert_string_equal(s.error, "-o: there is no setting polcy; is it policy that was meant?");
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
	bad("\npolici = may\n", "2: there is no setting polici; is it policy that was meant?");
	bad("session = 3", "1: there is no setting session; is it sessions that was meant?");
	bad("Policy = may", "1: there is no setting Policy; is it policy that was meant?");
	bad("tls = yes", "1: there is no setting tls; blackpony.conf(5) lists what there is");
	bad("listen_addresses = 1", "1: there is no setting listen_addresses;"
	    " blackpony.conf(5) lists what there is");
	bad("p\xf6licy = may", "1: there is no setting p?licy; is it policy that was meant?");
	bad("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa = 1",
	    "1: there is no setting aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...;"
	    " blackpony.conf(5) lists what there is");
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
threat_30_bad_values(void **state)
{
	(void)state;
	bad("policy = maybe",
	    "1: policy = maybe is not a policy; use never, may, known, must or pinned");
	bad("policy =", "1: policy =  is not a policy; use never, may, known, must or pinned");
	bad("known = hosts",
	    "1: known = hosts is not a directory; write its whole path, from / on, or off");
	bad("mark = true", "1: mark = true is neither yes nor no");
	bad("log = syslog",
	    "1: log = syslog is not a syslog facility; use mail, daemon, user, auth or local0 to local7");
	bad("cache = keys",
	    "1: cache = keys is not a directory; write its whole path, from / on, or off");
	bad("client-address = xforward",
	    "1: client-address = xforward is not a way to tell the mailer;"
	    " use auto, none, netns, proxy-v1, proxy-v2, xclient or transparent");
	bad("cache-entries = 0", "1: cache-entries = 0 is not a number from 1 to 1000000");
	bad("cache-entries = 1000001",
	    "1: cache-entries = 1000001 is not a number from 1 to 1000000");
	good("cache-entries = 1");
	good("cache-entries = 1000000");
	bad("hostname = mx b",
	    "1: hostname = mx b is not a host name; use letters, digits, - and ., or [address]");
	bad("hostname = mx_b",
	    "1: hostname = mx_b is not a host name; use letters, digits, - and ., or [address]");
	good("hostname = [IPv6:2001:db8::1]");
}

/* statement 30 */
static void
threat_30_durations(void **state)
{
	static const char *const wrong[] = { "", "s", "-1s", "1.5h", "1h30m", "1 h", "h1", "1w",
	    "1S", "0s",
		"0d", "366d", "8761h", "525601m", "31536001s", "99999999999999999999s",
		    "18446744073709551615d" };
	static const struct { const char *text; int64_t ms; } right[] = {
		{ "1s", 1000 }, { "030s", 30000 }, { "4m", 240000 }, { "365d",
		    INT64_C(31536000000) },
		{ "8760h", INT64_C(31536000000) }, { "525600m", INT64_C(31536000000) },
		{ "31536000s", INT64_C(31536000000) },
	};
	char text[64], want[256];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(text, sizeof(text), "dial-timeout=%s", wrong[i]);
		snprintf(want, sizeof(want),
		    "1: dial-timeout = %s is not a duration; write one number and one"
		    " unit, from 1s to 365d: 30s, 4m, 2h or 1d", wrong[i]);
		bad_octets(span_of(text), want);
	}
	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
		snprintf(text, sizeof(text), "dial-timeout=%s", right[i].text);
		good(text);
		assert_int_equal(s.dial_timeout_ms, right[i].ms);
	}
	bad("dial-timeout = 30",
	    "1: dial-timeout = 30 lacks a unit; write s, m, h or d behind the number, as in 30s");
}

static void
every_policy_has_its_word(void **state)
{
	(void)state;
	good("policy = known\npolicy.a.example = pinned\npolicy.b.example = never\n"
	    "policy.c.example = may\npolicy.d.example = must\n");
	assert_int_equal(s.policy, POLICY_KNOWN);
	assert_int_equal(settings_policy_for(&s, SPAN("a.example")), POLICY_PINNED);
	assert_int_equal(settings_policy_for(&s, SPAN("b.example")), POLICY_NEVER);
	assert_int_equal(settings_policy_for(&s, SPAN("c.example")), POLICY_MAY);
	assert_int_equal(settings_policy_for(&s, SPAN("d.example")), POLICY_MUST);
	assert_int_equal(settings_policy_for(&s, SPAN("e.example")), POLICY_KNOWN);
}

static void
ways_to_tell_the_mailer(void **state)
{
	static const struct { const char *text; enum client_address how; } ways[] = {
		{ "client-address = auto", CLIENT_ADDRESS_AUTO },
		{ "client-address = none", CLIENT_ADDRESS_NONE },
		{ "client-address = netns", CLIENT_ADDRESS_NETNS },
		{ "client-address = proxy-v1", CLIENT_ADDRESS_PROXY_V1 },
		{ "client-address = proxy-v2", CLIENT_ADDRESS_PROXY_V2 },
		{ "client-address = xclient", CLIENT_ADDRESS_XCLIENT },
		{ "client-address = transparent", CLIENT_ADDRESS_TRANSPARENT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		good(ways[i].text);
		assert_int_equal(s.client_address, ways[i].how);
	}
}

static bool
in_networks(const char *text)
{
	struct address a;

	assert_int_equal(address_read(&a, span_of(text), 25), 0);
	return settings_network_has(&s.proxy_from, &a);
}

static void
networks(void **state)
{
	(void)state;
	good("proxy-from = 192.0.2.1 198.51.100.0/23  2001:db8::/63");
	assert_true(in_networks("192.0.2.1"));
	assert_true(in_networks("::ffff:192.0.2.1"));
	assert_false(in_networks("192.0.2.2"));
	assert_true(in_networks("198.51.101.255"));
	assert_false(in_networks("198.51.102.0"));
	assert_true(in_networks("2001:db8:0:1::7"));
	assert_false(in_networks("2001:db8:0:2::7"));
	good("proxy-from = 0.0.0.0/0");
	assert_true(in_networks("203.0.113.9"));
	assert_false(in_networks("2001:db8::1"));
	good("proxy-from =");
	assert_false(in_networks("192.0.2.1"));
	static const char *const wrong[] = { "haproxy.example", "192.0.2.1/33", "192.0.2.1/",
	    "2001:db8::/129", "192.0.2.1/-1", "192.0.2.1,192.0.2.2" };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char text[80], want[256];

		snprintf(text, sizeof(text), "proxy-from = %s", wrong[i]);
		snprintf(want, sizeof(want), "1: proxy-from = %s has something that is no address; "
		    "write addresses or networks, such as 192.0.2.1 or 2001:db8::/64, with blanks "
		    "between", wrong[i]);
		bad_octets(span_of(text), want);
	}
}

static void
session_limits(void **state)
{
	(void)state;
	good("sessions = 10000\nsessions-per-client = 1");
	assert_int_equal(s.sessions, 10000);
	assert_int_equal(s.sessions_per_client, 1);
	bad("sessions = 10001", "1: sessions = 10001 is not a number from 1 to 10000");
	bad("sessions-per-client = 0",
	    "1: sessions-per-client = 0 is not a number from 1 to 10000");
}

static void
threat_30_set_twice(void **state)
{
	(void)state;
	bad("mark = yes\nuser = a\nmark = yes\n", "3: mark is set a second time");
	settings_free(&s);
	bad("policy.a.example = may\npolicy.A.example. = must\n",
	    "2: policy.A.example is set a second time");
	settings_free(&s);
	good("policy.a.example = may\npolicy..a.example = must\n");
	good("policy.a.example = must\n");
}

/* statement 30 */
static void
threat_30_octets_that_are_no_text(void **state)
{
	(void)state;
	bad("mark = yes\nuser = a\0b\n", "2: found an octet 0x00, expected text");
	settings_free(&s);
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
	    "1: user: expected no more than 255 characters");

	text[0] = '#';
	assert_int_equal(read_octets(span(text, 1024)), 0);
	text[1024] = '\n';
	assert_int_equal(read_octets(span(text, 1025)), 0);
	text[1024] = 'a';
	bad_octets(span(text, 1025), "1: a line too long, expected no more than 1024 octets");
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

/* statement 30 */
static void
threat_30_files_that_cannot_be_read(void **state)
{
	char want[SETTINGS_ERROR_MAX], missing[sizeof(path) + 8];

	(void)state;
	assert_int_equal(settings_file(&s, dir, false), -1);
	snprintf(want, sizeof(want), "%s: cannot be read: %s", dir, strerror(EISDIR));
	assert_string_equal(s.error, want);

	snprintf(missing, sizeof(missing), "%s/missing", dir);
	assert_int_equal(settings_file(&s, missing, false), 0);
	assert_int_equal(settings_file(&s, missing, true), -1);
	snprintf(want, sizeof(want), "%s: cannot be read: %s", missing, strerror(ENOENT));
	assert_string_equal(s.error, want);

	good("mark = no");
	assert_int_equal(chmod(path, 0), 0);
	if (geteuid() == 0) {
		/* root may read anything, and -C with a path too long shows the same way out */
		char far[5000];
		memset(far, 'a', sizeof(far) - 1);
		far[sizeof(far) - 1] = '\0';
		assert_int_equal(settings_file(&s, far, false), -1);
		assert_one_line();
		assert_non_null(strstr(s.error, strerror(ENAMETOOLONG)));
	} else {
		assert_int_equal(settings_file(&s, path, false), -1);
		snprintf(want, sizeof(want), "%s: cannot be read: %s", path, strerror(EACCES));
		assert_string_equal(s.error, want);
	}
	assert_int_equal(chmod(path, 0600), 0);
}

/* statement 30: as somebody who may not */
static void
threat_30_no_permission(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	good("mark = no");
	assert_int_equal(chmod(dir, 0700), 0);
	assert_int_equal(seteuid(65534), 0);
	int result = settings_file(&s, path, false);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(result, -1);
	assert_non_null(strstr(s.error, strerror(EACCES)));
}

static enum policy
policy_for(const char *domain)
{
	return settings_policy_for(&s, span_of(domain));
}

static void
the_nearest_policy_counts(void **state)
{
	(void)state;
	good("policy..example.org = must\n"
	    "policy.example.org = never\n"
	    "policy..sub.example.org = may\n"
	    "policy.A.Sub.example.org. = never\n"
	    "policy.192.0.2.5 = must\n"
	    "policy.2001:db8::5 = must\n");
	assert_int_equal(policy_for("example.org"), POLICY_NEVER);
	assert_int_equal(policy_for("example.org."), POLICY_NEVER);
	assert_int_equal(policy_for("EXAMPLE.ORG"), POLICY_NEVER);
	assert_int_equal(policy_for("x.example.org"), POLICY_MUST);
	assert_int_equal(policy_for("x.y.example.org."), POLICY_MUST);
	assert_int_equal(policy_for("sub.example.org"), POLICY_MUST);
	assert_int_equal(policy_for("b.sub.example.org"), POLICY_MAY);
	assert_int_equal(policy_for("a.sub.example.org"), POLICY_NEVER);
	assert_int_equal(policy_for("xexample.org"), POLICY_MAY);
	assert_int_equal(policy_for("192.0.2.5"), POLICY_MUST);
	assert_int_equal(policy_for("2001:db8::5"), POLICY_MUST);
	assert_int_equal(policy_for(""), POLICY_MAY);
	assert_int_equal(policy_for("."), POLICY_MAY);
	s.policy = POLICY_MUST;
	assert_int_equal(policy_for("elsewhere.example"), POLICY_MUST);
	assert_int_equal(settings_option(&s, "policy.example.org=must"), 0);
	assert_int_equal(policy_for("example.org"), POLICY_MUST);
	assert_int_equal(settings_option(&s, "policy..EXAMPLE.org=never"), 0);
	assert_int_equal(policy_for("x.example.org"), POLICY_NEVER);
}

static void
policies_are_for_domains(void **state)
{
	static const char *const wrong[] = { "", ".", "..", "a..b", "-o policy", "a/b",
	    "*.example.org", "[192.0.2.5]" };
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(text, sizeof(text), "policy.%s = may", wrong[i]);
		assert_int_equal(read_octets(span_of(text)), -1);
		assert_one_line();
		assert_non_null(strstr(s.error, "expected a domain"));
	}
}

static void
the_host_has_a_name(void **state)
{
	struct utsname host;

	(void)state;
	assert_int_equal(uname(&host), 0);
	assert_int_equal(settings_finish(&s), 0);
	assert_string_equal(s.hostname, host.nodename);
	good("hostname = mx.b.example");
	assert_int_equal(settings_finish(&s), 0);
	assert_string_equal(s.hostname, "mx.b.example");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, defaults, release)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(defaults_are_those_of_the_manual),
		TEST(every_setting_can_be_set),
		TEST(comments_begin_at_the_front_or_behind_blanks),
		TEST(options_override_the_file),
		TEST(threat_30_unknown_names),
		TEST(threat_30_no_assignment),
		TEST(threat_30_bad_values),
		TEST(ways_to_tell_the_mailer),
		TEST(networks),
		TEST(session_limits),
		TEST(threat_30_durations),
		TEST(every_policy_has_its_word),
		TEST(threat_30_set_twice),
		TEST(threat_30_octets_that_are_no_text),
		TEST(threat_30_lengths),
		TEST(threat_30_no_final_newline),
		TEST(threat_30_files_that_cannot_be_read),
		TEST(threat_30_no_permission),
		TEST(the_nearest_policy_counts),
		TEST(policies_are_for_domains),
		TEST(the_host_has_a_name),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
