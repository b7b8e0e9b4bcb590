/* SPDX-License-Identifier: MIT */
/* admit: who may come in. The request itself is judged first (upgrade), then
 * whether there is room. */
#ifndef WSFAND_ADMIT_H
#define WSFAND_ADMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "wsfand/upgrade.h"

struct admit {
	const char *origins; /* see wsfand/origin.h */
	uint32_t max_clients;
	bool deflate; /* compression may be agreed on */
	bool draining;
};

/* `connections`: how many there are now, without this one. */
enum verdict admit_judge(const struct admit *admit, struct upgrade *upgrade,
    const struct http_head *head, uint32_t connections);

#endif
