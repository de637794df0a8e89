/* How a machine comes to run: restored from a saved state, booted and saved, or booted. */
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "boot.h"
#include "guest.h"
#include "logs.h"
#include "monitor.h"
#include "port.h"
#include "qemu.h"
#include "run_folder.h"

/* A restored machine answers in less than a tenth of a second on a machine that is idle. */
#define RESTORE_MS 10000

static _Noreturn void die_unanswered(const struct plan *plan)
{
	if (plan->note)
		unlink(plan->note);
	if (!qemu_runs())
		logs_die("expected the lab VM to answer; QEMU ended with status %d before it did",
			qemu_status());
	logs_die("expected the lab VM to answer within %lld s; it did not", plan->limit / 1000);
}

/*
 * The checksums are computed while QEMU starts. Where restoring fails, a state that is damaged is
 * thrown away at once. Any other is kept until a boot has succeeded: only then is it certain that
 * the state is at fault, and not a lack of memory or time.
 */
static bool restore(const struct plan *plan, struct state *state)
{
	pid_t check = state_check(state);

	state->doubt = NULL;
	qemu_start(&plan->machine, RESTORE, state->memory);
	if (!monitor_restore(state->data, state->size, state->memory >= 0, RESTORE_MS))
		state->doubt = "does not fit this QEMU";
	else if (!guest_synchronize(run_folder_path(), 0, true, RESTORE_MS))
		state->doubt = "does not answer";
	enum verdict verdict = state_verdict(check);

	if (verdict == UNKNOWN)
		state->doubt = "could not be compared with its checksums";
	if (!state->doubt && verdict == SOUND && !guest_begin(state->labs_changed, RESTORE_MS))
		state->doubt = "does not accept the time and the random bytes";
	if (!state->doubt && verdict == SOUND)
		return true;
	port_close();
	qemu_kill();
	if (verdict == DAMAGED) {
		state->doubt = NULL;
		state_drop(state, "is damaged");
	}
	return false;
}

static void boot(const struct plan *plan, enum start how, int memory)
{
	qemu_start(&plan->machine, how, memory);
	if (plan->banner && isatty(2))
		fprintf(stderr, "%s\n", plan->banner);
	/* With BOOT_TO_SAVE a QEMU that ends may only lack an option that saving needs. */
	if (!guest_synchronize(run_folder_path(), 0, true, plan->limit) &&
		(qemu_runs() || how == BOOT))
		die_unanswered(plan);
}

/*
 * Boots a machine and saves it. A machine that was saved is stopped there and never runs a command:
 * the first command, too, runs in a restored machine. If saving is not possible, the machine that
 * has booted goes on. False when there is neither.
 */
static bool boot_and_save(const struct plan *plan, struct state *state)
{
	int memory = plan->whole_states ? -1 : memfd_create("memory", MFD_CLOEXEC);

	if (memory >= 0 && ftruncate(memory, (off_t)plan->machine.memory << 20) != 0) {
		close(memory);
		return false;
	}
	boot(plan, BOOT_TO_SAVE, memory);
	if (!qemu_runs()) {
		if (memory >= 0)
			close(memory);
		return false;
	}
	if (state->doubt)
		state_drop(state, state->doubt);
	port_close();
	bool answers = monitor_open(RESTORE_MS), saved = answers && state_save(state, memory);

	if (memory >= 0)
		close(memory);
	if (!saved && answers && monitor_continue(RESTORE_MS) &&
		guest_synchronize(run_folder_path(), 0, true, plan->limit) &&
		guest_begin(false, plan->limit))
		return true;
	port_close();
	qemu_kill();
	if (!saved)
		return false;
	if (state_open(state) && restore(plan, state))
		return true;
	state_give_up(state);
	return false;
}

void boot_machine(const struct plan *plan, struct state *state)
{
	if (plan->states && !state_given_up(state) &&
		((state_open(state) && restore(plan, state)) || boot_and_save(plan, state)))
		return;
	boot(plan, BOOT, -1);
	if (!guest_begin(false, plan->limit))
		logs_die("the lab VM does not accept the time and the random bytes");
}
