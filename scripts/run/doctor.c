/*
 * doctor: what this machine can do, in the words of the labs.
 *
 *   doctor [--column N] [--root DIR]
 *
 * One line a fact, with its consequence where it matters; the text begins at column N (14).
 * With --root it reads a recorded machine below DIR and tries nothing out. The exit status is 0, or
 * 2 for wrong usage: a machine that can do little is not an error.
 */
#include <err.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "machine/machine.h"
#include "machine/probe.h"

#define WIDTH 80

static int column = 14;

/* "name   text", the text wrapped between words and indented below itself. */
__attribute__((format(printf, 2, 3))) static void fact(const char *name, const char *fmt, ...)
{
	static char text[2 * PATH_MAX];
	int at = column;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	printf("%-*s", column, name);
	for (char *word = strtok(text, " "); word; word = strtok(NULL, " ")) {
		if (at > column && at + 1 + (int)strlen(word) > WIDTH) {
			printf("\n%*s", column, "");
			at = column;
		}
		at += printf("%s", at > column ? " " : "");
		/* A path may be longer than a line, and is cut behind a slash where it has one. */
		while ((int)strlen(word) > WIDTH - at) {
			int length = WIDTH - at;
			while (length > 0 && word[length - 1] != '/')
				length--;
			length = length ? length : WIDTH - at;
			printf("%.*s\n%*s", length, word, column, "");
			word += length, at = column;
		}
		at += printf("%s", word);
	}
	putchar('\n');
}

static void kernel(const struct machine *m)
{
	fact("kernel", "%s", m->release[0] ? m->release : "unknown");
	if (m->in_vm)
		fact("", "this is the lab VM");
	if (m->wsl == 1)
		fact("WSL", "version 1: no Linux kernel, no lab runs. Convert it to WSL 2");
	else if (m->wsl == 2)
		fact("WSL", "version 2: Windows' own virtual machine");
	if (m->container[0])
		fact("container", "yes, by its marks (%s)%s%s", m->container,
			m->proc_masked
				? ", parts of /proc are masked: no fresh /proc without root outside"
				: "",
			m->seccomp == 2 ? ", a seccomp filter is on" : "");
	else
		fact("container", "no");
	fact("user", "%s",
		m->root       ? "root"
		: m->uid == 0 ? "root, but not of the whole machine"
		: m->uid > 0  ? "an ordinary user"
			      : "unknown");
}

static const char *controller_word(enum machine_controller state)
{
	switch (state) {
	case MACHINE_CONTROLLER_READY:
	case MACHINE_CONTROLLER_LEAF:
		return "ours";
	case MACHINE_CONTROLLER_V1:
		return "bound to v1";
	case MACHINE_CONTROLLER_DISABLED:
		return "switched off at boot";
	case MACHINE_CONTROLLER_NONE:
		return "not in this kernel";
	case MACHINE_CONTROLLER_NO_MOUNT:
		return "no cgroup2 mount";
	case MACHINE_CONTROLLER_NO_GROUP:
		return "our group is out of sight";
	case MACHINE_CONTROLLER_READ_ONLY:
		return "read-only";
	case MACHINE_CONTROLLER_NOT_OURS:
		return "not delegated to us";
	case MACHINE_CONTROLLER_NOT_GIVEN:
		return "not given to our group";
	case MACHINE_CONTROLLER_ROOT_OFF:
		return "not enabled in the root group";
	case MACHINE_CONTROLLER_BUSY:
		return "other processes sit in our group";
	}
	return "unknown";
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* In alphabetical order: systemd mounts them in another one at each boot. */
static void tell_v1(const struct machine *m)
{
	char words[sizeof m->v1], sorted[sizeof m->v1] = "", *word[64] = {NULL}, *rest;
	size_t count = 0;
	snprintf(words, sizeof words, "%s", m->v1);
	for (char *w = strtok_r(words, " ", &rest); w && count < 64; w = strtok_r(NULL, " ", &rest))
		word[count++] = w;
	qsort(word, count, sizeof *word, by_name);
	for (size_t i = 0; i < count; i++)
		strcat(strcat(sorted, i ? " " : ""), word[i]);
	fact("", "on v1: %s", sorted);
}

static void cgroups(const struct machine *m)
{
	static const char *const names[] = {"memory", "cpu", "pids", "io"};
	static const char *const versions[] = {
		[MACHINE_CGROUP_NONE] = "no version in use",
		[MACHINE_CGROUP_V1] = "v1: memory, cpu, pids and io labs run in the lab VM",
		[MACHINE_CGROUP_HYBRID] = "hybrid: v2 is mounted, but controllers are bound to v1",
		[MACHINE_CGROUP_V2] = "v2",
	};
	const char *group = m->group + strlen(m->group[0] ? m->cgroup_mount : "");
	const char *lacking = NULL;
	bool scope = false;
	struct probe_missing why, first = {.remedy = ""};
	char text[256] = "";
	size_t used = 0;

	fact("cgroups", "%s", versions[m->cgroup]);
	if (m->v1[0])
		tell_v1(m);
	if (m->cgroup_mount[0])
		fact("", "v2 at %s, our group there: %s", m->cgroup_mount,
			!m->group[0]    ? "out of sight"
			: m->group_root ? "the root group"
			: group[0]      ? group
					: "/");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		enum machine_controller state = machine_controller(m, names[i]);
		const char *word = controller_word(state);
		if (state > MACHINE_CONTROLLER_LEAF) {
			rules_explain(PROBE_CONTROLLER, names[i], 0, m, &why);
			if (strncmp(why.remedy, "systemd-run ", 12) == 0) {
				word = "ours in a scope";
				scope = true;
			} else if (!lacking) {
				lacking = names[i];
				first = why;
			}
		}
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s: %s",
			i ? ", " : "", names[i], word);
	}
	fact("controllers", "%s", text);
	if (scope)
		fact("", "scripts/lab asks systemd for that scope by itself");
	if (lacking && m->cgroup != MACHINE_CGROUP_V1)
		fact("", "labs that need one that is not ours run in the lab VM");
	if (lacking)
		fact("", "To have %s here: %s", lacking, first.remedy);
	if (first.undo[0])
		fact("", "To undo that: %s", first.undo);
}

/* A kind of namespaces of which none may be made, or NULL. */
static const char *none_allowed(const struct machine *m)
{
	for (size_t i = 0; machine_ns_names[i]; i++)
		if (m->ns_max[i] == 0)
			return machine_ns_names[i];
	return NULL;
}

static void namespaces(const struct machine *m, bool real)
{
	static const struct probe_needs needs = {.proc_mount = true};
	struct probe_missing why;

	if (m->userns_apparmor >= 0)
		fact("AppArmor", "%s",
			m->userns_apparmor ? "restricts user namespaces of ordinary users"
					   : "does not restrict user namespaces");
	int missing = real ? probe_needs(&needs, &why, 1) : 0;
	if (missing < 0)
		err(1, "cannot try out namespaces");
	if (real && missing == 0) {
		fact("namespaces", "yes, tried out (%s)",
			m->uid == 0 ? "as root" : "in a user namespace of our own");
		return;
	} else if (!real) {
		/* What the kernel would answer, by the switch that is set. */
		bool user = m->uid != 0;
		if (user && m->userns_max == 0) {
			rules_explain(PROBE_USER_NS, "", ENOSPC, m, &why);
		} else if (user && m->userns_clone == 0) {
			rules_explain(PROBE_USER_NS, "", EPERM, m, &why);
		} else if (user && m->userns_apparmor == 1) {
			rules_explain(PROBE_MAP, "", EPERM, m, &why);
		} else if (!user && !m->sys_admin) {
			rules_explain(PROBE_NAMESPACE, "mnt", EPERM, m, &why);
		} else if (!m->root && m->proc_masked > 0) {
			rules_explain(PROBE_PROC, "", EPERM, m, &why);
		} else if (none_allowed(m)) {
			rules_explain(PROBE_NAMESPACE, none_allowed(m), ENOSPC, m, &why);
		} else {
			fact("namespaces", "nothing is known to forbid them; not tried out");
			return;
		}
	}
	fact("namespaces", "%s", why.what);
	fact("", "%s", why.remedy);
	if (why.undo[0])
		fact("", "To undo that: %s", why.undo);
}

static void virtual_machine(const struct machine *m)
{
	if (m->in_vm)
		return; /* and none inside it */
	if (!m->kvm)
		fact("KVM", "no /dev/kvm: the lab VM is emulated, which is slower and works");
	else if (!m->kvm_usable)
		fact("KVM",
			"/dev/kvm is not open to us: sudo usermod -aG kvm $USER, then log in again "
			"(to undo: sudo gpasswd -d $USER kvm). Until then the lab VM is emulated");
	else if (strcmp(m->accel, "tcg") == 0)
		fact("KVM", "/dev/kvm is there, but boots no kernel: the lab VM is emulated");
	else if (strcmp(m->accel, "kvm") == 0)
		fact("KVM", "works, proved by a boot");
	else
		fact("KVM", "/dev/kvm is there; the first start of the lab VM tries it out");
	fact("QEMU", "%s", m->qemu[0] ? m->qemu : "not installed, so no lab VM: make setup");
	fact("lab kernel", "%s",
		m->lab_kernel[0] ? m->lab_kernel : "none, so no lab VM: make setup");
}

static void memory(const struct machine *m)
{
	if (m->mem_available >= 0)
		fact("memory", "%lld MiB available", m->mem_available >> 20);
	else
		fact("memory", "unknown");
	fact("swap", "%s",
		m->swap ? "on: labs that let a process be killed set memory.swap.max to 0 in its group"
			: "off");
	if (m->page_size > 0)
		fact("page size", "%lld KiB%s", m->page_size / 1024,
			m->page_size > 4096 ? ": limits are rounded to it" : "");
	else
		fact("page size", "unknown");
	fact("CPUs", "%d%s", m->cpus,
		m->cpus >= 2 ? ""
		: m->in_vm   ? ": labs that need two want scripts/vm --cpus 2"
			     : ": labs that need two run in the lab VM");
}

int main(int argc, char *argv[])
{
	static struct machine m;
	const char *root = "/";
	struct stat st;

	for (int i = 1; i < argc; i += 2) {
		if (i + 1 < argc && strcmp(argv[i], "--root") == 0)
			root = argv[i + 1];
		else if (i + 1 < argc && strcmp(argv[i], "--column") == 0 &&
			 (column = atoi(argv[i + 1])) >= 12 && column <= 40)
			continue;
		else {
			fprintf(stderr, "usage: doctor [--column N] [--root DIR]\n");
			return 2;
		}
	}
	if (stat(root, &st) < 0 || !S_ISDIR(st.st_mode)) {
		fprintf(stderr, "doctor: --root: %s is not a folder\n", root);
		return 2;
	}
	machine_read(&m, root);
	kernel(&m);
	cgroups(&m);
	namespaces(&m, strcmp(root, "/") == 0);
	memory(&m);
	virtual_machine(&m);
	return 0;
}
