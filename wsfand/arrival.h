/* SPDX-License-Identifier: MIT */
/* arrival: what the door knows of somebody who may come in. */
#ifndef WSFAND_ARRIVAL_H
#define WSFAND_ARRIVAL_H

#include <stddef.h>
#include <stdint.h>

#include "wsfand/upgrade.h"

struct arrival {
	int fd; /* whoever takes the arrival owns it */
	const struct upgrade *upgrade;
	/* The 101, not yet sent: it leaves together with the first message. */
	const char *answer;
	size_t answer_length;
	/* What came right behind the request. */
	const uint8_t *early;
	size_t early_length;
};

#endif
