/* SPDX-License-Identifier: MIT */
/* client_flush: the writing half of client, and what else is between client.c, client_flush.c and
 * client_estate.c only. */
#ifndef WSFAND_CLIENT_FLUSH_H
#define WSFAND_CLIENT_FLUSH_H

#include <stdbool.h>

#include "wsfand/client.h"

/* Writes what waits, as far as the kernel takes it. */
void client_flush(struct client *client);
/* Arms or lifts EV_WRITE and the stall deadline. */
void client_set_behind(struct client *client, bool behind);
/* In client.c: our Close has left whole. */
void client_close_sent(struct client *client);
/* The one place where the state changes; the deadlines of the new state begin. */
void client_set_state(struct client *client, enum client_state state);
/* What the peer has sent makes no sense any more, or matters no more. */
bool client_is_deaf(const struct client *client);

#endif
