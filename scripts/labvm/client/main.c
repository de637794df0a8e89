/*
 * vm-client: the host's end of the lab VM (client.h).
 *
 *	vm-client run [OPTION]... --qemu QEMU [ARG]... --boot [ARG]... -- [COMMAND [ARG]...]
 *		--banner TEXT	said on stderr when that is a terminal and the machine boots
 *		--note FILE	removed when the machine does not answer: it says what was whole
 *		--limit SECONDS	a guest that is silent for so long has failed
 *		--memory MIB	of the guest
 *		--system FILE	the disk that /usr is on
 *		--labs FILE	the disk that the labs are on
 *		--states FOLDER	saved states are there; without it the machine boots
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
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "client.h"

/* A restored machine answers in less than a tenth of a second when nothing else runs. */
#define RESTORE_MS 10000
#define ATTACH_MS 180000

/* ==== attach ==== */

struct newest {
	char run[128];
	struct timespec made;
};

static void look_at_run(const char *run, void *data)
{
	struct newest *newest = data;
	struct stat st;
	char path[160];

	snprintf(path, sizeof(path), "%s/alive", run);
	if (!is_alive(run) || stat(path, &st) != 0)
		return;
	if (newest->run[0] && (st.st_mtim.tv_sec < newest->made.tv_sec ||
				      (st.st_mtim.tv_sec == newest->made.tv_sec &&
					      st.st_mtim.tv_nsec < newest->made.tv_nsec)))
		return;
	snprintf(newest->run, sizeof(newest->run), "%s", run);
	newest->made = st.st_mtim;
}

static int attach(struct ends *ends, char *argv[])
{
	struct newest newest = {.run = ""};
	char path[160];

	each_run(look_at_run, &newest);
	if (!newest.run[0])
		die(STATUS_VM,
			"no lab VM of yours is running; a lab that runs on this machine is looked at from any terminal");
	for (int port = 1; port < WIRE_PORTS; port++) {
		/* QEMU would let a second client wait in line: the lock says whether there is a
		 * first. */
		snprintf(path, sizeof(path), "%s/%d.lock", newest.run, port);
		int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

		if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) != 0) {
			if (lock >= 0)
				close(lock);
			continue;
		}
		start_watcher();
		if (!synchronize(newest.run, port, false, ATTACH_MS))
			die(STATUS_VM, is_alive(newest.run) ? "the lab VM does not answer"
							    : "the lab VM has ended");
		int status = run_session(ends, argv);

		if (status < 0)
			die(STATUS_VM, "the lab VM has ended");
		return status;
	}
	die(STATUS_VM, "the lab VM has %d shells attached already: end one first", WIRE_PORTS - 1);
}

/* ==== run ==== */

struct plan {
	const char *banner, *note, *states, *names;
	bool whole_states;
	long long limit; /* ms */
	struct machine machine;
	char **same, **command;        /* each ends with NULL */
	char **options, **options_end; /* the words before --qemu */
};

static _Noreturn void die_unanswered(const struct plan *plan)
{
	if (plan->note)
		unlink(plan->note);
	if (!vm.qemu)
		die_vm("QEMU ended with status %d before the lab VM answered",
			WIFEXITED(vm.qemu_status) ? WEXITSTATUS(vm.qemu_status)
						  : 128 + WTERMSIG(vm.qemu_status));
	die_vm("the lab VM did not answer within %lld s", plan->limit / 1000);
}

/* Where that fails a damaged state is thrown away at once; another one when a boot has shown that
 * it is not the machine that lacks something now. */
static bool restore(const struct plan *plan, struct state *state)
{
	pid_t check = state_check(state);

	state->doubt = NULL;
	start_qemu(&plan->machine, RESTORE, state->memory);
	if (!migrate_in(state->data, state->size, state->memory >= 0, RESTORE_MS))
		state->doubt = "does not fit this QEMU";
	else if (!synchronize(vm.run, 0, true, RESTORE_MS))
		state->doubt = "does not answer";
	enum verdict verdict = state_verdict(check);

	if (verdict == UNKNOWN)
		state->doubt = "could not be compared with its checksums";
	if (!state->doubt && verdict == SOUND && !begin(state->labs_changed, RESTORE_MS))
		state->doubt = "does not accept the time and the random bytes";
	if (!state->doubt && verdict == SOUND)
		return true;
	close_port();
	kill_qemu();
	if (verdict == DAMAGED) {
		state->doubt = NULL;
		state_drop(state, "is damaged");
	}
	return false;
}

static void boot(const struct plan *plan, enum start how, int memory)
{
	start_qemu(&plan->machine, how, memory);
	if (plan->banner && isatty(2))
		fprintf(stderr, "%s\n", plan->banner);
	if (!synchronize(vm.run, 0, true, plan->limit) && (vm.qemu || how == BOOT))
		die_unanswered(plan);
}

/*
 * Boots a machine and saves it. The machine that is saved never runs a command, and what runs the
 * first one is a restored machine too. Where saving is not possible, the one that has booted goes
 * on. False when there is neither.
 */
static bool boot_and_save(const struct plan *plan, struct state *state)
{
	int memory = plan->whole_states ? -1 : memfd_create("memory", MFD_CLOEXEC);

	if (memory >= 0 && ftruncate(memory, (off_t)plan->machine.memory << 20) != 0) {
		close(memory);
		return false;
	}
	boot(plan, BOOT_TO_SAVE, memory);
	if (!vm.qemu)
		return false; /* a QEMU that does not know an option of ours */
	if (state->doubt)
		state_drop(state, state->doubt);
	close_port();
	bool asked = qmp_open(RESTORE_MS), saved = asked && state_save(state, memory);

	if (memory >= 0)
		close(memory);
	if (!saved && asked && machine_goes_on(RESTORE_MS) &&
		synchronize(vm.run, 0, true, plan->limit) && begin(false, plan->limit))
		return true;
	close_port();
	kill_qemu();
	if (!saved)
		return false;
	if (state_open(state) && restore(plan, state))
		return true;
	state_give_up(state);
	return false;
}

static void make_machine(const struct plan *plan, struct state *state)
{
	if (plan->states && !state_given_up(state) &&
		((state_open(state) && restore(plan, state)) || boot_and_save(plan, state)))
		return;
	boot(plan, BOOT, -1);
	if (!begin(false, plan->limit))
		die_vm("the lab VM does not accept the time and the random bytes");
}

static void carry_all(const struct plan *plan, const char *option, enum travel how)
{
	for (char **o = plan->options; o < plan->options_end; o++)
		if (strcmp(*o, option) == 0)
			carry(o[1], how);
}

static void send_carried(void)
{
	struct ends ends = {.fd = {carried_archive(), -1, 2}, .mode = "pcp", .tty = -1};
	int status;

	if (ends.fd[0] < 0)
		return;
	status = run_session(&ends, (char *[]){"/bin/busybox", "sh", "-c",
					    "cd / && exec busybox cpio -i -d -m --quiet", NULL});
	if (status != 0)
		die_vm("what travels could not be unpacked in the lab VM: status %d", status);
	close(ends.fd[0]);
}

static int run(const struct plan *plan, struct ends *ends)
{
	struct state state;

	make_run_folder();
	if (plan->states)
		state_of(&state, plan->states, &plan->machine, plan->same);
	start_watcher();
	if (plan->names)
		know_names(plan->names);
	carry_all(plan, "--carry", CARRY);
	carry_all(plan, "--also", ALSO);
	make_machine(plan, &state);
	send_carried();

	int status = run_session(ends, plan->command);

	if (status < 0) {
		/* QEMU closes its sockets a moment before it can be waited for. */
		for (int i = 0; i < 100 && vm.qemu; i++) {
			poll(NULL, 0, 10);
			reap_qemu();
		}
		die_vm("the lab VM ended before the command did");
	}
	for (char **o = plan->options; o < plan->options_end; o++)
		if (strcmp(*o, "--bring") == 0 && !bring(o[1]) && status == 0)
			status = STATUS_VM;
	quit_vm();
	return status;
}

static _Noreturn void usage(void)
{
	fputs("vm-client is called by scripts/vm, which says what it can do: scripts/vm --help\n",
		stderr);
	exit(STATUS_USAGE);
}

static int open_disk(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die(STATUS_VM, "reading %s: %m", path);
	return fd;
}

/* Takes the word at *at and those behind it up to the word end, which becomes their NULL. */
static char **words_until(char **at, const char *end)
{
	char **first = at;

	while (*at && strcmp(*at, end) != 0)
		at++;
	if (!*at)
		usage();
	*at = NULL;
	return first;
}

static char **behind(char **words)
{
	while (*words)
		words++;
	return words + 1;
}

static void take_options(struct plan *plan)
{
	size_t files = 0;

	plan->same = need(calloc(plan->options_end - plan->options + 1, sizeof(*plan->same)));
	for (char **o = plan->options; o < plan->options_end; o++) {
		char *value = o[1];

		if (strcmp(*o, "--whole-states") == 0) {
			plan->whole_states = true;
			continue;
		}
		if (++o == plan->options_end)
			usage();
		if (strcmp(o[-1], "--banner") == 0)
			plan->banner = value;
		else if (strcmp(o[-1], "--note") == 0)
			plan->note = value;
		else if (strcmp(o[-1], "--limit") == 0)
			plan->limit = atoi(value) * 1000LL;
		else if (strcmp(o[-1], "--memory") == 0)
			plan->machine.memory = atoi(value);
		else if (strcmp(o[-1], "--system") == 0)
			plan->machine.system = open_disk(value);
		else if (strcmp(o[-1], "--labs") == 0)
			plan->machine.labs = open_disk(value);
		else if (strcmp(o[-1], "--states") == 0)
			plan->states = value;
		else if (strcmp(o[-1], "--names") == 0)
			plan->names = value;
		else if (strcmp(o[-1], "--same") == 0)
			plan->same[files++] = value;
		else if (strcmp(o[-1], "--carry") != 0 && strcmp(o[-1], "--also") != 0 &&
			 strcmp(o[-1], "--bring") != 0)
			usage();
	}
}

int main(int argc, char *argv[])
{
	struct plan plan = {.limit = 180000, .machine = {.memory = 512, .system = -1, .labs = -1}};
	struct ends ends;

	own_ends(&ends);
	if (argc < 3)
		usage();
	take_signals();
	if (strcmp(argv[1], "attach") == 0 && strcmp(argv[2], "--") == 0)
		end(attach(&ends, argv + 3));
	if (strcmp(argv[1], "run") != 0)
		usage();
	plan.options = words_until(argv + 2, "--qemu");
	plan.options_end = behind(plan.options) - 1;
	plan.machine.qemu = words_until(plan.options_end + 1, "--boot");
	plan.machine.boot = words_until(behind(plan.machine.qemu), "--");
	plan.command = behind(plan.machine.boot);
	take_options(&plan);
	end(run(&plan, &ends));
}
