/* SPDX-License-Identifier: MIT */
/* fuzz: what the fuzz targets share (libFuzzer). A target is tests/fuzz/NAME.c, its seeds are
 * the files of tests/fuzz/NAME/, its dictionary is tests/fuzz/NAME.dict; tests/fuzz/run links it
 * with lib and with the daemon whose headers it includes. What a target found becomes a seed. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold for every input. */
#define FUZZ_CHECK(condition)                                                                  \
	do {                                                                                   \
		if (!(condition)) {                                                            \
			fprintf(stderr, "%s:%d: false: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                               \
		}                                                                              \
	} while (0)

#endif
