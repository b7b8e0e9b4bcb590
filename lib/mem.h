/* SPDX-License-Identifier: MIT */
/* mem: allocation that does not fail: out of memory dies with 111, since the
 * state is on disk and the supervisor is there. Sizes that come from outside
 * are bounded by the caller before they get here. */
#ifndef LIB_MEM_H
#define LIB_MEM_H

#include <stddef.h>

#include "lib/base.h"

void *mem_alloc(size_t size) __attribute__((malloc, returns_nonnull));
void *mem_zalloc(size_t size) __attribute__((malloc, returns_nonnull));
/* count * size with the overflow checked. */
void *mem_array(void *old, size_t count, size_t size) __attribute__((returns_nonnull));
void *mem_dup(const void *data, size_t size) __attribute__((malloc, returns_nonnull));
char *mem_strdup(const char *text) __attribute__((malloc, returns_nonnull));
char *mem_printf(const char *format, ...) PRINTF_LIKE(1, 2)
    __attribute__((malloc, returns_nonnull));

/* Frees what *pointer points at and leaves NULL. */
#define MEM_FREE(pointer) mem_free_at((void *)(pointer))
void mem_free_at(void *pointer_to_pointer);

#endif
