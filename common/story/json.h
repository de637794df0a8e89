/*
 * json.h: the one writer of JSON, RFC 8259. It puts the commas.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

struct json {
	FILE *to;
	bool more; /* a value stands before the next one */
};

/* '{' or '[', as a member when name is not NULL. */
void json_open(struct json *json, const char *name, char bracket);
void json_close(struct json *json, char bracket);

/* A string as an element of an array; NULL is "". */
void json_string(struct json *json, const char *value);

/*
 * Members of an object, up to NULL: a name and its value. What the value is stands at the end of
 * the name: '#' a long long, '?' a bool, '*' words, which become an array; else a string, NULL is
 * "".
 */
void json_members(struct json *json, ...);
void json_members_of(struct json *json, va_list ap);

/* A string in quotes, and nothing else. */
void json_text(FILE *to, const char *string);
