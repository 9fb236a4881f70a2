/* Small files that only their owner can read. */
#include "unit.h"

#include "scratch.h"
#include "sys/private_file.h"

#include <errno.h>

#define NOBODY 65534

static struct private_file_place place;

static int
open_place(void **state)
{
	char conf[128];
	const char *why;

	if (scratch_open(state) < 0)
		return -1;
	snprintf(conf, sizeof(conf), "%s/blackpony.conf", scratch);
	return private_file_place(&place, conf, "", &why);
}

static void
good(const char *name, const char *want)
{
	char out[64];
	const char *why = "";
	ssize_t len = private_file_read(&place, name, out, sizeof(out), &why);

	if (len < 0)
		fail_msg("%s: %s", name, why);
	assert_span(span(out, (size_t)len), want);
}

static void
bad(const char *name, bool missing, const char *what)
{
	char out[64];
	const char *why = "";

	errno = 0;
	assert_int_equal(private_file_read(&place, name, out, sizeof(out), &why), -1);
	assert_int_equal(errno == ENOENT, missing);
	if (strstr(why, what) == NULL)
		fail_msg("\"%s\" says nothing of \"%s\"", why, what);
}

static mode_t
mode_of(const char *name)
{
	struct stat st;

	assert_int_equal(lstat(scratch_path(name), &st), 0);
	return st.st_mode & 07777;
}

static void
made_once_and_read(void **state)
{
	(void)state;
	bad("k", true, "No such file");
	umask(0);
	assert_int_equal(private_file_create(&place, "k", SPAN("first\n")), 0);
	umask(022);
	assert_int_equal(mode_of("k"), 0600);
	good("k", "first\n");
	/* never overwrites, whatever is there */
	assert_int_equal(private_file_create(&place, "k", SPAN("second\n")), -1);
	assert_int_equal(errno, EEXIST);
	good("k", "first\n");
	assert_int_equal(symlink("nowhere", scratch_path("link")), 0);
	assert_int_equal(private_file_create(&place, "link", SPAN("x")), -1);
	assert_int_equal(errno, EEXIST);
	assert_int_equal(scratch_size("k.new"), -1);
	assert_int_equal(scratch_size("link.new"), -1);
}

static void
replaced_at_once(void **state)
{
	(void)state;
	assert_int_equal(private_file_create(&place, "k", SPAN("old")), 0);
	assert_int_equal(private_file_replace(&place, "k", "n"), -1);
	assert_int_equal(errno, ENOENT);
	good("k", "old");
	assert_int_equal(private_file_create(&place, "n", SPAN("new")), 0);
	assert_int_equal(private_file_replace(&place, "k", "n"), 0);
	good("k", "new");
	bad("n", true, "No such file");
}

static void
what_a_crash_left_does_no_harm(void **state)
{
	(void)state;
	scratch_write("k.new", "half", 4);
	assert_int_equal(private_file_create(&place, "k", SPAN("whole")), 0);
	good("k", "whole");
	/* not even through a link that was put there */
	scratch_write("victim", "v", 1);
	assert_int_equal(symlink("victim", scratch_path("j.new")), 0);
	assert_int_equal(private_file_create(&place, "j", SPAN("whole")), 0);
	good("j", "whole");
	good("victim", "v");
}

static void
a_full_disk_leaves_nothing(void **state)
{
	(void)state;
	scratch_limit(2);
	int result = private_file_create(&place, "k", SPAN("four"));
	scratch_limit(0);
	assert_int_equal(result, -1);
	assert_int_equal(scratch_size("k"), -1);
	assert_int_equal(scratch_size("k.new"), -1);
}

/* statement 23: a key that others can read is refused */
static void
threat_23_not_one_that_others_can_read(void **state)
{
	static const mode_t open_to[] = { 0640, 0604, 0620, 0602, 0610, 0601, 0666 };

	(void)state;
	assert_int_equal(private_file_create(&place, "k", SPAN("key")), 0);
	for (size_t i = 0; i < sizeof(open_to) / sizeof(open_to[0]); i++) {
		assert_int_equal(chmod(scratch_path("k"), open_to[i]), 0);
		bad("k", false, "0600");
	}
	assert_int_equal(chmod(scratch_path("k"), 0400), 0);
	good("k", "key");
}

static void
threat_23_not_another_users(void **state)
{
	(void)state;
	assert_int_equal(private_file_create(&place, "k", SPAN("key")), 0);
	good("k", "key");
	if (geteuid() != 0) {
		place.owner++;
		bad("k", false, "another user");
		place.owner--;
		skip();
	}
	/* made by root for another owner */
	place.owner = NOBODY;
	place.group = NOBODY;
	assert_int_equal(private_file_create(&place, "n", SPAN("key")), 0);
	good("n", "key");
	struct stat st;
	assert_int_equal(stat(scratch_path("n"), &st), 0);
	assert_int_equal(st.st_uid, NOBODY);
	assert_int_equal(st.st_gid, NOBODY);
	/* root may also read a file of root; files of other users are refused */
	good("k", "key");
	place.owner++;
	good("k", "key");
	bad("n", false, "another user");
	place.owner = 0;
	bad("n", false, "another user");
}

static void
what_is_no_file_of_ours_is_not_read(void **state)
{
	(void)state;
	assert_int_equal(mkdir(scratch_path("d"), 0700), 0);
	bad("d", false, "not a file");
	/* opening a FIFO does not wait for a writer */
	assert_int_equal(mkfifo(scratch_path("f"), 0600), 0);
	bad("f", false, "not a file");
	scratch_write("k", "key", 3);
	assert_int_equal(symlink("k", scratch_path("l")), 0);
	bad("l", false, "link");
	/* as long as the space less one octet, and as long as the space */
	char text[64];
	memset(text, 'x', sizeof(text));
	scratch_write("long", text, sizeof(text) - 1);
	bool full = false;
	char out[64];
	const char *why;
	full = private_file_read(&place, "long", out, sizeof(out), &why) == 63;
	assert_true(full);
	scratch_write("long", text, sizeof(text));
	bad("long", false, "too long");
	scratch_write("empty", "", 0);
	good("empty", "");
}

static void
the_place_is_beside_the_settings(void **state)
{
	static const struct { const char *file, *directory; } cases[] = {
		{ "/etc/blackpony/blackpony.conf", "/etc/blackpony" }, { "/x.conf", "/" },
		{ "x.conf", "." }, { "a/x.conf", "a" }, { "../x", ".." },
	};
	static char long_path[2 * PRIVATE_FILE_PATH_MAX];
	const char *why = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(private_file_place(&place, cases[i].file, "", &why), 0);
		assert_string_equal(place.directory, cases[i].directory);
		assert_int_equal(place.owner, geteuid());
	}
	memset(long_path, 'a', sizeof(long_path) - 1);
	long_path[PRIVATE_FILE_PATH_MAX - 1] = '/';
	assert_int_equal(private_file_place(&place, long_path, "", &why), 0);
	long_path[PRIVATE_FILE_PATH_MAX - 1] = 'a';
	long_path[PRIVATE_FILE_PATH_MAX] = '/';
	assert_int_equal(private_file_place(&place, long_path, "", &why), -1);
	assert_non_null(why);
	/* root reads the files of the user named in the settings */
	if (geteuid() != 0)
		skip();
	assert_int_equal(private_file_place(&place, "x", "nobody", &why), 0);
	assert_int_equal(place.owner, NOBODY);
	assert_int_equal(place.group, NOBODY);
	assert_int_equal(private_file_place(&place, "x", "no-such-user", &why), -1);
}

/* Files of PEM, anywhere. */
static void
assert_path(const char *name, bool secret, const char *what)
{
	char out[64];
	const char *why = NULL;

	errno = 0;
	ssize_t len = private_file_read_path(scratch_path(name), secret, out, sizeof(out), &why);
	if (what == NULL) {
		assert_int_equal(len, 5);
		assert_null(why);
		return;
	}
	assert_true(len < 0 && why != NULL);
	if (strstr(why, what) == NULL)
		fail_msg("\"%s\" says nothing of \"%s\"", why, what);
}

/* A certificate is anyone's to read; its key is not, and links are followed, as Let's Encrypt has them. */
static void
threat_23_files_at_any_path(void **state)
{
	(void)state;
	scratch_write("pem", "12345", 5);
	assert_path("pem", true, NULL);
	assert_int_equal(symlink("pem", scratch_path("link")), 0);
	assert_path("link", true, NULL);
	assert_path("none", false, "No such file");
	assert_path(".", false, "not a file");
	assert_int_equal(mkfifo(scratch_path("fifo"), 0600), 0);
	assert_path("fifo", false, "not a file");
	for (mode_t mode = 0601; mode <= 0607; mode++) {
		assert_int_equal(chmod(scratch_path("pem"), mode), 0);
		assert_path("pem", false, NULL);
		assert_path("pem", true, "others may read");
	}
	assert_int_equal(chmod(scratch_path("pem"), 0640), 0);
	assert_path("pem", true, NULL);
	if (geteuid() == 0) {
		assert_int_equal(chown(scratch_path("pem"), NOBODY, NOBODY), 0);
		assert_path("pem", true, "another user");
		assert_path("pem", false, NULL);
	}
}

/* As long as the room, and one octet less. */
static void
files_that_are_too_long(void **state)
{
	static const char text[64] = "x";
	char out[64];
	const char *why;

	(void)state;
	scratch_write("pem", text, 63);
	assert_int_equal(private_file_read_path(scratch_path("pem"), true, out, 64, &why), 63);
	scratch_write("pem", text, 64);
	assert_true(private_file_read_path(scratch_path("pem"), true, out, 64, &why) < 0);
	assert_string_equal(why, "it is too long");
}

/* Unlike private_file_create(), it replaces; a full disk leaves the old one. */
static void
put_in_place_of_another(void **state)
{
	(void)state;
	assert_int_equal(private_file_put(&place, "cert", SPAN("first")), 0);
	good("cert", "first");
	assert_int_equal(private_file_put(&place, "cert", SPAN("second")), 0);
	good("cert", "second");
	assert_int_equal(mode_of("cert"), 0600);
	scratch_limit(3);
	assert_true(private_file_put(&place, "cert", SPAN("third")) < 0);
	scratch_limit(0);
	good("cert", "second");
	bad("cert.new", true, "No such file");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_place, scratch_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(made_once_and_read),
		TEST(replaced_at_once),
		TEST(what_a_crash_left_does_no_harm),
		TEST(a_full_disk_leaves_nothing),
		TEST(threat_23_not_one_that_others_can_read),
		TEST(threat_23_not_another_users),
		TEST(what_is_no_file_of_ours_is_not_read),
		TEST(the_place_is_beside_the_settings),
		TEST(threat_23_files_at_any_path),
		TEST(files_that_are_too_long),
		TEST(put_in_place_of_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
