/* SPDX-License-Identifier: MIT */
#include "lib/mem.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/die.h"

static void *
must(void *pointer, size_t size)
{
	if (pointer == NULL) {
		errno = ENOMEM;
		die_system("unable to allocate %zu bytes", size);
	}
	return pointer;
}

/* malloc(0) may give NULL, which here would mean "out of memory". */
void *
mem_alloc(size_t size)
{
	return must(malloc(MAX(size, 1)), size);
}

void *
mem_zalloc(size_t size)
{
	return must(calloc(1, MAX(size, 1)), size);
}

void *
mem_array(void *old, size_t count, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(count, size, &bytes))
		must(NULL, SIZE_MAX);
	return must(realloc(old, MAX(bytes, 1)), bytes);
}

void *
mem_dup(const void *data, size_t size)
{
	void *copy = mem_alloc(size);
	if (size > 0)
		memcpy(copy, data, size);
	return copy;
}

char *
mem_strdup(const char *text)
{
	return mem_dup(text, strlen(text) + 1);
}

char *
mem_printf(const char *format, ...)
{
	char *text;
	va_list arguments;
	va_start(arguments, format);
	int length = vasprintf(&text, format, arguments);
	va_end(arguments);
	return must(length < 0 ? NULL : text, 0);
}

void
mem_free_at(void *pointer_to_pointer)
{
	/* By memcpy, since the pointer may be of any type. */
	void *pointer;
	memcpy(&pointer, pointer_to_pointer, sizeof(pointer));
	free(pointer);
	pointer = NULL;
	memcpy(pointer_to_pointer, &pointer, sizeof(pointer));
}
