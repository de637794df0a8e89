#include "lab.h"
static const struct lab_words words = {
	.try_now = {"true"},
};
