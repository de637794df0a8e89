/*
 * check.c: expected beside observed.
 */
#define _GNU_SOURCE
#include "story/check.h"

#include <stdio.h>
#include <string.h>

#include "kernel/sys.h"
#include "kernel/text.h"
#include "story/out.h"
#include "story/state.h"

static bool check(const char *what, const char *expected, const char *observed, bool as_predicted)
{
	if (lab_command) { /* no story; but a box that is not as predicted is none to run in */
		errno = 0;
		if (!as_predicted)
			die("%s: expected %s, observed %s", what, expected, observed);
		return true;
	}
	enum verdict verdict = as_predicted ? PASS : FAIL;
	__atomic_add_fetch(&shared->count[verdict], 1, __ATOMIC_SEQ_CST);
	if (!as_predicted) { /* told again at the end, where it is seen */
		int length = (int)strlen(what) + 2, room = (int)sizeof shared->failed - 1;
		int at = __atomic_fetch_add(&shared->failed_length, length, __ATOMIC_SEQ_CST);
		if (at + length < room) { /* without a '\0', where another may have written */
			memcpy(shared->failed + at, "; ", 2);
			memcpy(shared->failed + at + 2, what, (size_t)length - 2);
		}
	}
	out_check(what, expected, observed, verdict);
	return as_predicted;
}

bool expect_int(const char *what, long long expected, long long observed)
{
	char e[24], o[24];
	snprintf(e, sizeof e, "%lld", expected);
	snprintf(o, sizeof o, "%lld", observed);
	return check(what, e, o, expected == observed);
}

bool expect_str(const char *what, const char *expected, const char *observed)
{
	return check(what, expected, observed, !strcmp(expected, observed));
}

bool expect_errno(const char *what, int expected, long rc)
{
	int observed = rc == -1 ? errno : 0;
	return check(what, errno_name(expected), errno_name(observed), expected == observed);
}

bool expect_range(const char *what, long long low, long long high, long long observed)
{
	autofree char *expected = text("%lld to %lld", low, high);
	autofree char *seen = text("%lld", observed);
	return check(what, expected, seen, low <= observed && observed <= high);
}

bool expect_differ(const char *what, long long control, long long isolated)
{
	autofree char *expected = text("not %lld", control);
	autofree char *observed = text("%lld", isolated);
	return check(what, expected, observed, control != isolated);
}

void check_skip(const char *what, const char *reason, const char *remedy)
{
	if (lab_command)
		return;
	__atomic_add_fetch(&shared->count[SKIP], 1, __ATOMIC_SEQ_CST);
	out_check(what, remedy, reason, SKIP);
}
