/* SPDX-License-Identifier: MIT */
/* http_state: what http.c (the door, its connections) and http_exchange.c (their requests) share.
 * All the functions but door_run() are MHD's callbacks, with the door as their owner. */
#ifndef STATSD_HTTP_STATE_H
#define STATSD_HTTP_STATE_H

#include <ev.h>
#include <microhttpd.h>

#include "statsd/http.h"
#include "statsd/stream.h"

struct door {
	struct ev_loop *loop;
	struct MHD_Daemon *daemon;
	ev_io epoll;
	ev_timer timeout; /* when MHD wants to be run though nothing came */
	bool handed_over;
	struct door_counters rows;
	http_answer *answer;
	void *owner;
	size_t pending; /* bytes of answers that MHD holds */
	struct streams *streams;
	struct queries *queries;
};

/* One connection; MHD keeps its address as the socket's context. */
struct visit {
	struct door *door;
	struct MHD_Connection *connection;
	ev_timer due;
};

/* Runs what is ready, sets the timer for what MHD waits for. No callback from MHD may call it. */
void door_run(struct door *door);

/* A request, step by step: first its head, then the pieces of its body, then none is left. */
enum MHD_Result exchange_step(void *owner, struct MHD_Connection *connection, const char *path,
    const char *method, const char *version, const char *body, size_t *body_length, void **context);
void exchange_over(void *owner, struct MHD_Connection *connection, void **context,
    enum MHD_RequestTerminationCode code);

#endif
