/*
 * state.c: what the files of this folder know of the lab that runs.
 */
#include "story/state.h"

const struct lab *lab;
struct shared *shared;
char **lab_command;
bool lab_in_vm;
const char *const verdict_names[] = {"pass", "fail", "skip", "broken"};
