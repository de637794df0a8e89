/*
 * quantity.c: 500m, 1.5, 64Mi, 1e3: Kubernetes' numbers, read as ParseQuantity()
 * in k8s.io/apimachinery/pkg/api/resource/quantity.go reads them. Its grammar:
 *
 *   quantity = [+-] digits [. digits] suffix
 *   suffix   = Ki Mi Gi Ti Pi Ei | n u m "" k M G T P E | (e or E) [+-] digits
 *
 * It takes less than the grammar asks for, too: "1.", ".5" and "m", which is 0.
 * A quantity is never a floating point number, and what is too small to be held
 * is rounded up: who asks for something gets something.
 */

#include <limits.h>
#include <string.h>

#include "pod.h"

/* Value() and MilliValue() of quantity.go: both round up. */
long long quantity_value(quantity q)
{
	return q.whole + (q.nano > 0);
}

long long quantity_milli(quantity q)
{
	const int milli = NANO / 1000;
	return q.whole * 1000 + q.nano / milli + (q.nano % milli > 0);
}

int quantity_compare(quantity a, quantity b)
{
	return a.whole != b.whole ? (a.whole > b.whole) - (a.whole < b.whole) : a.nano - b.nano;
}

/* suffix.go: a power of 2, or one of 10. */
static bool quantity_suffix(const char *suffix, long long *times, int *exponent)
{
	static const struct {
		const char *name;
		int two, ten;
	} suffixes[] = {{"", 0, 0}, {"n", 0, -9}, {"u", 0, -6}, {"m", 0, -3}, {"k", 0, 3},
		{"M", 0, 6}, {"G", 0, 9}, {"T", 0, 12}, {"P", 0, 15}, {"E", 0, 18}, {"Ki", 10, 0},
		{"Mi", 20, 0}, {"Gi", 30, 0}, {"Ti", 40, 0}, {"Pi", 50, 0}, {"Ei", 60, 0}};
	for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
		if (!strcmp(suffix, suffixes[i].name)) {
			*times = 1LL << suffixes[i].two;
			*exponent = suffixes[i].ten;
			return true;
		}
	if (*suffix != 'e' && *suffix != 'E')
		return false;
	bool minus = *++suffix == '-';
	suffix += minus || *suffix == '+';
	if (!*suffix || suffix[strspn(suffix, "0123456789")])
		return false;
	for (*exponent = 0; *suffix; suffix++) /* more than a thousand is too much anyway */
		if (*exponent < 1000)
			*exponent = *exponent * 10 + (*suffix - '0');
	*exponent = minus ? -*exponent : *exponent;
	*times = 1;
	return true;
}

enum quantity_read quantity_read(const char *text, quantity *result)
{
	bool minus = *text == '-';
	const char *number = text + (minus || *text == '+');
	int whole = (int)strspn(number, "0123456789");
	const char *fraction = number + whole + (number[whole] == '.');
	int part = (int)strspn(fraction, "0123456789");
	long long times = 1;
	int exponent = 0;
	if (!*text || !quantity_suffix(fraction + part, &times, &exponent))
		return QUANTITY_WRONG;

	/* The digits without the point, which lies behind the first `point` of them. */
	int digits = whole + part, point = whole + exponent;
#define DIGIT(i) \
	((i) < 0 || (i) >= digits ? 0 : ((i) < whole ? number[i] : fraction[(i)-whole]) - '0')
	int first = 0;
	while (first < digits && DIGIT(first) == 0)
		first++;
	const long long most = LLONG_MAX / times;
	unsigned long long wholes = 0, below = 0; /* below is at most 10 * 2^60 */
	for (int i = first; first < digits && i < point; i++) {
		if (DIGIT(i) > most || wholes > (unsigned long long)(most - DIGIT(i)) / 10)
			return QUANTITY_TOO_LARGE;
		wholes = wholes * 10 + DIGIT(i);
	}
	wholes *= times;
	/* Behind the point each digit, from the last one on, carries into the one before it. */
	long long nano = 0;
	bool rest = false;
	for (int i = digits - 1; i >= point && (i >= first || below || nano); i--) {
		below += (unsigned long long)DIGIT(i) * times;
		nano += (long long)(below % 10) * NANO;
		rest |= nano % 10 != 0;
		below /= 10;
		nano /= 10;
	}
#undef DIGIT
	nano += rest;
	wholes += below + nano / NANO;
	nano %= NANO;
	if (wholes > LLONG_MAX || (wholes == LLONG_MAX && nano))
		return QUANTITY_TOO_LARGE;
	*result = (quantity){.whole = (long long)wholes, .nano = (int)nano};
	if (minus)
		*result = (quantity){
			.whole = -result->whole - (nano > 0), .nano = nano ? NANO - (int)nano : 0};
	return QUANTITY_OK;
}
