/*
 * noise.c: what is as predicted, what a busy machine explains, and what it never explains.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "story/noise.h"

enum { WINDOW = 2000000, HALF = WINDOW / 2, PLENTY = WINDOW, NONE = 0 };

/* A process of one thread that got percent of a CPU where predicted was expected, on a quiet
 * machine. */
static struct noise_cpu got(long long predicted, int percent)
{
	long long ran = WINDOW / 100 * percent;
	return (struct noise_cpu){
		.predicted = predicted,
		.threads = 1,
		.length = WINDOW,
		.ran = ran,
		.still = WINDOW - ran,
		.noted = ran,
		.own_group = true,
		.group_length = WINDOW,
		.group_ran = ran,
	};
}

static enum noise of(struct noise_cpu p, long long idle)
{
	return noise_of_cpu(&p, 1, WINDOW, idle);
}

static void near_is_a_part_of_what_was_expected(void **state)
{
	(void)state;
	assert_true(noise_near(100, 115, 15));
	assert_true(noise_near(100, 85, 15));
	assert_false(noise_near(100, 116, 15));
	assert_false(noise_near(100, 84, 15));
	assert_true(noise_near(0, 0, 15));
	assert_false(noise_near(0, 1, 15));
	assert_true(noise_near(-100, -90, 15));
}

static void fifteen_percent_off_is_as_predicted(void **state)
{
	(void)state;
	assert_int_equal(of(got(HALF, 50), NONE), NOISE_NONE);
	assert_int_equal(of(got(HALF, 57), NONE), NOISE_NONE);
	assert_int_equal(of(got(HALF, 43), NONE), NOISE_NONE);
	assert_int_equal(of(got(HALF, 58), PLENTY), NOISE_WRONG);
	assert_int_equal(of(got(HALF, 42), PLENTY), NOISE_WRONG);
}

static void too_little_is_the_machines_only_without_idle_cpus(void **state)
{
	(void)state;
	/* 20 % of a CPU where 50 % were predicted: 600000 are missing. */
	assert_int_equal(of(got(HALF, 20), 300000), NOISE_BUSY);
	assert_int_equal(of(got(HALF, 20), 300001), NOISE_WRONG);
}

static void far_too_much_is_never_the_machines(void **state)
{
	(void)state;
	assert_int_equal(of(got(HALF, 90), NONE), NOISE_WRONG);
	struct noise_cpu p = got(HALF, 90);
	p.stolen = WINDOW;           /* a hypervisor took all of it, */
	p.group_length = 2 * WINDOW; /* and the group was read too late */
	assert_int_equal(of(p, NONE), NOISE_WRONG);
}

static void a_hypervisor_explains_what_it_took(void **state)
{
	(void)state;
	struct noise_cpu p = got(HALF, 65); /* 300000 too much */
	p.stolen = 300000;
	assert_int_equal(of(p, PLENTY), NOISE_BUSY);
	p.stolen = 299999;
	assert_int_equal(of(p, PLENTY), NOISE_WRONG);
}

static void a_late_measurement_proves_nothing(void **state)
{
	(void)state;
	struct noise_cpu p = got(HALF, 50);
	p.group_length = WINDOW + WINDOW / 10;
	assert_int_equal(of(p, PLENTY), NOISE_BUSY);

	p = got(HALF, 50);
	p.noted = p.ran - p.ran / 10;
	assert_int_equal(of(p, PLENTY), NOISE_BUSY);
	p.threads = 2; /* the first thread notes only its own time */
	assert_int_equal(of(p, PLENTY), NOISE_NONE);

	p = got(HALF, 50);
	p.group_ran = p.ran + p.ran / 5;
	assert_int_equal(of(p, PLENTY), NOISE_BUSY);
	p.own_group = false; /* another process spends that group's time too */
	assert_int_equal(of(p, PLENTY), NOISE_NONE);
}

static void a_group_that_got_far_more_is_not_late(void **state)
{
	(void)state;
	struct noise_cpu p = got(HALF, 50);
	p.group_ran =
		2 * p.ran; /* somebody else is in the group: the check of cpu.stat will fail */
	assert_int_equal(of(p, PLENTY), NOISE_NONE);
}

static void two_have_to_be_in_proportion(void **state)
{
	(void)state;
	struct noise_cpu both[] = {got(HALF, 44), got(HALF, 56)};
	assert_int_equal(noise_of_cpu(both, 2, WINDOW, PLENTY), NOISE_WRONG);
	both[1] = got(HALF, 48);
	assert_int_equal(noise_of_cpu(both, 2, WINDOW, PLENTY), NOISE_NONE);
	struct noise_cpu weighted[] = {got(WINDOW / 4, 25), got(WINDOW / 4 * 3, 75)};
	assert_int_equal(noise_of_cpu(weighted, 2, WINDOW, NONE), NOISE_NONE);
	/* What one has lost, another has got: no CPU time is missing. */
	struct noise_cpu swapped[] = {got(WINDOW / 4, 75), got(WINDOW / 4 * 3, 25)};
	assert_int_equal(noise_of_cpu(swapped, 2, WINDOW, NONE), NOISE_WRONG);
}

static void threads_have_to_stand_still_as_predicted(void **state)
{
	(void)state;
	struct noise_cpu p = got(HALF, 50);
	p.threads = 2;
	p.predicted_still = WINDOW / 4 * 3;
	p.still = 2 * p.predicted_still;
	assert_int_equal(of(p, PLENTY), NOISE_NONE);
	p.still = p.predicted_still; /* half as long */
	assert_int_equal(of(p, PLENTY), NOISE_WRONG);
	p.predicted_still = 0;
	assert_int_equal(of(p, PLENTY), NOISE_NONE);
}

static void a_small_difference_is_a_third_or_a_tenth_of_the_window(void **state)
{
	(void)state;
	struct noise_cpu p = got(WINDOW / 100, 10); /* predicted 1 %, 9 % of the window too much */
	p.stolen = WINDOW;
	assert_int_equal(of(p, PLENTY), NOISE_BUSY);
	p = got(WINDOW / 100, 11);
	p.stolen = WINDOW;
	assert_int_equal(of(p, PLENTY), NOISE_WRONG);
	p = got(WINDOW / 100 * 60, 80); /* a third of what was predicted */
	p.stolen = WINDOW;
	assert_int_equal(of(p, PLENTY), NOISE_BUSY);
	p = got(WINDOW / 100 * 60, 81);
	p.stolen = WINDOW;
	assert_int_equal(of(p, PLENTY), NOISE_WRONG);
}

static void nothing_measured_is_not_as_predicted(void **state)
{
	(void)state;
	struct noise_cpu p = {.predicted = HALF, .threads = 1};
	assert_int_equal(of(p, PLENTY), NOISE_WRONG);
	assert_int_equal(of(p, NONE), NOISE_BUSY);
}

static void a_rate_within_fifteen_percent_of_the_time_is_as_predicted(void **state)
{
	(void)state;
	assert_int_equal(noise_of_rate(100, false, 200, WINDOW, 0), NOISE_NONE);
	assert_int_equal(noise_of_rate(100, false, 170, WINDOW, 0), NOISE_NONE);
	assert_int_equal(noise_of_rate(100, false, 230, WINDOW, 0), NOISE_NONE);
	assert_int_equal(noise_of_rate(100, false, 169, WINDOW, 0), NOISE_WRONG);
	assert_int_equal(noise_of_rate(100, false, 231, WINDOW, 0), NOISE_WRONG);
}

static void a_late_observer_explains_a_low_rate(void **state)
{
	(void)state;
	/* 100 of 200 events: half of the window, 1000000, is missing. */
	assert_int_equal(noise_of_rate(100, false, 100, WINDOW, 500000), NOISE_BUSY);
	assert_int_equal(noise_of_rate(100, false, 100, WINDOW, 499999), NOISE_WRONG);
	assert_int_equal(noise_of_rate(100, true, 100, WINDOW, 500000), NOISE_BUSY);
	assert_int_equal(noise_of_rate(100, true, 100, WINDOW, 499999), NOISE_WRONG);
	assert_int_equal(noise_of_rate(100, true, 0, WINDOW, WINDOW), NOISE_BUSY);
}

static void a_high_rate_is_never_the_machines(void **state)
{
	(void)state;
	assert_int_equal(noise_of_rate(100, false, 400, WINDOW, WINDOW), NOISE_WRONG);
	assert_int_equal(noise_of_rate(100, true, 400, WINDOW, WINDOW), NOISE_NONE);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(near_is_a_part_of_what_was_expected),
		cmocka_unit_test(fifteen_percent_off_is_as_predicted),
		cmocka_unit_test(too_little_is_the_machines_only_without_idle_cpus),
		cmocka_unit_test(far_too_much_is_never_the_machines),
		cmocka_unit_test(a_hypervisor_explains_what_it_took),
		cmocka_unit_test(a_late_measurement_proves_nothing),
		cmocka_unit_test(a_group_that_got_far_more_is_not_late),
		cmocka_unit_test(two_have_to_be_in_proportion),
		cmocka_unit_test(threads_have_to_stand_still_as_predicted),
		cmocka_unit_test(a_small_difference_is_a_third_or_a_tenth_of_the_window),
		cmocka_unit_test(nothing_measured_is_not_as_predicted),
		cmocka_unit_test(a_rate_within_fifteen_percent_of_the_time_is_as_predicted),
		cmocka_unit_test(a_late_observer_explains_a_low_rate),
		cmocka_unit_test(a_high_rate_is_never_the_machines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
