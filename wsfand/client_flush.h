/* SPDX-License-Identifier: MIT */
/* client_flush: the writing half of client. Between the two files only. */
#ifndef WSFAND_CLIENT_FLUSH_H
#define WSFAND_CLIENT_FLUSH_H

#include <stdbool.h>

struct client;

/* Writes what waits, as far as the kernel takes it. */
void client_flush(struct client *client);
/* Arms or lifts EV_WRITE and the stall deadline. */
void client_set_behind(struct client *client, bool behind);
/* Our Close has left whole (client.c). */
void client_close_sent(struct client *client);

#endif
