/*
 * gate.h: one process waits until another lets it go on.
 */
#pragma once

/*
 * A gate holds one process until another opens it; made before fork(2). Each
 * gate_wait() takes one gate_open(). Nobody waits for ever: a wait ends its
 * process when the lab is broken or gone, and the lab's own wait is bounded.
 * eventfd(2) as a semaphore
 */
struct gate {
	int fd;
};

void gate_init(struct gate *gate);
void gate_wait(struct gate *gate);
void gate_open(struct gate *gate);
