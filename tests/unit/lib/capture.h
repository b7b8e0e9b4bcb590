/* SPDX-License-Identifier: MIT */
/* capture: runs a piece of code in a child and keeps what it wrote and how it ended. */
#ifndef TESTS_UNIT_LIB_CAPTURE_H
#define TESTS_UNIT_LIB_CAPTURE_H

struct captured {
	int status; /* of exit(3); 128 + signal otherwise */
	char out[16384], err[16384];
};

/* `run` may leave by exit(3); when it returns the status is 0. */
void capture(struct captured *captured, void (*run)(void));

#endif
