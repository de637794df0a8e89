/* The prose of 17-pod, apart from its code so that it can be translated. */
#include "lab.h"

static const struct lab_words words = {
	.try_now = {"scripts/lab 17 --explain"},
};
