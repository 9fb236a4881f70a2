/* Whether a file was never created, or exists and cannot be reached. */
#include "scratch.h"
#include "unit.h"

#include "sys/path.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>

static void
makes_link(const char *to, const char *name)
{
	assert_int_equal(symlink(to, scratch_path(name)), 0);
}

static void
what_was_never_there_is_absent(void **state)
{
	(void)state;
	assert_true(path_is_absent(scratch_path("a")));
	assert_true(path_is_absent(scratch_path("a/b/c")));
	assert_true(path_is_absent(scratch_path("a//b/")));
	assert_true(path_is_absent("/nowhere-at-all"));
	assert_true(path_is_absent("nowhere-at-all/x"));
	assert_true(path_is_absent(""));
	makes_link(".", "here");
	assert_true(path_is_absent(scratch_path("here/a")));
	assert_true(path_is_absent(scratch_path("here/a/b")));
}

static void
what_a_link_hides_is_not(void **state)
{
	static char far[PATH_MAX + 1];

	(void)state;
	makes_link("nowhere", "file");
	makes_link("nowhere", "folder");
	makes_link("loop", "loop");
	assert_false(path_is_absent(scratch_path("file")));
	assert_false(path_is_absent(scratch_path("folder/a")));
	assert_false(path_is_absent(scratch_path("folder/a/b")));
	assert_false(path_is_absent(scratch_path("loop/a")));
	assert_false(path_is_absent(scratch));
	memset(far, 'a', sizeof(far) - 1);
	assert_false(path_is_absent(far));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_never_there_is_absent, scratch_open,
		    scratch_close),
		cmocka_unit_test_setup_teardown(what_a_link_hides_is_not, scratch_open,
		    scratch_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
