/* Which keywords of the backend's EHLO reply are offered in the encrypted session, and how. */
#include "relays.h"
#include "smtp/keyword.h"
#include "smtp/line.h"

/* The line that is offered; "" if it is left out. */
static const char *
inside(const char *text, uint64_t added)
{
	static uint8_t mem[LINE_MAX_OCTETS];
	struct buf out;

	buf_init(&out, mem, sizeof(mem) - 1);
	if (!keyword_inside(span_of(text), added, &out))
		return "";
	mem[buf_len(&out)] = '\0';
	return (const char *)mem;
}

/* statements 14 and 34: known keywords pass unchanged, in any case, with their parameters */
static void
threat_34_what_can_be_carried_is_offered(void **state)
{
	static const char *const lines[] = {
		"PIPELINING",
		"CHUNKING",
		"HELP",
		"VRFY",
		"EXPN",
		"ETRN",
		"8BITMIME",
		"BINARYMIME",
		"SMTPUTF8",
		"DSN",
		"DELIVERBY 240",
		"SUBMITTER",
		"FUTURERELEASE 86400 2026-12-01T00:00:00Z",
		"MT-PRIORITY MIXER",
		"MTRK",
		"NO-SOLICITING net.example:ADV",
		"RRVS",
		"XVERP",
		"ENHANCEDSTATUSCODES",
		"LIMITS RCPTMAX=20 MAILMAX=5",
		"pipelining",
		"8bitMIME",
		"dsn ",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++)
		assert_string_equal(inside(lines[i], 1024), lines[i]);
}

/* statement 34: unknown keywords, and those known for what cannot be carried, are left out */
static void
threat_34_what_cannot_be_carried_is_not_offered(void **state)
{
	static const char *const lines[] = {
		"",
		" ",
		" SIZE 5",
		"XCRYPT rotn_0.1",
		"XCRYPT-ID a b c",
		"STARTTLS",
		"starttls",
		"STARTTLSX",
		"REQUIRETLS",
		"PRDR",
		"prdr",
		"ATRN",
		"TURN",
		"BURL imap",
		"CHECKPOINT",
		"VERB",
		"ONEX",
		"XUSR",
		"PIPECONNECT",
		"X_PIPE_CONNECT",
		"PIPE_CONNECT",
		"XEXCH50",
		"X-LINK2STATE",
		"X-EXPS GSSAPI LOGIN",
		"X-EXPS=LOGIN",
		"X-ANONYMOUSTLS",
		"XCLIENT NAME ADDR",
		"XFORWARD NAME",
		"CLIENTID",
		"WELLKNOWN",
		"SEND",
		"SOML",
		"SAML",
		"CONPERM",
		"CONNEG",
		"PIPELINING=x",
		"PIPELININGS",
		"PIPELINING\tx",
		"SIZE=5",
		"SIZE\t5",
		"XFOO",
		"AUTHX PLAIN",
		"AUT PLAIN",
		"Ok",
		"250",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++)
		assert_string_equal(inside(lines[i], 1024), "");
}

/* statement 34: mechanisms with a security layer, or that depend on TLS, are left out */
static void
threat_34_auth_keeps_mechanisms_without_a_layer(void **state)
{
	static const struct {
		const char *line, *inside;
	} rows[] = {
		{ "AUTH PLAIN LOGIN", "AUTH PLAIN LOGIN" },
		{ "AUTH DIGEST-MD5 CRAM-MD5", "AUTH CRAM-MD5" },
		{ "AUTH GSSAPI DIGEST-MD5 LOGIN KERBEROS_V4 PLAIN", "AUTH LOGIN PLAIN" },
		{ "AUTH GSSAPI", "" },
		{ "AUTH", "" },
		{ "AUTH ", "" },
		{ "AUTH  ", "" },
		{ "AUTH  PLAIN   LOGIN ", "AUTH PLAIN LOGIN" },
		{ "auth login Digest-MD5", "AUTH login" },
		{ "AUTH=LOGIN", "AUTH=LOGIN" },
		{ "AUTH=LOGIN PLAIN NTLM", "AUTH=LOGIN PLAIN NTLM" },
		{ "AUTH=DIGEST-MD5 LOGIN", "AUTH=LOGIN" },
		{ "AUTH=GSSAPI", "" },
		{ "AUTH=", "" },
		{ "AUTH SCRAM-SHA-1 SCRAM-SHA-256 SCRAM-SHA-256-PLUS scram-sha-512-plus",
		    "AUTH SCRAM-SHA-1 SCRAM-SHA-256" },
		{ "AUTH XOAUTH2 OAUTHBEARER PLAIN-CLIENTTOKEN XOAUTH", "AUTH XOAUTH2 OAUTHBEARER" },
		{ "AUTH EXTERNAL ANONYMOUS OTP", "AUTH ANONYMOUS OTP" },
		{ "AUTH GS2-KRB5 GS2-KRB5-PLUS GSS-SPNEGO", "AUTH GS2-KRB5" },
		{ "AUTH SRP PASSDSS-3DES-1 PLAINS LOGI -PLUS GS2- X", "" },
		{ "AUTH PLAIN\tLOGIN", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(inside(rows[i].line, 1024), rows[i].inside);
}

static void
threat_14_size_leaves_room_for_what_is_added(void **state)
{
	static const struct {
		const char *line;
		uint64_t added;
		const char *inside;
	} rows[] = {
		{ "SIZE 10240000", 1024, "SIZE 10238976" },
		{ "size 10240000", 1024, "SIZE 10238976" },
		{ "SIZE 10240000", 0, "SIZE 10240000" },
		{ "SIZE", 1024, "SIZE" },
		{ "SIZE ", 1024, "SIZE" },
		{ "SIZE 0", 1024, "SIZE 0" },
		{ "SIZE 1025", 1024, "SIZE 1" },
		{ "SIZE 1024", 1024, "SIZE 1" },
		{ "SIZE 1", 1024, "SIZE 1" },
		{ "SIZE 18446744073709551615", 1024, "SIZE 18446744073709550591" },
		{ "SIZE 18446744073709551616", 1024, "SIZE" },
		{ "SIZE many", 1024, "SIZE" },
		{ "SIZE 5 6", 1024, "SIZE" },
		{ "SIZE -5", 0, "SIZE" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(inside(rows[i].line, rows[i].added), rows[i].inside);
}

/* The changed arguments of MAIL; "" if they pass unchanged. */
static const char *
mail(const char *arguments)
{
	static uint8_t mem[LINE_MAX_OCTETS];
	struct buf out;

	buf_init(&out, mem, sizeof(mem) - 1);
	if (!keyword_mail(span_of(arguments), 1000, &out)) {
		assert_int_equal(buf_len(&out), 0);
		return "";
	}
	mem[buf_len(&out)] = '\0';
	return (const char *)mem;
}

static void
threat_14_mail_says_the_size_that_the_mailer_will_see(void **state)
{
	static const struct {
		const char *arguments, *becomes;
	} rows[] = {
		{ "FROM:<a@a> SIZE=5", "MAIL FROM:<a@a> SIZE=1005\r\n" },
		{ "from: <a@a>  size=0 BODY=8BITMIME",
		    "MAIL from: <a@a>  size=1000 BODY=8BITMIME\r\n" },
		{ "FROM:<> RET=HDRS SIZE=999999 X=y ",
		    "MAIL FROM:<> RET=HDRS SIZE=1000999 X=y \r\n" },
		{ "FROM:<\"a> SIZE=1 \\\" b\"@a> SIZE=2",
		    "MAIL FROM:<\"a> SIZE=1 \\\" b\"@a> SIZE=1002\r\n" },
		{ "FROM:<a> SIZE=18446744073709550615",
		    "MAIL FROM:<a> SIZE=18446744073709551615\r\n" },
		{ "FROM:<a> SIZE=18446744073709550616", "" },
		{ "FROM:<a> SIZE=", "" },
		{ "FROM:<a> SIZE=x", "" },
		{ "FROM:<a> SIZE=-1", "" },
		{ "FROM:<a>", "" },
		{ "FROM:<a> XSIZE=5", "" },
		{ "FROM:a SIZE=5", "" },
		{ "FROM:<\"a> SIZE=5", "" },
		{ "FROM:<\"a\\", "" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(mail(rows[i].arguments), rows[i].becomes);
}

/* The same through the machine: the last line may be left out, and the first is no keyword. */
static void
threat_34_the_reply_inside_is_whole(void **state)
{
	static const struct turn turns[] = {
		{ CLIENT, "EHLO a\r\n", "", "EHLO a\r\n" },
		{ MAILER,
		    "250-PRDR\r\n250-SIZE 5000\r\n250-PRDR\r\n250-AUTH DIGEST-MD5 PLAIN\r\n250 XFOO\r\n",
		    "250-PRDR\r\n250-SIZE 3976\r\n250 AUTH PLAIN\r\n", "" },
		{ CLIENT, "MAIL FROM:<a> SIZE=3976\r\nAUTH DIGEST-MD5\r\n", "",
		    "MAIL FROM:<a> SIZE=5000\r\n" },
		{ MAILER, "250 m\r\n", "250 m\r\n504 5.5.4 Unrecognized authentication type\r\n", "" },
		{ CLIENT, "AUTH\r\n", "", "AUTH\r\n" },
		{ MAILER, "501 what?\r\n", "501 what?\r\n", "" },
		{ CLIENT, "AUTH EXTERNAL =\r\nauth plain AGEAYg==\r\n",
		    "504 5.5.4 Unrecognized authentication type\r\n", "auth plain AGEAYg==\r\n" },
		{ MAILER, "235 in\r\n", "235 in\r\n", "" },
		{ CLIENT, "EHLO a\r\n", "", "EHLO a\r\n" },
		{ MAILER, "250-mx\r\n250 \r\n", "250 mx\r\n", "" },
	};

	(void)state;
	relay_set.mark = true;
	relay_plays_cut(relay_inside, turns, COUNT(turns));
}

/* Without a trace line SIZE is unchanged; in the clear only XCRYPT lines are removed. */
static void
nothing_is_changed_without_need(void **state)
{
	(void)state;
	relay_inside();
	bench_wire(&bench, "EHLO a\r\n");
	bench_local(&bench, "250-mx\r\n250 SIZE 5000\r\n");
	assert_wire(&bench, "250-mx\r\n250 SIZE 5000\r\n");
	assert_local(&bench, "EHLO a\r\n");
	bench_wire(&bench, "MAIL FROM:<a> SIZE=5000\r\n");
	assert_local(&bench, "MAIL FROM:<a> SIZE=5000\r\n");
	relay_wipe(&relay);

	relay_set.mark = true;
	relay_greets();
	bench_wire(&bench, "EHLO a\r\n");
	bench_local(&bench, "250-mx\r\n250-SIZE 5000\r\n250-PRDR\r\n250-AUTH GSSAPI\r\n250 X\r\n");
	assert_true(span_starts(bench_said_wire(&bench),
	    SPAN(
		"250-mx\r\n250-SIZE 5000\r\n250-PRDR\r\n250-AUTH GSSAPI\r\n250-X\r\n250 XCRYPT ")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threat_34_what_can_be_carried_is_offered),
		cmocka_unit_test(threat_34_what_cannot_be_carried_is_not_offered),
		cmocka_unit_test(threat_34_auth_keeps_mechanisms_without_a_layer),
		cmocka_unit_test(threat_14_size_leaves_room_for_what_is_added),
		cmocka_unit_test(threat_14_mail_says_the_size_that_the_mailer_will_see),
		with_relay(threat_34_the_reply_inside_is_whole),
		with_relay(nothing_is_changed_without_need),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
