/* SPDX-License-Identifier: MIT */
/* numbering: numbers for objects, from 1, in the order in which they come. Pure. */
#ifndef WSFAND_NUMBERING_H
#define WSFAND_NUMBERING_H

#include <stddef.h>
#include <stdint.h>

/* Zero-initialised: empty. Open addressing with linear probing; 2 * count <= slots. */
struct numbering {
	const void **objects;
	uint32_t *numbers;
	size_t slots; /* a power of two, or 0 */
	uint32_t count;
};

/* 0: it has none. */
uint32_t numbering_of(const struct numbering *numbering, const void *object);
/* The next number, for an object that has none. */
uint32_t numbering_add(struct numbering *numbering, const void *object);
void numbering_free(struct numbering *numbering);

#endif
