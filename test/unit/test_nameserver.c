#include "unit.h"

#include "base/clock.h"
#include "name_servers.h"
#include "scratch.h"

static struct nameservers servers;
static uint8_t answers[NAMESERVER_LOOKUPS_MAX][DNS_MESSAGE_MAX];
static struct nameserver_lookup lookups[NAMESERVER_LOOKUPS_MAX];

static void
read_servers(const char *text, uint16_t port)
{
	FILE *file = fopen(scratch_path("resolv.conf"), "w");

	fputs(text, file);
	fclose(file);
	nameservers_read(&servers, scratch_path("resolv.conf"), port);
}

static void
a_record(void)
{
	put_record("example.org", DNS_A, SPAN("\300\0\2\5"));
}

/* Starts servers, each with one row for example.org. */
static void
serve(const struct row *rows, size_t count)
{
	static struct row tables[SERVERS_MAX][2];
	const struct row *starts[SERVERS_MAX];

	for (size_t i = 0; i < count; i++) {
		tables[i][0] = rows[i];
		tables[i][0].name = "example.org";
		tables[i][0].type = DNS_A;
		starts[i] = tables[i];
	}
	servers_start(&servers, starts, count);
}

static void
set_lookup(size_t i, const char *name, enum dns_type type)
{
	lookups[i] = (struct nameserver_lookup){ name, type, answers[i], 1, NAMESERVER_SECURE };
}

static enum nameserver_result
ask(int64_t patience_ms)
{
	set_lookup(0, "example.org", DNS_A);
	nameservers_ask(&servers, lookups, 1, clock_ms() + patience_ms);
	assert_int_equal(lookups[0].len > 0, lookups[0].result >= NAMESERVER_DOUBTFUL);
	return lookups[0].result;
}

/* Asks one server that has this row. */
static enum nameserver_result
ask_one(struct row row)
{
	serve(&row, 1);
	enum nameserver_result result = ask(20000);
	servers_stop();
	return result;
}

static void
the_file_names_servers_and_a_domain(void **state)
{
	char text[ADDRESS_TEXT_MAX];

	(void)state;
	read_servers("# nameserver 192.0.2.9\n\nnameserver 192.0.2.1 # first\nsearch old.example\n"
	    "nameserver\nnameserver nonsense\n\tnameserver\t2001:db8::1\ndomain b.example\n"
	    "search c.example d.example\nnameserver 192.0.2.3\nnameserver 192.0.2.4\n", 5353);
	assert_int_equal(servers.count, NAMESERVER_MAX);
	address_text(&servers.at[0], text);
	assert_string_equal(text, "192.0.2.1");
	address_text(&servers.at[1], text);
	assert_string_equal(text, "2001:db8::1");
	address_text(&servers.at[2], text);
	assert_string_equal(text, "192.0.2.3");
	assert_int_equal(address_port(&servers.at[2]), 5353);
	assert_string_equal(servers.search, "c.example d.example");

	nameservers_read(&servers, scratch_path("none"), 53);
	assert_int_equal(servers.count, 1);
	assert_true(address_is_loopback(&servers.at[0]));
}

static void
the_root_is_no_domain_to_search(void **state)
{
	(void)state;
	read_servers("search .\n", 53);
	assert_string_equal(servers.search, "");
	read_servers("search b.example. . c.example\r\n", 53);
	assert_string_equal(servers.search, "b.example c.example");
	read_servers("search b.example\nsearch\n", 53);
	assert_string_equal(servers.search, "");
}

/* A name that just fits, and one that is one octet longer. */
static void
names_to_search_are_whole_or_not_there(void **state)
{
	char text[NAMESERVER_SEARCH_MAX + 32];
	const size_t most = NAMESERVER_SEARCH_MAX - 1 - 2;

	(void)state;
	for (size_t len = most; len <= most + 1; len++) {
		snprintf(text, sizeof(text), "search b %0*d.\n", (int)len, 0);
		read_servers(text, 53);
		assert_int_equal(strlen(servers.search),
		    len == most ? NAMESERVER_SEARCH_MAX - 1 : 1);
	}
}

static void
whom_to_believe_stands_in_the_file(void **state)
{
	static const struct {
		const char *text;
		bool trusted;
	} files[] = {
		{ "", true },
		{ "nameserver 127.0.0.53\n", true },
		{ "nameserver ::1\nnameserver 127.0.0.2\n", true },
		{ "nameserver 192.0.2.1\n", false },
		{ "nameserver 127.0.0.1\nnameserver 192.0.2.1\n", false },
		{ "nameserver 192.0.2.1\noptions edns0 trust-ad\n", true },
		{ "options trust-ad\nnameserver 192.0.2.1\noptions ndots:2\n", true },
		{ "nameserver 192.0.2.1\noptions trust-ad", true },
		{ "nameserver 192.0.2.1\noptions no-trust-ad trust-ads\n", false },
		{ "nameserver 192.0.2.1\n#options trust-ad\n", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		read_servers(files[i].text, 53);
		assert_int_equal(nameservers_are_trusted(&servers), files[i].trusted);
		assert_false(servers.dnssec);
	}
}

static void
the_first_that_answers_is_asked_first_the_next_time(void **state)
{
	(void)state;
	serve((struct row[]){ { .flags = SAYS_SERVFAIL }, { .flags = SAYS_NXDOMAIN_AD } }, 2);
	assert_int_equal(ask(20000), NAMESERVER_SECURE);
	assert_int_equal(dns_code(span(answers[0], lookups[0].len)), DNS_NXDOMAIN);
	assert_int_equal(ask(20000), NAMESERVER_SECURE);
	servers_stop();
	assert_int_equal(seen->count, 3);
	assert_int_equal(seen->at[0].server, '1');
	assert_int_equal(seen->at[1].server, '2');
	assert_int_equal(seen->at[2].server, '2');
}

static void
failures_are_no_answers(void **state)
{
	/* REFUSED; NOERROR and NXDOMAIN without recursion and without authority */
	static const unsigned int flags[] = { 0x8185, 0x8100, 0x8103 };

	(void)state;
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		assert_int_equal(ask_one((struct row){ .flags = flags[i] }), NAMESERVER_SILENT);
	assert_int_equal(ask_one((struct row){ .flags = SAYS_SERVFAIL }), NAMESERVER_FAILED);
}

static void
silence_lasts_until_the_deadline_and_no_longer(void **state)
{
	int64_t begun;

	(void)state;
	serve(&(struct row){ .flags = SAYS_NOTHING }, 1);
	begun = clock_ms();
	assert_int_equal(ask(200), NAMESERVER_SILENT);
	assert_in_range(clock_ms() - begun, 190, 10000);
	assert_int_equal(ask(0), NAMESERVER_SILENT);
	assert_int_equal(ask(-5000), NAMESERVER_SILENT);
	servers_stop();
	/* nobody there: no deadline is waited for */
	assert_int_equal(ask(600000), NAMESERVER_SILENT);
	assert_in_range(clock_ms() - begun, 0, 300000);
}

static void
what_did_not_fit_comes_over_tcp(void **state)
{
	(void)state;
	assert_int_equal(ask_one((struct row){ .flags = SAYS_CUT, .records = a_record }),
	    NAMESERVER_SECURE);
	assert_false(dns_is_cut(span(answers[0], lookups[0].len)));
	assert_int_equal(seen->count, 2);
	assert_true(seen->at[1].stream);
	assert_int_equal(seen->at[1].id, seen->at[0].id);
}

/* Sends `said` octets of an answer over TCP, after the length of all of it. */
static void
half_an_answer(size_t said, enum nameserver_result expected)
{
	uint16_t port = 0;
	int fd = server_bound(SOCK_DGRAM, '1', &port), listener;

	while ((listener = server_bound(SOCK_STREAM, '1', &port)) < 0) {
		close(fd);
		port = 0;
		fd = server_bound(SOCK_DGRAM, '1', &port);
	}
	pid_t pid = fork();
	if (pid == 0) {
		for (int i = 0; i < 2; i++) {
			uint8_t octets[512];
			struct sockaddr_in from;
			socklen_t from_len = sizeof(from);
			ssize_t len = recvfrom(fd, octets, sizeof(octets), 0,
			    (struct sockaddr *)&from, &from_len);

			octets_put16(octets + 2, SAYS_CUT);
			sendto(fd, octets, (size_t)len, 0, (struct sockaddr *)&from, from_len);
			int client = accept(listener, NULL, NULL);
			len = recv(client, octets, sizeof(octets), 0);
			octets_put16(octets + 4, SAYS);
			send(client, octets, said < (size_t)len ? said : (size_t)len, 0);
			close(client);
		}
		_exit(0);
	}
	close(fd);
	close(listener);
	servers = (struct nameservers){ .count = 1 };
	address_read(&servers.at[0], SPAN("127.0.0.1"), port);
	assert_int_equal(ask(20000), expected);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void
half_of_it_over_tcp_is_nothing(void **state)
{
	(void)state;
	half_an_answer(0, NAMESERVER_SILENT);
	half_an_answer(1, NAMESERVER_SILENT);
	half_an_answer(2, NAMESERVER_SILENT);
	half_an_answer(20, NAMESERVER_SILENT);
	half_an_answer(512, NAMESERVER_INSECURE);
}

/* Three questions: none is answered before the second has come. */
static void
questions_go_together(void **state)
{
	static const struct row rows[] = {
		{ "a.example", DNS_AAAA, SAYS, NULL, WITH_NEXT },
		{ "a.example", DNS_A, SAYS_AD, NULL, WITH_NEXT },
		{ "_25._tcp.a.example", DNS_TLSA, SAYS_NXDOMAIN_AD, NULL, 0 },
		{ 0 },
	};
	const struct row *tables[] = { rows };

	(void)state;
	servers_start(&servers, tables, 1);
	set_lookup(0, "a.example", DNS_AAAA);
	set_lookup(1, "a.example", DNS_A);
	set_lookup(2, "_25._tcp.a.example", DNS_TLSA);
	nameservers_ask(&servers, lookups, 3, clock_ms() + 600000);
	servers_stop();
	assert_int_equal(seen->count, 3);
	assert_int_equal(lookups[0].result, NAMESERVER_INSECURE);
	assert_int_equal(lookups[1].result, NAMESERVER_SECURE);
	assert_int_equal(lookups[2].result, NAMESERVER_SECURE);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(seen->at[i].type, lookups[i].type);
		assert_int_not_equal(seen->at[i].port, seen->at[(i + 1) % 3].port);
	}
}

/* One of several servers drops a type of query. */
static void
what_one_does_not_answer_the_next_one_does(void **state)
{
	static const struct row drops[] = { { "a.example", DNS_TLSA, SAYS_NOTHING, NULL, 0 },
		{ "a.example", DNS_A, SAYS_AD, NULL, 0 }, { 0 } };
	static const struct row answering[] = { { "a.example", DNS_TLSA, SAYS_AD, NULL, 0 }, { 0 } };
	const struct row *tables[] = { drops, answering };

	(void)state;
	servers_start(&servers, tables, 2);
	set_lookup(0, "a.example", DNS_TLSA);
	set_lookup(1, "a.example", DNS_A);
	/* a fourth of it for the first try */
	nameservers_ask(&servers, lookups, 2, clock_ms() + 4000);
	servers_stop();
	assert_int_equal(lookups[0].result, NAMESERVER_SECURE);
	assert_int_equal(lookups[1].result, NAMESERVER_SECURE);
}

static void
dnssec_is_asked_for_only_where_it_is_believed(void **state)
{
	(void)state;
	assert_int_equal(ask_one((struct row){ .flags = SAYS_AD }), NAMESERVER_SECURE);
	assert_true(seen->at[0].edns && seen->at[0].ad);
	assert_true(servers.validates);
	assert_int_equal(ask_one((struct row){ .flags = SAYS }), NAMESERVER_INSECURE);
	assert_true(seen->at[0].edns && seen->at[0].ad);
	assert_false(servers.validates);

	serve(&(struct row){ .flags = SAYS_AD }, 1);
	servers.dnssec = false;
	assert_int_equal(ask(20000), NAMESERVER_INSECURE);
	servers_stop();
	assert_false(seen->at[0].edns || seen->at[0].ad);
	assert_false(servers.validates);
}

/* A server that does not know EDNS, and one that never answers it: the AD bit is asked for. */
static void
the_second_try_is_without_edns(void **state)
{
	(void)state;
	assert_int_equal(ask_one((struct row){ .flags = SAYS_AD, .but = NO_EDNS }),
	    NAMESERVER_SECURE);
	assert_int_equal(seen->count, 2);
	assert_false(seen->at[1].edns);
	assert_true(seen->at[1].ad);

	serve(&(struct row){ .flags = SAYS_AD, .but = LOSES_EDNS }, 1);
	assert_int_equal(ask(4000), NAMESERVER_SECURE);
	servers_stop();
	assert_false(seen->at[1].edns);
}

/* Letters are random, and an answer with others counts only over TCP. */
static void
an_answer_has_the_letters_of_the_question(void **state)
{
	bool mixed = false;

	(void)state;
	for (int i = 0; i < 20 && !mixed; i++) {
		assert_int_equal(ask_one((struct row){ .flags = SAYS_AD, .records = a_record }),
		    NAMESERVER_SECURE);
		assert_int_equal(seen->count, 1);
		mixed = strcmp(seen->at[0].name, "example.org") != 0;
		/* and the caller sees its own */
		assert_memory_equal(answers[0] + 12, "\7example\3org\0", 13);
	}
	assert_true(mixed);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(ask_one((struct row){ .flags = SAYS_AD, .but = FOLDS }),
		    NAMESERVER_SECURE);
		if (strcmp(seen->at[0].name, "example.org") == 0)
			continue;
		assert_int_equal(seen->count, 2);
		assert_true(seen->at[1].stream);
		return;
	}
	fail();
}

static void
an_id_is_never_the_same_for_long(void **state)
{
	unsigned same = 0;

	(void)state;
	serve(&(struct row){ .flags = SAYS }, 1);
	for (int i = 0; i < 20; i++)
		ask(20000);
	servers_stop();
	for (unsigned i = 1; i < 20; i++)
		same += seen->at[i].id == seen->at[i - 1].id;
	assert_in_range(same, 0, 2);
}

/* What does not verify for one server is not true because another one does not validate. */
static void
after_a_failure_an_insecure_answer_is_doubtful(void **state)
{
	(void)state;
	serve((struct row[]){ { .flags = SAYS_SERVFAIL }, { .flags = SAYS } }, 2);
	assert_int_equal(ask(20000), NAMESERVER_DOUBTFUL);
	servers_stop();
	serve((struct row[]){ { .flags = SAYS_SERVFAIL }, { .flags = SAYS_AD } }, 2);
	assert_int_equal(ask(20000), NAMESERVER_SECURE);
	servers_stop();
	/* without DNSSEC, as ever */
	serve((struct row[]){ { .flags = SAYS_SERVFAIL }, { .flags = SAYS } }, 2);
	servers.dnssec = false;
	assert_int_equal(ask(20000), NAMESERVER_INSECURE);
	servers_stop();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_file_names_servers_and_a_domain),
		cmocka_unit_test(the_root_is_no_domain_to_search),
		cmocka_unit_test(names_to_search_are_whole_or_not_there),
		cmocka_unit_test(whom_to_believe_stands_in_the_file),
		cmocka_unit_test(the_first_that_answers_is_asked_first_the_next_time),
		cmocka_unit_test(failures_are_no_answers),
		cmocka_unit_test(silence_lasts_until_the_deadline_and_no_longer),
		cmocka_unit_test(what_did_not_fit_comes_over_tcp),
		cmocka_unit_test(half_of_it_over_tcp_is_nothing),
		cmocka_unit_test(questions_go_together),
		cmocka_unit_test(what_one_does_not_answer_the_next_one_does),
		cmocka_unit_test(dnssec_is_asked_for_only_where_it_is_believed),
		cmocka_unit_test(the_second_try_is_without_edns),
		cmocka_unit_test(an_answer_has_the_letters_of_the_question),
		cmocka_unit_test(an_id_is_never_the_same_for_long),
		cmocka_unit_test(after_a_failure_an_insecure_answer_is_doubtful),
	};

	return cmocka_run_group_tests(tests, scratch_open, scratch_close);
}
