/*
 * Exercise 03: exercise NAME DOMAIN COMMAND [ARG...]
 *
 * Run COMMAND on a machine called NAME, in the NIS domain DOMAIN; the machine
 * itself keeps both of its names. uts_namespaces(7), sethostname(2)
 */
#define _GNU_SOURCE
#include <err.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc < 4)
		errx(2, "expected NAME DOMAIN COMMAND [ARG...]");

	/* YOUR TURN: a namespace for the two names, then the names */

	execvp(argv[3], argv + 3);
	err(127, "%s", argv[3]);
}
