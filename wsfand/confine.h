/* SPDX-License-Identifier: MIT */
/* confine: gives up what wsfand does not need once it has started (lib/sandbox.h). */
#ifndef WSFAND_CONFINE_H
#define WSFAND_CONFINE_H

#include "wsfand/settings.h"

/* `program`: what an upgrade in place executes. */
void confine(const struct settings *settings, const char *program);

#endif
