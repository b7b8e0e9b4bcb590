/* SPDX-License-Identifier: MIT */
/* confine: gives up what statsd does not need once it has started (lib/sandbox.h). */
#ifndef STATSD_CONFINE_H
#define STATSD_CONFINE_H

#include "statsd/settings.h"

void confine(const struct settings *settings);

#endif
