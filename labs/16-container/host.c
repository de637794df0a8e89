/*
 * host.c: the host's namespaces, in which a container must not be: they are read before anything is
 * done, and held beside a process's own before it changes a name, a mount or a route.
 * namespaces(7)
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/stat.h>

#include "container.h"
#include "kernel/file.h"
#include "kernel/sys.h"

const char *const ns_names[NS_COUNT] = {"mnt", "uts", "ipc", "net", "cgroup", "user"};
ino_t host_ns[NS_COUNT];

static ino_t own_namespace(int folder, int i)
{
	struct stat st;
	MUST(fstatat(folder, ns_names[i], &st, 0));
	return st.st_ino;
}

void read_host_namespaces(void)
{
	autoclose int folder = MUST(open("/proc/self/ns", O_PATH | O_DIRECTORY | O_CLOEXEC));
	for (int i = 0; i < NS_COUNT; i++)
		host_ns[i] = own_namespace(folder, i);
}

const char *shared_with_host(unsigned which)
{
	autoclose int folder = MUST(open("/proc/self/ns", O_PATH | O_DIRECTORY | O_CLOEXEC));
	for (int i = 0; i < NS_COUNT; i++)
		if (which & 1U << i && own_namespace(folder, i) == host_ns[i])
			return ns_names[i];
	return "none";
}
