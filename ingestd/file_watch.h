/* SPDX-License-Identifier: MIT */
/* file_watch: inotify(7) tells when a file that is followed has grown, and when another has come to
 * its path. Where there is none, it tells nothing, and its owner looks now and then. */
#ifndef INGESTD_FILE_WATCH_H
#define INGESTD_FILE_WATCH_H

#include <ev.h>

#include "lib/base.h"

struct file_watch {
	struct ev_loop *loop;
	const char *path; /* the owner's */
	void (*changed)(struct file_watch *watch);
	int inotify, file; /* the descriptor, and the watch on the file; -1: none */
	ev_io io;
};

void file_watch_init(
    struct file_watch *watch, const char *path, void (*changed)(struct file_watch *watch));
/* From now on the path itself is watched. */
void file_watch_start(struct file_watch *watch, struct ev_loop *loop);
void file_watch_stop(struct file_watch *watch);

/* The open file that is followed, whatever its name is by now. */
void file_watch_follow(struct file_watch *watch, int fd);
void file_watch_leave(struct file_watch *watch);

#endif
