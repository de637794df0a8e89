/* The request for a command in the guest (wire.h). */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../wire.h"
#include "end.h"
#include "port.h"
#include "request.h"

#define GUEST_PATH \
	"PATH=/lab/build/labs:/lab/build/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define GUEST_CWD "/lab"

struct request {
	char *data;
	size_t len;
};

static void add_string(struct request *r, const char *text)
{
	size_t len = strlen(text) + 1;

	if (r->len + len > WIRE_REQUEST_MAX)
		die(STATUS_USAGE, "expected a command and an environment of at most 1 MiB "
				  "together, got more; shorten the command");
	memcpy(r->data + r->len, text, len);
	r->len += len;
}

static void add_number(struct request *r, int n)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", n);
	add_string(r, text);
}

static bool passes(const char *variable)
{
	static const char *const beginnings[] = {
		"TERM=", "NO_COLOR=", "LANG=", "LC_", "LAB_", "CI=", "STEP=", "PREDICT="};

	for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++)
		if (strncmp(variable, beginnings[i], strlen(beginnings[i])) == 0)
			return true;
	return false;
}

static void add_environment(struct request *r)
{
	static const char *const fixed[] = {GUEST_PATH, "HOME=/root", "USER=root", "LOGNAME=root"};

	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		add_string(r, fixed[i]);
	for (char **variable = environ; *variable; variable++)
		if (passes(*variable))
			add_string(r, *variable);
}

void request_send(const struct ends *ends, char *argv[])
{
	struct request r = {need(malloc(WIRE_REQUEST_MAX)), 0};
	struct winsize size = {.ws_row = 24, .ws_col = 80};
	int argc = 0;

	if (ends->tty >= 0)
		ioctl(ends->tty, TIOCGWINSZ, &size);
	while (argv[argc])
		argc++;
	add_string(&r, ends->mode);
	add_string(&r, ends->whole ? "1" : "0");
	add_number(&r, size.ws_row);
	add_number(&r, size.ws_col);
	add_string(&r, GUEST_CWD);
	add_number(&r, argc);
	for (int i = 0; i < argc; i++)
		add_string(&r, argv[i]);
	add_environment(&r);
	for (size_t at = 0; at < r.len; at += WIRE_DATA)
		port_send(
			WIRE_REQUEST, r.data + at, r.len - at < WIRE_DATA ? r.len - at : WIRE_DATA);
	port_send(WIRE_START, NULL, 0);
	free(r.data);
}
