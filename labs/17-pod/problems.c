/*
 * problems.c: what is wrong with a manifest, and the memory that it takes.
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "kernel/sys.h"
#include "pod.h"

struct block {
	struct block *next;
	max_align_t data[];
};

void *manifest_alloc(struct manifest *m, size_t size)
{
	struct block *block = calloc(1, sizeof *block + size);
	if (!block)
		die("out of memory");
	block->next = m->blocks;
	m->blocks = block;
	return block->data;
}

const char *manifest_keep(struct manifest *m, const char *string)
{
	size_t size = strlen(string) + 1;
	return memcpy(manifest_alloc(m, size), string, size);
}

/* Room for one more of each bytes behind count of them. */
void *manifest_grow(void *items, size_t count, size_t each)
{
	if (count & (count - 1)) /* room for the next power of two is there */
		return items;
	items = realloc(items, (count ? count * 2 : 1) * each);
	if (!items)
		die("out of memory");
	return items;
}

void manifest_free(struct manifest *m)
{
	for (struct block *next; m->blocks; m->blocks = next) {
		next = m->blocks->next;
		free(m->blocks);
	}
	free(m->warnings.item);
	free(m->said.item);
	free(m->maps.item);
	memset(m, 0, sizeof *m);
}

/* The first one counts. Always false. */
bool manifest_wrong(struct manifest *m, struct position at, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	if (!m->error.at.line) {
		m->error.at = at.line ? at : (struct position){1, 1};
		vsnprintf(m->error.message, sizeof m->error.message, fmt, ap);
	}
	va_end(ap);
	return false;
}

__attribute__((format(printf, 4, 0))) static void warn(
	struct manifest *m, struct position at, bool left_out, const char *fmt, va_list ap)
{
	m->warnings.item =
		manifest_grow(m->warnings.item, m->warnings.count, sizeof *m->warnings.item);
	struct problem *warning = &m->warnings.item[m->warnings.count++];
	*warning = (struct problem){.at = at, .left_out = left_out};
	vsnprintf(warning->message, sizeof warning->message, fmt, ap);
}

void manifest_warn(struct manifest *m, struct position at, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	warn(m, at, false, fmt, ap);
	va_end(ap);
}

/* --explain says it beside its line; who runs the Pod is warned. */
void manifest_leave_out(struct manifest *m, struct position at, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	warn(m, at, true, fmt, ap);
	va_end(ap);
}
