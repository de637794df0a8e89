/*
 * filter.h: a seccomp filter that refuses one system call. seccomp(2)
 */
#pragma once

#include <linux/filter.h>

/* unshare(2) fails with EPERM, and every other call is allowed. */
extern struct sock_fprog deny_unshare;
