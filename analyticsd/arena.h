/* SPDX-License-Identifier: MIT */
/* arena: many small things that are forgotten all at once. Pure. */
#ifndef ANALYTICSD_ARENA_H
#define ANALYTICSD_ARENA_H

#include <stddef.h>

struct arena {
	struct arena_chunk *chunks; /* the newest first */
};

/* Zeroed, aligned for anything; lives until arena_reset(). Zero-initialise the arena. */
void *arena_alloc(struct arena *arena, size_t size) __attribute__((returns_nonnull));
/* Not zeroed. */
void *arena_take(struct arena *arena, size_t size) __attribute__((returns_nonnull));
void *arena_dup(struct arena *arena, const void *data, size_t size)
    __attribute__((returns_nonnull));
/* Everything is gone. One chunk is kept for what comes next. */
void arena_reset(struct arena *arena);
void arena_free(struct arena *arena);

#endif
