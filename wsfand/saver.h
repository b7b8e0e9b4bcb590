/* SPDX-License-Identifier: MIT */
/* saver: an estate while it is written: each owner puts its records, and all say which
 * descriptors go over. */
#ifndef WSFAND_SAVER_H
#define WSFAND_SAVER_H

#include "wsfand/estate_record.h"
#include "wsfand/message.h"
#include "wsfand/numbering.h"

struct saver {
	struct estate_writer writer;
	struct numbering messages, rooms;
	int *fds;
	size_t fd_count, fd_capacity;
};

void saver_init(struct saver *saver);
void saver_free(struct saver *saver);

void saver_put(struct saver *saver, const struct estate_record *record);
/* The message's number; the first time its record is put, so ask before the record that refers to
 * it is put. NULL is 0. */
uint32_t saver_message(struct saver *saver, const struct message *message);
/* This one goes over. The descriptor, for the record. */
uint64_t saver_fd(struct saver *saver, int fd);

#endif
