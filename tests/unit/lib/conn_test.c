/* SPDX-License-Identifier: MIT */
#include "lib/conn.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/reaper.h"
#include "lib/sock.h"
#include "tests/unit/unit.h"

/* One end is a conn, the other a bare descriptor in the test's hand. */
struct peer {
	struct ev_loop *loop;
	struct conn *conn;
	int fd;
	struct buf got;
	size_t take; /* how many bytes `data` consumes at most in one call */
	size_t unit; /* it consumes whole units only */
	int calls, drained, downs, error;
	bool pause_inside, close_inside;
};

static size_t
on_data(void *owner, const uint8_t *data, size_t length)
{
	struct peer *peer = owner;
	size_t used = MIN(length, peer->take);

	peer->calls++;
	used -= used % peer->unit;
	if (used > 0)
		CHECK(buf_append(&peer->got, data, used) == 0);
	if (peer->pause_inside)
		conn_pause(peer->conn);
	if (peer->close_inside)
		conn_close(&peer->conn);
	return used;
}

static void
on_drained(void *owner)
{
	((struct peer *)owner)->drained++;
}

static void
on_down(void *owner, int error)
{
	struct peer *peer = owner;

	peer->downs++;
	peer->error = error;
	peer->conn = NULL;
}

static const struct conn_events events = {on_data, on_drained, on_down};

static void
peer_open(struct peer *peer, size_t in_max, size_t out_max)
{
	int fds[2];

	memset(peer, 0, sizeof(*peer));
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
	peer->loop = ev_loop_new(0);
	peer->fd = fds[0];
	peer->take = SIZE_MAX;
	peer->unit = 1;
	buf_init(&peer->got, 8u << 20);
	peer->conn = conn_new(peer->loop, fds[1], &events, peer, in_max, out_max);
}

static void
peer_turn(struct peer *peer)
{
	ev_run(peer->loop, EVRUN_NOWAIT);
}

static void
peer_free(struct peer *peer)
{
	conn_close(&peer->conn);
	reaper_drain();
	fd_close(&peer->fd);
	buf_free(&peer->got);
	ev_loop_destroy(peer->loop);
}

static void
say(struct peer *peer, const char *text)
{
	CHECK_INT(write(peer->fd, text, strlen(text)), strlen(text));
}

TEST(conn_gives_what_comes)
{
	struct peer peer;

	peer_open(&peer, 1024, 1024);
	say(&peer, "hello");
	peer_turn(&peer);
	CHECK_BYTES(buf_bytes(&peer.got), buf_length(&peer.got), "hello", 5);
	CHECK_INT(peer.calls, 1);
	peer_turn(&peer);
	CHECK_INT(peer.calls, 1);
	peer_free(&peer);
}

TEST(conn_keeps_what_was_not_consumed)
{
	struct peer peer;

	peer_open(&peer, 1024, 1024);
	peer.unit = 4;
	say(&peer, "abcdef");
	peer_turn(&peer);
	CHECK_INT(buf_length(&peer.got), 4);
	peer_turn(&peer);
	CHECK_INT(peer.calls, 1);
	say(&peer, "gh");
	peer_turn(&peer);
	CHECK_BYTES(buf_bytes(&peer.got), buf_length(&peer.got), "abcdefgh", 8);
	CHECK_INT(peer.calls, 2);
	peer_free(&peer);
}

TEST(conn_refuses_a_unit_longer_than_in_max)
{
	struct peer peer;

	peer_open(&peer, 8, 1024);
	peer.unit = 16;
	say(&peer, "0123456789abcdef");
	for (int i = 0; i < 3; i++)
		peer_turn(&peer);
	CHECK_INT(peer.downs, 1);
	CHECK_INT(peer.error, EMSGSIZE);
	peer_free(&peer);
}

/* A unit far longer than the shared buffer, in many pieces. */
TEST(conn_gathers_a_long_unit)
{
	static uint8_t big[3u << 20];
	struct peer peer;
	size_t sent = 0;

	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)(i * 31 + i / 4099);
	peer_open(&peer, sizeof(big), 1024);
	peer.unit = sizeof(big);
	while (sent < sizeof(big)) {
		ssize_t n = write(peer.fd, big + sent, MIN(sizeof(big) - sent, (size_t)50000));

		if (n > 0)
			sent += (size_t)n;
		peer_turn(&peer);
	}
	for (int i = 0; i < 8; i++)
		peer_turn(&peer);
	CHECK_BYTES(buf_bytes(&peer.got), buf_length(&peer.got), big, sizeof(big));
	peer_free(&peer);
}

TEST(conn_paused_inside_data_is_offered_nothing)
{
	struct peer peer;

	peer_open(&peer, 1024, 1024);
	peer.take = 2;
	peer.pause_inside = true;
	say(&peer, "abcd");
	peer_turn(&peer);
	say(&peer, "ef");
	peer_turn(&peer);
	CHECK_INT(peer.calls, 1);
	peer.take = SIZE_MAX;
	peer.pause_inside = false;
	conn_resume(peer.conn);
	CHECK_INT(peer.calls, 1);
	peer_turn(&peer);
	peer_turn(&peer);
	CHECK_BYTES(buf_bytes(&peer.got), buf_length(&peer.got), "abcdef", 6);
	peer_free(&peer);
}

TEST(conn_resumed_offers_what_was_kept_once)
{
	struct peer peer;

	peer_open(&peer, 1024, 1024);
	peer.take = 0;
	say(&peer, "abcd");
	peer_turn(&peer);
	conn_pause(peer.conn);
	conn_resume(peer.conn);
	peer_turn(&peer);
	peer_turn(&peer);
	CHECK_INT(peer.calls, 2);
	peer_free(&peer);
}

TEST(conn_may_be_closed_inside_data)
{
	struct peer peer;

	peer_open(&peer, 1024, 1024);
	peer.close_inside = true;
	say(&peer, "abcd");
	peer_turn(&peer);
	CHECK(peer.conn == NULL);
	CHECK_INT(peer.downs, 0);
	peer_free(&peer);
}

TEST(conn_writes_once_per_turn)
{
	struct peer peer;
	char got[64];

	peer_open(&peer, 1024, 1024);
	CHECK(conn_send(peer.conn, "ab", 2) == 0);
	CHECK(conn_send2(peer.conn, "cd", 2, "ef", 2) == 0);
	CHECK_INT(conn_pending(peer.conn), 6);
	CHECK_INT(read(peer.fd, got, sizeof(got)), -1);
	peer_turn(&peer);
	CHECK_INT(read(peer.fd, got, sizeof(got)), 6);
	CHECK_INT(conn_pending(peer.conn), 0);
	CHECK_INT(peer.drained, 0);
	peer_free(&peer);
}

TEST(conn_send_is_all_or_nothing)
{
	struct peer peer;

	peer_open(&peer, 1024, 4);
	CHECK(conn_send(peer.conn, "abc", 3) == 0);
	CHECK(conn_send2(peer.conn, "d", 1, "e", 1) < 0);
	CHECK_INT(errno, ENOBUFS);
	CHECK_INT(conn_room(peer.conn), 1);
	CHECK(conn_send(peer.conn, "d", 1) == 0);
	peer_free(&peer);
}

TEST(conn_tells_when_it_has_drained)
{
	static uint8_t big[2u << 20], got[65536];
	struct peer peer;
	size_t total = 0;

	peer_open(&peer, 1024, sizeof(big));
	CHECK(conn_send(peer.conn, big, sizeof(big)) == 0);
	peer_turn(&peer);
	CHECK(conn_pending(peer.conn) > 0);
	CHECK_INT(peer.drained, 0);
	while (total < sizeof(big)) {
		ssize_t n = read(peer.fd, got, sizeof(got));

		if (n > 0)
			total += (size_t)n;
		else
			peer_turn(&peer);
	}
	peer_turn(&peer);
	CHECK_INT(peer.drained, 1);
	peer_free(&peer);
}

TEST(conn_restored_offers_again_and_tells_when_it_has_drained)
{
	static const char in[] = "kept", out[] = "owed";
	const struct conn_rest rest = {.in = (const uint8_t *)in,
	    .in_length = 4,
	    .out = (const uint8_t *)out,
	    .out_length = 4};
	struct peer peer;
	char got[16];

	peer_open(&peer, 4, 4);
	CHECK(conn_restore(peer.conn, &rest) == 0);
	CHECK_INT(conn_room(peer.conn), 0);
	CHECK_INT(peer.calls, 0);
	peer_turn(&peer);
	peer_turn(&peer);
	CHECK_BYTES(buf_bytes(&peer.got), buf_length(&peer.got), "kept", 4);
	CHECK_INT(peer.calls, 1);
	CHECK_INT(read(peer.fd, got, sizeof(got)), 4);
	CHECK_BYTES(got, 4, "owed", 4);
	CHECK_INT(peer.drained, 1);
	peer_free(&peer);
	peer_open(&peer, 3, 4);
	CHECK(conn_restore(peer.conn, &rest) < 0);
	peer_free(&peer);
	peer_open(&peer, 4, 3);
	CHECK(conn_restore(peer.conn, &rest) < 0);
	peer_free(&peer);
}

TEST(conn_reads_the_last_words_of_a_peer_that_left_ours_unread)
{
	struct peer peer;

	peer_open(&peer, 1024, 1024);
	CHECK(conn_send(peer.conn, "unread", 6) == 0);
	peer_turn(&peer);
	say(&peer, "last");
	fd_close(&peer.fd);
	CHECK(conn_send(peer.conn, "more", 4) == 0);
	for (int i = 0; i < 3; i++)
		peer_turn(&peer);
	CHECK_BYTES(buf_bytes(&peer.got), buf_length(&peer.got), "last", 4);
	CHECK_INT(peer.downs, 1);
	CHECK_INT(peer.error, 0);
	peer_free(&peer);
}

TEST(conn_flush_writes_without_the_loop)
{
	struct peer peer;
	char got[8];

	peer_open(&peer, 1024, 1024);
	CHECK(conn_send(peer.conn, "bye", 3) == 0);
	conn_flush(peer.conn);
	conn_close(&peer.conn);
	CHECK_INT(read(peer.fd, got, sizeof(got)), 3);
	peer_free(&peer);
}
