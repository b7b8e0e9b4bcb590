/* SPDX-License-Identifier: MIT */
#include "statsd/listen.h"

#include <string.h>

#include "lib/acceptor.h"
#include "lib/die.h"
#include "lib/list.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/sock.h"

#define BACKLOG 128
#define ACCEPT_BATCH 32
#define SOCKET_MODE 0660
#define UNIX_PREFIX "unix:"

struct listen {
	struct list places;
	struct door *door;
};

/* One address. */
struct place {
	struct list node;
	struct acceptor *acceptor;
	char *path; /* of a Unix socket, or NULL */
};

static void
accepted(void *owner, int fd, const struct sock_address *peer UNUSED)
{
	struct listen *listen = owner;
	door_take(listen->door, fd);
}

static int
place_bind(struct place *place, const char *text)
{
	struct sock_address address;
	if (strncmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0) {
		place->path = mem_strdup(text + strlen(UNIX_PREFIX));
		return sock_listen_unix(place->path, SOCKET_MODE, BACKLOG);
	}
	if (sock_address_parse(&address, text) < 0)
		return -1;
	return sock_listen_tcp(&address, BACKLOG);
}

static void
place_add(struct listen *listen, struct ev_loop *loop, const char *text)
{
	struct place *place = mem_zalloc(sizeof(*place));
	struct sock_address bound;
	char name[SOCK_ADDRESS_TEXT];
	int fd = place_bind(place, text);
	if (fd < 0 || sock_local_address(fd, &bound) < 0)
		die_system("unable to listen on %s", text);
	log_info("listening on %s", place->path ? text : sock_address_text(&bound, name));
	place->acceptor = acceptor_new(loop, fd, ACCEPT_BATCH, accepted, listen);
	list_append(&listen->places, &place->node);
}

struct listen *
listen_new(struct ev_loop *loop, const char *addresses, struct door *door)
{
	struct listen *listen = mem_zalloc(sizeof(*listen));
	char *copy = mem_strdup(addresses), *rest = copy, *text;
	listen->door = door;
	list_init(&listen->places);
	while ((text = strsep(&rest, ",")))
		place_add(listen, loop, text + strspn(text, " "));
	MEM_FREE(&copy);
	return listen;
}

void
listen_free(struct listen **listen)
{
	if (!*listen)
		return;
	LIST_FOR_EACH_SAFE (node, &(*listen)->places) {
		struct place *place = container_of(node, struct place, node);
		list_remove(node);
		acceptor_free(&place->acceptor);
		if (place->path)
			sock_unlink(place->path);
		MEM_FREE(&place->path);
		MEM_FREE(&place);
	}
	MEM_FREE(listen);
}
