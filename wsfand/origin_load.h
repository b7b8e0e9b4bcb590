/* SPDX-License-Identifier: MIT */
/* origin_load: the list of wsfand/origin.h in the daemon's life: DUNE_ALLOWED_ORIGINS and,
 * beside it, the lines of DUNE_ALLOWED_ORIGINS_FILE, which HUP reads again. */
#ifndef WSFAND_ORIGIN_LOAD_H
#define WSFAND_ORIGIN_LOAD_H

#include "lib/base.h"
#include "wsfand/settings.h"

/* The list, to be freed. Dies (100) where the file cannot be read or holds what is no origin. */
char *origins_load(const struct settings *settings);

/* HUP: puts a new list in the place of `*list`, if there is a file, and logs how that went.
 * -1: the old list stays. */
MUST_CHECK int origins_load_again(char **list, const struct settings *settings);

#endif
