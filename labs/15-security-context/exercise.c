/*
 * Exercise 15: exercise UID COMMAND [ARG...]
 *
 * Run COMMAND as a Pod with these three lines has it, whatever it executes later:
 *
 *   allowPrivilegeEscalation: false
 *   capabilities: { drop: [ALL] }
 *   runAsUser: UID
 *
 * capabilities(7), prctl(2), setresuid(2)
 */
#define _GNU_SOURCE
#include <err.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc < 3)
		errx(2, "expected UID COMMAND [ARG...]");
	uid_t uid = (uid_t)atoi(argv[1]);

	/* YOUR TURN: the three of them, in an order in which each is still permitted */

	execvp(argv[2], argv + 2);
	err(127, "%s", argv[2]);
}
