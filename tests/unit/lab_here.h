/*
 * lab_here.h: a lab for the tests of a whole run, the words of its command line, and a folder.
 */
#pragma once

#include "kernel/proc.h"
#include "kernel/sys.h"
#include "run.h"
#include "story/option.h"
#include "story/out.h"

#ifndef LAB_ID
#define LAB_ID "01-test"
#endif

static const struct lab lab_here = {.id = LAB_ID, .title = "t", .goal = "g"};

static const struct lab_question questions_here[] = {
	{.name = "pid",
		.text = "What is getpid() in there?",
		.choices = {{"1", "it is one", NULL}, {"7", "it is seven", "PIDs are global."},
			{"0", "it is nought", "The idle task is far away."}}},
	{.name = "second",
		.text = "And now?",
		.choices = {{"yes", "of course", NULL}, {"no", "never", "Why?"}}},
	{.name = NULL},
};
static const struct lab_words words_here = {.try_now = {"ls"},
	.docker = "d",
	.kubernetes = "k",
	.next = "n",
	.questions = questions_here};
static const struct lab_part parts_here[] = {
	{.name = "easy", .title = "An easy part"},
	{.name = "future",
		.title = "A part of the future",
		.needs = {.kernel = "99.0", .cpus = 100000}},
	{0},
};
static const struct lab lab_with_words = {
	.id = LAB_ID, .title = "t", .goal = "g", .words = &words_here, .parts = parts_here};

static const char *first, *second; /* words of the next run's command line; NULL none */

static inline struct run *run_words(
	void (*fn)(void), const char *one, const char *two, struct how how)
{
	first = one;
	second = two;
	return run_with(fn, how);
}

/* An act for undo() that can be seen. */
static inline void told(const char *arg)
{
	if (write(STDERR_FILENO, arg, strlen(arg)) < 0)
		_exit(99);
}

static char folder[64];

static inline int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/unit-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static inline int drop_folder(void **state)
{
	(void)state;
	undo_rmdir_now(folder);
	return access(folder, F_OK) ? 0 : -1;
}
