/* SPDX-License-Identifier: MIT */
/* compose: the messages that wsfand itself says (docs/protocol.md, "What a client
 * sees"). The caller holds the one reference to each. */
#ifndef WSFAND_COMPOSE_H
#define WSFAND_COMPOSE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/form_id.h"
#include "wsfand/message.h"

/* A client's id as text: a UUID (RFC 9562, version 4 when the bytes are random). */
#define COMPOSE_ID_TEXT 37
void compose_id(const uint8_t id[static 16], char out[static COMPOSE_ID_TEXT]);

/* To the newcomer alone. */
struct message *compose_welcome(
    const struct form_id *form, const uint8_t id[static 16], uint32_t clients);
/* To the whole room; a state. */
struct message *compose_room_status(const struct form_id *form, uint32_t clients);
/* `timestamp` is JSON as the client wrote it; NULL: there was none. */
struct message *compose_pong(const char *timestamp, size_t length);
/* `code`: INVALID_MESSAGE, …; `text` is for people. */
struct message *compose_error(const struct form_id *form, const char *code, const char *text);

#endif
