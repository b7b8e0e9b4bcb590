/* SPDX-License-Identifier: MIT */
/* base: the few macros that every file may use. No functions, no types. */
#ifndef LIB_BASE_H
#define LIB_BASE_H

#include <stddef.h>

/* The result must be looked at; what can fail bears this mark. */
#define MUST_CHECK __attribute__((warn_unused_result))
#define NORETURN __attribute__((noreturn))
#define PRINTF_LIKE(text_, first_) __attribute__((format(printf, text_, first_)))
#define UNUSED __attribute__((unused))

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* The object of which `pointer` is the member `member`. */
#define container_of(pointer, type, member) \
	((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#endif
