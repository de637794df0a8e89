/*
 * A hostname of its own. In a UTS namespace two strings can be set, the hostname and
 * the NIS domain name. A new one begins as a copy, and names that are set inside stay
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
	.goal = "A container has its own hostname. The kernel copies two strings, and the runtime "
		"then changes the copy.",
	.manual = "uts_namespaces(7) unshare(2) setns(2) sethostname(2) setdomainname(2)",
	.teaches = "unshare:CLONE_NEWUTS setns:CLONE_NEWUTS sethostname setdomainname",
	.after = "",
	.needs = {.namespaces = true, .hostname = true},
	.options = lab_options,
	.words = &words,
};

static struct gate named, leave;
static ino_t machine_ns; /* the UTS namespace of this machine, whose names never change */

/* "hostname domainname", as the caller sees them; uname(2) */
static char *names(void)
{
	struct utsname uts;
	if (uname(&uts))
		die("uname");
	return text("%s %s", uts.nodename, uts.domainname);
}

/* Checked before every change of a name, so that this machine keeps its own. */
static bool not_the_machines(const char *what)
{
	return expect_differ(what, machine_ns, ns_inode(0, "uts"));
}

/* Done twice: by the control in the host's namespace, and by the container in its own. */
static void set_names(void)
{
	SYS(sethostname(name, strlen(name)), name, strlen(name));
	SYS(setdomainname("lab.example", 11));
}

static _Noreturn void container(const char *copy)
{
	ino_t host_ns = ns_inode(0, "uts");
	SYS(unshare(CLONE_NEWUTS));
	if (expect_differ("a namespace of its own", host_ns, ns_inode(0, "uts"))) {
		autofree char *before = names();
		expect_str("it begins as a copy", copy, before);
		lab_answer("copy", !strcmp(before, copy) ? "same" : "other");
		set_names();
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
	if (not_the_machines("a namespace to try it in")) {
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
		lab_note("You are an ordinary user, so this runs in a user namespace (lab 05).");
	}
	if (lab_command) {
		SYS(unshare(CLONE_NEWUTS));
		if (not_the_machines("a namespace of its own"))
			SYS(sethostname(name, strlen(name)), name, strlen(name));
		lab_exec_command();
	}
	gate_init(&named), gate_init(&leave);

	lab_step("Make a UTS namespace that plays the host, and set its names.",
		"this machine keeps its own names");
	SYS(unshare(CLONE_NEWUTS));
	if (!not_the_machines("the host's namespace"))
		return lab_end();
	SYS(sethostname("host", 4));
	SYS(setdomainname("host.example", 12));

	lab_step("Control: a child without its own namespace sets the names.",
		"the host has the child's names");
	pid_t child = FORK();
	if (child == 0) {
		if (not_the_machines("control: not this machine's"))
			set_names();
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
	lab_step("Give a child its own UTS namespace, then let it set the names.",
		"the names change inside, and the host keeps its own");
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
	lab_step("Let a third process enter that namespace by setns().",
		"it sees the names that were set inside");
	pid_t third = FORK();
	if (third == 0) {
		autofree char *path = text("/proc/%d/ns/uts", web);
		int fd = SYS(open(path, O_RDONLY | O_CLOEXEC), path);
		SYS(setns(fd, CLONE_NEWUTS), fd);
		autofree char *joined = names();
		expect_str("after setns(): the names", wanted, joined);
		_exit(strcmp(joined, wanted) != 0);
	}
	lab_answer("join", child_done(third) ? "host" : "inside");
	gate_open(&leave);
	child_done(web);

	lab_step("Set a name that is too long, then one without CAP_SYS_ADMIN.",
		"the kernel refuses with EINVAL, then with EPERM");
	pid_t refused = FORK();
	if (refused == 0)
		refusals();
	child_done(refused);

	lab_row("sethostname() in a child", "changes the host", "changes the inside",
		"CLONE_NEWUTS");
	lab_row("a new namespace", "-", "begins as a copy", "CLONE_NEWUTS");
	lab_row("another process", "sees the host's name", "sees the names inside", "setns()");
	lab_row("no CAP_SYS_ADMIN", "EPERM", "EPERM", "the kernel");
	return lab_end();
}
