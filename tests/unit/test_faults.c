/*
 * Each call that this library makes can fail: then the lab is broken, says which
 * call it was and with which errno, and takes back what it has made.
 */
/* link: libseccomp */
#define _GNU_SOURCE
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>

#include "fails.h"
#include "kernel/cg.h"
#include "kernel/file.h"
#include "kernel/ns.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "machine/machine.h"
#include "machine/probe.h"
#include "run.h"
#include "story/option.h"
#include "story/out.h"

static const struct lab lab_here = {.id = "91-test", .title = "t", .goal = "g"};

/*
 * From here on each of these calls fails in this process; with 0 it succeeds, without effect.
 * openat() of what is there: what gcov has counted has to be written.
 */
static void fails(int with, ...)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	struct scmp_arg_cmp there = SCMP_A2(SCMP_CMP_MASKED_EQ, O_CREAT, 0);
	va_list ap;
	va_start(ap, with);
	for (const char *name; filter && (name = va_arg(ap, const char *));)
		if (seccomp_syscall_resolve_name(name) >= 0 && /* arm64 has some no more */
			seccomp_rule_add_array(filter, SCMP_ACT_ERRNO((uint16_t)with),
				seccomp_syscall_resolve_name(name), !strcmp(name, "openat"),
				&there))
			_exit(98);
	va_end(ap);
	if (!filter || seccomp_load(filter))
		_exit(99);
	seccomp_release(filter);
}

static void start(void)
{
	begin(&lab_here, "--format=jsonl", NULL);
}

/* A child that stays until the lab ends. */
static pid_t idle(void)
{
	pid_t pid = fork();
	if (pid == 0)
		child_idle();
	undo_kill(pid);
	return pid;
}

/* ---- proc.c ---- */

static void no_pipe(void)
{
	fails(EMFILE, "pipe2", NULL);
	start();
}

static void no_page(void)
{
	fails(ENOMEM, "mmap", NULL);
	start();
}

static void no_undo_stack(void)
{
	fails(EINVAL, "madvise", NULL);
	start();
}

static void no_gate(void)
{
	struct gate gate;
	start();
	fails(EMFILE, "eventfd2", NULL);
	gate_init(&gate);
}

static void gate_read(void)
{
	struct gate gate;
	start();
	gate_init(&gate);
	fails_at("read", 1, EIO);
	gate_wait(&gate);
}

static void gate_poll(void)
{
	struct gate gate;
	start();
	gate_init(&gate);
	fails(EINTR, "poll", "ppoll", NULL);
	gate_wait(&gate);
}

static void gate_write(void)
{
	struct gate gate;
	start();
	gate_init(&gate);
	close(gate.fd);
	gate_open(&gate);
}

static void cannot_wait(void)
{
	start();
	pid_t pid = idle();
	fails(EPERM, "waitid", NULL);
	child_wait(pid);
}

static void cannot_reap(void)
{
	start();
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	child_ended(pid, -1);
	fails(EPERM, "wait4", NULL);
	child_wait(pid);
}

static void cannot_poll(void)
{
	start();
	pid_t pid = idle();
	fails(EBADF, "poll", "ppoll", NULL);
	child_ended(pid, 1);
}

static void stays(void)
{
	start();
	pid_t pid = idle();
	fails(0, "poll", "ppoll", NULL); /* the time is over at once, each time */
	child_wait(pid);
}

static void no_list(void)
{
	start();
	fails(EMFILE, "openat", NULL);
	free(proc_pids());
}

/* ---- file.c ---- */

static void no_link(void)
{
	start();
	fails(EACCES, "readlink", NULL);
	free(file_rootfs());
}

static void no_tree(void)
{
	start();
	fails(ENOENT, "access", "faccessat", "faccessat2", NULL);
	free(file_rootfs());
}

static void unreadable(void)
{
	start();
	fails_at("read", 1, EIO);
	free(file_read("/proc/self/status"));
}

static void no_folder(void)
{
	start();
	fails(EROFS, "mkdir", "mkdirat", NULL);
	tmp_folder();
}

static void no_mark(void)
{
	start();
	fails(ENOLCK, "flock", NULL);
	tmp_folder();
}

static void no_file_of_the_mark(void)
{
	start();
	fails_at("open", 1, EMFILE);
	tmp_folder();
}

/* ---- cg.c ---- */

static void has_what(void)
{
	start();
	fails(EPERM, "access", "faccessat", "faccessat2", NULL);
	cg_has("/tmp", "cgroup.procs");
}

static void no_key(void)
{
	start();
	fails(EIO, "pread64", NULL);
	cg_wait_key("/proc/self", "status", "Pid:", 1, 1);
}

static void no_group(void)
{
	start();
	fails(EROFS, "mkdir", "mkdirat", NULL);
	free(group_create("web"));
}

static void no_lock(void)
{
	start();
	fails(ENOLCK, "flock", NULL);
	lab_lock_cpu();
}

static void no_folder_of_the_lock(void)
{
	start();
	fails(EACCES, "openat", NULL);
	lab_lock_cpu();
}

static void stays_a_group(void)
{
	start();
	const char *group = tmp_folder();
	fails(EBUSY, "rmdir", "unlinkat", NULL);
	cg_destroy(group);
}

/* A folder that looks like a group in which somebody stays. */
static void is_not_killed(void)
{
	start();
	const char *group = tmp_folder();
	put_file(group, "cgroup.kill", "", 0600);
	put_file(group, "cgroup.events", "populated 1\nfrozen 0\n", 0600);
	cg_kill(group);
}

/* ---- lab.c ---- */

static const struct lab_question question = {.name = "how-many",
	.text = "How many?",
	.choices = {{"1", "one", NULL}, {"2", "two", "There are two."}}};

static void for_a_text(void)
{
	free(text("%d", 1));
}

static void for_a_note(void)
{
	lab_note("%d", 1);
}

static void for_a_look(void)
{
	lab_look("%d", 1);
}

static void for_an_answer(void)
{
	lab_answer(question.name, "%d", 1);
}

static void for_an_error(void)
{
	die("as %s as that", "simple");
}

static void (*asks)(void);

static void no_memory(void)
{
	start();
	fails_at("vasprintf", 1, ENOMEM);
	asks();
}

static void memory_that_is_not_there_is_told(void **state)
{
	(void)state;
	static const struct {
		void (*asks)(void);
		const char *said;
	} tries[] = {
		{for_a_text, "91-test: broken: out of memory: ENOMEM"},
		{for_a_note, "91-test: broken: out of memory: ENOMEM"},
		{for_a_look, "91-test: broken: out of memory: ENOMEM"},
		{for_an_answer, "91-test: broken: out of memory: ENOMEM"},
		{for_an_error, "91-test: broken: as %s as that"}, /* rather than nothing */
	};
	for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
		asks = tries[i].asks;
		struct run *r = run(no_memory);
		assert_status(r, 3);
		assert_has(r, err, tries[i].said);
	}
}

static void no_memory_for_a_row(void)
{
	start();
	fails_at("strdup", 3, ENOMEM);
	lab_row("one", "two", "three", "four");
}

static void no_place(void)
{
	fails(EIO, "access", "faccessat", "faccessat2", NULL);
	start();
}

static const struct lab_part parts[] = {
	{.name = "dangerous", .title = "It would do harm.", .hazard = true},
	{.name = "alone", .title = "It wants a boot of its own.", .boot_alone = true},
	{.name = "away", .title = "It needs a namespace.", .needs = {.namespaces = true}},
	{0},
};
static const struct lab with_parts = {.id = "91-test", .title = "t", .goal = "g", .parts = parts};
static const struct lab with_needs = {
	.id = "91-test", .title = "t", .goal = "g", .needs = {.namespaces = true}};

static void no_trial(void)
{
	fails(EAGAIN, "clone", "clone3", "fork", NULL);
	begin(&with_needs, "--format=jsonl", NULL);
}

static void no_trial_of_a_part(void)
{
	begin(&with_parts, "--format=jsonl", NULL);
	fails(EMFILE, "pipe2", NULL);
	lab_part("away");
}

static void no_machine(void)
{
	struct machine m;
	start();
	fails(EMFILE, "openat", NULL);
	machine_here(&m);
}

static void a_fault_is_told(void **state)
{
	(void)state;
	static const struct {
		void (*fn)(void);
		const char *said;
	} faults[] = {
		{gate_read, "read of a gate: EIO"},
		{no_pipe, "pipe2: EMFILE"},
		{no_page, "mmap: ENOMEM"},
		{no_undo_stack, "mmap, madvise: the undo stack: EINVAL"},
		{no_gate, "eventfd: EMFILE"},
		{gate_poll, "no process came to open a gate"},
		{gate_write, "write to a gate: EBADF"},
		{cannot_wait, "): EPERM"},
		{cannot_reap, "): EPERM"},
		{cannot_poll, ": EBADF"},
		{stays, "was to end, and has not after 25 s"},
		{no_list, "read /proc: EMFILE"},
		{no_link, "readlink /proc/self/exe: EACCES"},
		{no_tree, "(type: make): ENOENT"},
		{unreadable, "/proc/self/status: EIO"},
		{no_folder, ": EROFS"},
		{no_mark, "/.unboxed: ENOLCK"},
		{no_file_of_the_mark, "/.unboxed: EMFILE"},
		{has_what, "access /tmp/cgroup.procs: EPERM"},
		{no_key, "read /proc/self/status: EIO"},
		{no_group, ": EROFS"},
		{no_lock, ": ENOLCK"},
		{no_folder_of_the_lock, ": EACCES"},
		{is_not_killed, "is still populated after cgroup.kill"},
		{no_memory_for_a_row, "out of memory: ENOMEM"},
		{no_place, "access /etc/unboxed-vm: EIO"},
		{no_trial, "fork, pipe2, open, read: to try out what this lab needs: EAGAIN"},
		{no_trial_of_a_part,
			"fork, pipe2, open, read: to try out what part away needs: EMFILE"},
		{no_machine, "open, read: the files that tell what this machine is: EMFILE"},
	};
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
		struct run *r = run(faults[i].fn);
		assert_status(r, 3);
		assert_has(r, err, "91-test: broken: ");
		assert_has(r, err, faults[i].said);
	}
}

/* What is no fault: a read that a signal has interrupted, a kernel or a filter without a call. */
static void goes_on(void)
{
	start();
	fails_at("read", 1, EINTR);
	autofree char *status = file_read("/proc/self/status");
	pid_t pid = idle();
	fails(ENOSYS, "pidfd_send_signal", NULL);
	undo_run();
	dprintf(STDERR_FILENO, "read %d killed %d", strstr(status, "Pid:") != NULL,
		kill(pid, 0) == -1 && errno == ESRCH);
}

static void there_is_another_way(void **state)
{
	(void)state;
	struct run *r = run(goes_on);
	assert_status(r, 0);
	assert_string_equal(r->err, "read 1 killed 1");
}

/* What stays must not be said to have been removed. */
static void a_folder_that_stays_is_told(void **state)
{
	(void)state;
	struct run *r = run(stays_a_group);
	assert_status(r, 3);
	assert_has(r, err, ": EBUSY\n");
	assert_has(r, err, "cannot be removed\n");
	const char *path = strstr(r->err, "/tmp/lab91-");
	assert_non_null(path);
	char folder[64];
	snprintf(folder, sizeof folder, "%.*s", (int)strcspn(path, ": "), path);
	char mark[96];
	snprintf(mark, sizeof mark, "%s/" MARK, folder);
	assert_int_equal(unlink(mark), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void skips(void)
{
	begin(&with_parts, "--format=jsonl", NULL);
	bool on_host = access("/etc/unboxed-vm", F_OK) != 0;
	dprintf(STDERR_FILENO, "dangerous %d alone %d", lab_part("dangerous") == !on_host,
		lab_part("alone"));
	fails(EPERM, "unshare", NULL);
	dprintf(STDERR_FILENO, " away %d", lab_part("away"));
}

static void a_part_that_cannot_be_is_left_out(void **state)
{
	(void)state;
	struct run *r = run(skips);
	assert_status(r, 0);
	assert_has(r, err, "dangerous 1 alone 0 away 0");
	assert_has(r, out, "this machine was not booted for it alone");
	assert_has(r, out, "(EPERM)");
}

/* ---- probe.c: what a trial meets is what is told ---- */

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
		const char *said;
	} trials[] = {
		{&proc, "unshare", EPERM, "(EPERM)"},
		{&proc, "unshare", 0, "(EINVAL)"}, /* and nothing was mounted here */
		{&proc, "mount", EPERM, "(EPERM)"},
		{&proc, "newfstatat", EIO, "(EIO)"},
		{&proc, "pipe2", EMFILE, "-1 EMFILE"},
		{&overlay, "mkdir", ENOSPC, "(ENOSPC)"},
		{&time, "unshare", EINVAL, "(EINVAL)"},
		{&ordinary, "setresuid", EPERM, "(EPERM)"},
		{&ordinary, "prctl", EPERM, "no user namespace for an ordinary user (EPERM)"},
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
		assert_has(r, err, trials[i].said);
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
		{&namespaces, "unshare", 1, NEVER_RETURNS, "1 no user namespace (ETIMEDOUT)"},
		{&namespaces, "unshare", 1, ENDS_THE_PROCESS, "1 no user namespace (ECHILD)"},
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
		cmocka_unit_test(a_fault_is_told),
		cmocka_unit_test(memory_that_is_not_there_is_told),
		cmocka_unit_test(there_is_another_way),
		cmocka_unit_test(a_folder_that_stays_is_told),
		cmocka_unit_test(a_part_that_cannot_be_is_left_out),
		cmocka_unit_test(a_trial_tells_what_it_met),
		cmocka_unit_test(a_trial_tells_how_far_it_came),
		cmocka_unit_test(who_is_not_root_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
