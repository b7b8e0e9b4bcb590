/* SPDX-License-Identifier: MIT */
/* interest_message: one frame of interest, read (docs/protocol.md, "Interest"). Pure. */
#ifndef ANALYTICSD_INTEREST_MESSAGE_H
#define ANALYTICSD_INTEREST_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base.h"
#include "lib/form_id.h"

/* INTEREST_OTHER: an object of a type that is not for us. */
enum interest_type { INTEREST_OPENED, INTEREST_VIEWERS, INTEREST_CLOSED, INTEREST_OTHER };

struct interest_message {
	enum interest_type type;
	struct form_id form;
	uint32_t viewers; /* 0 in INTEREST_CLOSED */
};

/* 0; -1: it makes no sense, and *why is a literal. */
MUST_CHECK int interest_read(
    struct interest_message *message, const char *text, size_t length, const char **why);

#endif
