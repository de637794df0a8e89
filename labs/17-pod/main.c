/*
 * A Pod, from its manifest to the kernel. The files follow its life: pod.h says
 * what a manifest can say, fields.h and manifest.h read it, resources.h counts,
 * explain.h tells what each line becomes.
 */
/* link: yaml-0.1 */
#define _GNU_SOURCE
#include <stdio.h>

#include "explain.h"
#include "lab.h"
#include "words.h"

/*
 * The example stands in the program itself, so that it is at hand wherever the program is: in the
 * repository and in the lab VM, into which labs travel without their sources.
 */
#define EXAMPLE "labs/17-pod/pod.yaml"
__asm__(".section .rodata\n"
	"example: .incbin \"" EXAMPLE "\"\n"
	"example_end: .balign 8\n"
	"example_size: .quad example_end - example\n"
	".previous");
extern const char example[];
extern const size_t example_size;

static const char *file;
static bool only_explain;
static long long pids;
static struct lab_texts images;

static const char *wrong_image(const char *value)
{
	size_t name = strcspn(value, "=");
	return name && value[name] && value[name + 1] ? NULL : "NAME=DIR, such as web=/srv/web";
}

static const struct lab_option lab_options[] = {
	{"explain", LAB_FLAG, &only_explain, .help = "what each line of the manifest becomes"},
	{"pod-pids-limit", LAB_NUMBER, &pids, 1, 4194304, "tasks of the Pod at most, pids.max"},
	{"image", LAB_TEXTS, &images, .help = "NAME=DIR: the folder that is this image",
		.wrong = wrong_image},
	{0},
};

static const struct lab_option operands[] = {
	{"MANIFEST", LAB_PATH_IN, &file, .help = "a Pod in YAML; the example when there is none"},
	{0},
};

static const struct lab lab = {
	.id = "17-pod",
	.title = "A Pod, from its manifest to the kernel",
	.goal = "A Pod is containers that share the namespaces of one that does nothing. Its "
		"manifest becomes system calls and files of a group, line by line.",
	.manual = "clone(2) setns(2) namespaces(7) cgroups(7)",
	.teaches = "",
	.after = "16-container",
	.needs = {.root = true, .controllers = "cpu memory pids"},
	.options = lab_options,
	.operands = operands,
	.words = &words,
	.own_root = true,
};

static struct manifest manifest;

/* The bytes as they are, but not more than one too many. */
static const char *read_file(const char *path, size_t *size)
{
	FILE *in = fopen(path, "re");
	char *data = malloc(FILE_MAX + 1);
	*size = in && data ? fread(data, 1, FILE_MAX + 1, in) : 0;
	if (!in || !data || ferror(in))
		lab_usage("%s: expected a file that can be read", path);
	fclose(in);
	return data;
}

/* Reads it, tells what is not ours, and ends with 2 when it is none. */
static void read_manifest(const char *name, const char *data, size_t size)
{
	bool good = manifest_read(&manifest, data, size, images.value);
	for (size_t i = 0; i < manifest.warnings.count; i++) {
		const struct problem *w = &manifest.warnings.item[i];
		fprintf(stderr, "%s:%d:%d: warning: %s\n", name, w->at.line, w->at.column,
			w->message);
	}
	if (good)
		return;
	fprintf(stderr, "%s:%d:%d: %s\n", name, manifest.error.at.line, manifest.error.at.column,
		manifest.error.message);
	manifest_free(&manifest);
	exit(2);
}

int main(int argc, char *argv[])
{
	lab_parse(&lab, argc, argv);
	const char *name = EXAMPLE, *data = example;
	size_t size = example_size;
	if (file)
		data = read_file(name = file, &size);
	read_manifest(name, data, size);
	if (only_explain) {
		explain(&manifest, data, size, pids);
		return 0;
	}
	lab_begin(&lab, argc, argv);
	return lab_end();
}
