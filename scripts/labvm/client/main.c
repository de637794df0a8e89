/*
 * vm-client: the host's end of the lab VM. scripts/vm decides what the machine is. The client
 * starts QEMU, talks to the guest's /init (wire.h says how), and leaves nothing behind.
 *
 *	vm-client run [OPTION]... --qemu QEMU [ARG]... --boot [ARG]... -- [COMMAND [ARG]...]
 *		--banner TEXT	said on stderr when that is a terminal and the machine boots
 *		--note FILE	removed when the machine does not answer: it says what was whole
 *		--limit SECONDS	a guest that is silent for so long has failed
 *		--memory MIB	of the guest
 *		--system FILE	the disk that /usr is on
 *		--labs FILE	the disk that the labs are on
 *		--states FOLDER	the folder of all saved states; without it the machine boots
 *		--whole-states	save the memory too, as where QEMU cannot leave it out
 *		--same FILE	a state is only for a machine with this file. May be repeated
 *		--names FILE	which names the guest has, for what travels
 *		--carry PATH	PATH is at the same place in the guest; the guest must not have it
 *		--also PATH	likewise, but what the guest has already stays
 *		--bring PATH	copied back when the command has ended
 *	vm-client attach -- [COMMAND [ARG]...]
 *
 * Everything said is said on stderr. Status: the command's; 125 when the VM failed; 2 for a PATH
 * that cannot travel.
 *
 * The files, each with a header, lowest first. Each includes only what stands before it:
 *	terminal   the caller's descriptors and its terminal
 *	end        how the client ends
 *	folder, run_folder, logs   what a VM has in the file system
 *	signals, watcher           what may happen to the client
 *	qemu, monitor              the machine's process, and its saving and restoring
 *	port, guest                the connection to the guest, and its beginning and end
 *	request, session           one command in the guest
 *	archive, bring             what travels to the guest and back
 *	checksum, store, state     saved states
 *	options, boot, attach      what main() is made of
 */
#define _GNU_SOURCE
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "archive.h"
#include "attach.h"
#include "boot.h"
#include "bring.h"
#include "end.h"
#include "guest.h"
#include "logs.h"
#include "options.h"
#include "qemu.h"
#include "run_folder.h"
#include "session.h"
#include "signals.h"
#include "state.h"
#include "terminal.h"
#include "watcher.h"

static bool add(const char *path, void *how)
{
	archive_add(path, *(enum travel *)how);
	return true;
}

static bool bring_one(const char *path, void *unused)
{
	(void)unused;
	return bring(archive_place(path));
}

static void send(int archive)
{
	struct ends ends = {.fd = {archive, -1, 2}, .mode = "pcp", .tty = -1};
	int status;

	if (archive < 0)
		return;
	status = session_run(&ends, (char *[]){"/bin/busybox", "sh", "-c",
					    "cd / && exec busybox cpio -i -d -m --quiet", NULL});
	if (status != 0)
		logs_die("what travels could not be unpacked in the lab VM: status %d", status);
	close(archive);
}

static int run(const struct plan *plan, struct ends *ends)
{
	struct state state;

	run_folder_make();
	if (plan->states)
		state_of(&state, plan->states, &plan->machine, plan->same);
	watcher_start();
	if (plan->names)
		archive_know_names(plan->names);
	options_each(plan, "--carry", add, &(enum travel){CARRY});
	options_each(plan, "--also", add, &(enum travel){ALSO});
	int archive = archive_finish();

	boot_machine(plan, &state);
	send(archive);

	int status = session_run(ends, plan->command);

	if (status < 0) {
		/* QEMU closes its sockets a moment before its status can be had. */
		for (int i = 0; i < 100 && qemu_runs(); i++) {
			poll(NULL, 0, 10);
			qemu_reap();
		}
		if (qemu_signal())
			logs_die("the lab VM was ended from outside: QEMU got signal %d",
				qemu_signal());
		logs_die("the lab VM ended before the command did");
	}
	if (!options_each(plan, "--bring", bring_one, NULL) && status == 0)
		status = STATUS_VM;
	guest_quit();
	return status;
}

int main(int argc, char *argv[])
{
	struct plan plan;
	struct ends ends;

	terminal_find_ends(&ends);
	if (argc < 3)
		options_usage();
	signals_take();
	if (strcmp(argv[1], "attach") == 0 && strcmp(argv[2], "--") == 0)
		end_with(attach(&ends, argv + 3));
	if (strcmp(argv[1], "run") != 0)
		options_usage();
	options_parse(&plan, argv + 2);
	end_with(run(&plan, &ends));
}
