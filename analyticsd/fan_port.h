/* SPDX-License-Identifier: MIT */
/* fan_port: the links to the consumers of frames (DUNE_FRAMES_TO): interest comes in, frames go out
 * (docs/protocol.md, "Frames socket").
 *
 * Sends at the end of each turn of the loop what publish.h says is due. A frame is made once and
 * goes to all links that watch its form; a form that nobody watches costs nothing. A link that is
 * behind is owed the newest: its queue is bounded, and nobody waits for it. */
#ifndef ANALYTICSD_FAN_PORT_H
#define ANALYTICSD_FAN_PORT_H

#include <ev.h>
#include <stddef.h>

#include "analyticsd/forms.h"

struct fan_port;

struct fan_config {
	const char *frames_to; /* "unix:PATH", a list */
	size_t max_frame_bytes;
	unsigned update_interval_ms;
	struct forms *forms;
	/* A form that is watched could not be read (errno); it will be tried again. */
	void (*unreadable)(void *owner);
	void *owner;
};

struct fan_port *fan_port_new(struct ev_loop *loop, const struct fan_config *config);
void fan_port_free(struct fan_port **pointer);

/* A form's numbers are others now; costs next to nothing when nobody watches it. `at_ms`: when the
 * source committed that; -1: not told. */
void fan_port_changed(struct fan_port *fan, struct hot_form *hot, int64_t at_ms);
/* Whether the numbers are stale, as all watched rooms are told at once. */
void fan_port_set_stale(struct fan_port *fan, bool stale);
/* The forms go: nobody watches any of them now. fan_port_attach() must follow. */
void fan_port_detach(struct fan_port *fan);
/* From now on rooms watch these forms, and are told of their numbers. Dies (111) when they cannot
 * be read. */
void fan_port_attach(struct fan_port *fan, struct forms *forms, bool stale);
/* metrics:update to all watched rooms. */
void fan_port_metrics(struct fan_port *fan);
/* Everything that is due goes out as far as the consumers take it: before an exit. */
void fan_port_flush(struct fan_port *fan);

size_t fan_port_consumers(const struct fan_port *fan);
/* Brings the gauges of rooms and viewers up to date. */
void fan_port_refresh(const struct fan_port *fan);

#endif
