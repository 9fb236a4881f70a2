/* Which parts of the jail the kernel lacks, and the words for it. */
#include "lacking.h"
#include "emulated.h"

#include "sys/jail_parts.h"

#include <errno.h>

/* Exits with 0 if the words for a part begin with `wanted`; NULL: the kernel has it. */
static void
say(enum jail_part part, const char *wanted)
{
	const char *said = jail_part_lacking(part);

	if (wanted == NULL || said == NULL)
		_exit(said == wanted ? 0 : 1);
	_exit(strncmp(said, wanted, strlen(wanted)) == 0 ? 0 : 2);
}

/* The same in a kernel where the call fails with `why`. */
static void
assert_words(enum jail_part part, long call, int why, const char *wanted)
{
	pid_t pid = fork();

	if (pid == 0) {
		lack(call, why);
		say(part, wanted);
	}
	assert_int_equal(verdict(pid), 0);
}

static void
words_name_what_to_change(void **state)
{
	long landlock = SYS_landlock_create_ruleset;

	(void)state;
	skip_where_emulated();
	assert_words(JAIL_LANDLOCK, landlock, EOPNOTSUPP, "disabled at boot; add landlock to the kernel parameter lsm=");
	assert_words(JAIL_LANDLOCK, landlock, ENOSYS, "Linux before 5.13");
	assert_words(JAIL_LANDLOCK, landlock, EPERM, "landlock_create_ruleset(2) is forbidden");
	assert_words(JAIL_SECCOMP, SYS_seccomp, ENOSYS, "Linux without CONFIG_SECCOMP_FILTER");
	assert_words(JAIL_SECCOMP, SYS_seccomp, EINVAL, "Linux without CONFIG_SECCOMP_FILTER");
	assert_words(JAIL_SECCOMP, SYS_seccomp, EPERM, "seccomp(2) is forbidden");
	assert_words(JAIL_MEMORY_LIMIT, SYS_getppid, ENOSYS, NULL);
	/* what a kernel before 4.14 says to the question, and then to the attempt */
	assert_words(JAIL_SECCOMP, SYS_seccomp, EFAULT, NULL);
}

static void
the_question_changes_nothing(void **state)
{
	(void)state;
	skip_where_emulated();
	pid_t pid = fork();
	if (pid == 0) {
		lack(SYS_getppid, ENOSYS);
		say(JAIL_SECCOMP, NULL);
	}
	assert_int_equal(verdict(pid), 0);
	pid = fork();
	if (pid == 0) {
		for (enum jail_part part = 0; part < JAIL_PARTS; part++)
			jail_part_lacking(part);
		_exit(prctl(PR_GET_SECCOMP) == 0 && open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0 ? 0 : 1);
	}
	assert_int_equal(verdict(pid), 0);
}

static void
older_abis_leave_more_to_the_filter(void **state)
{
	(void)state;
	assert_string_equal(jail_landlock_without(1), "connections and signals");
	assert_string_equal(jail_landlock_without(3), "connections and signals");
	assert_string_equal(jail_landlock_without(4), "signals");
	assert_string_equal(jail_landlock_without(5), "signals");
	assert_null(jail_landlock_without(6));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_name_what_to_change),
		cmocka_unit_test(the_question_changes_nothing),
		cmocka_unit_test(older_abis_leave_more_to_the_filter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
