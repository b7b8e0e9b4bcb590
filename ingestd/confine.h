/* SPDX-License-Identifier: MIT */
/* confine: gives up what ingestd does not need once it knows its settings (lib/sandbox.h). */
#ifndef INGESTD_CONFINE_H
#define INGESTD_CONFINE_H

#include "ingestd/settings.h"

void confine(const struct settings *settings);

#endif
