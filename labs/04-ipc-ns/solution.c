/*
 * Exercise 04: exercise KEY BYTES COMMAND [ARG...]
 *
 * Run COMMAND in a new IPC namespace that has a System V shared memory segment of this key and
 * size. The machine does not get the segment. ipc_namespaces(7), shmget(2)
 */
#define _GNU_SOURCE
#include <err.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc < 4)
		errx(2, "expected KEY BYTES COMMAND [ARG...]");
	key_t key = (key_t)strtol(argv[1], NULL, 10);
	size_t bytes = strtoul(argv[2], NULL, 10);

	/* hole: make the namespace, then the segment, which its owner may read and write */
	if (unshare(CLONE_NEWIPC))
		err(1, "unshare");
	if (shmget(key, bytes, IPC_CREAT | IPC_EXCL | 0600) < 0)
		err(1, "shmget");
	/* end */

	execvp(argv[3], argv + 3);
	err(127, "%s", argv[3]);
}
