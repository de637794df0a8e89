/*
 * proc.h: what /proc tells of processes and of memory. Each function succeeds or
 * stops the lab as broken.
 */
#pragma once

#include <sys/types.h>

#include "kernel/child.h"
#include "kernel/gate.h"
#include "kernel/ns.h"

/*
 * The value of a line of /proc/PID/status, "NSpid" gives "4711 1" (one space
 * where the kernel has a tab); pid 0 is the caller. Allocated. proc_pid_status(5)
 */
char *proc_status(pid_t pid, const char *key);

/* The PIDs that /proc lists, "1 2 3"; allocated. */
char *proc_pids(void);

/* A line of /proc/meminfo, "MemTotal", in bytes; proc_meminfo(5) */
long long proc_meminfo(const char *key);

int proc_pidfd(pid_t pid); /* closed on exec; pidfd_open(2) */
