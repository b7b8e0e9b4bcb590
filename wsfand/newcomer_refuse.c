/* SPDX-License-Identifier: MIT */
/* How newcomers are turned away: with an answer, for which the socket stays open a moment; or at
 * once, where somebody else needs the room. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "wsfand/answer.h"
#include "wsfand/counters.h"
#include "wsfand/newcomer_parts.h"

/* Bytes discarded behind a refusal before we have had enough. */
#define MAX_DISCARDED 65536

/* How much of the answer is due: who asks with HEAD gets no body (RFC 9110, 9.3.2). */
static size_t
due_length(const struct newcomer *newcomer, const char *answer, size_t length)
{
	static const char head[] = "HEAD ";
	char method[sizeof(head) - 1] = "";
	const char *body = memmem(answer, length, "\r\n\r\n", 4);

	if (buf_length(&newcomer->head) >= sizeof(method))
		memcpy(method, buf_bytes(&newcomer->head), sizeof(method));
	else if (recv(newcomer->io.fd, method, sizeof(method), MSG_PEEK | MSG_DONTWAIT) < 0)
		return length;
	return body && memcmp(method, head, sizeof(method)) == 0 ? (size_t)(body + 4 - answer)
								 : length;
}

void
newcomer_refuse(
    struct newcomer *newcomer, enum verdict verdict, const char *problem, uint32_t retry_after_s)
{
	char answer[ANSWER_SIZE];
	size_t length = due_length(
	    newcomer, answer, answer_refuse(answer, verdict, problem, retry_after_s));
	ssize_t sent = send(newcomer->io.fd, answer, length, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (sent != (ssize_t)length) {
		newcomer_dismiss(newcomer);
		return;
	}
	shutdown(newcomer->io.fd, SHUT_WR);
	newcomer->state = NEWCOMER_ENDING;
	crowd_leave(&newcomer->all->crowd, &newcomer->member);
	deadline_lift(&newcomer->again);
	deadline_set(&newcomer->all->ending, &newcomer->whole);
	ev_io_start(newcomer->all->loop, &newcomer->io);
}

void
newcomer_discard(struct newcomer *newcomer)
{
	uint8_t bytes[4096];
	ssize_t got = recv(newcomer->io.fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (got > 0)
		newcomer->discarded += (size_t)got;
	if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR) ||
	    newcomer->discarded > MAX_DISCARDED)
		newcomer_dismiss(newcomer);
}

/* What is left unread when a socket is closed makes an RST of it, which can take our answer from
 * the other side's hands. */
static void
read_off(int fd)
{
	uint8_t bytes[4096];

	for (int i = 0; i < MAX_DISCARDED / (int)sizeof(bytes); i++)
		if (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) <= 0)
			return;
}

static void
give_way(struct newcomer *newcomer)
{
	char answer[ANSWER_SIZE];
	bool asks = newcomer->state == NEWCOMER_PEEK || newcomer->state == NEWCOMER_HEAD;

	/* A courtesy: it is not waited for. */
	if (asks)
		(void)!send(newcomer->io.fd, answer,
		    due_length(newcomer, answer, answer_refuse(answer, VERDICT_FULL, NULL, 0)),
		    MSG_DONTWAIT | MSG_NOSIGNAL);
	read_off(newcomer->io.fd);
	newcomer_dismiss(newcomer);
}

bool
newcomers_make_room(struct newcomers *newcomers)
{
	struct deadline *ending = deadlines_first(&newcomers->ending);
	struct crowd_member *eldest = crowd_eldest(&newcomers->crowd);

	if (ending) {
		give_way(container_of(ending, struct newcomer, whole));
	} else if (eldest) {
		counters[COUNTER_handshake_crowded]++;
		give_way(container_of(eldest, struct newcomer, member));
	}
	return ending || eldest;
}
