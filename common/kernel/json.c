/*
 * json.c: the one writer of JSON.
 */
#include "kernel/json.h"

void json_text(FILE *to, const char *string)
{
	fputc('"', to);
	for (const unsigned char *c = (const unsigned char *)string; *c; c++) {
		if (*c == '"' || *c == '\\')
			fprintf(to, "\\%c", *c);
		else if (*c < 0x20 || *c == 0x7f)
			fprintf(to, "\\u%04x", *c);
		else
			fputc(*c, to);
	}
	fputc('"', to);
}

static void next(struct json *json, bool more)
{
	if (json->more)
		fputc(',', json->to);
	json->more = more;
}

void json_open(struct json *json, char bracket)
{
	next(json, false);
	fputc(bracket, json->to);
}

void json_close(struct json *json, char bracket)
{
	fputc(bracket, json->to);
	json->more = true;
}

void json_key(struct json *json, const char *key)
{
	next(json, false);
	json_text(json->to, key);
	fputc(':', json->to);
}

void json_string(struct json *json, const char *value)
{
	next(json, true);
	json_text(json->to, value ? value : "");
}

void json_number(struct json *json, long long value)
{
	next(json, true);
	fprintf(json->to, "%lld", value);
}

void json_bool(struct json *json, bool value)
{
	next(json, true);
	fputs(value ? "true" : "false", json->to);
}
