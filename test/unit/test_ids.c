/*
 * Giving up root: each test runs in a child, because it cannot be undone.
 */
#include "unit.h"

#include "children.h"
#include "sys/ids.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#define MAILER 65534		/* any IDs other than root's */
#define CALLER 12345
#define GROUPS_MAX 64

static void
need_ids(uid_t ur, uid_t ue, uid_t us, gid_t gr, gid_t ge, gid_t gs)
{
	uid_t r, e, s;
	gid_t rg, eg, sg;

	need(getresuid(&r, &e, &s) == 0 && getresgid(&rg, &eg, &sg) == 0);
	need(r == ur && e == ue && s == us);
	need(rg == gr && eg == ge && sg == gs);
}

static void
need_groups(const gid_t *want, int count)
{
	gid_t got[GROUPS_MAX];

	need(getgroups(GROUPS_MAX, got) == count);
	for (int i = 0; i < count; i++) {
		bool found = false;

		for (int j = 0; j < count; j++)
			found = found || got[j] == want[i];
		need(found);
	}
}

static void
need_refused(int result)
{
	need(result < 0 && errno == EPERM);
}

/* Root cannot be regained in any way. */
static void
need_no_way_back(uid_t to)
{
	const gid_t root = 0;

	need_refused(setuid(to));
	need_refused(seteuid(to));
	need_refused(setreuid(to, (uid_t)-1));
	need_refused(setresuid((uid_t)-1, (uid_t)-1, to));
	need_refused(setgid(0));
	need_refused(setegid(0));
	need_refused(setresgid((gid_t)-1, (gid_t)-1, 0));
	need_refused(setgroups(1, &root));
	need_refused(initgroups("root", 0));
}

static void
set_ids(uid_t ur, uid_t ue, uid_t us, gid_t gr, gid_t ge, gid_t gs, const gid_t *groups,
    size_t count)
{
	need(setgroups(count, groups) == 0);
	need(setresgid(gr, ge, gs) == 0);
	need(setresuid(ur, ue, us) == 0);
}

static const gid_t roots_groups[] = { 0, 4, 24 };

static void
become_nobody(void)
{
	const struct passwd *entry = getpwnam("nobody");
	const char *why = NULL;

	need_or_skip(entry != NULL);
	uid_t uid = entry->pw_uid;
	gid_t gid = entry->pw_gid;
	need(setgroups(3, roots_groups) == 0);
	need(ids_become("nobody", &why) == 0 && why == NULL);
	need_ids(uid, uid, uid, gid, gid, gid);
	need_groups(NULL, 0);
	need_no_way_back(0);
	/* a second call has nothing to give up */
	need(ids_become("root", &why) == 0 && why == NULL);
	need_ids(uid, uid, uid, gid, gid, gid);
}

static void
becoming_a_user_cannot_be_undone(void **state)
{
	(void)state;
	as_root(become_nobody);
}

/* Only the effective ID is root, as in a set-user-ID program. */
static void
become_from_lent_root(void)
{
	const char *why = NULL;

	set_ids(CALLER, 0, CALLER, CALLER, 0, CALLER, roots_groups, 3);
	need(ids_become("nobody", &why) == 0);
	need(geteuid() != 0 && getuid() != CALLER);
	need_no_way_back(0);
	need_no_way_back(CALLER);
}

static void
becoming_a_user_sets_all_three_ids(void **state)
{
	(void)state;
	as_root(become_from_lent_root);
}

static void
become_unknown(void)
{
	static const char *const names[] = { "no-such-user-here", "nobod", "nobody:x", "nobody ",
	    ":", "65534", "#" };
	const char *why;

	need(setgroups(3, roots_groups) == 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		why = NULL;
		need(ids_become(names[i], &why) < 0);
		need(strstr(why, "no such user") != NULL);
	}
	need_ids(0, 0, 0, 0, 0, 0);
	need_groups(roots_groups, 3);
}

static void
an_unknown_user_is_an_error(void **state)
{
	(void)state;
	as_root(become_unknown);
}

static void
become_nobody_in_particular(void)
{
	const char *why = NULL;

	need(setgroups(3, roots_groups) == 0);
	need(ids_may_become("", &why) < 0 && strstr(why, "user = root") != NULL);
	why = NULL;
	need(ids_become("", &why) < 0 && strstr(why, "user = root") != NULL);
	need_ids(0, 0, 0, 0, 0, 0);
	need_groups(roots_groups, 3);
}

/* statement 39: running as root must be requested */
static void
threat_39_root_without_a_user_is_refused(void **state)
{
	(void)state;
	as_root(become_nobody_in_particular);
}

static void
become_root(void)
{
	const char *why = NULL;

	need(setgroups(3, roots_groups) == 0);
	need(ids_may_become("root", &why) == 0);
	need(ids_become("root", &why) == 0 && why == NULL);
	need_ids(0, 0, 0, 0, 0, 0);
	need_groups(NULL, 0);
}

static void
root_that_is_asked_for_stays(void **state)
{
	(void)state;
	as_root(become_root);
}

static void
look_only(void)
{
	const char *why = NULL;

	need(ids_may_become("nobody", &why) == 0 && why == NULL);
	need(ids_may_become("no-such-user-here", &why) < 0 && why != NULL);
	need_ids(0, 0, 0, 0, 0, 0);
}

static void
looking_changes_nothing(void **state)
{
	(void)state;
	as_root(look_only);
}

static void
become_as_plain_user(void)
{
	const char *why = NULL;
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (uid == 0) {
		uid = gid = MAILER;
		set_ids(uid, uid, uid, gid, gid, gid, roots_groups + 1, 2);
	}
	need(ids_become("root", &why) == 0 && why == NULL);
	need(ids_become("no-such-user-here", &why) == 0 && why == NULL);
	need(ids_become("", &why) == 0 && ids_may_become("", &why) == 0 && why == NULL);
	need_ids(uid, uid, uid, gid, gid, gid);
}

static void
without_root_nothing_changes(void **state)
{
	(void)state;
	in_child(become_as_plain_user);
}

/* Drops the leftovers and checks all IDs. */
static void
need_mailer_only(void)
{
	const char *why = NULL;

	need(ids_drop_leftovers(&why) == 0 && why == NULL);
	need_ids(MAILER, MAILER, MAILER, MAILER, MAILER, MAILER);
	need_no_way_back(0);
	/* a second call changes nothing */
	need(ids_drop_leftovers(&why) == 0 && why == NULL);
	need_ids(MAILER, MAILER, MAILER, MAILER, MAILER, MAILER);
}

/* the state in which sendmail's F=S starts a program */
static void
drop_after_sendmail(void)
{
	set_ids(0, MAILER, MAILER, MAILER, MAILER, MAILER, roots_groups, 3);
	need_mailer_only();
	need_groups(NULL, 0);
}

static void
drop_with_group_0(void)
{
	set_ids(0, MAILER, MAILER, 0, MAILER, MAILER, roots_groups, 1);
	need_mailer_only();
	need_groups(NULL, 0);
}

static void
drop_with_saved_group_0(void)
{
	set_ids(0, MAILER, MAILER, MAILER, MAILER, 0, roots_groups, 3);
	need_mailer_only();
	need_groups(NULL, 0);
}

static void
drop_with_saved_root(void)
{
	set_ids(0, MAILER, 0, 0, MAILER, 0, roots_groups, 3);
	need_mailer_only();
	need_groups(NULL, 0);
}

static void
drop_with_only_saved_root(void)
{
	set_ids(MAILER, MAILER, 0, MAILER, MAILER, MAILER, roots_groups, 3);
	need_mailer_only();
	need_groups(NULL, 0);
}

static void
what_sendmail_leaves_is_dropped(void **state)
{
	(void)state;
	as_root(drop_after_sendmail);
	as_root(drop_with_group_0);
	as_root(drop_with_saved_group_0);
	as_root(drop_with_saved_root);
	as_root(drop_with_only_saved_root);
}

/* Started by a user with the mailer's IDs: there is no root to clear groups with. */
static void
drop_setuid(void)
{
	const gid_t groups[] = { CALLER };

	set_ids(CALLER, MAILER, MAILER, CALLER, MAILER, MAILER, groups, 1);
	need_mailer_only();
	need_no_way_back(CALLER);
	need_groups(groups, 1);
}

static void
a_setuid_program_gives_up_its_callers_ids(void **state)
{
	(void)state;
	as_root(drop_setuid);
}

static void
drop_plain(void)
{
	const gid_t groups[] = { CALLER, 4 };
	const char *why = NULL;

	set_ids(CALLER, CALLER, CALLER, CALLER, CALLER, CALLER, groups, 2);
	need(ids_drop_leftovers(&why) == 0 && why == NULL);
	need_ids(CALLER, CALLER, CALLER, CALLER, CALLER, CALLER);
	need_groups(groups, 2);
}

/* A group from a set-group-ID bit is not one of root's. */
static void
drop_setgid(void)
{
	const gid_t groups[] = { CALLER, 4 };
	const char *why = NULL;

	set_ids(CALLER, CALLER, CALLER, CALLER, MAILER, MAILER, groups, 2);
	need(ids_drop_leftovers(&why) == 0 && why == NULL);
	need_ids(CALLER, CALLER, CALLER, CALLER, MAILER, MAILER);
	need_groups(groups, 2);
}

static void
drop_as_we_are(void)
{
	const char *why = NULL;
	uid_t uid = getuid();
	gid_t gid = getgid(), groups[GROUPS_MAX];
	int count = getgroups(GROUPS_MAX, groups);

	need_or_skip(geteuid() == uid && getegid() == gid && count >= 0);
	need(ids_drop_leftovers(&why) == 0 && why == NULL);
	need_ids(uid, uid, uid, gid, gid, gid);
	need_groups(groups, count);
}

static void
we_keep_what_we_are(void **state)
{
	(void)state;
	in_child(drop_as_we_are);
}

static void
a_plain_user_keeps_everything(void **state)
{
	(void)state;
	as_root(drop_plain);
	as_root(drop_setgid);
}

static void
drop_full_root(void)
{
	const char *why = NULL;

	need(setgroups(3, roots_groups) == 0);
	need(ids_drop_leftovers(&why) == 0 && why == NULL);
	need_ids(0, 0, 0, 0, 0, 0);
	need_groups(roots_groups, 3);
}

static void
drop_lent_root(void)
{
	const char *why = NULL;

	set_ids(CALLER, 0, 0, CALLER, 0, 0, roots_groups, 3);
	need(ids_drop_leftovers(&why) == 0 && why == NULL);
	need_ids(CALLER, 0, 0, CALLER, 0, 0);
	need_groups(roots_groups, 3);
}

static void
root_that_was_meant_stays(void **state)
{
	(void)state;
	as_root(drop_full_root);
	as_root(drop_lent_root);
}

static void
drop_without_setgroups(void)
{
	const char *why = NULL;

	need(setresgid(0, MAILER, MAILER) == 0 && setresuid(0, MAILER, MAILER) == 0);
	need(ids_drop_leftovers(&why) < 0);
	need(strcmp(why, "root's groups could not be given up") == 0);
	/* an error, but root has been given up all the same */
	need_ids(MAILER, MAILER, MAILER, MAILER, MAILER, MAILER);
	need_refused(setuid(0));
	need_refused(setgid(0));
}

static void
become_without_setgroups(void)
{
	const char *why = NULL;

	need_or_skip(getpwnam("nobody") != NULL);
	need(ids_become("nobody", &why) < 0);
	need(strcmp(why, "root could not be given up") == 0);
}

/* In some containers nobody can change groups. */
static void
groups_that_cannot_be_cleared_are_an_error(void **state)
{
	(void)state;
	in_user_namespace(drop_without_setgroups);
	in_user_namespace(become_without_setgroups);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(becoming_a_user_cannot_be_undone),
		cmocka_unit_test(becoming_a_user_sets_all_three_ids),
		cmocka_unit_test(an_unknown_user_is_an_error),
		cmocka_unit_test(threat_39_root_without_a_user_is_refused),
		cmocka_unit_test(root_that_is_asked_for_stays),
		cmocka_unit_test(looking_changes_nothing),
		cmocka_unit_test(without_root_nothing_changes),
		cmocka_unit_test(what_sendmail_leaves_is_dropped),
		cmocka_unit_test(a_setuid_program_gives_up_its_callers_ids),
		cmocka_unit_test(we_keep_what_we_are),
		cmocka_unit_test(a_plain_user_keeps_everything),
		cmocka_unit_test(root_that_was_meant_stays),
		cmocka_unit_test(groups_that_cannot_be_cleared_are_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
