/*
 * explain.c: --explain, the manifest line by line, and beside each line what effects.c says that
 * it becomes; then what follows of the manifest as a whole.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "kernel/file.h"
#include "kernel/sys.h"
#include "pod.h"

#define WIDTH 80
#define RIGHT 36 /* where the right column begins */

/* ---- Two columns ---- */

/* Words from column on; what does not fit goes on under itself. Returns the column it ended in. */
static size_t print_words(const char *words, size_t column, size_t left)
{
	for (bool first = true; *words; first = false) {
		size_t length = strspn(words, " ") + strcspn(words + strspn(words, " "), " ");
		if (!first && column + length > WIDTH) {
			words += strspn(words, " ");
			length = strcspn(words, " ");
			printf("\n%*s", (int)left, "");
			column = left;
		}
		fwrite(words, 1, length, stdout);
		for (size_t i = 0; i < length; i++)
			column += ((unsigned char)words[i] & 0xc0) != 0x80; /* UTF-8 */
		words += length;
	}
	return column;
}

/* Beside the line before, which ended in column, or below it. effect is freed. */
static void print_effect(size_t *column, char *what)
{
	autofree char *words = what;
	if (*column + 1 > RIGHT) {
		putchar('\n');
		*column = 0;
	}
	printf("%*s-> ", (int)(RIGHT - *column), "");
	*column = print_words(words, RIGHT + 3, RIGHT + 3);
}

static void print_group(const char *name, struct group_values v, char *more)
{
	size_t column = print_words(name, 0, 0);
	print_effect(&column, weight_text(v));
	print_effect(&column, max_text(v));
	print_effect(&column, memory_text(v));
	if (more)
		print_effect(&column, more);
	putchar('\n');
}

/* ---- The whole ---- */

/* What no line says, and follows of all of them. */
static void explain_rest(const struct pod *pod, long long pids, bool several)
{
	char *rest;
	printf("\n# What no line says%s%s\n", several ? ", of " : "", several ? pod->name : "");
	if (pod->owner && !pod->hostname) {
		autofree char *of = text("each Pod of %s %s", pod->owner, pod->name);
		size_t end = print_words(of, 0, 2);
		print_effect(&end, text("sethostname(\"%.40s-...\"...)", pod->name));
		putchar('\n');
	}
	printf("QoS class %s", qos_names[pod_qos(pod)]);
	size_t column = strlen("QoS class ") + strlen(qos_names[pod_qos(pod)]);
	autofree char *group = pod_group(pod, "...");
	for (char *one = strtok_r(group, "/", &rest); one; one = strtok_r(NULL, "/", &rest))
		print_effect(&column,
			text("mkdir(...%s...)", strlen(one) > 25 ? strchr(one, '-') + 1 : one));
	putchar('\n');
	struct group_values values = pod_values(pod);
	values.weight_newer = 0; /* the kubelet writes it, no runtime */
	print_group("the Pod's group", values, pids ? text("pids.max <- %lld", pids) : NULL);
	for (size_t i = 0; i < container_count(pod); i++) {
		const struct container_spec *c = container_at(pod, i);
		autofree char *name = text("%s's group", c->name);
		print_group(name, container_values(pod, c), score_text(pod, c));
	}
	column = print_words("each container's group", 0, 0);
	print_effect(&column, text("memory.oom.group <- 1"));
	print_effect(&column, text("memory.swap.max <- 0"));
	putchar('\n');
	column = print_words("pause", 0, 0);
	print_effect(&column, text("clone3(...NEWNS...NEWIPC...NEWNET...)"));
	print_effect(&column, text("mount(\"pause\", ...\"tmpfs\"...)"));
	print_effect(&column, text("pivot_root(\".\", \".\")"));
	print_effect(&column, text("setresuid(65535, 65535, 65535)"));
	print_effect(&column, text("capset(...effective=0, permitted=0...)"));
	print_effect(&column, text("prctl(PR_SET_NO_NEW_PRIVS, 1...)"));
	print_effect(&column, text("execveat(...[\"pause\"]...)"));
	putchar('\n');
	column = print_words("each container", 0, 0);
	print_effect(&column, text("setns(...CLONE_NEWIPC...CLONE_NEWNET)"));
	print_effect(&column, text("clone3(...CLONE_PARENT|CLONE_NEWNS...)"));
	putchar('\n');
}

/* What the fields of one line become; "nothing" stands only where nothing else does. */
static void explain_line(
	const char *line, const struct said *said, size_t count, const struct pod *one)
{
	size_t column = print_words(line, 0, strspn(line, " -") + 2);
	bool any = false;
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < count; i++) {
			bool wanted = !one || !said[i].pod || said[i].pod == one;
			char *words = wanted ? effect_of(&said[i]) : NULL;
			bool something = words && strcmp(words, NOTHING) != 0;
			if (words && pass == 1 && (something || !any)) {
				print_effect(&column, words);
				any = true;
			} else {
				any |= something;
				free(words);
			}
		}
	putchar('\n');
}

void explain_manifest(
	struct manifest *m, const char *data, size_t size, const struct pod *one, long long pids)
{
	const char *end = data + size;
	size_t first = 0;
	int number = 1;
	/* A struct said begins with its place. */
	qsort(m->said.item, m->said.count, sizeof *m->said.item, by_place);
	for (const char *line = data; line < end; number++) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		size_t length = (size_t)((newline ? newline : end) - line), count = 0;
		autofree char *own = text("%.*s", (int)length, line);
		own[strcspn(own, "\r")] = '\0';
		while (first + count < m->said.count &&
			m->said.item[first + count].at.line == number)
			count++;
		explain_line(own, &m->said.item[first], count, one);
		first += count;
		line += length + 1;
	}
	for (const struct pod *pod = m->pods; pod; pod = pod->next)
		if (!one || pod == one)
			explain_rest(pod, pids, m->pods->next != NULL);
}
