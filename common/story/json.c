/*
 * json.c: the one writer of JSON.
 */
#include "story/json.h"

#include <string.h>

static void quote(FILE *to, const char *string, size_t length)
{
	fputc('"', to);
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)string[i];
		if (c == '"' || c == '\\')
			fprintf(to, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			fprintf(to, "\\u%04x", c);
		else
			fputc(c, to);
	}
	fputc('"', to);
}

void json_text(FILE *to, const char *string)
{
	quote(to, string, strlen(string));
}

static void next(struct json *json, const char *string, size_t length)
{
	if (json->more)
		fputc(',', json->to);
	json->more = true;
	if (string)
		quote(json->to, string, length);
}

static void name_member(struct json *json, const char *name, size_t length)
{
	next(json, name, length);
	fputc(':', json->to);
	json->more = false;
}

void json_open(struct json *json, const char *name, char bracket)
{
	if (name)
		name_member(json, name, strlen(name));
	next(json, NULL, 0);
	fputc(bracket, json->to);
	json->more = false;
}

void json_close(struct json *json, char bracket)
{
	fputc(bracket, json->to);
	json->more = true;
}

void json_string(struct json *json, const char *value)
{
	next(json, value ? value : "", value ? strlen(value) : 0);
}

static void words(struct json *json, const char *list)
{
	json_open(json, NULL, '[');
	while (list && *(list += strspn(list, " "))) {
		size_t length = strcspn(list, " ");
		next(json, list, length);
		list += length;
	}
	json_close(json, ']');
}

void json_members_of(struct json *json, va_list ap)
{
	for (const char *name; (name = va_arg(ap, const char *));) {
		size_t length = strcspn(name, "#?*");
		name_member(json, name, length);
		if (!name[length])
			json_string(json, va_arg(ap, const char *));
		else if (name[length] == '*')
			words(json, va_arg(ap, const char *));
		else if (name[length] == '#')
			fprintf(json->to, "%lld", va_arg(ap, long long));
		else
			fputs(va_arg(ap, int) ? "true" : "false", json->to);
		json->more = true;
	}
}

void json_members(struct json *json, ...)
{
	va_list ap;
	va_start(ap, json);
	json_members_of(json, ap);
	va_end(ap);
}
