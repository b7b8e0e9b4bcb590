/* SPDX-License-Identifier: MIT */
#include "wsfand/door.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/acceptor.h"
#include "lib/die.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/sock.h"
#include "wsfand/counters.h"
#include "wsfand/newcomer.h"

#define MAX_LISTENERS 16
#define BACKLOG 65535
#define ACCEPT_BATCH 64
#define SOCKET_MODE 0660
#define UNIX_PREFIX "unix:"
/* So many newcomers are heard out, and told why, however many clients there are. */
#define NEWCOMERS_OVER 32

struct door {
	struct acceptor *acceptors[MAX_LISTENERS]; /* NULL: left to others */
	char *texts[MAX_LISTENERS]; /* as in DUNE_LISTEN */
	char *unix_paths[MAX_LISTENERS]; /* to be unlinked; NULL for TCP */
	size_t count;
	unsigned long exhausted; /* of those that were left */
	struct newcomers newcomers;
};

static void
on_accept(void *owner, int fd, const struct sock_address *peer)
{
	struct door *door = owner;
	const struct newcomers *all = &door->newcomers;
	uint32_t connections = all->events->connections(all->owner) + all->count;

	counters[COUNTER_accepted]++;
	if (connections >= all->admit->max_clients + NEWCOMERS_OVER)
		newcomers_make_room(&door->newcomers);
	newcomer_start(&door->newcomers, fd,
	    address_from_socket((const struct sockaddr *)&peer->storage, peer->length));
}

static bool
make_room(void *owner)
{
	static struct log_limit limit = LOG_LIMIT(1, 10000);
	struct door *door = owner;

	log_limited(&limit, LOG_ERROR, "no descriptors are left: newcomers are answered 503");
	return spares_release(&door->newcomers.spares) || newcomers_make_room(&door->newcomers);
}

static int
listen_unix(const char *path, const struct door_config *config)
{
	int fd = listeners_take_unix(config->listeners, path);

	if (fd < 0)
		fd = sock_listen_unix(path, SOCKET_MODE, BACKLOG);
	if (fd < 0)
		die_system("unable to bind %s", path);
	return fd;
}

static int
listen_tcp(const char *text, const struct door_config *config)
{
	struct sock_address address;
	int fd = listeners_take(config->listeners, text);

	/* The words are good (env_check_listen); a name may be known later. */
	if (fd < 0 && sock_address_parse(&address, text) < 0)
		die_system("unable to bind %s", text);
	if (fd < 0)
		fd = config->shared ? sock_listen_tcp_shared(&address, BACKLOG)
				    : sock_listen_tcp(&address, BACKLOG);
	if (fd < 0)
		die_system("unable to bind %s", text);
	/* Connections inherit it. */
	if (setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &config->notsent_bytes,
		sizeof(config->notsent_bytes)) < 0)
		log_warn("unable to set TCP_NOTSENT_LOWAT: %s", strerror(errno));
	return fd;
}

static void
listen_on(struct door *door, const char *text, const struct door_config *config)
{
	bool is_unix = strncmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0;
	const char *path = text + strlen(UNIX_PREFIX);
	struct sock_address address;
	char name[SOCK_ADDRESS_TEXT];
	int fd = is_unix ? listen_unix(path, config) : listen_tcp(text, config);

	if (sock_local_address(fd, &address) < 0)
		die_system("unable to ask where %s is bound", text);
	log_info("listening on %s", is_unix ? text : sock_address_text(&address, name));
	door->texts[door->count] = mem_strdup(text);
	door->unix_paths[door->count] = is_unix ? mem_strdup(path) : NULL;
	door->acceptors[door->count] = acceptor_new(
	    door->newcomers.loop, fd, ACCEPT_BATCH, on_accept, door);
	acceptor_on_exhausted(door->acceptors[door->count++], make_room);
}

struct door *
door_new(struct ev_loop *loop, const struct door_config *config, const struct admit *admit,
    struct handoff *handoff, const struct door_events *events, void *owner)
{
	struct door *door = mem_zalloc(sizeof(*door));
	char *list = mem_strdup(config->listen), *rest = list;
	const char *item;

	newcomers_init(&door->newcomers, loop);
	door->newcomers.admit = admit;
	door->newcomers.handoff = handoff;
	door->newcomers.events = events;
	door->newcomers.owner = owner;
	while ((item = strsep(&rest, ","))) {
		if (door->count == MAX_LISTENERS)
			die_usage("DUNE_LISTEN: more than %d addresses", MAX_LISTENERS);
		listen_on(door, item + strspn(item, " "), config);
	}
	MEM_FREE(&list);
	return door;
}

void
door_save(const struct door *door, struct saver *saver)
{
	for (size_t i = 0; i < door->count; i++) {
		int fd = acceptor_fd(door->acceptors[i]);

		if (door->unix_paths[i])
			listener_save_unix(saver, fd, door->unix_paths[i]);
		else
			listener_save(saver, fd, door->texts[i], -1);
	}
	newcomers_save(&door->newcomers, saver);
}

void
door_adopt_newcomer(struct door *door, const struct estate_newcomer *record)
{
	newcomer_adopt(&door->newcomers, record);
}

void
door_settle(struct door *door)
{
	newcomers_settle(&door->newcomers);
}

uint32_t
door_newcomers(const struct door *door)
{
	return door->newcomers.count;
}

void
door_leave_ports(struct door *door)
{
	for (size_t i = 0; i < door->count; i++) {
		if (!door->acceptors[i] || door->unix_paths[i])
			continue;
		acceptor_take_all(door->acceptors[i]);
		door->exhausted += acceptor_exhausted(door->acceptors[i]);
		acceptor_free(&door->acceptors[i]);
	}
}

unsigned long
door_exhausted(const struct door *door)
{
	unsigned long sum = door->exhausted;

	for (size_t i = 0; i < door->count; i++)
		sum += door->acceptors[i] ? acceptor_exhausted(door->acceptors[i]) : 0;
	return sum;
}

void
door_free(struct door **pointer)
{
	struct door *door = *pointer;

	*pointer = NULL;
	if (!door)
		return;
	newcomers_free(&door->newcomers);
	for (size_t i = 0; i < door->count; i++) {
		acceptor_free(&door->acceptors[i]);
		if (door->unix_paths[i])
			sock_unlink(door->unix_paths[i]);
		MEM_FREE(&door->unix_paths[i]);
		MEM_FREE(&door->texts[i]);
	}
	MEM_FREE(&door);
}
