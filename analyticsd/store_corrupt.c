/* SPDX-License-Identifier: MIT */
#include "analyticsd/store_corrupt.h"

#include <errno.h>
#include <limits.h>

#include "lib/die.h"
#include "lib/mem.h"

void
store_corrupt(struct store *store, const char *name)
{
	char where[PATH_MAX];
	char *failure = mem_strdup(store->ops->failure(store));

	if (store->ops->set_aside(store, where, sizeof(where)) < 0)
		die_system("%s is corrupt (%s) and cannot be set aside", name, failure);
	errno = 0;
	die_system("%s is corrupt (%s); it is kept as %s, the next start is an empty one", name,
	    failure, where);
}
