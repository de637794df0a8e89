/*
 * One kernel or many. The same busybox runs the same line as a plain process, in containers and in
 * virtual machines. When does it print its first line, how much memory does it use, and on which
 * kernel does it run? Each kernel draws a random boot_id when it boots, random(4).
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "kernel/file.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "machine/machine.h"
#include "series.h"
#include "story/lab.h"
#include "words.h"

static long long containers = 100, vms = 4, memory = 128 << 20;

static const struct lab_option lab_options[] = {
	{"containers", LAB_NUMBER, &containers, 1, MOST, "the largest number at once"},
	{"vms", LAB_NUMBER, &vms, 0, 4, "the largest number at once"},
	{"memory", LAB_SIZE, &memory, 96 << 20, 1 << 30, "memory of a virtual machine"},
	{0},
};

static const struct lab lab = {
	.id = "18-container-vs-vm",
	.title = "One kernel or many",
	.goal = "A hundred containers are processes of one kernel. A virtual machine has its own "
		"kernel, which takes time to boot and memory to run.",
	.manual = "clone(2) execve(2) random(4) proc_pid_smaps(5) pid_namespaces(7)",
	.teaches = "execve file:boot_id file:osrelease file:smaps_rollup",
	.after = "16-container",
	.needs = {.namespaces = true, .proc_mount = true, .overlay = true, .kernel = "5.7"},
	.options = lab_options,
	.words = &words,
	.quick = "--containers=2 --vms=0",
	.own_root = true,
	.place_host = true,
	.exclusive_cpu = true,
};

#if defined(__aarch64__)
#define BOARD "virt"
#define CONSOLE "ttyAMA0"
#else
#define BOARD "q35"
#define CONSOLE "ttyS0"
#endif

static struct machine machine;
static char *tree, *runtime, *base; /* the busybox tree, lab 16, and the tree as a boot archive */
static char *boot_id, *release;     /* of this machine's kernel */

/* ---- The line that they all run: it prints once and then waits ---- */

static char *line_for(const char *kind)
{
	snprintf(mark, sizeof mark, "lab18.%d.%s", getpid(), kind);
	return text("read id </proc/sys/kernel/random/boot_id; "
		    "read release </proc/sys/kernel/osrelease; "
		    "echo %s $id $release; read end",
		mark);
}

/* How many fit into half of the free memory. */
static long long affordable(long long wanted, long long each)
{
	long long room = proc_meminfo("MemAvailable") / 2 / each;
	return room < wanted ? room : wanted;
}

/* 1, 10, 100: the next size of a series, at most so large; 0 after the largest. */
static int next_size(int size, int factor, long long most)
{
	if (size >= most)
		return 0;
	size = size ? size * factor : 1;
	return size < most ? size : (int)most;
}

/* ---- Containers: lab 16, without a group, so that nobody has to be root ---- */

static void start_containers(int count)
{
	autofree char *line = line_for("container");
	series_start(count, (char *[]){runtime, "--cgroups=disabled", "--network=none", "--", "sh",
				    "-c", line, NULL});
}

static void in_containers(void)
{
	long long most = affordable(containers, 4 << 20) ?: 1;
	if (most < containers)
		lab_note("There is enough free memory for %lld only.", most);
	lab_note("Each: 16-container --cgroups=disabled --network=none -- sh -c LINE");
	for (int size = 0; (size = next_size(size, 10, most));) {
		series_end(true);
		start_containers(size);
		measure("container", "containers", "");
	}
	int different = different_boot_ids(), ours = boot_id_readers(boot_id);
	lab_answer("ids", different > 1 ? "each" : ours ? "one" : "two");
	expect_int("containers: different boot ids", 1, different);
	expect_int("containers: with this machine's boot id", series.count, ours);
	expect_str("containers: osrelease", release, release_of_all());
	expect_int("containers: shells in our /proc", series.count, shells_in_proc(0));
	expect_int("containers: shells with two PIDs", series.count, shells_in_proc(2));
	lab_look("grep NSpid /proc/%d/status", a_shell);
	lab_look("grep ^Pss: /proc/%d/smaps_rollup", a_shell);
	lab_look("cat /proc/sys/kernel/random/boot_id");
	lab_wait(a_shell);
	series_end(true);
}

static _Noreturn void hands_on(void)
{
	char *const before[] = {runtime, "--cgroups=disabled", "--network=none", "--"};
	enum { BEFORE = sizeof before / sizeof *before };
	size_t count = 0;
	while (lab_command[count])
		count++;
	char **argv = calloc(BEFORE + count + 1, sizeof *argv);
	if (!argv)
		die("out of memory");
	if (access(runtime, X_OK))
		die("%s", runtime);
	memcpy(argv, before, sizeof before);
	memcpy(argv + BEFORE, lab_command, count * sizeof *argv);
	setenv("LAB_WHERE", machine.in_vm ? "vm" : "host", 0); /* it has been said */
	lab_exec(argv);
}

/* ---- Virtual machines ---- */

/* Why no virtual machine can run, and what to do about it; NULL when one can. */
static const char *no_vm(const char **remedy)
{
	*remedy = "make setup";
	if (!*machine.qemu)
		return "there is no " MACHINE_QEMU;
	if (!*machine.lab_kernel)
		return "there is no kernel for a virtual machine";
	*remedy = "make";
	if (access(base, R_OK)) {
		if (errno != ENOENT)
			die("access %s", base);
		return "build/rootfs/base.cpio is not built";
	}
	*remedy = "leave --vms 0 out";
	if (!vms)
		return "you asked for --vms 0";
	*remedy = "end other programs";
	return affordable(vms, memory + (64 << 20)) ? NULL : "too little memory is free";
}

/* "kvm", or "tcg", which emulates: scripts/vm decides by a trial, in which a kernel has to boot. */
static const char *accelerator(void)
{
	struct program vm;
	char word[8] = "";
	autofree char *script = text("%s/../../../scripts/vm", tree);
	autoclose int null = MUST(open("/dev/null", O_RDONLY | O_CLOEXEC));
	program_start(&vm, (char *[]){script, "--accel", NULL}, null);
	ssize_t n = read(vm.out, word, sizeof word - 1);
	close(vm.out);
	return !child_wait(vm.pid) && n > 0 && !strncmp(word, "kvm", 3) ? "kvm" : "tcg";
}

static void start_vms(int count, const char *accel)
{
	autofree char *line = line_for("vm"), *size = text("%lldM", memory >> 20);
	autofree char *kernel = text("%s/vmlinux", machine.lab_kernel);
	/* The kernel passes what follows -- to its first program, the shell. */
	autofree char *boot = text("console=" CONSOLE " quiet panic=-1 rdinit=/bin/sh -- "
				   "-c \"mount -t proc proc /proc; %s\"",
		line);
	series_start(count, (char *[]){machine.qemu, "-M", BOARD, "-accel", (char *)accel, "-cpu",
				    "max", "-m", size, "-nodefaults", "-no-user-config", "-display",
				    "none", "-no-reboot", "-serial", "stdio", "-kernel", kernel,
				    "-initrd", base, "-append", boot, NULL});
}

static void in_vms(const char *accel)
{
	const struct figures *container = last_figures();
	autofree char *file = text("%s/version", machine.lab_kernel), *version = file_read(file);
	long long most = affordable(vms, memory + (64 << 20));
	bool emulated = strcmp(accel, "kvm");
	if (most < vms)
		lab_note("There is enough free memory for %lld only.", most);
	lab_note("Each: qemu -M " BOARD " -accel %s -m %lldM -kernel %s, and sh -c LINE", accel,
		memory >> 20, version);
	for (int size = 0; (size = next_size(size, 2, most));) {
		series_end(false);
		start_vms(size, accel);
		measure("VM", "VMs", emulated ? ", emulated" : ", KVM");
	}
	if (emulated)
		lab_note("Without KVM QEMU emulates the CPU, so do not compare these times.");
	long long times = last_figures()->pss / (container->pss + 1);
	lab_answer("memory", times <= 10                       ? "same"
			     : last_figures()->pss < 1LL << 30 ? "more"
							       : "gigabytes");
	expect_int("VMs: different boot ids", series.count, different_boot_ids());
	expect_int("VMs: with this machine's boot id", 0, boot_id_readers(boot_id));
	expect_str("VMs: osrelease", version, release_of_all());
	expect_int("VMs: shells in our /proc", 0, shells_in_proc(0));
	expect_int("VMs: processes, all of them QEMU", series.count, last_figures()->processes);
	expect_range("VMs: Pss, beside a container's", 10, 1000000, times);
	lab_look("grep -E 'Name|NSpid' /proc/%d/status", series.one[0].pid);
	lab_look("grep ^Pss: /proc/%d/smaps_rollup", series.one[0].pid);
	lab_wait(0);
	series_end(false);
}

int main(int argc, char *argv[])
{
	const char *remedy, *accel = NULL;
	lab_begin(&lab, argc, argv);
	machine_here(&machine);
	tree = file_rootfs();
	runtime = text("%s/../../labs/16-container", tree);
	base = text("%s/../base.cpio", tree);
	if (lab_command)
		hands_on();
	boot_id = file_read("/proc/sys/kernel/random/boot_id");
	release = file_read("/proc/sys/kernel/osrelease");

	lab_step("Control: start a plain process.", "it runs on this machine's kernel");
	lab_note(
		"LINE prints the boot id that it reads, then waits. Its time is from fork() to that "
		"line, its memory what each costs.");
	autofree char *shell = text("%s/bin/sh", tree), *line = line_for("process");
	series_start(1, (char *[]){shell, "-c", line, NULL});
	measure("process", "processes", "");
	expect_int("process: with this machine's boot id", 1, boot_id_readers(boot_id));
	expect_int("process: shells with one PID", 1, shells_in_proc(1));
	lab_look("grep NSpid /proc/%d/status", series.one[0].pid);
	lab_wait(0);
	series_end(true);

	lab_predict("ids");
	lab_step("Start containers.",
		"each is a process of this machine and runs on this machine's kernel");
	in_containers();
	const struct figures *container = last_figures();

	const char *lacks = no_vm(&remedy);
	if (!lacks) {
		accel = accelerator();
		lab_predict("memory");
	}
	lab_step("Start virtual machines.",
		"each boots its own kernel, and their processes are not in our /proc");
	if (lacks)
		check_skip("part vms", lacks, remedy);
	else
		in_vms(accel);

	lab_step("Time to the first line: # is one millisecond, each further # doubles it.", NULL);
	for (struct figures *f = figures; f <= last_figures(); f++) {
		autofree char *amount = time_text(f->first);
		plot_bar(f->label, f->first, 1000, amount);
	}
	lab_step("Memory of each (Pss): # is 16 KiB, each further # doubles it.", NULL);
	for (struct figures *f = figures; f <= last_figures(); f++) {
		autofree char *amount = size_text(f->pss);
		plot_bar(f->label, f->pss, 16 << 10, amount);
	}
	compare(container, lacks ? NULL : last_figures());
	return lab_end();
}
