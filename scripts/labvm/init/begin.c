/* The moment at which a VM becomes the one that a command runs in. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/random.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "begin.h"
#include "log.h"
#include "mounts.h"

static bool called, failed;
static char missing[200];

/* Two machines that were restored from one state would otherwise draw the same random numbers. The
 * seed counts as entropy, and the kernel's generator starts anew from it: random(4). */
static bool seed_random_numbers(const struct wire_begin *facts)
{
	_Alignas(struct rand_pool_info) char
		entropy[sizeof(struct rand_pool_info) + sizeof(facts->seed)];
	struct rand_pool_info *info = (struct rand_pool_info *)entropy;
	int fd = open("/dev/urandom", O_RDWR | O_CLOEXEC);

	info->entropy_count = 8 * sizeof(facts->seed);
	info->buf_size = sizeof(facts->seed);
	memcpy(info->buf, facts->seed, sizeof(facts->seed));
	bool done = fd >= 0 && ioctl(fd, RNDADDENTROPY, info) == 0 && ioctl(fd, RNDRESEEDCRNG) == 0;

	if (!done)
		log_error("seeding the random numbers: %m");
	if (fd >= 0)
		close(fd);
	return done;
}

static bool set_clock(const struct wire_begin *facts)
{
	struct timespec now = {facts->seconds, facts->nanoseconds};

	if (clock_settime(CLOCK_REALTIME, &now) == 0)
		return true;
	log_error("setting the clock: %m");
	return false;
}

void begin_with(const struct wire_begin *facts)
{
	called = true;
	bool done = seed_random_numbers(facts);

	done &= set_clock(facts);
	if (facts->labs_changed)
		done &= mounts_renew_labs();
	failed = !done;
}

bool begin_was_called(void)
{
	return called;
}

void begin_lacks(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(missing, sizeof(missing), format, args);
	va_end(args);
}

bool begin_failed(void)
{
	return failed;
}

const char *begin_missing(void)
{
	return missing;
}
