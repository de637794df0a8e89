/*
 * step.c: the steps of a story: where a person looks around, and what that person is asked.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>

#include "kernel/file.h"
#include "kernel/sys.h"
#include "machine/machine.h"
#include "story/option.h"
#include "story/out.h"
#include "story/state.h"

enum { LINE = 512, CHOICES = 4 };

static bool person; /* a terminal on both sides, and the story on it */
static int lecture; /* a descriptor for the keys that lead to another lab; 0: this lab is alone */
static const char *leads; /* those keys, each between blanks: " r 01 02 " */
static char *looks;       /* what --step shows at the next wait */
static pid_t in_place;    /* a process in the place that the last step made; 0 for none */
static const struct lab_question *coming; /* the question of the next step */

/* STEP=0 and PREDICT=0 turn off what a terminal gets. */
static bool turned_off(const char *name)
{
	const char *value = getenv(name);
	return value && (!strcmp(value, "0") || !strcmp(value, "no"));
}

void step_init(void)
{
	const char *ci = getenv("CI"), *fd = getenv("LAB_LECTURE");
	bool terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	person = terminal && !option_given.jsonl;
	option_given.step |= person && !(ci && *ci) && !turned_off("STEP");
	option_given.step &= !option_given.no_step;
	option_given.predict |= person && option_given.step && !turned_off("PREDICT");
	option_given.predict &= !option_given.no_predict && isatty(STDIN_FILENO);
	leads = person && fd ? strchr(fd, ' ') : NULL;
	lecture = leads ? atoi(fd) : 0;
}

void lab_look(const char *fmt, ...)
{
	autofree char *before = looks, *line = NULL;
	va_list ap;
	va_start(ap, fmt);
	if (vasprintf(&line, fmt, ap) < 0)
		die("out of memory");
	va_end(ap);
	looks = text("%s%s%s", before ? before : "", before ? "\n" : "", line);
}

/* ---- The shell in a place ---- */

/* util-linux's nsenter in those of pid's namespaces that we are not in, and by a plain write in its
 * group. */
static _Noreturn void enter(pid_t pid)
{
	static struct machine machine;
	static const struct {
		const char *name, *flag;
	} namespaces[] = {{"user", "--user"}, {"mnt", "--mount"}, {"pid", "--pid"},
		{"net", "--net"}, {"uts", "--uts"}, {"ipc", "--ipc"}, {"cgroup", "--cgroup"},
		{"time", "--time"}};
	enum { NAMESPACES = sizeof namespaces / sizeof *namespaces };
	const char *argv[NAMESPACES + 9] = {"nsenter"};
	int argc = 1;
	machine_read(&machine, "/");
	autofree char *target = text("--target=%d", pid);
	autofree char *prompt = text("%s $ ", lab->id);
	argv[argc++] = target;
	argv[argc++] = "--preserve-credentials";
	for (int i = 0; i < NAMESPACES; i++) {
		struct stat ours, theirs;
		autofree char *of_us = text("/proc/self/ns/%s", namespaces[i].name);
		autofree char *of_pid = text("/proc/%d/ns/%s", pid, namespaces[i].name);
		if (!stat(of_us, &ours) && !stat(of_pid, &theirs) && ours.st_ino != theirs.st_ino)
			argv[argc++] = namespaces[i].flag;
	}
	/* bash, where there is one: dash complains when it leaves a PID namespace, in which the
	 * group that had the terminal before has no number. */
	const char *const shell[] = {"sh", "-c",
		"export PS1=\"$0\" HISTFILE=; [ -t 0 ] && b=$(command -v bash) && exec $b --norc -i; exec sh -i",
		prompt, NULL};
	memcpy(argv + argc, shell, sizeof shell);

	autofree char *of_pid = text("/proc/%d/cgroup", pid);
	autofree char *group = file_try_read(of_pid);
	char *path = group ? strstr(group, "0::") : NULL;
	if (path) {
		path[strcspn(path, "\n")] = '\0';
		autofree char *procs = text("%s%s/cgroup.procs", machine.cgroup_mount, path + 3);
		/* In the same group, or in one that is not ours, the view must do. */
		if (file_try_write(procs, "0"))
			errno = 0;
	}
	execvp(argv[0], (char **)argv);
	dprintf(STDERR_FILENO, "nsenter (util-linux): %s\n", errno_name(errno));
	_exit(127);
}

/* True while there is a process to enter: one that has ended has no namespaces. */
static bool is_there(pid_t pid)
{
	struct stat unused;
	autofree char *uts = text("/proc/%d/ns/uts", pid);
	return pid > 0 && !stat(uts, &unused);
}

static void shell_in(pid_t pid)
{
	if (person)
		out_note("A shell in the place that this step made. exit leaves it.");
	pid_t foreground = tcgetpgrp(STDIN_FILENO), child = fork(); /* -1 without a terminal */
	if (child == 0)
		enter(pid);
	while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	if (foreground <= 0)
		return;
	/* A shell in another PID namespace cannot give the terminal back: our group has no number
	 * there. Whoever is in the background takes it with SIGTTOU ignored, tcsetpgrp(3). */
	struct sigaction ignored = {.sa_handler = SIG_IGN}, before;
	sigaction(SIGTTOU, &ignored, &before);
	tcsetpgrp(STDIN_FILENO, foreground);
	sigaction(SIGTTOU, &before, NULL);
}

/* ---- Keys, each a line ---- */

/* A line of input without blanks around it; NULL at the end. Read by the byte, because a child may
 * read the rest. */
static char *read_line(char line[LINE])
{
	char byte;
	size_t length = 0;
	for (;;) {
		ssize_t n = read(STDIN_FILENO, &byte, 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 && length == 0)
			return NULL;
		if (n <= 0 || byte == '\n')
			break;
		if (length < LINE - 1)
			line[length++] = byte;
	}
	while (length > 0 && isspace((unsigned char)line[length - 1]))
		length--;
	line[length] = '\0';
	return line + strspn(line, " \t");
}

static void end_lab(void)
{
	/* A child may be in a PID namespace of its own, and can name the lab by no number there:
	 * the lab finds out when it waits for it. */
	sys_shared->over = true;
	undo_if_over();
}

/* In a lecture n, r and a number lead to another lab: scripts/labs says which, and reads the key.
 * True when the key was one of these, and leads nowhere. */
static bool leave_for(const char *key)
{
	bool number = strspn(key, "0123456789") == strlen(key);
	if (strcmp(key, "n") && strcmp(key, "r") && !number)
		return false;
	autofree char *word = text(number && !key[1] ? " 0%s " : " %s ", key);
	if (strstr(leads, word)) {
		dprintf(lecture, "%s\n", key);
		end_lab();
		return false;
	}
	autofree char *nowhere = number ? text("There is no lab %s. The labs are: %s", key,
						  leads + strcspn(leads, "0123456789"))
					: text("This is the last lab of the lecture. q ends it.");
	out_note(nowhere);
	return true;
}

static void tell_keys(void)
{
	autofree char *keys =
		text("     Enter  goes on; at a question: I don't know\n"
		     "     1 2 3  answer the question\n"
		     "     a      shows all the rest at once\n"
		     "     s      opens a shell in the place that the last step made\n"
		     "     q      quits\n%s",
			lecture ? "     n      the next lab;  r: this lab again;  03: that lab\n"
				: "   STEP=0 before the command turns the waits off, PREDICT=0 the "
				  "questions.\n");
	file_write_all(STDOUT_FILENO, keys, strlen(keys));
}

/* The number of a choice out of so many, 0 to go on, -1 at the end of input, -2 for another prompt.
 */
static int read_answer(int choices)
{
	char buffer[LINE];
	const char *key = read_line(buffer);
	if (!key)
		return -1;
	if (!*key)
		return 0;
	if (choices && !key[1] && *key > '0' && *key <= '0' + choices)
		return *key - '0';
	if (!strcmp(key, "a")) {
		shared->all = true;
		return 0;
	}
	if (!strcmp(key, "q")) {
		if (!lecture)
			dprintf(STDERR_FILENO, "%s: ended at step %d\n", lab->id, shared->step);
		end_lab();
	}
	if (lecture && !(choices && isdigit((unsigned char)*key) && !key[1]) && /* 3 out of 2 */
		leave_for(key))
		return -2;
	if (!strcmp(key, "s") && is_there(in_place))
		shell_in(in_place);
	else if (!strcmp(key, "s") && person)
		out_note("There is no process here to enter.");
	else if (!isatty(STDIN_FILENO))
		return 0;
	else if (person && (!choices || !strcmp(key, "?")))
		tell_keys();
	return -2;
}

/* Keys that were typed while the step ran are nobody's answer to what is shown now. */
static void drop_keys(void)
{
	if (person && option_given.step)
		tcflush(STDIN_FILENO, TCIFLUSH);
	if (person && option_given.step && !shared->welcomed && !lecture)
		out_note(
			"Enter: go on. ?: all keys. STEP=0 before the command turns the waits off.");
	shared->welcomed = true;
}

void lab_wait(pid_t pid)
{
	autofree char *commands = looks;
	looks = NULL;
	if (lab_command || !option_given.step || shared->waited || !shared->step || shared->all)
		return;
	shared->waited = sys_shared->held = true;
	in_place = pid;
	for (int answer = -2, turn = 0; answer == -2; turn++) {
		drop_keys();
		if (turn == 0 || option_given.jsonl)
			out_wait(pid, commands ? commands : "");
		out_prompt(pid, 0);
		answer = read_answer(0);
	}
	if (!isatty(STDIN_FILENO))
		out_line("");
	sys_shared->held = false;
}

/* ---- Steps and questions ---- */

/* The end of a step at which the lab has not waited. A person waits below the next step's act. */
static void end_step(void)
{
	if (!person) {
		lab_wait(0);
	} else if (looks && !shared->waited && option_given.step && !shared->all) {
		out_wait(0, looks);
		free(looks);
		looks = NULL;
	}
}

/* Below its act: the question, or the time to think about what is to be expected. */
static void hold(const struct lab_question *question)
{
	int choices = 0, answer;
	if (question) {
		autofree char *asked = text("What do you think? %s", question->text);
		out_ask(asked);
	}
	for (; question && choices < CHOICES && question->choices[choices].value; choices++) {
		autofree char *line = text("%d) %s", choices + 1, question->choices[choices].text);
		out_ask(line);
	}
	sys_shared->held = true;
	do {
		drop_keys();
		out_prompt(is_there(in_place), choices);
		answer = read_answer(choices);
	} while (answer == -2);
	sys_shared->held = false;
	if (!question || answer < 0 || shared->all)
		return;
	shared->questions++;
	shared->choice = answer - 1;
	shared->question = question; /* a child that was there before may be the one that answers */
}

void lab_step(const char *act, const char *expect)
{
	if (lab_command)
		return;
	if (shared->step)
		end_step();
	shared->waited = false;
	const struct lab_question *question = shared->all ? NULL : coming;
	coming = NULL;
	bool holds = question || (person && option_given.step && !shared->all);
	/* What is to be expected would give the answer away. */
	bool later = question && !option_given.jsonl;
	out_step(++shared->step, act, later ? NULL : expect);
	if (holds)
		hold(question);
	if (later && expect)
		out_expect(expect);
}

void lab_predict(const char *name)
{
	const struct lab_question *question = lab->words ? lab->words->questions : NULL;
	shared->question = NULL;
	if (!option_given.predict || lab_command)
		return;
	while (question && question->name && strcmp(question->name, name))
		question++;
	errno = 0;
	if (!question || !question->name)
		die("this lab has no question %s", name);
	coming = question;
}

void lab_answer(const char *name, const char *fmt, ...)
{
	autofree char *observed = NULL;
	va_list ap;
	int error = errno; /* of the call that is the answer */
	if (coming && !strcmp(coming->name, name)) {
		errno = 0;
		die("no step has begun since lab_predict(%s): it was never asked", name);
	}
	va_start(ap, fmt);
	if (vasprintf(&observed, fmt, ap) < 0)
		die("out of memory");
	va_end(ap);
	const struct lab_question *question = shared->question;
	if (!question || strcmp(question->name, name))
		return;
	const struct lab_choice *right = NULL,
				*picked = shared->choice < 0 ? NULL
							     : &question->choices[shared->choice];
	for (int i = 0; i < CHOICES && question->choices[i].value; i++)
		if (!strcmp(question->choices[i].value, observed))
			right = &question->choices[i];
	const char *happens = right ? right->text : observed;
	autofree char *said = picked == right && right ? text("You predicted it: %s.", happens)
			      : picked                 ? text("You said: %s.", picked->text)
						       : text("%s", "");
	autofree char *happened = text("What happens: %s.", happens);
	autofree char *why =
		text("Why: %s", picked && picked->misconception ? picked->misconception : "");
	if (*said)
		out_ask(said);
	if (!picked || picked != right)
		out_ask(happened);
	if (picked && picked != right)
		out_ask(why);
	shared->score += picked && picked == right;
	out_prediction(name, picked ? picked->value : "", observed);
	shared->question = NULL;
	errno = error;
}
