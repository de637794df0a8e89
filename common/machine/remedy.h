/*
 * remedy.h: how a rule fills its three texts; for rules.c and rules_cgroup.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "machine/rules.h"

#define WHAT(...) put(out->what, sizeof(out->what), __VA_ARGS__)
#define REMEDY(...) put(out->remedy, sizeof(out->remedy), __VA_ARGS__)
#define UNDO(...) put(out->undo, sizeof(out->undo), __VA_ARGS__)

__attribute__((format(printf, 3, 4))) void put(char *buf, size_t size, const char *fmt, ...);
bool is(const char *a, const char *b);
const char *reason(int err); /* " (EPERM)", or "" when no call was made */
bool root_inside(const struct machine *m);
extern const char leave_it[];
void start_container_with(const struct machine *m, const char *options, struct probe_missing *out);
void rule_controller(const char *name, int err, const struct machine *m, struct probe_missing *out);
