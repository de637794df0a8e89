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

/* One more at the end of a list, which is its items and their number: each bytes, zeroed. */
void *manifest_add(struct manifest *m, void *list, size_t each)
{
	struct {
		char *item;
		size_t count;
	} l;
	memcpy(&l, list, sizeof l);
	if (!(l.count & (l.count - 1))) { /* no room is left at a power of two */
		char *more = manifest_alloc(m, (l.count ? l.count * 2 : 1) * each);
		l.item = l.count ? memcpy(more, l.item, l.count * each) : more;
	}
	l.count++;
	memcpy(list, &l, sizeof l);
	return l.item + (l.count - 1) * each;
}

void manifest_free(struct manifest *m)
{
	for (struct block *next; m->blocks; m->blocks = next) {
		next = m->blocks->next;
		free(m->blocks);
	}
	memset(m, 0, sizeof *m);
}

int by_place(const void *a, const void *b)
{
	const struct position *one = a, *other = b;
	return one->line != other->line ? one->line - other->line : one->column - other->column;
}

/* What it quotes of the file may have lines, and what a terminal obeys. */
__attribute__((format(printf, 2, 0))) static void write_message(
	struct problem *problem, const char *fmt, va_list ap)
{
	vsnprintf(problem->message, sizeof problem->message, fmt, ap);
	for (char *c = problem->message; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
}

/* The first one counts. Always false. */
bool manifest_wrong(struct manifest *m, struct position at, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	if (!m->error.at.line) {
		m->error.at = at.line ? at : (struct position){1, 1};
		write_message(&m->error, fmt, ap);
	}
	va_end(ap);
	return false;
}

bool manifest_good(const struct manifest *m)
{
	return !m->error.at.line;
}

__attribute__((format(printf, 4, 0))) static void warn(
	struct manifest *m, struct position at, bool left_out, const char *fmt, va_list ap)
{
	struct problem *warning = manifest_add(m, &m->warnings, sizeof *warning);
	*warning = (struct problem){.at = at, .left_out = left_out};
	write_message(warning, fmt, ap);
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
