/* SPDX-License-Identifier: MIT */
/* spares: some descriptors that are held for when there are no others. Then they let newcomers in,
 * who are told that all is full, or handed to statsd: a limit that is reached is answered, and
 * not a silence. Clients get none of them. */
#ifndef WSFAND_SPARES_H
#define WSFAND_SPARES_H

#include <stdbool.h>

#define SPARES 8

struct spares {
	int fds[SPARES];
	int count;
};

/* Holds as many as there are to be had. */
void spares_init(struct spares *spares);
void spares_free(struct spares *spares);
/* One is free for other use; false: there was none. */
bool spares_release(struct spares *spares);
/* Takes again what was released, as far as possible. True: all are held. */
bool spares_refill(struct spares *spares);

#endif
