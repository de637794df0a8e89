/*
 * about.c: a lab's metadata as one JSON object, for the runner, the doctor and
 * the tests.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "story/state.h"

/* Metadata is plain text of ours: it has no character that JSON would escape but these. */
static void string(const char *value)
{
	putchar('"');
	for (; value && *value; value++) {
		if (*value == '"' || *value == '\\')
			putchar('\\');
		putchar(*value);
	}
	putchar('"');
}

static void words(const char *name, const char *list)
{
	printf("\"%s\":[", name);
	for (const char *word = list; word && *word;) {
		int length = (int)strcspn(word, " ");
		printf("%s\"%.*s\"", word == list ? "" : ",", length, word);
		word += length;
		word += *word == ' ';
	}
	putchar(']');
}

static const char *truth(bool value)
{
	return value ? "true" : "false";
}

static void needs(const struct lab_needs *n)
{
	printf("\"needs\":{\"root\":%s,\"namespaces\":%s,\"ordinary\":%s,\"proc_mount\":%s,"
	       "\"limits\":%s,\"time\":%s,\"overlay\":%s,\"swap\":%s,\"block\":%s,",
		truth(n->root), truth(n->namespaces), truth(n->ordinary), truth(n->proc_mount),
		truth(n->limits), truth(n->time), truth(n->overlay), truth(n->swap),
		truth(n->block));
	words("controllers", n->controllers);
	putchar(',');
	words("modules", n->modules);
	printf(",\"kernel\":");
	string(n->kernel);
	printf(",\"cpus\":%d,\"memory\":%lld}", n->cpus, n->memory);
}

static void options_print(const char *name, const struct lab_option *first)
{
	static const char *const types[] = {"size", "number", "decimal", "name", "path-in",
		"path-in-out", "flag", "choice", "text", "texts", "volume", "named-path"};
	printf("\"%s\":[", name);
	for (const struct lab_option *o = first; o && o->name; o++) {
		printf("%s{\"name\":", o == first ? "" : ",");
		string(o->name);
		if (o->letter)
			printf(",\"letter\":\"%c\"", o->letter);
		printf(",\"type\":\"%s\",\"min\":%lld,\"max\":%lld,\"help\":", types[o->type],
			o->min, o->max);
		string(o->help);
		if (o->choices) {
			putchar(',');
			words("choices", o->choices);
		}
		putchar('}');
	}
	putchar(']');
}

static void questions_print(const struct lab_question *question)
{
	printf("\"questions\":[");
	for (const struct lab_question *q = question; q && q->name; q++) {
		printf("%s{\"name\":", q == question ? "" : ",");
		string(q->name);
		printf(",\"text\":");
		string(q->text);
		printf(",\"choices\":[");
		for (int i = 0; i < 4 && q->choices[i].value; i++) {
			printf("%s{\"value\":", i ? "," : "");
			string(q->choices[i].value);
			printf(",\"text\":");
			string(q->choices[i].text);
			printf(",\"misconception\":");
			string(q->choices[i].misconception ? q->choices[i].misconception : "");
			putchar('}');
		}
		printf("]}");
	}
	putchar(']');
}

void about_print(void)
{
	printf("{\"id\":");
	string(lab->id);
	printf(",\"title\":");
	string(lab->title);
	printf(",\"goal\":");
	string(lab->goal);
	putchar(',');
	words("manual", lab->manual);
	putchar(',');
	words("teaches", lab->teaches);
	putchar(',');
	words("after", lab->after);
	putchar(',');
	needs(&lab->needs);
	printf(",\"root\":\"%s\",\"boot\":\"%s\",\"place\":\"%s\",\"hazard\":%s,\"exclusive\":\"%s\",\"parts\":[",
		lab->own_root ? "own" : "", lab->boot_alone ? "alone" : "",
		lab->place_host ? "host" : "", truth(lab->hazard), lab->exclusive_cpu ? "cpu" : "");
	for (const struct lab_part *part = lab->parts; part && part->name; part++) {
		printf("%s{\"name\":", part == lab->parts ? "" : ",");
		string(part->name);
		printf(",\"title\":");
		string(part->title);
		putchar(',');
		needs(&part->needs);
		printf(",\"boot\":\"%s\",\"hazard\":%s}", part->boot_alone ? "alone" : "",
			truth(part->hazard));
	}
	printf("],");
	words("quick", lab->quick);
	putchar(',');
	questions_print(lab->words ? lab->words->questions : NULL);
	putchar(',');
	options_print("operands", lab->operands);
	putchar(',');
	options_print("options", lab->options);
	printf("}\n");
}
