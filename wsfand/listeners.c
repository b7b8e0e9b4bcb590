/* SPDX-License-Identifier: MIT */
#include "wsfand/listeners.h"

#include <string.h>

#include "lib/log.h"
#include "lib/mem.h"
#include "lib/sock.h"
#include "wsfand/heir.h"

#define UNIX_PREFIX "unix:"

struct listener {
	struct list node;
	char *name;
	int fd, lock; /* lock: -1 for TCP */
};

void
listener_save(struct saver *saver, int fd, const char *name, int lock)
{
	saver_put(saver,
	    &(struct estate_record){
		.kind = ESTATE_listener,
		.listener =
		    {
			.name = {(const uint8_t *)name, strlen(name)},
			.fd = saver_fd(saver, fd),
			.lock = lock >= 0 ? saver_fd(saver, lock) : 0,
		    },
	    });
}

void
listener_save_unix(struct saver *saver, int fd, const char *path)
{
	char *name = mem_printf(UNIX_PREFIX "%s", path);

	listener_save(saver, fd, name, sock_lock_fd(path));
	MEM_FREE(&name);
}

void
listeners_init(struct listeners *listeners)
{
	list_init(&listeners->all);
}

void
listeners_adopt(struct listeners *listeners, const struct estate_listener *record)
{
	struct listener *listener = mem_zalloc(sizeof(*listener));

	listener->name = mem_printf(
	    "%.*s", (int)record->name.length, (const char *)record->name.data);
	listener->fd = heir_socket(record->fd);
	listener->lock = record->lock > 0 ? heir_fd(record->lock) : -1;
	list_append(&listeners->all, &listener->node);
}

static struct listener *
find(const struct listeners *listeners, const char *name)
{
	LIST_FOR_EACH (node, &listeners->all) {
		struct listener *listener = container_of(node, struct listener, node);

		if (strcmp(listener->name, name) == 0)
			return listener;
	}
	return NULL;
}

static void
listener_free(struct listener *listener)
{
	list_remove(&listener->node);
	MEM_FREE(&listener->name);
	MEM_FREE(&listener);
}

int
listeners_take(struct listeners *listeners, const char *name)
{
	struct listener *listener = find(listeners, name);
	int fd = -1;

	if (!listener)
		return -1;
	fd = listener->fd;
	if (listener->lock >= 0)
		sock_lock_adopt(name + strlen(UNIX_PREFIX), listener->lock);
	listener_free(listener);
	return fd;
}

int
listeners_take_unix(struct listeners *listeners, const char *path)
{
	char *name = mem_printf(UNIX_PREFIX "%s", path);
	int fd = listeners_take(listeners, name);

	MEM_FREE(&name);
	return fd;
}

void
listeners_free(struct listeners *listeners)
{
	while (!list_empty(&listeners->all)) {
		struct listener *listener = LIST_FIRST(&listeners->all, struct listener, node);

		log_warn("%s is no longer listened on", listener->name);
		fd_close(&listener->fd);
		fd_close(&listener->lock);
		listener_free(listener);
	}
}
