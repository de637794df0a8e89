/*
 * lab.c and sys.c: the life of a lab.
 */
#define _GNU_SOURCE
#include <linux/sched.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "fails.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "run.h"
#include "story/option.h"
#include "story/out.h"

static const struct lab_question questions[] = {
	{.name = "pid",
		.text = "What is getpid() in there?",
		.choices = {{"1", "it is one", NULL}, {"7", "it is seven", "PIDs are global."},
			{"0", "it is nought", "The idle task is far away."}}},
	{.name = "second",
		.text = "And now?",
		.choices = {{"yes", "of course", NULL}, {"no", "never", "Why?"}}},
	{.name = NULL},
};
static const struct lab_words words = {
	.try_now = {"ls"}, .docker = "d", .kubernetes = "k", .next = "n", .questions = questions};
static const struct lab_part parts[] = {
	{.name = "easy", .title = "An easy part"},
	{.name = "future",
		.title = "A part of the future",
		.needs = {.kernel = "99.0", .cpus = 100000}},
	{0},
};
static const struct lab lab_here = {
	.id = "01-test", .title = "t", .goal = "g", .words = &words, .parts = parts};
static const struct lab lab_of_the_future = {
	.id = "99-future", .title = "t", .goal = "g", .needs = {.kernel = "99.0"}};

static const char *first, *second; /* words of the next run's command line */
static char folder[64];

static void told(const char *arg)
{
	if (write(STDERR_FILENO, arg, strlen(arg)) < 0)
		_exit(99);
}

static struct run *run_words(void (*fn)(void), const char *one, const char *two, struct how how)
{
	first = one;
	second = two;
	return run_with(fn, how);
}

/* ---- Steps and waits ---- */

static void three_steps(void)
{
	begin(&lab_here, first, second, NULL);
	undo(told, "undone ");
	lab_step("one", NULL);
	lab_look("cat /proc/%d/status", 42);
	lab_look("second command");
	lab_wait(4711);
	lab_note("after the wait");
	lab_step("two", NULL);
	expect_int("a", 1, 1);
	lab_step("three", NULL);
	int status = lab_end();
	char rest[16] = "";
	ssize_t n = read(STDIN_FILENO, rest, sizeof rest - 1);
	dprintf(STDERR_FILENO, "rest=%.*s", n > 0 ? (int)n : 0, rest);
	_exit(status);
}

static void steps_are_numbered(void **state)
{
	(void)state;
	struct run *r = run_words(three_steps, "--format=jsonl", NULL, (struct how){0});
	assert_status(r, 0);
	assert_has(r, out, "{\"event\":\"step\",\"number\":1,\"text\":\"one\"}\n");
	assert_has(r, out, "{\"event\":\"step\",\"number\":2,\"text\":\"two\"}\n");
	assert_has(r, out, "{\"event\":\"step\",\"number\":3,\"text\":\"three\"}\n");
	assert_lacks(r, out, "\"wait\"");
}

static void without_step_nothing_waits_or_reads(void **state)
{
	(void)state;
	struct run *r = run_words(three_steps, NULL, NULL, (struct how){.input = "q\nq\n"});
	assert_status(r, 0);
	assert_has(r, err, "rest=q\nq\n");
	assert_lacks(r, out, "Enter: next");
}

static void one_line_of_input_a_step(void **state)
{
	(void)state;
	struct run *r = run_words(three_steps, "--step", "--format=jsonl",
		(struct how){.input = "\n  anything\n\nrest"});
	assert_status(r, 0);
	assert_has(r, err, "rest=rest"); /* not a byte more than the lines */
	assert_int_equal(json_lines(r->out), 2 + 3 + 1 + 3 + 1);
	static const char *const order[] = {"\"number\":1",
		"{\"event\":\"wait\",\"step\":1,\"pid\":4711,",
		"\"look\":\"cat /proc/42/status\\u000asecond", "\"number\":2",
		"\"event\":\"check\"", "{\"event\":\"wait\",\"step\":2,\"pid\":0,\"look\":\"\"}\n",
		"\"number\":3", "{\"event\":\"wait\",\"step\":3,\"pid\":0,\"look\":\"\"}\n",
		"\"event\":\"end\""};
	const char *at = r->out;
	for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
		at = strstr(at, order[i]);
		if (!at)
			run_show(r);
		assert_non_null(at);
	}
}

static void the_end_of_input_goes_on(void **state)
{
	(void)state;
	struct run *r = run_words(three_steps, "--step", NULL, (struct how){0});
	assert_status(r, 0);
	assert_has(r, err, "undone rest=");
	assert_int_equal(times(r->out, "Enter: next, s: a shell in there, q: quit > "), 1);
	assert_int_equal(times(r->out, "Enter: next, q: quit > "), 2);
	assert_has(r, out, "     cat /proc/42/status\n     second command\n");
	assert_has(r, out, "1 checks");
	/* A last line without a newline is a line. */
	r = run_words(three_steps, "--step", NULL, (struct how){.input = "q"});
	assert_status(r, 130);
}

static void q_quits(void **state)
{
	(void)state;
	struct run *r = run_words(three_steps, "--step", NULL, (struct how){.input = "q\n\n\n"});
	assert_status(r, 130);
	assert_has(r, err, "01-test: ended at step 1\nundone ");
	assert_lacks(r, out, "after the wait");
	r = run_words(three_steps, "--step", NULL, (struct how){.input = "\n q\n"});
	assert_status(r, 130);
	assert_has(r, err, "ended at step 2\nundone ");
	r = run_words(three_steps, "--step", NULL,
		(struct how){.input = "q\n", .columns = 80, .terminal = true});
	assert_status(r, 130);
}

static void three_steps_in_the_background(void)
{
	signal(SIGINT, SIG_IGN); /* as a shell without job control starts a command with & */
	three_steps();
}

static void q_quits_where_ctrl_c_is_ignored(void **state)
{
	(void)state;
	struct run *r = run_words(three_steps_in_the_background, "--step", NULL,
		(struct how){.input = "q\n", .seconds = 3});
	assert_status(r, 130);
	assert_has(r, err, "undone ");
}

static void wait_in_a_child(void)
{
	begin(&lab_here, "--step", NULL);
	undo(told, "undone ");
	lab_step("one", NULL);
	pid_t child = fork();
	if (child == 0) {
		lab_wait(getpid());
		dprintf(1, "the child went on\n");
		_exit(0);
	}
	child_wait(child);
	expect_int("a", 1, 1);
	_exit(lab_end());
}

static void a_child_can_hold_the_wait(void **state)
{
	(void)state;
	struct run *r = run_with(wait_in_a_child, (struct how){.input = "\nq\n"});
	assert_status(r, 0);
	assert_has(r, out, "the child went on\n");
	assert_int_equal(times(r->out, "Enter: next"), 1); /* the step has had its wait */
	/* q ends both of them. */
	r = run_with(wait_in_a_child, (struct how){.input = "q\n", .seconds = 3});
	assert_status(r, 130);
	assert_int_equal(times(r->err, "undone"), 1);
	assert_lacks(r, out, "the child went on");
}

/* In a PID namespace where the lab's number is another process's. */
static void wait_in_a_pid_namespace(void)
{
	begin(&lab_here, "--step", NULL);
	undo(told, "undone ");
	lab_step("one", NULL);
	pid_t lab_pid = getpid();
	if (unshare(CLONE_NEWPID | (geteuid() ? CLONE_NEWUSER : 0)))
		_exit(77);
	pid_t init = fork();
	if (init == 0) {
		struct clone_args args = {
			.exit_signal = SIGCHLD, .set_tid = (uintptr_t)&lab_pid, .set_tid_size = 1};
		pid_t namesake = (pid_t)syscall(SYS_clone3, &args, sizeof args);
		if (namesake == 0)
			child_idle();
		pid_t asked = fork();
		if (asked == 0) {
			lab_wait(getpid());
			_exit(0);
		}
		waitpid(asked, NULL, 0);
		dprintf(STDERR_FILENO, "namesake %d lives %d ", namesake == lab_pid,
			!child_ended(namesake, 200));
		_exit(0);
	}
	child_wait(init);
	dprintf(1, "the lab went on\n");
	_exit(0);
}

static void q_in_a_pid_namespace_ends_the_lab_and_nobody_else(void **state)
{
	(void)state;
	struct run *r = run_with(wait_in_a_pid_namespace, (struct how){.input = "q\n"});
	if (r->status == 77)
		skip();
	assert_status(r, 130);
	assert_has(r, err, "namesake 1 lives 1 undone ");
	assert_lacks(r, out, "the lab went on");
}

static void shell(void)
{
	char path[128];
	snprintf(path, sizeof path, "%s:/usr/bin:/bin", folder);
	setenv("PATH", path, 1);
	begin(&lab_here, "--step", "--format=jsonl", NULL);
	lab_step("one", NULL);
	lab_wait(getpid());
	expect_int("a", 1, 1);
	_exit(lab_end());
}

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/unit-lab-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int drop_folder(void **state)
{
	(void)state;
	undo_rmdir_now(folder);
	return access(folder, F_OK) ? 0 : -1;
}

static void s_opens_a_shell_and_waits_again(void **state)
{
	(void)state;
	put_file(folder, "nsenter", "#!/bin/sh\necho \"nsenter: $*\" >&2\ncat >&2\n", 0700);
	struct run *r = run_with(shell, (struct how){.input = "s\nto the shell\n"});
	assert_status(r, 0);
	assert_has(r, err, "nsenter: --target=");
	assert_has(r, err, "--preserve-credentials env PS1=01-test $  sh -i\nto the shell\n");
	assert_int_equal(times(r->out, "\"event\":\"wait\""), 2);
}

static pid_t elsewhere; /* a child in another UTS namespace, where we may make one */

static void shell_elsewhere(void)
{
	begin(&lab_here, "--step", "--format=jsonl", NULL);
	lab_step("one", NULL);
	int ready[2];
	char byte;
	if (pipe(ready))
		_exit(99);
	elsewhere = fork();
	if (elsewhere == 0) {
		byte = unshare(CLONE_NEWUTS) ? 'n' : 'y';
		if (write(ready[1], &byte, 1) != 1)
			_exit(98);
		child_idle();
	}
	undo_kill(elsewhere);
	if (read(ready[0], &byte, 1) != 1 || byte != 'y')
		_exit(77);
	setenv("PATH", folder, 1);
	fails_at(second, 2, EACCES); /* of its group: the view has to do then */
	lab_wait(elsewhere);
	expect_int("a", 1, 1);
	_exit(lab_end());
}

static void s_enters_what_is_not_ours(void **state)
{
	(void)state;
	put_file(folder, "nsenter", "#!/bin/sh\necho \"nsenter: $*\" >&2\n", 0700);
	static const char *const failing_calls[] = {NULL, "open"};
	for (int i = 0; i < 2; i++) {
		struct run *r = run_words(
			shell_elsewhere, NULL, failing_calls[i], (struct how){.input = "s\n"});
		if (r->status == 77)
			skip();
		assert_status(r, 0);
		assert_has(r, err, "--preserve-credentials --uts env PS1=01-test");
	}
}

static void s_without_nsenter_is_told(void **state)
{
	(void)state;
	struct run *r = run_words(shell_elsewhere, NULL, NULL, (struct how){.input = "s\n"});
	if (r->status == 77)
		skip();
	assert_status(r, 0);
	assert_has(r, err, "nsenter (util-linux): ENOENT\n");
}

static void interrupted_steps(void)
{
	fails_at("read", 1, EINTR);
	three_steps();
}

static void an_interrupted_read_is_made_again(void **state)
{
	(void)state;
	struct run *r = run_words(interrupted_steps, "--step", NULL, (struct how){.input = "q\n"});
	assert_status(r, 130);
	assert_has(r, err, "01-test: ended at step 1\nundone ");
}

/* ---- Parts and the end ---- */

static void with_parts(void)
{
	begin(&lab_here, first, NULL);
	if (lab_part("easy"))
		expect_int("a", 1, 1);
	if (lab_part("future"))
		expect_int("b", 1, 2);
	_exit(lab_end());
}

static void a_part_that_cannot_run_is_one_skip(void **state)
{
	(void)state;
	struct run *r = run_words(with_parts, "--format=jsonl", NULL, (struct how){0});
	assert_status(r, 0);
	assert_has(r, out, "\"text\":\"An easy part\"");
	assert_has(r, out, "\"text\":\"A part of the future\"");
	assert_int_equal(times(r->out, "\"verdict\":\"skip\"}"), 1);
	assert_has(r, out, "{\"event\":\"check\",\"what\":\"part future\",\"expected\":\"");
	assert_has(r, out, "\"skipped\":1");
	assert_has(r, out, "\"verdict\":\"pass\",\"checks\":1");
	r = run_words(with_parts, NULL, NULL, (struct how){0});
	assert_has(r, out, "99.0");
	assert_has(r, out, "01-test: pass, 1 checks, 1 part skipped\n");
}

static void no_such_part(void)
{
	begin(&lab_here, NULL);
	errno = EIO;
	lab_part("nowhere");
}

static void in_the_middle(void)
{
	begin(&lab_here, "--format=jsonl", NULL);
	expect_int("a", 1, 1);
	if (first)
		expect_int("b", 1, 2);
	_exit(lab_end_early());
}

static void an_early_end_is_no_pass(void **state)
{
	(void)state;
	struct run *r = run_words(in_the_middle, "a check fails", NULL, (struct how){0});
	assert_status(r, 1);
	r = run_words(in_the_middle, NULL, NULL, (struct how){0});
	assert_status(r, 3);
	assert_has(r, err, "broken: it cannot go on, though no check has failed");
}

static void a_part_that_is_not_there_is_broken(void **state)
{
	(void)state;
	struct run *r = run(no_such_part);
	assert_status(r, 3);
	assert_has(r, err, "01-test: broken: this lab has no part nowhere\n");
}

static int passes, fails, skips, breaks;

static void end(void)
{
	begin(&lab_here, first, NULL);
	undo(told, "undone ");
	for (int i = 0; i < passes; i++)
		expect_int("p", 1, 1);
	for (int i = 0; i < fails; i++)
		expect_int("f", 1, 2);
	for (int i = 0; i < skips; i++)
		check_skip("s", "r", "m");
	for (int i = 0; i < breaks; i++) {
		pid_t child = fork();
		if (child == 0)
			die("child");
		child_wait(child);
	}
	_exit(lab_end());
}

static void the_end_sums_up(void **state)
{
	(void)state;
	static const struct {
		int passes, fails, skips, breaks, status;
		const char *summary, *verdict;
	} of[] = {
		{3, 0, 0, 0, 0, "01-test: pass, 3 checks\n", "pass"},
		{2, 1, 0, 0, 1, "01-test: fail, 3 checks, 1 failed\n", "fail"},
		{0, 2, 1, 0, 1, "01-test: fail, 2 checks, 2 failed, 1 part skipped\n", "fail"},
		{2, 0, 2, 0, 0, "01-test: pass, 2 checks, 2 parts skipped\n", "pass"},
		{0, 0, 1, 0, 77, "01-test: skip, 0 checks, 1 part skipped\n", "skip"},
		{2, 0, 0, 1, 3, "01-test: broken, 2 checks\n", "broken"},
		{2, 1, 0, 1, 3, "01-test: broken, 3 checks, 1 failed\n", "broken"},
		{0, 0, 0, 0, 3, "01-test: broken, 0 checks\n", "broken"},
	};
	for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
		char json[64];
		passes = of[i].passes;
		fails = of[i].fails;
		skips = of[i].skips;
		breaks = of[i].breaks;
		struct run *r = run_words(end, NULL, NULL, (struct how){0});
		assert_status(r, of[i].status);
		assert_has(r, out, of[i].summary);
		assert_int_equal(times(r->err, "undone"), 1);
		r = run_words(end, "--format=jsonl", NULL, (struct how){0});
		assert_status(r, of[i].status);
		snprintf(
			json, sizeof json, "{\"event\":\"end\",\"verdict\":\"%s\",", of[i].verdict);
		assert_has(r, out, json);
	}
}

/* ---- SYS() and die() ---- */

static void calls(void)
{
	begin(&lab_here, NULL);
	errno = EIO;
	long fd = SYS(open("/dev/null", O_RDONLY));
	dprintf(1, "fd %d errno %d\n", fd > 2, errno == EIO);
	void *page = SYS(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	dprintf(1, "page %p\n", page);
	SYS(open("/none/such", O_RDONLY));
}

static void sys_shows_the_call_and_stops_at_its_failure(void **state)
{
	(void)state;
	struct run *r = run(calls);
	assert_status(r, 3);
	assert_has(r, out, "   tests/unit/test_lab.c:");
	assert_has(r, out, " open(\"/dev/null\", O_RDONLY) = ");
	assert_has(r, out, "[PID ");
	assert_has(r, out, "fd 1 errno 1\n");
	unsigned long long shown = 0, yielded = 1;
	sscanf(strstr(r->out, "page 0x"), "page %llx", &yielded);
	assert_non_null(strstr(r->out, "= 0x"));
	sscanf(strstr(r->out, "= 0x"), "= %llx", &shown);
	assert_true(shown == yielded);
	assert_has(r, out, "= -1");
	assert_has(r, err, "01-test: broken: tests/unit/test_lab.c:");
	assert_has(r, err, "  open(\"/none/such\", O_RDONLY): ENOENT\n");
}

static void forked(void)
{
	begin(&lab_here, "--format=jsonl", NULL);
	pid_t child = FORK();
	if (child == 0) {
		expect_int("in the child", 1, 1);
		_exit(0);
	}
	child_wait(child);
	dprintf(STDERR_FILENO, "\"value\":%d,\"pid\":%d,\"errno\":\"\"", child, getpid());
}

static void a_child_speaks_after_its_birth(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++) {
		struct run *r = run(forked);
		assert_status(r, 0);
		assert_int_equal(times(r->out, "\"call\":\"fork()\""), 1);
		assert_has(r, out, r->err);
		assert_true(strstr(r->out, "fork()") < strstr(r->out, "in the child"));
	}
}

static void names(void)
{
	dprintf(1, "%s %s %s", errno_name(0), errno_name(EPERM), errno_name(123456));
}

static void errors_have_names(void **state)
{
	(void)state;
	assert_out(run(names), "success EPERM an unknown errno");
}

static int error;

static void dies(void)
{
	if (second)
		begin(&lab_of_the_future, "--", "true", NULL);
	else if (first)
		begin(&lab_here, "--", "true", NULL);
	else
		begin(&lab_here, NULL);
	undo(told, "undone ");
	errno = error;
	die("cannot %s", "go on");
}

static void die_names_the_errno_and_undoes(void **state)
{
	(void)state;
	error = EBUSY;
	struct run *r = run_words(dies, NULL, NULL, (struct how){0});
	assert_status(r, 3);
	assert_string_equal(r->err, "01-test: broken: cannot go on: EBUSY\nundone ");
	error = 0;
	r = run_words(dies, NULL, NULL, (struct how){0});
	assert_string_equal(r->err, "01-test: broken: cannot go on\nundone ");
	r = run_words(dies, "hands on", NULL, (struct how){0});
	assert_status(r, 125);
	assert_out(r, "");
	/* Where the lab cannot run at all it says so. */
	r = run_words(dies, "hands on", "in the future", (struct how){0});
	assert_status(r, 77);
	assert_has(r, err, "broken: cannot go on\nundone ");
	assert_has(r, err, "99.0");
}

static void die_before_the_beginning(void)
{
	errno = 0;
	die("early");
}

static void die_needs_no_lab(void **state)
{
	(void)state;
	struct run *r = run(die_before_the_beginning);
	assert_status(r, 3);
	assert_string_equal(r->err, "lab: broken: early\n");
}

/* ---- Hands-on ---- */

static const char *command[4];
static const char *path;

static void hands_on(void)
{
	if (path)
		setenv("PATH", path, 1);
	begin(&lab_here, "--", command[0], command[1], command[2], command[3], NULL);
	undo(told, "undone ");
	int go[2];
	if (pipe2(go, O_CLOEXEC))
		_exit(99);
	pid_t child = fork();
	if (child == 0) { /* it may end us: not before we know it */
		close(go[1]);
		if (read(go[0], &child, 1) == 0)
			lab_exec_command();
	}
	undo_kill(child);
	close(go[1]);
	lab_exit_as(child);
}

static struct run *hands(const char *one, const char *two, const char *three)
{
	command[0] = one;
	command[1] = two;
	command[2] = three;
	return run(hands_on);
}

static void the_status_is_the_commands(void **state)
{
	(void)state;
	path = "/usr/bin:/bin";
	struct run *r = hands("sh", "-c", "echo out; echo err >&2; exit 7");
	assert_status(r, 7);
	assert_out(r, "out\n");
	assert_string_equal(r->err, "err\nundone ");
	assert_status(hands("true", NULL, NULL), 0);
	assert_status(hands("sh", "-c", "kill -KILL $$"), 137);
	assert_status(hands("sh", "-c", "kill -INT $$"), 130);
	assert_status(hands("sh", "-c", "kill -TERM $$"), 143);
	r = hands("none-such", NULL, NULL);
	assert_status(r, 127);
	assert_string_equal(r->err, "01-test: none-such: not found\nundone ");
	assert_status(hands("/none/such", NULL, NULL), 127);
}

/* execvp(3) says EACCES of a folder that it may not enter as of a file that it may not execute. */
static void hands_on_of_nobody(void)
{
	if (geteuid() == 0 && (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534)))
		_exit(99);
	hands_on();
}

static void a_closed_folder_of_path_has_no_command(void **state)
{
	(void)state;
	char closed[96];
	path = closed;
	snprintf(closed, sizeof closed, "/none:%s/closed", folder);
	assert_int_equal(mkdir(closed + strlen("/none:"), 0), 0);
	command[0] = "none-such";
	command[1] = NULL;
	struct run *r = run(hands_on_of_nobody);
	assert_int_equal(rmdir(closed + strlen("/none:")), 0);
	assert_status(r, 127);
	assert_string_equal(r->err, "01-test: none-such: not found\nundone ");

	path = folder;
	put_file(folder, "none-such", "", 0600);
	r = hands("none-such", NULL, NULL);
	assert_status(r, 126);
	assert_string_equal(r->err, "01-test: none-such: EACCES\nundone ");
}

static void the_command_ends_with_the_lab(void **state)
{
	(void)state;
	path = "/usr/bin:/bin";
	struct run *r = hands("sh", "-c", "kill -TERM $PPID; sleep 3; echo still here");
	assert_status(r, 130);
	assert_lacks(r, out, "still here");
}

static void what_cannot_be_executed_is_126(void **state)
{
	(void)state;
	char file[128];
	put_file(folder, "plain", "not for execution", 0600);
	snprintf(file, sizeof file, "%s/plain", folder);
	struct run *r = hands(file, NULL, NULL);
	assert_status(r, 126);
	assert_has(r, err, ": EACCES\nundone ");
	assert_status(hands(folder, NULL, NULL), 126); /* a folder */
	path = folder;
	assert_status(hands("plain", NULL, NULL), 126);
	path = NULL;
}

static void the_callers_path_comes_first(void **state)
{
	(void)state;
	char both[128];
	put_file(folder, "eat", "#!/bin/sh\necho mine\n", 0700);
	snprintf(both, sizeof both, "%s:/usr/bin:/bin", folder);
	path = both;
	assert_out(hands("eat", NULL, NULL), "mine\n");
	struct run *r = hands("sh", "-c", "echo \"$PATH\"");
	assert_int_equal(strncmp(r->out, both, strlen(both)), 0);
	assert_int_equal(r->out[strlen(both)], ':');
	const char *last = strrchr(r->out, ':');
	assert_non_null(strstr(last, "/../rootfs/bin\n"));
	assert_int_equal(last - r->out, strlen(both)); /* that, and no more */
	path = NULL;
}

static void hands_on_narration(void)
{
	begin(&lab_here, "--", "true", NULL);
	lab_step("one", NULL);
	lab_note("note");
	long fd = SYS(dup(2));
	(void)fd;
	lab_look("look");
	lab_wait(1);
	lab_predict("pid");
	lab_answer("pid", "1");
	lab_row("a", "b", "c", "d");
	_exit(42);
}

static void hands_on_there_is_no_story(void **state)
{
	(void)state;
	struct run *r = run_with(
		hands_on_narration, (struct how){.input = "q\n", .columns = 80, .terminal = true});
	assert_status(r, 42);
	assert_out(r, "");
	assert_string_equal(r->err, "");
}

static void hands_on_sample(void)
{
	begin(&lab_here, "--", "true", NULL);
	lab_sample("s", 1, 2, "pages");
	lab_sample("s", 2, 2, "pages");
	check_skip("s", "r", "m"); /* closes the curve */
}

static void hands_on_samples_are_silent(void **state)
{
	(void)state;
	assert_out(run(hands_on_sample), "");
}

/* ---- Predictions ---- */

static void predicts(void)
{
	begin(&lab_here, "--predict", "--color=never", first, NULL);
	lab_step("one", NULL);
	lab_predict("pid");
	lab_answer("pid", "%d", 1);
	lab_predict("second");
	lab_answer("second", "%s", "yes");
	lab_answer("second", "%s", "yes"); /* is no second score */
	expect_int("a", 1, 1);
	_exit(lab_end());
}

static struct run *predict(const char *input)
{
	first = NULL;
	return run_with(predicts, (struct how){.input = input, .columns = 80, .terminal = true});
}

static void right_and_wrong_predictions(void **state)
{
	(void)state;
	struct run *r = predict("1\n1\n");
	assert_status(r, 0);
	assert_has(r, out, "What do you think? What is getpid() in there?\n");
	assert_has(r, out, "1: it is one\n");
	assert_has(r, out, "3: it is nought\n");
	assert_lacks(r, out, "4: ");
	assert_has(r, out, "Your number, 1 to 3 > ");
	assert_has(r, out, "Your number, 1 to 2 > ");
	assert_int_equal(times(r->out, "You predicted it: "), 2);
	assert_has(r, out, "You predicted it: it is one.\n");
	assert_has(r, out, "\nPredicted: 2 of 2\n");
	assert_lacks(r, out, "PIDs are global.");

	r = predict("2\n2\n");
	assert_status(r, 0); /* a wrong guess is no failed check */
	assert_has(r, out, "The kernel says: it is one. PIDs are global.\n");
	assert_has(r, out, "The kernel says: of course. Why?\n");
	assert_has(r, out, "\nPredicted: 0 of 2\n");
	assert_lacks(r, out, "You predicted it");

	r = predict("1\n2\n");
	assert_has(r, out, "\nPredicted: 1 of 2\n");
}

static void junk_is_asked_again(void **state)
{
	(void)state;
	struct run *r = predict("x\n9\n0\n\n4\n-1\n  1\n2\n");
	assert_status(r, 0);
	assert_int_equal(times(r->out, "Your number, 1 to 3 > "), 7);
	assert_has(r, out, "\nPredicted: 1 of 2\n");
}

static void two_digits_are_no_choice(void **state)
{
	(void)state;
	struct run *r = predict("12\n1\n1\n");
	assert_int_equal(times(r->out, "Your number, 1 to 3 > "), 2);
	assert_has(r, out, "\nPredicted: 2 of 2\n");
}

static void the_end_of_input_is_no_answer(void **state)
{
	(void)state;
	struct run *r = predict("\004\004");
	assert_status(r, 0);
	assert_lacks(r, out, "Predicted");
	assert_lacks(r, out, "The kernel says");
}

static void junk_and_then_the_end_is_no_answer(void **state)
{
	(void)state;
	struct run *r = predict("9\n\004x\n\004");
	assert_status(r, 0);
	assert_lacks(r, out, "Predicted");
	assert_lacks(r, out, "The kernel says");
}

static void nobody_is_asked_without_a_terminal(void **state)
{
	(void)state;
	first = NULL;
	struct run *r = run_with(predicts, (struct how){.input = "1\n1\n"});
	assert_status(r, 0);
	assert_lacks(r, out, "What do you think?");
	assert_lacks(r, out, "Predicted");
	first = "--format=jsonl";
	r = run_with(predicts, (struct how){.input = "1\n"});
	assert_status(r, 0);
	assert_int_equal(json_lines(r->out), 5);
	assert_has(r, out, "\"questions\":0,\"score\":0");
}

static void a_prediction_is_an_event_too(void **state)
{
	(void)state;
	first = "--format=jsonl";
	struct run *r = run_with(
		predicts, (struct how){.input = "2\n1\n", .columns = 80, .terminal = true});
	assert_status(r, 0);
	assert_has(r, out, "\"question\":\"pid\",\"predicted\":\"7\",\"observed\":\"1\"");
	assert_has(r, out, "\"questions\":2,\"score\":1");
}

static void no_such_question(void)
{
	begin(&lab_here, "--predict", NULL);
	lab_predict("nowhere");
}

static void a_question_that_is_not_there_is_broken(void **state)
{
	(void)state;
	struct run *r = run_with(no_such_question, (struct how){.columns = 80, .terminal = true});
	assert_status(r, 3);
	assert_has(r, err, "this lab has no question nowhere\n");
}

int main(void)
{
#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, make_folder, drop_folder)
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_are_numbered),
		cmocka_unit_test(without_step_nothing_waits_or_reads),
		cmocka_unit_test(one_line_of_input_a_step),
		cmocka_unit_test(the_end_of_input_goes_on),
		cmocka_unit_test(q_quits),
		cmocka_unit_test(q_quits_where_ctrl_c_is_ignored),
		cmocka_unit_test(a_child_can_hold_the_wait),
		cmocka_unit_test(q_in_a_pid_namespace_ends_the_lab_and_nobody_else),
		IN_FOLDER(s_opens_a_shell_and_waits_again),
		IN_FOLDER(s_enters_what_is_not_ours),
		IN_FOLDER(s_without_nsenter_is_told),
		cmocka_unit_test(an_interrupted_read_is_made_again),
		cmocka_unit_test(a_part_that_cannot_run_is_one_skip),
		cmocka_unit_test(a_part_that_is_not_there_is_broken),
		cmocka_unit_test(an_early_end_is_no_pass),
		cmocka_unit_test(the_end_sums_up),
		cmocka_unit_test(sys_shows_the_call_and_stops_at_its_failure),
		cmocka_unit_test(a_child_speaks_after_its_birth),
		cmocka_unit_test(errors_have_names),
		cmocka_unit_test(die_names_the_errno_and_undoes),
		cmocka_unit_test(die_needs_no_lab),
		cmocka_unit_test(the_command_ends_with_the_lab),
		cmocka_unit_test(the_status_is_the_commands),
		IN_FOLDER(a_closed_folder_of_path_has_no_command),
		IN_FOLDER(what_cannot_be_executed_is_126),
		IN_FOLDER(the_callers_path_comes_first),
		cmocka_unit_test(hands_on_there_is_no_story),
		cmocka_unit_test(hands_on_samples_are_silent),
		cmocka_unit_test(right_and_wrong_predictions),
		cmocka_unit_test(junk_is_asked_again),
		cmocka_unit_test(two_digits_are_no_choice),
		cmocka_unit_test(the_end_of_input_is_no_answer),
		cmocka_unit_test(junk_and_then_the_end_is_no_answer),
		cmocka_unit_test(nobody_is_asked_without_a_terminal),
		cmocka_unit_test(a_prediction_is_an_event_too),
		cmocka_unit_test(a_question_that_is_not_there_is_broken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
