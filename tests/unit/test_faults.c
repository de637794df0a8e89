/*
 * Each call that this library makes can fail: then the lab is broken, says which
 * call it was and with which errno, and takes back what it has made.
 */
/* link: libseccomp */
#define _GNU_SOURCE
#include "fails.h"
#include "kernel/cg.h"
#include "kernel/file.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "machine/machine.h"
#include "refuse.h"
#include "run.h"

static const struct lab lab_here = {.id = "91-test", .title = "t", .goal = "g"};

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
		{no_tree, "(type: make all): ENOENT"},
		{unreadable, "/proc/self/status: EIO"},
		{no_folder, ": EROFS"},
		{no_mark, "/.unboxed: ENOLCK"},
		{no_file_of_the_mark, "/.unboxed: EMFILE"},
		{has_what, "access /tmp/cgroup.procs: EPERM"},
		{no_key, "read /proc/self/status: EIO"},
		{no_group, ": EROFS"},
		{no_lock, ": ENOLCK"},
		{no_folder_of_the_lock, ": EACCES"},
		{is_not_killed, "is still populated after SIGKILL to all"},
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

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fault_is_told),
		cmocka_unit_test(memory_that_is_not_there_is_told),
		cmocka_unit_test(there_is_another_way),
		cmocka_unit_test(a_folder_that_stays_is_told),
		cmocka_unit_test(a_part_that_cannot_be_is_left_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
