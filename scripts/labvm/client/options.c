/* The command line of the client. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "end.h"
#include "options.h"

_Noreturn void options_usage(void)
{
	fputs("vm-client: expected the options that scripts/vm calls it with; to use the lab VM, "
	      "type scripts/vm --help\n",
		stderr);
	exit(STATUS_USAGE);
}

static int open_disk(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die(STATUS_VM, "reading %s: %m", path);
	return fd;
}

/* Takes the words from at up to the word end, which is replaced by their NULL. */
static char **words_until(char **at, const char *end)
{
	char **first = at;

	while (*at && strcmp(*at, end) != 0)
		at++;
	if (!*at)
		options_usage();
	*at = NULL;
	return first;
}

/* What follows the NULL at the end of words. */
static char **behind(char **words)
{
	while (*words)
		words++;
	return words + 1;
}

static bool may_be_repeated(const char *option)
{
	return strcmp(option, "--carry") == 0 || strcmp(option, "--also") == 0 ||
	       strcmp(option, "--bring") == 0;
}

static void take_options(struct plan *plan)
{
	size_t files = 0;

	plan->same = need(calloc(plan->words_end - plan->words + 1, sizeof(*plan->same)));
	for (char **word = plan->words; word < plan->words_end; word++) {
		const char *option = *word;
		char *value = word[1];

		if (strcmp(option, "--whole-states") == 0) {
			plan->whole_states = true;
			continue;
		}
		if (++word == plan->words_end)
			options_usage();
		if (strcmp(option, "--banner") == 0)
			plan->banner = value;
		else if (strcmp(option, "--note") == 0)
			plan->note = value;
		else if (strcmp(option, "--limit") == 0)
			plan->limit = atoi(value) * 1000LL;
		else if (strcmp(option, "--memory") == 0)
			plan->machine.memory = atoi(value);
		else if (strcmp(option, "--system") == 0)
			plan->machine.system = open_disk(value);
		else if (strcmp(option, "--labs") == 0)
			plan->machine.labs = open_disk(value);
		else if (strcmp(option, "--states") == 0)
			plan->states = value;
		else if (strcmp(option, "--names") == 0)
			plan->names = value;
		else if (strcmp(option, "--same") == 0)
			plan->same[files++] = value;
		else if (!may_be_repeated(option))
			options_usage();
	}
}

void options_parse(struct plan *plan, char *argv[])
{
	*plan = (struct plan){
		.limit = 180000, .machine = {.memory = 512, .system = -1, .labs = -1}};
	plan->words = words_until(argv, "--qemu");
	plan->words_end = behind(plan->words) - 1;
	plan->machine.qemu = words_until(plan->words_end + 1, "--boot");
	plan->machine.boot = words_until(behind(plan->machine.qemu), "--");
	plan->command = behind(plan->machine.boot);
	take_options(plan);
}

bool options_each(const struct plan *plan, const char *option,
	bool (*each)(const char *value, void *data), void *data)
{
	bool all = true;

	for (char **word = plan->words; word < plan->words_end; word++) {
		if (strcmp(*word, "--whole-states") == 0)
			continue;
		if (strcmp(*word, option) == 0)
			all &= each(word[1], data);
		word++; /* the value, which may itself look like an option */
	}
	return all;
}
