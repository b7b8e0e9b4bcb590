/* SPDX-License-Identifier: MIT */
#include "analyticsd/sketch.h"

#include <float.h>
#include <math.h>

#include "lib/base.h"

#define GAMMA ((1 + SKETCH_ERROR) / (1 - SKETCH_ERROR))

double
sketch_round(double value)
{
	double size = fabs(value);

	if (size == 0)
		return 0;
	double log_gamma = log(GAMMA);
	double index = ceil(log(size) / log_gamma);
	/* exp(index * log_gamma) alone would overflow in the last bucket. */
	double point = exp(index * log_gamma + log(2 / (GAMMA + 1)));
	/* The smallest subnormals lie wider apart than 1 %: each is its own bucket then. */
	if (size < DBL_MIN)
		point = size;
	return copysign(MIN(point, DBL_MAX), value);
}
