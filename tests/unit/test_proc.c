/*
 * proc.c and ns.c: what /proc says of processes, memory and namespaces.
 */
#define _GNU_SOURCE
#include "lab_here.h"

static void start(void)
{
	begin(&lab_here, "--format=jsonl", NULL);
	dprintf(1, "\n");
}

static void statuses(void)
{
	start();
	char *by_zero = proc_status(0, "Pid"), *by_pid = proc_status(getpid(), "Pid");
	char *parent = proc_status(getpid(), "PPid"), *uids = proc_status(0, "Uid");
	char *name = proc_status(0, "Name");
	dprintf(1, "%d%d%d ", atoi(by_zero) == getpid(), atoi(by_pid) == getpid(),
		atoi(parent) == getppid());
	char expected[64];
	snprintf(expected, sizeof expected, "%d %d %d %d", getuid(), geteuid(), geteuid(),
		geteuid());
	dprintf(1, "%d %s", !strcmp(uids, expected), name);
	free(by_zero);
	free(by_pid);
	free(parent);
	free(uids);
	free(name);
}

static void lines_of_status(void **state)
{
	(void)state;
	assert_has(run(statuses), out, "\n111 1 test_proc");
}

static const char *key;

static void no_key(void)
{
	start();
	errno = EIO;
	proc_status(0, key);
}

static void no_such_line_of_status(void **state)
{
	(void)state;
	static const char *const keys[] = {"Nope", "Vm", "VmRSS:", "pid", ""};
	for (int i = 0; i < 5; i++) {
		key = keys[i];
		struct run *r = run(no_key);
		assert_status(r, 3);
		assert_has(r, err, "broken: /proc/self/status has no line ");
		assert_lacks(r, err, "EIO"); /* of an earlier failure */
	}
}

static int what;

static void of_who_is_gone(void)
{
	start();
	pid_t child = fork();
	if (child == 0)
		_exit(0);
	child_wait(child);
	switch (what) {
	case 0:
		proc_status(child, "Pid");
		break;
	case 1:
		ns_inode(child, "net");
		break;
	case 2:
		ns_inode(0, "nope");
		break;
	case 3:
		proc_meminfo("Nope");
		break;
	case 4:
		proc_meminfo("Mem");
	}
}

static void who_is_gone_breaks_the_lab(void **state)
{
	(void)state;
	static const char *const errors[] = {"/status: ENOENT\n", "/ns/net: ENOENT\n",
		"stat /proc/self/ns/nope: ENOENT\n", "/proc/meminfo has no line Nope\n",
		"/proc/meminfo has no line Mem\n"};
	for (what = 0; what < 5; what++) {
		struct run *r = run(of_who_is_gone);
		assert_status(r, 3);
		assert_has(r, err, errors[what]);
	}
}

static void pids(void)
{
	start();
	char *list = proc_pids();
	int last = 0, sorted = 1, self = 0;
	for (char *at = list; *at; at += strcspn(at, " "), at += *at == ' ') {
		sorted &= atoi(at) > last;
		last = atoi(at);
		self += last == getpid();
	}
	dprintf(1, "sorted %d self %d first %d end %d", sorted, self, atoi(list) == 1,
		list[strlen(list) - 1] != ' ');
	free(list);
}

static void pids_in_order(void **state)
{
	(void)state;
	struct run *r = run(pids);
	assert_status(r, 0);
	assert_has(r, out, "sorted 1 self 1 first 1 end 1");
}

static void numbers(void)
{
	start();
	dprintf(1, "%d%d%d%d",
		proc_meminfo("MemTotal") ==
			(long long)sysconf(_SC_PHYS_PAGES) * (long long)sysconf(_SC_PAGESIZE),
		ns_inode(0, "mnt") == ns_inode(getpid(), "mnt"),
		ns_inode(0, "mnt") == ns_inode(getppid(), "mnt"),
		ns_inode(0, "mnt") != ns_inode(0, "net"));
}

static void meminfo_and_namespaces(void **state)
{
	(void)state;
	assert_has(run(numbers), out, "\n1111");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_of_status),
		cmocka_unit_test(no_such_line_of_status),
		cmocka_unit_test(who_is_gone_breaks_the_lab),
		cmocka_unit_test(pids_in_order),
		cmocka_unit_test(meminfo_and_namespaces),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
