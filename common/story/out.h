/*
 * out.h: one event, two formats.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "story/state.h"

void out_init(void);
void out_where(void);
void out_lab(void);
void out_step(int number, const char *act, const char *expect);
void out_note(const char *line);
void out_ask(const char *line);
void out_prediction(const char *question, const char *predicted, const char *observed);
void out_call(const char *place, const char *call, long value, int error);
void out_check(const char *what, const char *expected, const char *observed, enum verdict verdict);
void out_sample(const char *series, long long value, long long limit, const char *unit);
int out_cells(const char *series, const long long value[], int count, long long limit,
	const char *unit, long long every, long long first);
void out_expect(const char *expect); /* where out_step() was not to say it */
void out_prompt(bool has_shell, int choices);
void out_wait(pid_t pid, const char *commands);
void out_row(const char *const cell[4]);
void out_end(enum verdict verdict);
void out_error(const char *message);
void out_line(const char *line); /* story only */
bool out_drawing(void);
