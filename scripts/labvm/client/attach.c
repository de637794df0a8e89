/* A second command, in a VM that another client of this tree runs. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../wire.h"
#include "attach.h"
#include "end.h"
#include "guest.h"
#include "run_folder.h"
#include "session.h"
#include "watcher.h"

/* The VM may still be booting, which takes long where it is emulated. */
#define ATTACH_MS 180000

struct newest {
	char run[128];
	struct timespec made;
};

static void compare(const char *run, void *data)
{
	struct newest *newest = data;
	struct stat st;
	char path[160];

	snprintf(path, sizeof(path), "%s/alive", run);
	if (!run_folder_is_of_this_tree(run) || !run_folder_is_alive(run) || stat(path, &st) != 0)
		return;
	if (newest->run[0] && (st.st_mtim.tv_sec < newest->made.tv_sec ||
				      (st.st_mtim.tv_sec == newest->made.tv_sec &&
					      st.st_mtim.tv_nsec < newest->made.tv_nsec)))
		return;
	snprintf(newest->run, sizeof(newest->run), "%s", run);
	newest->made = st.st_mtim;
}

/* Takes a port that no other client has. A lock is needed, because QEMU would let a second client
 * connect to the same port and wait for the first one's end. */
static int take_port(const char *run)
{
	char path[160];

	for (int port = 1; port < WIRE_PORTS; port++) {
		snprintf(path, sizeof(path), "%s/%d.lock", run, port);
		int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

		/* The lock is held until this process ends. */
		if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0)
			return port;
		if (lock >= 0)
			close(lock);
	}
	die(STATUS_VM, "the lab VM has %d shells attached, and can have no more: end one first",
		WIRE_PORTS - 1);
}

int attach(struct ends *ends, char *argv[])
{
	struct newest newest = {.run = ""};

	run_folder_each(compare, &newest);
	if (!newest.run[0])
		die(STATUS_VM,
			"no lab VM of this folder is running. Start one in another terminal, with make vm or\n"
			"make lab-10 WHERE=vm. For a lab that runs on this machine, any terminal will do");
	int port = take_port(newest.run);

	watcher_start();
	if (!guest_synchronize(newest.run, port, false, ATTACH_MS))
		die(STATUS_VM, run_folder_is_alive(newest.run) ? "the lab VM does not answer"
							       : "the lab VM has ended");
	int status = session_run(ends, argv);

	if (status < 0 && !argv[0]) /* as it is meant to: with the lab */
		die(0, "the lab has ended, and so has this shell");
	if (status < 0)
		die(STATUS_VM, "the lab VM ended before the command did");
	return status;
}
