/* SPDX-License-Identifier: MIT */
/* confine: gives up what analyticsd does not need once it has started (lib/sandbox.h). */
#ifndef ANALYTICSD_CONFINE_H
#define ANALYTICSD_CONFINE_H

#include "analyticsd/settings.h"

void confine(const struct settings *settings);

#endif
