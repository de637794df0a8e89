/*
 * A hostname of its own. A UTS namespace holds two strings: the hostname and
 * the NIS domain name. It begins as a copy, and what is written inside stays
 * inside. uts_namespaces(7)
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include "kernel/file.h"
#include "kernel/ns.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "story/lab.h"
#include "words.h"

static const char *name = "web";

static const struct lab_option lab_options[] = {
	{"hostname", LAB_NAME, &name, 1, 64, "the name that is set inside"},
	{0},
};

static const struct lab lab = {
	.id = "03-uts-ns",
	.title = "A hostname of its own",
	.goal = "A container has a hostname of its own: two strings in the kernel, copied and then "
		"changed, with nothing else behind them.",
	.manual = "uts_namespaces(7) unshare(2) setns(2) sethostname(2) setdomainname(2)",
	.teaches = "unshare:CLONE_NEWUTS setns:CLONE_NEWUTS sethostname setdomainname",
	.after = "",
	.needs = {.namespaces = true},
	.options = lab_options,
	.words = &words,
};

static struct gate named, leave;
static long machine_ns; /* the namespace of this machine, whose name we must never change */

/* "hostname domainname", as the caller sees them; uname(2) */
static char *names(void)
{
	struct utsname uts;
	if (uname(&uts))
		die("uname");
	return text("%s %s", uts.nodename, uts.domainname);
}

static bool own_namespace(const char *what)
{
	return expect_differ(what, machine_ns, ns_inode(0, "uts"));
}

/* Done twice: in the host's namespace, and in one of its own. */
static void rename_it(void)
{
	SYS(sethostname(name, strlen(name)));
	SYS(setdomainname("lab.example", 11));
}

static _Noreturn void container(const char *copy)
{
	long host_ns = ns_inode(0, "uts");
	SYS(unshare(CLONE_NEWUTS));
	if (expect_differ("a namespace of its own", host_ns, ns_inode(0, "uts"))) {
		autofree char *before = names();
		expect_str("it begins as a copy", copy, before);
		lab_answer("copy", !strcmp(before, copy) ? "same" : "other");
		rename_it();
		autofree char *after = names();
		autofree char *wanted = text("%s lab.example", name);
		expect_str("inside: the names", wanted, after);
	}
	gate_open(&named);
	gate_wait(&leave);
	_exit(0);
}

static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {0};
	return (int)syscall(SYS_capset, &header, none);
}

static _Noreturn void refusals(void)
{
	char too_long[66];
	memset(too_long, 'x', sizeof too_long);
	SYS(unshare(CLONE_NEWUTS));
	if (own_namespace("a namespace to try it in")) {
		expect_errno("sethostname() of 64 bytes", 0, sethostname(too_long, 64));
		expect_errno("sethostname() of 65 bytes", EINVAL, sethostname(too_long, 65));
		SYS(drop_capabilities());
		expect_errno("without CAP_SYS_ADMIN", EPERM, sethostname("mine", 4));
	}
	_exit(0);
}

int main(int argc, char *argv[])
{
	lab_begin(&lab, argc, argv);
	machine_ns = ns_inode(0, "uts");
	if (geteuid() != 0) {
		SYS(unshare(CLONE_NEWUSER)); /* lab 05 shows what this does */
		ns_map_root();
		lab_note("As an ordinary user: in a user namespace (lab 05), where one is root.");
	}
	if (lab_command) {
		SYS(unshare(CLONE_NEWUTS));
		if (own_namespace("a namespace of its own"))
			SYS(sethostname(name, strlen(name)));
		lab_exec_command();
	}
	gate_init(&named), gate_init(&leave);

	lab_step("A namespace that plays the host, so that this machine keeps its name.", NULL);
	SYS(unshare(CLONE_NEWUTS));
	if (!own_namespace("the host's namespace"))
		return lab_end();
	SYS(sethostname("host", 4));
	SYS(setdomainname("host.example", 12));

	lab_step(
		"Control: a child without a namespace of its own. The host must be renamed.", NULL);
	pid_t child = FORK();
	if (child == 0) {
		if (own_namespace("control: not this machine's"))
			rename_it();
		_exit(0);
	}
	child_done(child);
	autofree char *renamed = names(), *wanted = text("%s lab.example", name);
	expect_str("control: the host's names", wanted, renamed);
	lab_look("nsenter --target=%d %s--uts hostname", getpid(), ns_join);
	lab_wait(getpid());
	SYS(sethostname("host", 4));
	SYS(setdomainname("host.example", 12));

	lab_predict("copy");
	lab_step(
		"The same with CLONE_NEWUTS. The names must change inside, not on the host.", NULL);
	pid_t web = FORK();
	if (web == 0)
		container("host host.example");
	undo_kill(web);
	gate_wait(&named);
	autofree char *host = names();
	expect_str("outside: the names", "host host.example", host);
	lab_look("ls -l /proc/%d/ns/uts /proc/%d/ns/uts", getpid(), web);
	lab_look("nsenter --target=%d %s--uts hostname", web, ns_join);
	lab_wait(web);

	lab_predict("join");
	lab_step("A third process enters that namespace. It must see the names of the inside.",
		NULL);
	pid_t guest = FORK();
	if (guest == 0) {
		autofree char *path = text("/proc/%d/ns/uts", web);
		int fd = SYS(open(path, O_RDONLY | O_CLOEXEC));
		SYS(setns(fd, CLONE_NEWUTS));
		autofree char *joined = names();
		expect_str("after setns(): the names", wanted, joined);
		_exit(strcmp(joined, wanted) != 0);
	}
	lab_answer("join", child_done(guest) ? "host" : "inside");
	gate_open(&leave);
	child_done(web);

	lab_step("What is refused: a name that is too long, and one without the capability.", NULL);
	pid_t refused = FORK();
	if (refused == 0)
		refusals();
	child_done(refused);

	lab_row("sethostname() in a child", "renames the host", "renames the inside",
		"CLONE_NEWUTS");
	lab_row("a new namespace", "-", "a copy of the old", "CLONE_NEWUTS");
	lab_row("another process", "sees the host's", "setns(): sees the inside", "setns()");
	lab_row("no CAP_SYS_ADMIN", "EPERM", "EPERM", "the kernel");
	return lab_end();
}
