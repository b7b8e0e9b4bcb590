/* SPDX-License-Identifier: MIT */
#include "wsfand/heir.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "lib/die.h"
#include "lib/mem.h"
#include "wsfand/estate_check.h"

void
heir_init(struct heir *heir, size_t messages, size_t rooms)
{
	*heir = (struct heir){
	    .messages = mem_array(NULL, messages + 1, sizeof(struct message *)),
	    .rooms = mem_array(NULL, rooms + 1, sizeof(struct room *)),
	};
}

void
heir_free(struct heir *heir)
{
	for (size_t i = 0; i < heir->message_count; i++)
		message_unref(&heir->messages[i]);
	MEM_FREE(&heir->messages);
	MEM_FREE(&heir->rooms);
}

void
heir_take_message(struct heir *heir, const struct estate_message *record)
{
	struct message *message = message_again((enum message_kind)record->kind, record->bytes.data,
	    record->bytes.length, estate_frame_header(&record->bytes), (uint8_t)record->window);

	message->at_ms = (int64_t)record->at_ms;
	heir->messages[heir->message_count++] = message;
}

void
heir_take_room(struct heir *heir, struct room *room)
{
	heir->rooms[heir->room_count++] = room;
}

struct message *
heir_message(const struct heir *heir, uint64_t number)
{
	return number > 0 ? heir->messages[number - 1] : NULL;
}

struct room *
heir_room(const struct heir *heir, uint64_t number)
{
	return number > 0 ? heir->rooms[number - 1] : NULL;
}

int
heir_fd(uint64_t fd)
{
	if (fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0)
		die_system("unable to adopt descriptor %d", (int)fd);
	return (int)fd;
}

int
heir_socket(uint64_t fd)
{
	struct stat status;

	if (fstat((int)fd, &status) == 0 && !S_ISSOCK(status.st_mode)) {
		errno = ENOTSOCK;
		die_system("unable to adopt descriptor %d", (int)fd);
	}
	return heir_fd(fd);
}
