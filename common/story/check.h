/*
 * check.h: what is expected beside what is observed.
 */
#pragma once

#include <stdbool.h>

/*
 * Each holds expected beside observed, prints both, and counts, in children
 * too. what is unique in the lab and stable: tests and reports key on it.
 * They return whether it was as predicted, so that a dangerous act can depend
 * on its box having been read back.
 */
bool expect_int(const char *what, long long expected, long long observed);
bool expect_str(const char *what, const char *expected, const char *observed);

/* rc is what a bare call returned: -1 is read with errno; expected 0 = success. */
bool expect_errno(const char *what, int expected, long rc);

/* low <= observed <= high */
bool expect_range(const char *what, long long low, long long high, long long observed);

/* Two numbers that must differ, such as those of two namespaces; ns_inode() */
bool expect_differ(const char *what, long long control, long long isolated);

/* One check whose verdict is skip: what is missing and what to do about it. */
void check_skip(const char *what, const char *reason, const char *remedy);
