/* link: libnl-route-3.0 libcap libseccomp */
#define _GNU_SOURCE
#include "life.h"
#include "words.h"

static struct lab lab = {
	.id = "16-container",
	.title = "All of it together",
	.goal = "A container is a process that was started with namespaces, a group, a root of "
		"layers and fewer powers. There is no other part.",
	.manual = "clone(2) namespaces(7) cgroups(7) pivot_root(2) capabilities(7) seccomp(2)",
	.teaches = "clone3:CLONE_INTO_CGROUP",
	.after = "14-overlay-fs 15-security-context",
	.needs = {.root = true,
		.namespaces = true,
		.proc_mount = true,
		.overlay = true,
		.controllers = "cpu memory pids",
		.modules = "veth bridge",
		.kernel = "5.14"},
	.options = container_options,
	.words = &words,
	.own_root = true,
};

int main(int argc, char *argv[])
{
	lab_parse(&lab, argc, argv);
	struct container c = container_asked();
	lab_begin(&lab, argc, argv);
	remember_host();
	if (lab_command)
		container_run(&c);
	return lab_end();
}
