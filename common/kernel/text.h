/*
 * text.h: strings that are made of others.
 */
#pragma once

/* As printf(3) makes it; allocated. */
__attribute__((format(printf, 1, 2))) char *text(const char *fmt, ...);

/* One behind the other, up to NULL; allocated. It touches fewer pages of memory than text(): a page
 * fault each, in a new process. */
__attribute__((sentinel)) char *joined(const char *first, ...);
