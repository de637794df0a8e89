/*
 * text.h: a string as printf(3) makes it.
 */
#pragma once

/* Allocated. */
__attribute__((format(printf, 1, 2))) char *text(const char *fmt, ...);
