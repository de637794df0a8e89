/*
 * state.h: what the files of this folder know of the lab that runs. No lab includes it.
 */
#pragma once

#include "kernel/sys.h"
#include "story/lab.h"

enum verdict { PASS, FAIL, SKIP, BROKEN };
extern const char *const verdict_names[];

/* Lives in a page that children share, so that their checks count. */
struct shared {
	struct sys_shared sys;
	int count[3]; /* by verdict; sys.broken is the fourth */
	int step;
	bool waited;   /* this step has had its wait */
	bool all;      /* a person wants all the rest at once */
	bool welcomed; /* and knows how to go on */
	int score, questions;
	const struct lab_question *question; /* that was asked and has no answer yet */
	int choice;                          /* what was picked, from 0; -1: "I don't know" */
	int failed_length;
	char failed[512]; /* the checks that failed, as far as they fit */
};

extern bool lab_in_vm; /* as it was in the beginning: a lab may mount on /etc */
extern struct shared *shared;
extern const struct lab *lab;

void step_init(void); /* what a terminal gets: --step and --predict */
