/* SPDX-License-Identifier: MIT */
#include "tests/mongo/control.h"
#include "tests/mongo/journal.h"

#include <errno.h>
#include <ev.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MAX_LINE (64 * 1024 * 1024)
#define READ_CHUNK 65536
#define container_of(p, type, member) ((type *)(void *)((char *)(p)-offsetof(type, member)))

/* line[0..len) has been read and holds no whole line. Answers are written at once: whoever sends a
 * line is expected to read its answer. */
struct talk {
	struct control *control;
	struct talk *next, *prev;
	int fd;
	ev_io readable;
	char *line;
	size_t len, cap;
};

struct control {
	struct server *srv;
	struct acceptor *acceptor;
	int fd;
	ev_io readable;
	struct talk *talks;
};

static void
talk_close(struct talk *t)
{
	ev_io_stop(t->control->srv->loop, &t->readable);
	close(t->fd);
	if (t->prev)
		t->prev->next = t->next;
	else
		t->control->talks = t->next;
	if (t->next)
		t->next->prev = t->prev;
	bson_free(t->line);
	bson_free(t);
}

static bool
send_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		text += n;
		len -= (size_t)n;
	}
	return true;
}

/* Runs the whole lines. False: nobody listens any more. */
static bool
talk_work(struct talk *t)
{
	size_t at = 0;
	char *end;

	while ((end = memchr(t->line + at, '\n', t->len - at))) {
		struct control *c = t->control;
		size_t len = (size_t)(end - t->line) - at;
		char *answer = control_run(c->srv, c->acceptor, t->line + at, len);
		bool ok;

		journal_flush(c->srv->journal);
		ok = send_all(t->fd, answer, strlen(answer)) && send_all(t->fd, "\n", 1);
		bson_free(answer);
		if (!ok)
			return false;
		at += len + 1;
	}
	memmove(t->line, t->line + at, t->len - at);
	t->len -= at;
	return t->len <= MAX_LINE;
}

static void
on_readable(struct ev_loop *loop, ev_io *w, int events)
{
	struct talk *t = container_of(w, struct talk, readable);
	ssize_t n;

	(void)loop;
	(void)events;
	if (t->cap - t->len < READ_CHUNK) {
		t->cap = t->len * 2 + READ_CHUNK;
		t->line = bson_realloc(t->line, t->cap);
	}
	n = recv(t->fd, t->line + t->len, t->cap - t->len, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		t->len += (size_t)n;
	if (n <= 0 || !talk_work(t))
		talk_close(t);
}

static void
on_accept(struct ev_loop *loop, ev_io *w, int events)
{
	struct control *c = container_of(w, struct control, readable);
	int fd = accept4(c->fd, NULL, NULL, SOCK_CLOEXEC);
	struct talk *t;

	(void)events;
	if (fd < 0)
		return;
	t = bson_malloc0(sizeof *t);
	t->control = c;
	t->fd = fd;
	t->next = c->talks;
	if (t->next)
		t->next->prev = t;
	c->talks = t;
	ev_io_init(&t->readable, on_readable, fd, EV_READ);
	ev_io_start(loop, &t->readable);
}

static int
listen_on(const char *path)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd, saved;

	if (strlen(path) >= sizeof sa.sun_path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(sa.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	/* What a killed one left behind. */
	unlink(path);
	if (bind(fd, (struct sockaddr *)&sa, sizeof sa) < 0 || listen(fd, 16) < 0) {
		saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

struct control *
control_new(struct server *srv, struct acceptor *acceptor)
{
	int fd = listen_on(srv->opt.control);
	struct control *c;

	if (fd < 0)
		return NULL;
	c = bson_malloc0(sizeof *c);
	c->srv = srv;
	c->acceptor = acceptor;
	c->fd = fd;
	ev_io_init(&c->readable, on_accept, fd, EV_READ);
	ev_io_start(srv->loop, &c->readable);
	return c;
}

void
control_free(struct control **cp)
{
	struct control *c = *cp;

	if (!c)
		return;
	while (c->talks)
		talk_close(c->talks);
	ev_io_stop(c->srv->loop, &c->readable);
	close(c->fd);
	unlink(c->srv->opt.control);
	bson_free(c);
	*cp = NULL;
}
