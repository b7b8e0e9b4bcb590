/* SPDX-License-Identifier: MIT */
/* counters_estate: counters and histograms in an upgrade in place, by their metric's name and
 * labels: one that the other binary does not have is left out, or begins at 0. Gauges are found
 * anew. */
#ifndef WSFAND_COUNTERS_ESTATE_H
#define WSFAND_COUNTERS_ESTATE_H

#include "wsfand/saver.h"

void counters_save(struct saver *saver);
void counter_adopt(const struct estate_counter *record);

#endif
