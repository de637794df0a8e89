/*
 * sys.c and fork.c: SYS(), FORK() and die().
 */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "lab_here.h"

static const struct lab lab_of_the_future = {
	.id = "99-future", .title = "t", .goal = "g", .needs = {.kernel = "99.0"}};

static void calls(void)
{
	begin(&lab_with_words, NULL);
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
	assert_has(r, out, "   tests/unit/test_sys.c:");
	assert_has(r, out, " open(\"/dev/null\", O_RDONLY) = ");
	assert_has(r, out, "[PID ");
	assert_has(r, out, "fd 1 errno 1\n");
	unsigned long long shown = 0, yielded = 1;
	sscanf(strstr(r->out, "page 0x"), "page %llx", &yielded);
	assert_non_null(strstr(r->out, "= 0x"));
	sscanf(strstr(r->out, "= 0x"), "= %llx", &shown);
	assert_true(shown == yielded);
	assert_has(r, out, "= -1");
	assert_has(r, err, "01-test: broken: tests/unit/test_sys.c:");
	assert_has(r, err, "  open(\"/none/such\", O_RDONLY): ENOENT\n");
}

static void variables(void)
{
	int fd = dup(2), of = 7;
	const char *name = "web";
	long long wide = 5000000000; /* 32 bits are too few */
	struct {
		pid_t pid;
	} child = {getpid()};
	begin(&lab_with_words, NULL);
	SYS(dup3(fd, fd + 1, 0), fd);
	SYS(setpgid(child.pid, child.pid), child.pid);
	SYS(strnlen(name, strlen(name)), strlen(name), name);
	SYS(access("/", of & 0), of);
	SYS(dup2(fd, fd + (int)(llabs(wide) >> 40)), wide);
	close(fd);
	SYS(close(fd), fd);
}

static void sys_shows_the_values_of_variables(void **state)
{
	(void)state;
	struct run *r = run(variables);
	int fd = 0, pid = 0;
	assert_status(r, 3);
	sscanf(strstr(r->out, "dup3("), "dup3(%d, fd + 1, 0) = ", &fd);
	assert_true(fd > 2);
	sscanf(strstr(r->out, "setpgid("), "setpgid(%d, ", &pid);
	assert_true(pid > 1);
	assert_has(r, out, " strnlen(\"web\", 3) = 3 ");
	assert_has(r, out, " access(\"/\", of & 0) = 0 ");
	assert_has(r, out, "(llabs(5000000000) >> 40)");
	assert_has(r, out, " close(");
	assert_has(r, err, "): EBADF");
	assert_lacks(r, err, "close(fd)");
}

static void forked(void)
{
	begin(&lab_with_words, "--format=jsonl", NULL);
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
		begin(&lab_with_words, "--", "true", NULL);
	else
		begin(&lab_with_words, NULL);
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

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(sys_shows_the_call_and_stops_at_its_failure),
		cmocka_unit_test(sys_shows_the_values_of_variables),
		cmocka_unit_test(a_child_speaks_after_its_birth),
		cmocka_unit_test(errors_have_names),
		cmocka_unit_test(die_names_the_errno_and_undoes),
		cmocka_unit_test(die_needs_no_lab),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
