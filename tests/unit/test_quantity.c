/*
 * Lab 17's quantities. The expected values are counted by hand.
 */
#define _GNU_SOURCE
#include "run.h"

#include "../../labs/17-pod/quantity.c"

struct good_quantity {
	const char *text;
	long long value, milli; /* both rounded up; -1: it does not fit */
};

static void assert_quantities(const struct good_quantity *good, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		quantity q;
		if (quantity_read(good[i].text, &q) != QUANTITY_OK ||
			quantity_value(q) != good[i].value ||
			(good[i].milli != -1 && quantity_milli(q) != good[i].milli))
			fail_msg(
				"%s is not %lld, %lld", good[i].text, good[i].value, good[i].milli);
	}
}

static void quantities_are_read_as_kubernetes_does(void **state)
{
	(void)state;
	static const struct good_quantity good[] = {
		{"0", 0, 0},
		{"500m", 1, 500},
		{"1.5", 2, 1500},
		{"64Mi", 67108864, 67108864000},
		{"1G", 1000000000, 1000000000000},
		{"0.5Gi", 536870912, 536870912000},
		{"1e3", 1000, 1000000},
		{"1E3", 1000, 1000000},
		{"1E", 1000000000000000000, -1},
		{"128974848000m", 128974848, 128974848000},
		{"1Ki", 1024, 1024000},
		{"1Ti", 1099511627776, 1099511627776000},
		{"1Pi", 1125899906842624, 1125899906842624000},
		{"7Ei", 8070450532247928832, -1},
		{"1k", 1000, 1000000},
		{"1M", 1000000, 1000000000},
		{"1T", 1000000000000, 1000000000000000},
		{"1P", 1000000000000000, 1000000000000000000},
	};
	assert_quantities(good, sizeof good / sizeof *good);
}

static void quantities_are_rounded_up(void **state)
{
	(void)state;
	static const struct good_quantity good[] = {
		{"1n", 1, 1},
		{"1u", 1, 1},
		{"3m", 1, 3},
		{"1000001u", 2, 1001},
		{"1.0001", 2, 1001},
		{"0.1m", 1, 1},
		{"3.001n", 1, 1},
		{"0.0000000000000000000000000000000000001", 1, 1},
		{"1e-3", 1, 1},
		{"1e+2", 100, 100000},
		{"1.25e2", 125, 125000},
		{"1e-100000000000", 1, 1},
		{"0e99999999999", 0, 0},
		{"0.000000000000000001Ei", 2, 1153},
		{"100.035Ki", 102436, 102435840},
		{"0.9999999999", 1, 1000},
		{"-0.9999999999", -1, -1000},
		{"9007199254740993.000000001", 9007199254740994, 9007199254740993001},
		{"0.000000000999999999Ei", 1152921504, 1152921503454},
		{"7.999999999999999999Ei", LLONG_MAX, -1},
	};
	assert_quantities(good, sizeof good / sizeof *good);
}

static void quantities_of_odd_spelling_are_read(void **state)
{
	(void)state;
	static const struct good_quantity good[] = {
		{"+5", 5, 5000},
		{"-5", -5, -5000},
		{"-1.5", -1, -1500},
		{"007", 7, 7000},
		{"1.", 1, 1000},
		{".5", 1, 500},
		{"1.G", 1000000000, 1000000000000},
		{"Mi", 0, 0},
		{"-", 0, 0},
		{"9223372036854775807", LLONG_MAX, -1},
		{"-9223372036854775807", -LLONG_MAX, -1},
		{"-9223372036854775806.5", -LLONG_MAX + 1, -1},
		{"9223372036854775806.000000001", LLONG_MAX, -1},
	};
	assert_quantities(good, sizeof good / sizeof *good);
}

static void what_is_no_quantity_is_refused(void **state)
{
	(void)state;
	static const char *const wrong[] = {"", " ", "1 ", "1.2.3", "1mm", "1MI", "1Kib", "1K",
		"1e", "1e1.5", "1ee3", "1Ei5", "0x10", "--1", "+-1", "1,5", "1_000", "five", "1e+",
		"Gi1", "1 Gi", "1\n", "inf", "NaN", "1mi"};
	static const char *const large[] = {"8Ei", "9223372036854775808", "9223372036854775807.1",
		"10E", "1e19", "1e99999999999", "9223372036854775807Ki", "-9e99",
		"92233720368547758070", "41359651435935.7598G"};
	quantity q;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		if (quantity_read(wrong[i], &q) != QUANTITY_WRONG)
			fail_msg("'%s' is taken", wrong[i]);
	for (size_t i = 0; i < sizeof large / sizeof *large; i++)
		if (quantity_read(large[i], &q) != QUANTITY_TOO_LARGE)
			fail_msg("'%s' is not too large", large[i]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantities_are_read_as_kubernetes_does),
		cmocka_unit_test(quantities_are_rounded_up),
		cmocka_unit_test(quantities_of_odd_spelling_are_read),
		cmocka_unit_test(what_is_no_quantity_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
