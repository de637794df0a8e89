/*
 * probe.c: what a trial meets is what is told.
 */
/* link: libseccomp */
#define _GNU_SOURCE
#include "fails.h"
#include "kernel/sys.h"
#include "machine/probe.h"
#include "refuse.h"
#include "run.h"

static const char *call;
static int error;
static struct probe_needs needs;

static void probes(void)
{
	struct probe_missing missing[4];
	if (call)
		fails(error, call, strcmp(call, "mkdir") ? NULL : "mkdirat", NULL);
	int count = probe_needs(&needs, missing, 4);
	dprintf(STDERR_FILENO, "%d %s", count,
		count > 0   ? missing[0].what
		: count < 0 ? errno_name(errno)
			    : "");
}

static void a_trial_tells_what_it_met(void **state)
{
	(void)state;
	static const struct probe_needs proc = {.proc_mount = true}, time = {.time = true},
					overlay = {.overlay = true}, ordinary = {.ordinary = true},
					limits = {.limits = true}, release = {.kernel = "2.6"},
					module = {.modules = "no_such_module"};
	static const struct {
		const struct probe_needs *needs;
		const char *call;
		int error;
		const char *said, *said_to_user;
	} trials[] = {
		{&proc, "unshare", EPERM, "(EPERM)"},
		/* and nothing was mounted here; a user would have been mapped first */
		{&proc, "unshare", 0, "(EINVAL)", "no id map may be written to it"},
		{&proc, "mount", EPERM, "(EPERM)"},
		{&proc, "newfstatat", EIO, "(EIO)"},
		{&proc, "pipe2", EMFILE, "-1 EMFILE"},
		{&overlay, "mkdir", ENOSPC, "(ENOSPC)"},
		{&time, "unshare", EINVAL, "(EINVAL)"},
		{&ordinary, "setresuid", EPERM, "(EPERM)", "0 "}, /* a user need not become one */
		{&ordinary, "prctl", EPERM, "no user namespace for an ordinary user (EPERM)", "0 "},
		{&ordinary, "unshare", EPERM, "(EPERM)"},
		{&ordinary, "openat", EACCES, "(EACCES)"},         /* of its uid_map */
		{&limits, "unshare", ENOSPC, "no user namespace"}, /* of root as well */
		{&limits, "openat", EACCES, "(EACCES)"},
		{&release, "openat", EMFILE, "-1 EMFILE"},
		{&release, "openat", EACCES, "this is unknown"},
		{&module, "unshare", EPERM, "(EPERM)"},
		{&module, "socket", EMFILE, "(EMFILE)"},
		{&module, "recvfrom", 0, "(EPROTO)"},
		{&module, NULL, 0, "no_such_module"},
	};
	for (size_t i = 0; i < sizeof trials / sizeof *trials; i++) {
		needs = *trials[i].needs;
		call = trials[i].call;
		error = trials[i].error;
		struct run *r = run(probes);
		assert_status(r, 0);
		assert_has(r, err,
			geteuid() && trials[i].said_to_user ? trials[i].said_to_user
							    : trials[i].said);
	}
}

/* The same where the call is made more than once: its nth fails, or does worse. */
static int nth;

static void probes_at(void)
{
	struct probe_missing missing[4];
	if (call)
		fails_at(call, nth, error);
	int count = probe_needs(&needs, missing, 4);
	dprintf(STDERR_FILENO, "%d %s", count, count > 0 ? missing[0].what : "");
}

static void a_trial_tells_how_far_it_came(void **state)
{
	(void)state;
	static const struct probe_needs namespaces = {.namespaces = true}, time = {.time = true},
					proc = {.proc_mount = true},
					module = {.modules = "no_such_module"},
					long_name = {
						.modules = "a_name_that_no_kind_of_link_has_ever"};
	static const struct {
		const struct probe_needs *needs;
		const char *call;
		int nth, error;
		const char *said;
	} trials[] = {
		{&namespaces, NULL, 0, 0, "0 "},
		{&namespaces, "unshare", 1, NEVER_RETURNS, "(ETIMEDOUT)"},
		{&namespaces, "unshare", 1, ENDS_THE_PROCESS, "(ECHILD)"},
		{&proc, "unshare", 1, ENDS_THE_PROCESS, "1 no fresh /proc may be mounted"},
		{&time, "unshare", 7, EINVAL, "1 no time namespace of our own (EINVAL)"},
		{&proc, "mount", 3, EPERM, "1 no fresh /proc may be mounted"},
		{&proc, "fork", 2, EAGAIN, "1 no pid namespace of our own (EAGAIN)"},
		{&module, "unshare", 1, NEVER_RETURNS,
			"1 no kernel module no_such_module (ETIMEDOUT)"},
		{&long_name, NULL, 0, 0, "has_ever (EOPNOTSUPP)"},
	};
	for (size_t i = 0; i < sizeof trials / sizeof *trials; i++) {
		needs = *trials[i].needs;
		call = trials[i].call;
		nth = trials[i].nth +
		      (geteuid() != 0 && call && !strcmp(call, "unshare") &&
			      trials[i].nth > 1); /* its user namespace is the first */
		error = trials[i].error;
		struct run *r = run(probes_at);
		assert_status(r, 0);
		assert_has(r, err, trials[i].said);
	}
}

static void probes_as_nobody(void)
{
	if (geteuid() == 0 && (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534)))
		_exit(99);
	needs = (struct probe_needs){.root = true};
	call = NULL;
	probes();
}

static void who_is_not_root_is_told(void **state)
{
	(void)state;
	assert_has(run(probes_as_nobody), err, "1 we are not root of this machine");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_trial_tells_what_it_met),
		cmocka_unit_test(a_trial_tells_how_far_it_came),
		cmocka_unit_test(who_is_not_root_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
