/* SPDX-License-Identifier: MIT */
/* inflate: what a client has compressed (RFC 7692, 7.2.2). Messages do not lean on one
 * another, so one stream serves all clients. Pure. */
#ifndef WSFAND_INFLATE_H
#define WSFAND_INFLATE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base.h"

enum inflated { INFLATED, INFLATED_BAD, INFLATED_TOO_LONG };

/* Puts the inflated message in the place of the compressed one; it is valid until the next call.
 * Never are more than `max` bytes written, whatever the data promises. */
MUST_CHECK enum inflated inflate_message(const uint8_t **data, size_t *length, size_t max);

#endif
