/* Settings: the values that each accepts. */
#include "settings_fixture.h"

/* Asserts that the value is rejected with an error that repeats it and says why. */
static void
bad_value(const char *name, const char *value, const char *why)
{
	char text[128], want[256];

	snprintf(text, sizeof(text), "%s = %s", name, value);
	snprintf(want, sizeof(want), "1: %s %s", text, why);
	bad_octets(span_of(text), want);
}

/* statement 30 */
static void
threat_30_bad_values(void **state)
{
	static const char no_policy[] = "is not a policy; use never, may, known, must or pinned",
	    no_directory[] = "is neither an absolute path nor off",
	    no_count[] = "is not a number from 1 to 1000000",
	    no_host[] = "is not a host name; use letters, digits, - and ., or [address]";

	(void)state;
	bad_value("policy", "maybe", no_policy);
	bad_value("policy", "", no_policy);
	bad_value("known", "hosts", no_directory);
	bad_value("cache", "keys", no_directory);
	bad_value("mark", "true", "is neither yes nor no");
	bad_value("dane", "must", "is not valid; use auto, yes or no");
	bad_value("policy-map", "127.0.0.1:8461", "is not a policy map; use inet:address:port,"
	    " inet:[v6]:port, inet:localhost:port or unix:/path");
	bad_value("tlsrpt", "tlsrpt.sock", "is not an absolute path");
	bad_value("log", "syslog",
	    "is not a syslog facility; use mail, daemon, user, auth or local0 to local7");
	bad_value("client-address", "xforward", "is not valid;"
	    " use auto, none, netns, proxy-v1, proxy-v2, xclient or transparent");
	bad_value("cache-entries", "0", no_count);
	bad_value("cache-entries", "1000001", no_count);
	good("cache-entries = 1");
	good("cache-entries = 1000000");
	bad_value("hostname", "mx b", no_host);
	bad_value("hostname", "mx_b", no_host);
	good("hostname = mx.m\xc3\xbcnchen.example");
	assert_string_equal(s.hostname, "mx.xn--mnchen-3ya.example");
	bad("hostname = m\xfcnchen.example", "1: hostname = m?nchen.example is not a host name;"
	    " use letters, digits, - and ., or [address]");
	good("hostname = [IPv6:2001:db8::1]");
}

/* statement 30 */
static void
threat_30_durations(void **state)
{
	static const char *const wrong[] = { "", "s", "-1s", "1.5h", "1h30m", "1 h", "h1", "1w",
	    "1S", "0s", "0d", "366d", "8761h", "525601m", "31536001s",
	    "99999999999999999999s", "18446744073709551615d" };
	static const struct { const char *text; int64_t ms; } right[] = {
		{ "dial-timeout=1s", 1000 }, { "dial-timeout=030s", 30000 },
		{ "dial-timeout=4m", 240000 }, { "dial-timeout=365d", INT64_C(31536000000) },
		{ "dial-timeout=8760h", INT64_C(31536000000) },
		{ "dial-timeout=525600m", INT64_C(31536000000) },
		{ "dial-timeout=31536000s", INT64_C(31536000000) },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		bad_value("dial-timeout", wrong[i], "is not a duration from 1s to 365d; write a"
		    " number and a unit, such as 30s, 4m, 2h or 1d");
	bad_value("dial-timeout", "30",
	    "has no unit; add s, m, h or d, as in 30s");
	for (size_t i = 0; i < COUNT(right); i++) {
		good(right[i].text);
		assert_int_equal(s.dial_timeout_ms, right[i].ms);
	}
}

static void
session_limits(void **state)
{
	(void)state;
	good("sessions = 10000\nsessions-per-client = 1");
	assert_int_equal(s.sessions, 10000);
	assert_int_equal(s.sessions_per_client, 1);
	bad_value("sessions", "10001", "is not a number from 1 to 10000");
	bad_value("sessions-per-client", "0", "is not a number from 1 to 10000");
}

static void
ways_to_tell_the_backend(void **state)
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
	for (size_t i = 0; i < COUNT(ways); i++) {
		good(ways[i].text);
		assert_int_equal(s.client_address, ways[i].how);
	}
}

static void
who_answers_starttls(void **state)
{
	static const struct { const char *text; enum starttls who; } ways[] = {
		{ "starttls = auto", STARTTLS_AUTO },
		{ "starttls = own", STARTTLS_OWN },
		{ "starttls = mailer", STARTTLS_MAILER },
		{ "starttls = no", STARTTLS_NOBODY },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(ways); i++) {
		good(ways[i].text);
		assert_int_equal(s.starttls, ways[i].who);
	}
	bad_value("starttls", "yes", "is not valid; use auto, own, mailer or no");
	bad_value("certificate", "host.pem", "is not an absolute path");
}

static void
uses_of_dane(void **state)
{
	static const struct { const char *text; enum dane use; } uses[] = {
		{ "dane = auto", DANE_AUTO }, { "dane = yes", DANE_YES }, { "dane = no", DANE_NO },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(uses); i++) {
		good(uses[i].text);
		assert_int_equal(s.dane, uses[i].use);
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
	static const char *const wrong[] = { "haproxy.example", "192.0.2.1/33", "192.0.2.1/",
	    "2001:db8::/129", "192.0.2.1/-1", "192.0.2.1,192.0.2.2" };

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
	for (size_t i = 0; i < COUNT(wrong); i++)
		bad_value("proxy-from", wrong[i], "has something that is not an address;"
		    " write addresses or networks, such as 192.0.2.1 or 2001:db8::/64,"
		    " separated by blanks");
}

/* statement 44 */
static void
threat_44_networks_are_compared_in_one_form(void **state)
{
	static const char *const hosts[] = { "192.0.2.1/24", "192.0.2.1/31", "2001:db8::1/64",
	    "::ffff:192.0.2.1/120", "2001:db8::/28", "128.0.0.0/0" };
	static const char *const nobody[] = { "0.0.0.0", "::", "::/128", "::ffff:0:0" };

	(void)state;
	good(
	    "proxy-from = ::ffff:192.0.2.1 ::ffff:198.51.100.0/120 2001:DB8:0:0::/64 192.0.2.2/32");
	assert_true(in_networks("192.0.2.1"));
	assert_true(in_networks("192.0.2.2"));
	assert_false(in_networks("192.0.2.3"));
	assert_true(in_networks("198.51.100.255"));
	assert_false(in_networks("198.51.101.0"));
	assert_true(in_networks("2001:db8::ffff"));
	good("proxy-from = ::ffff:0:0/96");
	assert_true(in_networks("203.0.113.9"));
	assert_false(in_networks("2001:db8::1"));
	good("proxy-from = ::/0");
	assert_true(in_networks("2001:db8::1"));
	assert_false(in_networks("::ffff:203.0.113.9"));
	for (size_t i = 0; i < COUNT(hosts); i++)
		bad_value("proxy-from", hosts[i],
		    "has a network with host bits set; write the network,"
		    " such as 192.0.2.0/24, or the address alone");
	bad_value("proxy-from", "::ffff:192.0.2.1/95",
	    "has an IPv4-mapped network wider than ::ffff:0:0/96; write"
	    " IPv4 networks, such as 192.0.2.0/24");
	for (size_t i = 0; i < COUNT(nobody); i++)
		bad_value("proxy-from", nobody[i], "has 0.0.0.0 or ::, which match no client;"
		    " 0.0.0.0/0 and ::/0 match all");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(threat_30_bad_values),
		TEST(threat_30_durations),
		TEST(session_limits),
		TEST(ways_to_tell_the_backend),
		TEST(who_answers_starttls),
		TEST(uses_of_dane),
		TEST(networks),
		TEST(threat_44_networks_are_compared_in_one_form),
	};

	return cmocka_run_group_tests(tests, scratch_open, scratch_close);
}
