/*
 * noise.c: arithmetic that tells a busy machine from a wrong prediction.
 */
#include "story/noise.h"

#include <stdlib.h>

bool noise_near(long long expected, long long observed, int percent)
{
	return llabs(observed - expected) * 100 <= llabs(expected) * percent;
}

/* A larger difference than a third, or than a tenth of the window, is never noise. */
static bool is_small(long long expected, long long difference, long long window)
{
	return difference * 3 <= expected || difference * 10 < window;
}

static long long scaled(long long time, long long length, long long window)
{
	return length > 0 ? time * window / length : 0;
}

/*
 * True when two measurements of the same window do not belong together, because one of the
 * processes that took them had to wait for a CPU.
 */
static bool measured_late(const struct noise_cpu *p, long long had, long long window)
{
	if (!noise_near(p->length, p->group_length, 5))
		return true;
	if (p->threads < 2 && !noise_near(p->ran, p->noted, 5))
		return true;
	long long by_group = scaled(p->group_ran, p->group_length, window);
	return p->own_group && noise_near(p->predicted, had, NOISE_PERCENT) &&
	       !noise_near(p->predicted, by_group, NOISE_PERCENT) &&
	       is_small(p->predicted, llabs(by_group - p->predicted), window);
}

enum noise noise_of_cpu(
	const struct noise_cpu process[], int count, long long window, long long idle)
{
	long long predicted = 0, missing = 0, off = 0, stolen = 0;
	bool late = false, as_predicted = true;
	for (int i = 0; i < count; i++) {
		const struct noise_cpu *p = &process[i], *first = &process[0];
		long long had = scaled(p->ran, p->length, window);
		long long still = p->still / (p->threads > 1 ? p->threads : 1);
		long long still_off = p->predicted_still ? llabs(p->predicted_still - still) : 0;
		long long cpu_off = llabs(p->predicted - had);
		predicted += p->predicted;
		missing += p->predicted - had;
		off += still_off > cpu_off ? still_off : cpu_off;
		stolen += p->stolen;
		late |= measured_late(p, had, window);
		as_predicted &= noise_near(p->predicted, had, NOISE_PERCENT);
		as_predicted &= still_off * 100 <= p->predicted_still * NOISE_PERCENT;
		/* Two can each be close to their predictions and still be in a wrong proportion. */
		as_predicted &= noise_near(
			scaled(first->ran, first->predicted, p->predicted), p->ran, NOISE_PERCENT);
	}
	if (as_predicted && !late)
		return NOISE_NONE;
	bool no_cpu_left = missing * 10 > predicted && idle * 2 <= missing;
	bool disturbed = (late || off <= stolen) && is_small(predicted, off, window);
	return no_cpu_left || disturbed ? NOISE_BUSY : NOISE_WRONG;
}

enum noise noise_of_rate(
	long long predicted, bool at_least, long long count, long long length, long long late)
{
	/* The events took length; at the predicted rate they take so much less, or more. */
	long long missing = length - scaled(count, predicted, 1000000);
	if (missing > 0 ? missing * 100 <= length * NOISE_PERCENT
			: at_least || -missing * 100 <= length * NOISE_PERCENT)
		return NOISE_NONE;
	return missing > 0 && missing <= 2 * late ? NOISE_BUSY : NOISE_WRONG;
}
