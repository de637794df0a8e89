/*
 * Exercise 15: exercise UID COMMAND [ARG...]
 *
 * Run COMMAND as a Pod with these three lines runs it. They also hold for every program
 * that COMMAND executes later.
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

	/* hole: apply the three lines, in an order in which each call is still permitted */
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		if (prctl(PR_CAPBSET_DROP, cap))
			err(1, "PR_CAPBSET_DROP %d", cap);
	if (setresuid(uid, uid, uid))
		err(1, "setresuid");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		err(1, "PR_SET_NO_NEW_PRIVS");
	/* end */

	execvp(argv[2], argv + 2);
	err(127, "%s", argv[2]);
}
