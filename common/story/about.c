/*
 * about.c: a lab's metadata as one JSON object, for the runner, the doctor and
 * the tests.
 */
#define _GNU_SOURCE
#include "story/about.h"

#include "story/json.h"
#include "story/state.h"

static void needs(struct json *json, const struct probe_needs *n)
{
	json_open(json, "needs", '{');
	json_members(json, "root?", n->root, "namespaces?", n->namespaces, "ordinary?", n->ordinary,
		"proc_mount?", n->proc_mount, "limits?", n->limits, "hostname?", n->hostname,
		"time?", n->time, "overlay?", n->overlay, "swap?", n->swap, "block?", n->block,
		"controllers*", n->controllers, "modules*", n->modules, "kernel", n->kernel,
		"cpus#", (long long)n->cpus, "memory#", n->memory, NULL);
	json_close(json, '}');
}

static void options_print(struct json *json, const char *name, const struct lab_option *first)
{
	static const char *const types[] = {"size", "number", "decimal", "name", "path-in",
		"path-in-out", "flag", "choice", "text", "texts", "volume", "named-path"};
	json_open(json, name, '[');
	for (const struct lab_option *o = first; o && o->name; o++) {
		json_open(json, NULL, '{');
		json_members(json, "name", o->name, NULL);
		if (o->letter)
			json_members(json, "letter", (char[]){o->letter, '\0'}, NULL);
		json_members(json, "type", types[o->type], "min#", o->min, "max#", o->max, "help",
			o->help, o->choices ? "choices*" : NULL, o->choices, NULL);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void questions_print(struct json *json, const struct lab_question *first)
{
	json_open(json, "questions", '[');
	for (const struct lab_question *q = first; q && q->name; q++) {
		json_open(json, NULL, '{');
		json_members(json, "name", q->name, "text", q->text, NULL);
		json_open(json, "choices", '[');
		for (int i = 0; i < 4 && q->choices[i].value; i++) {
			json_open(json, NULL, '{');
			json_members(json, "value", q->choices[i].value, "text", q->choices[i].text,
				"misconception", q->choices[i].misconception, NULL);
			json_close(json, '}');
		}
		json_close(json, ']');
		json_close(json, '}');
	}
	json_close(json, ']');
}

void about_print(void)
{
	struct json json = {.to = stdout};
	json_open(&json, NULL, '{');
	json_members(&json, "id", lab->id, "title", lab->title, "goal", lab->goal, "manual*",
		lab->manual, "teaches*", lab->teaches, "after*", lab->after, NULL);
	needs(&json, &lab->needs);
	json_members(&json, "root", lab->own_root ? "own" : "", "boot",
		lab->boot_alone ? "alone" : "", "place", lab->place_host ? "host" : "", "hazard?",
		lab->hazard, "exclusive", lab->exclusive_cpu ? "cpu" : "", NULL);
	json_open(&json, "parts", '[');
	for (const struct lab_part *part = lab->parts; part && part->name; part++) {
		json_open(&json, NULL, '{');
		json_members(&json, "name", part->name, "title", part->title, NULL);
		needs(&json, &part->needs);
		json_members(&json, "boot", part->boot_alone ? "alone" : "", "hazard?",
			part->hazard, NULL);
		json_close(&json, '}');
	}
	json_close(&json, ']');
	json_members(&json, "quick*", lab->quick, NULL);
	questions_print(&json, lab->words ? lab->words->questions : NULL);
	options_print(&json, "operands", lab->operands);
	options_print(&json, "options", lab->options);
	json_close(&json, '}');
	putchar('\n');
}
