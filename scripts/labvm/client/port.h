/* The connection to one virtio-serial port of the guest, and the frames in it (wire.h). */
#ifndef UNBOXED_CLIENT_PORT_H
#define UNBOXED_CLIENT_PORT_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct frame {
	uint32_t type;
	const uint8_t *data;
	size_t len;
};

enum arrival { PART, WHOLE, NONSENSE };

/* Connects to the port with that number, of the VM with that run folder. */
bool port_connect(const char *run, int port);
void port_close(void);
bool port_is_open(void);
/* What to wait for with poll(2): always for room when bytes are left to send, and for bytes when
 * reading is true. */
struct pollfd port_poll(bool reading);

/* Queues a frame for the guest. */
void port_send(uint32_t type, const void *data, size_t len);
/* Whether all that was queued is sent. */
bool port_is_flushed(void);
/* Sends of it what the socket takes. False when the other end is gone. */
bool port_flush(void);

/* Receives what has come. False when the other end is gone. */
bool port_receive(void);
/* Sends and receives, after a poll(2) with port_poll(true). False when the other end is gone. */
bool port_exchange(short revents);
/* Looks at the first frame of what was received. Its data stays valid until port_drop(). */
enum arrival port_frame(struct frame *frame);
void port_drop(const struct frame *frame);
/* Throws away what was received before these bytes, and the bytes too. False when they have not
 * come. */
bool port_skip_past(const void *bytes, size_t len);

#endif
