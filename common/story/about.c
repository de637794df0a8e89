/*
 * about.c: a lab's metadata as one JSON object, for the runner, the doctor and
 * the tests.
 */
#define _GNU_SOURCE
#include "story/about.h"

#include <string.h>

#include "kernel/json.h"
#include "kernel/text.h"
#include "story/state.h"

static struct json json;

static void string(const char *name, const char *value)
{
	json_key(&json, name);
	json_string(&json, value);
}

static void number(const char *name, long long value)
{
	json_key(&json, name);
	json_number(&json, value);
}

static void truth(const char *name, bool value)
{
	json_key(&json, name);
	json_bool(&json, value);
}

static void words(const char *name, const char *list)
{
	autofree char *copy = text("%s", list ? list : "");
	json_key(&json, name);
	json_open(&json, '[');
	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
		json_string(&json, word);
	json_close(&json, ']');
}

static void needs(const struct probe_needs *n)
{
	json_key(&json, "needs");
	json_open(&json, '{');
	truth("root", n->root);
	truth("namespaces", n->namespaces);
	truth("ordinary", n->ordinary);
	truth("proc_mount", n->proc_mount);
	truth("limits", n->limits);
	truth("time", n->time);
	truth("overlay", n->overlay);
	truth("swap", n->swap);
	truth("block", n->block);
	words("controllers", n->controllers);
	words("modules", n->modules);
	string("kernel", n->kernel);
	number("cpus", n->cpus);
	number("memory", n->memory);
	json_close(&json, '}');
}

static void options_print(const char *name, const struct lab_option *option)
{
	static const char *const types[] = {"size", "number", "decimal", "name", "path-in",
		"path-in-out", "flag", "choice", "text", "texts", "volume", "named-path"};
	json_key(&json, name);
	json_open(&json, '[');
	for (const struct lab_option *o = option; o && o->name; o++) {
		json_open(&json, '{');
		string("name", o->name);
		if (o->letter)
			string("letter", (char[]){o->letter, '\0'});
		string("type", types[o->type]);
		number("min", o->min);
		number("max", o->max);
		string("help", o->help);
		if (o->choices)
			words("choices", o->choices);
		json_close(&json, '}');
	}
	json_close(&json, ']');
}

static void questions_print(const struct lab_question *question)
{
	json_key(&json, "questions");
	json_open(&json, '[');
	for (const struct lab_question *q = question; q && q->name; q++) {
		json_open(&json, '{');
		string("name", q->name);
		string("text", q->text);
		json_key(&json, "choices");
		json_open(&json, '[');
		for (int i = 0; i < 4 && q->choices[i].value; i++) {
			json_open(&json, '{');
			string("value", q->choices[i].value);
			string("text", q->choices[i].text);
			string("misconception", q->choices[i].misconception);
			json_close(&json, '}');
		}
		json_close(&json, ']');
		json_close(&json, '}');
	}
	json_close(&json, ']');
}

static void parts_print(void)
{
	json_key(&json, "parts");
	json_open(&json, '[');
	for (const struct lab_part *part = lab->parts; part && part->name; part++) {
		json_open(&json, '{');
		string("name", part->name);
		string("title", part->title);
		needs(&part->needs);
		string("boot", part->boot_alone ? "alone" : "");
		truth("hazard", part->hazard);
		json_close(&json, '}');
	}
	json_close(&json, ']');
}

void about_print(void)
{
	json.to = stdout;
	json_open(&json, '{');
	string("id", lab->id);
	string("title", lab->title);
	string("goal", lab->goal);
	words("manual", lab->manual);
	words("teaches", lab->teaches);
	words("after", lab->after);
	needs(&lab->needs);
	string("root", lab->own_root ? "own" : "");
	string("boot", lab->boot_alone ? "alone" : "");
	string("place", lab->place_host ? "host" : "");
	truth("hazard", lab->hazard);
	string("exclusive", lab->exclusive_cpu ? "cpu" : "");
	parts_print();
	words("quick", lab->quick);
	questions_print(lab->words ? lab->words->questions : NULL);
	options_print("operands", lab->operands);
	options_print("options", lab->options);
	json_close(&json, '}');
	putchar('\n');
}
