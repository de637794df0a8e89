/*
 * json.h: the one writer of JSON, RFC 8259. It puts the commas.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

struct json {
	FILE *to;
	bool more; /* a value stands before the next one */
};

void json_open(struct json *json, char bracket); /* '{' or '[' */
void json_close(struct json *json, char bracket);
void json_key(struct json *json, const char *key);
void json_string(struct json *json, const char *value); /* NULL is "" */
void json_number(struct json *json, long long value);
void json_bool(struct json *json, bool value);

/* A string in quotes, and nothing else. */
void json_text(FILE *to, const char *string);
