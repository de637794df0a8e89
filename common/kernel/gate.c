/*
 * gate.c: one process waits until another lets it go on.
 */
#define _GNU_SOURCE
#include "kernel/gate.h"

#include <poll.h>
#include <stdint.h>
#include <sys/eventfd.h>

#include "kernel/child.h"
#include "kernel/file.h"
#include "kernel/sys.h"
#include "kernel/undo.h"

enum { SLICE_MS = 200, PATIENCE_MS = 25000 };

void gate_init(struct gate *gate)
{
	gate->fd = eventfd(0, EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC);
	if (gate->fd < 0)
		die("eventfd");
}

void gate_wait(struct gate *gate)
{
	uint64_t one;
	struct pollfd fds[] = {{.fd = gate->fd, .events = POLLIN}, {.fd = child_lab_alive()}};
	/* Another may have been faster, so that being told is not yet having passed. */
	for (int waited = 0; read(gate->fd, &one, sizeof one) != sizeof one;
		waited += sys_shared->held ? 0 : SLICE_MS) {
		if (errno != EAGAIN && errno != EINTR)
			die("read of a gate");
		if (poll(fds, 2, SLICE_MS) < 0)
			fds[1].revents = 0;
		if (fds[1].revents & POLLHUP)
			_exit(130);
		undo_if_over();
		if (sys_shared->broken && !child_is_lab())
			_exit(3);
		if (sys_shared->broken)
			sys_on_die(NULL);
		errno = 0;
		if (child_is_lab() && waited >= PATIENCE_MS)
			die("no process came to open a gate");
	}
}

void gate_open(struct gate *gate)
{
	if (!file_write_all(gate->fd, &(uint64_t){1}, sizeof(uint64_t)))
		die("write to a gate");
}
