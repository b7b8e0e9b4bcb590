/* SPDX-License-Identifier: MIT */
#include "ingestd/file_watch.h"

#include <errno.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/mem.h"
#include "lib/sock.h"

void
file_watch_init(
    struct file_watch *watch, const char *path, void (*changed)(struct file_watch *watch))
{
	*watch = (struct file_watch){.path = path, .changed = changed, .inotify = -1, .file = -1};
}

static bool
is_about_us(const struct file_watch *watch, const struct inotify_event *event)
{
	const char *slash = strrchr(watch->path, '/');

	return event->len == 0 || strcmp(event->name, slash ? slash + 1 : watch->path) == 0;
}

static void
on_readable(struct ev_loop *loop UNUSED, ev_io *io, int events UNUSED)
{
	struct file_watch *watch = container_of(io, struct file_watch, io);
	_Alignas(struct inotify_event) char told[4096];
	ssize_t got = read(watch->inotify, told, sizeof(told));
	bool ours = false;

	for (char *at = told; got > 0 && at < told + got;) {
		const struct inotify_event *event = (const void *)at;

		ours = ours || is_about_us(watch, event);
		at += sizeof(*event) + event->len;
	}
	if (ours)
		watch->changed(watch);
}

void
file_watch_start(struct file_watch *watch, struct ev_loop *loop)
{
	const char *path = watch->path, *slash = strrchr(path, '/');
	char *directory = slash ? mem_printf("%.*s", (int)MAX(slash - path, 1), path)
				: mem_strdup(".");

	watch->loop = loop;
	watch->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (watch->inotify >= 0) {
		ev_io_init(&watch->io, on_readable, watch->inotify, EV_READ);
		ev_io_start(loop, &watch->io);
	}
	if (watch->inotify < 0 ||
	    inotify_add_watch(watch->inotify, directory, IN_CREATE | IN_MOVED_TO) < 0)
		log_info("%s is looked at once a second only: %s", path, strerror(errno));
	MEM_FREE(&directory);
}

void
file_watch_stop(struct file_watch *watch)
{
	file_watch_leave(watch);
	if (watch->inotify >= 0)
		ev_io_stop(watch->loop, &watch->io);
	fd_close(&watch->inotify);
}

void
file_watch_follow(struct file_watch *watch, int fd)
{
	/* By the descriptor: the name may be another file's by now. */
	char *name = mem_printf("/proc/self/fd/%d", fd);

	if (watch->inotify >= 0)
		watch->file = inotify_add_watch(watch->inotify, name, IN_MODIFY);
	MEM_FREE(&name);
}

void
file_watch_leave(struct file_watch *watch)
{
	if (watch->file >= 0)
		inotify_rm_watch(watch->inotify, watch->file);
	watch->file = -1;
}
