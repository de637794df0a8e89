/* The connection to one virtio-serial port of the guest, and the frames in it (wire.h). */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../wire.h"
#include "end.h"
#include "port.h"

static int connection = -1;

/* Bytes that the socket has not taken yet. */
static struct {
	char *data;
	size_t len, room;
} outgoing;

static struct {
	uint8_t data[2 * WIRE_FRAME];
	size_t len;
} incoming;

bool port_connect(const char *run, int port)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/%d", run, port);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	connection = fd;
	outgoing.len = incoming.len = 0;
	return true;
}

void port_close(void)
{
	if (connection >= 0)
		close(connection);
	connection = -1;
}

bool port_is_open(void)
{
	return connection >= 0;
}

struct pollfd port_poll(bool reading)
{
	return (struct pollfd){
		connection, (reading ? POLLIN : 0) | (outgoing.len ? POLLOUT : 0), 0};
}

void port_send(uint32_t type, const void *data, size_t len)
{
	struct wire_head head = {type, len};

	if (outgoing.len + sizeof(head) + len > outgoing.room) {
		outgoing.room = 2 * outgoing.room + sizeof(head) + len;
		outgoing.data = need(realloc(outgoing.data, outgoing.room));
	}
	memcpy(outgoing.data + outgoing.len, &head, sizeof(head));
	if (len)
		memcpy(outgoing.data + outgoing.len + sizeof(head), data, len);
	outgoing.len += sizeof(head) + len;
}

bool port_is_flushed(void)
{
	return outgoing.len == 0;
}

bool port_flush(void)
{
	while (outgoing.len) {
		ssize_t n =
			send(connection, outgoing.data, outgoing.len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		outgoing.len -= n;
		memmove(outgoing.data, outgoing.data + n, outgoing.len);
	}
	return true;
}

bool port_receive(void)
{
	ssize_t n = recv(connection, incoming.data + incoming.len,
		sizeof(incoming.data) - incoming.len, MSG_DONTWAIT);

	if (n > 0)
		incoming.len += n;
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

bool port_exchange(short revents)
{
	return port_flush() && (!(revents & (POLLIN | POLLHUP)) || port_receive());
}

static void drop(size_t n)
{
	incoming.len -= n;
	memmove(incoming.data, incoming.data + n, incoming.len);
}

enum arrival port_frame(struct frame *frame)
{
	struct wire_head head;

	if (incoming.len < sizeof(head))
		return PART;
	memcpy(&head, incoming.data, sizeof(head));
	if (head.len > WIRE_DATA)
		return NONSENSE;
	if (incoming.len < sizeof(head) + head.len)
		return PART;
	*frame = (struct frame){head.type, incoming.data + sizeof(head), head.len};
	return WHOLE;
}

void port_drop(const struct frame *frame)
{
	drop(sizeof(struct wire_head) + frame->len);
}

bool port_skip_past(const void *bytes, size_t len)
{
	uint8_t *found = memmem(incoming.data, incoming.len, bytes, len);

	if (found)
		drop(found - incoming.data + len);
	else if (incoming.len > len)
		drop(incoming.len - len); /* they may have begun in the last ones */
	return found != NULL;
}
