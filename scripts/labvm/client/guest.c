/* The guest as a whole: when it answers, begins and ends. */
#define _GNU_SOURCE
#include <poll.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>

#include "../clock.h"
#include "../wire.h"
#include "end.h"
#include "guest.h"
#include "logs.h"
#include "port.h"
#include "qemu.h"
#include "run_folder.h"
#include "signals.h"

/* A connection to another client's VM is made anew when it was not answered for so long. */
#define SYNC_MS 5000
/* From WIRE_QUIT to QEMU's end. */
#define QUIT_MS 5000

bool guest_synchronize(const char *run, int port, bool own, long long limit)
{
	struct {
		struct wire_head head;
		uint8_t nonce[WIRE_NONCE];
	} echo = {{WIRE_SYNCED, WIRE_NONCE}, {0}};
	long long start = clock_ms(), connected = 0;

	if (getrandom(echo.nonce, sizeof(echo.nonce), 0) != sizeof(echo.nonce))
		die(STATUS_VM, "getrandom: %m");
	for (;;) {
		qemu_attend();
		if ((own && !qemu_runs()) || clock_ms() - start > limit) {
			port_close();
			return false;
		}
		/* In another client's VM the guest may still be busy with the client before us. A
		 * new connection tells the guest that the old client is gone. */
		if (!own && port_is_open() && clock_ms() - connected > SYNC_MS)
			port_close();
		if (!port_is_open() && port_connect(run, port)) {
			connected = clock_ms();
			port_send(WIRE_SYNC, echo.nonce, sizeof(echo.nonce));
		}
		if (!port_is_open() && !own && !run_folder_is_alive(run))
			return false;

		struct pollfd fd[2] = {{signals_fd(), POLLIN, 0}, port_poll(true)};

		poll(fd, 2, port_is_open() ? 500 : 2);
		if (!port_is_open())
			continue;
		if (!port_exchange(fd[1].revents))
			port_close();
		else if (port_skip_past(&echo, sizeof(echo)))
			return true;
	}
}

bool guest_begin(bool labs_changed, long long limit)
{
	struct wire_begin facts = {.labs_changed = labs_changed};
	long long start = clock_ms();
	struct timespec now;
	struct frame answer;

	clock_gettime(CLOCK_REALTIME, &now);
	facts.seconds = now.tv_sec;
	facts.nanoseconds = now.tv_nsec;
	if (getrandom(facts.seed, sizeof(facts.seed), 0) != sizeof(facts.seed))
		die(STATUS_VM, "getrandom: %m");
	port_send(WIRE_BEGIN, &facts, sizeof(facts));
	while (qemu_runs() && clock_ms() - start <= limit) {
		struct pollfd fd[2] = {{signals_fd(), POLLIN, 0}, port_poll(true)};

		poll(fd, 2, 500);
		qemu_attend();
		if (!port_exchange(fd[1].revents))
			return false;
		enum arrival arrival = port_frame(&answer);

		if (arrival == PART)
			continue;
		if (arrival == WHOLE && answer.type == WIRE_UNFIT)
			logs_die("the lab VM could not begin; its console says why");
		if (arrival == NONSENSE || answer.type != WIRE_BEGUN)
			return false;
		/* A lab that needs it skips what it needs it for. */
		if (answer.len > 0)
			fprintf(stderr, "vm: the lab VM has %.*s\n", (int)answer.len,
				(const char *)answer.data);
		port_drop(&answer);
		return true;
	}
	return false;
}

void guest_quit(void)
{
	long long deadline = clock_ms() + QUIT_MS;
	bool open = true, bye = false;
	struct frame frame;

	port_send(WIRE_QUIT, NULL, 0);
	while ((open || qemu_runs()) && clock_ms() < deadline) {
		struct pollfd fd[2] = {{signals_fd(), POLLIN, 0}, port_poll(true)};

		poll(fd, 2, 100);
		/* The command has ended, so no signal can change its status any more. */
		while (signals_next())
			;
		qemu_reap();
		if (open)
			open = port_exchange(fd[1].revents);
		while (port_frame(&frame) == WHOLE) {
			bye |= frame.type == WIRE_BYE;
			port_drop(&frame);
		}
		/* The guest waits with its end until we hang up, which tells it that the goodbye
		 * has come. */
		if (bye)
			open = false;
		if (!open)
			port_close();
	}
	if (qemu_runs() || !bye || qemu_status() != qemu_clean_status())
		logs_die("the command ended, but the lab VM did not end cleanly");
}
