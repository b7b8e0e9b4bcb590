/* SPDX-License-Identifier: MIT */
/* store_corrupt: what becomes of a store that turns out to be corrupt. */
#ifndef ANALYTICSD_STORE_CORRUPT_H
#define ANALYTICSD_STORE_CORRUPT_H

#include "analyticsd/store.h"

/* Sets it aside and dies (111), saying so: the next start is one with a new, empty store, and the
 * source is read anew. Nothing may have a hold on the store any more. `name`: for people. */
NORETURN void store_corrupt(struct store *store, const char *name);

#endif
