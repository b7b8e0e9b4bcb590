/* SPDX-License-Identifier: MIT */
/* listeners: sockets that listen already, from before an upgrade in place. A TCP one is known by
 * its text in DUNE_LISTEN, a Unix one by "unix:" and its path. */
#ifndef WSFAND_LISTENERS_H
#define WSFAND_LISTENERS_H

#include "lib/list.h"
#include "wsfand/estate_record.h"
#include "wsfand/saver.h"

struct listeners {
	struct list all;
};

void listener_save(struct saver *saver, int fd, const char *name, int lock);
/* With the path's lock. */
void listener_save_unix(struct saver *saver, int fd, const char *path);

void listeners_init(struct listeners *listeners);
void listeners_adopt(struct listeners *listeners, const struct estate_listener *record);
/* The descriptor, now the caller's; -1: there is none of that name. */
int listeners_take(struct listeners *listeners, const char *name);
int listeners_take_unix(struct listeners *listeners, const char *path);
/* Closes those that nobody took. */
void listeners_free(struct listeners *listeners);

#endif
