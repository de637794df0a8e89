/*
 * Exercise 03: exercise NAME DOMAIN COMMAND [ARG...]
 *
 * Run COMMAND with the hostname NAME and the NIS domain name DOMAIN. The machine
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

	/* hole: make a namespace for the two names, then set them */
	if (unshare(CLONE_NEWUTS))
		err(1, "unshare");
	if (sethostname(argv[1], strlen(argv[1])))
		err(1, "sethostname");
	if (setdomainname(argv[2], strlen(argv[2])))
		err(1, "setdomainname");
	/* end */

	execvp(argv[3], argv + 3);
	err(127, "%s", argv[3]);
}
