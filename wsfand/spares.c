/* SPDX-License-Identifier: MIT */
#include "wsfand/spares.h"

#include <sys/eventfd.h>

#include "lib/sock.h"

void
spares_init(struct spares *spares)
{
	spares->count = 0;
	spares_refill(spares);
}

void
spares_free(struct spares *spares)
{
	while (spares_release(spares))
		;
}

bool
spares_release(struct spares *spares)
{
	if (spares->count == 0)
		return false;
	fd_close(&spares->fds[--spares->count]);
	return true;
}

bool
spares_refill(struct spares *spares)
{
	while (spares->count < SPARES) {
		/* The cheapest there is. */
		int fd = eventfd(0, EFD_CLOEXEC);

		if (fd < 0)
			return false;
		spares->fds[spares->count++] = fd;
	}
	return true;
}
