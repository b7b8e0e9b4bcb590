/* SPDX-License-Identifier: MIT */
#include "lib/signals.h"

#include <signal.h>
#include <stdbool.h>
#include <unistd.h>

#include "lib/base.h"
#include "lib/log.h"

static const struct signal_events *wanted;
static void *wanted_owner;
static ev_signal watch_term, watch_int, watch_hup, watch_usr2;
static bool terminating;

/* Without the loop, which may hang in what the ending does. */
static void
leave_at_once(int signum UNUSED)
{
	_exit(0);
}

static void
on_terminate(struct ev_loop *loop UNUSED, ev_signal *watcher, int events UNUSED)
{
	terminating = true;
	signal(SIGTERM, leave_at_once);
	signal(SIGINT, leave_at_once);
	log_info("%s: ending", watcher->signum == SIGTERM ? "TERM" : "INT");
	wanted->terminate(wanted_owner);
}

static void
on_reload(struct ev_loop *loop UNUSED, ev_signal *watcher UNUSED, int events UNUSED)
{
	if (wanted->reload)
		wanted->reload(wanted_owner);
}

static void
on_upgrade(struct ev_loop *loop UNUSED, ev_signal *watcher UNUSED, int events UNUSED)
{
	wanted->upgrade(wanted_owner);
}

static void
watch(struct ev_loop *loop, ev_signal *watcher)
{
	ev_signal_start(loop, watcher);
	ev_unref(loop);
}

static void
unwatch(struct ev_loop *loop, ev_signal *watcher)
{
	if (!ev_is_active(watcher))
		return;
	ev_ref(loop);
	ev_signal_stop(loop, watcher);
	/* libev puts the default back, which is to die of it. */
	if (terminating)
		signal(watcher->signum, watcher->signum == SIGHUP ? SIG_IGN : leave_at_once);
}

void
signals_init(struct ev_loop *loop, const struct signal_events *events, void *owner)
{
	wanted = events;
	wanted_owner = owner;
	terminating = false;
	ev_signal_init(&watch_term, on_terminate, SIGTERM);
	ev_signal_init(&watch_int, on_terminate, SIGINT);
	ev_signal_init(&watch_hup, on_reload, SIGHUP);
	watch(loop, &watch_term);
	watch(loop, &watch_int);
	watch(loop, &watch_hup);
	ev_signal_init(&watch_usr2, on_upgrade, SIGUSR2);
	if (events->upgrade)
		watch(loop, &watch_usr2);
}

void
signals_free(struct ev_loop *loop)
{
	unwatch(loop, &watch_term);
	unwatch(loop, &watch_int);
	unwatch(loop, &watch_hup);
	unwatch(loop, &watch_usr2);
}

static void
change_mask(int how, bool endings)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR2);
	if (endings) {
		sigaddset(&set, SIGTERM);
		sigaddset(&set, SIGINT);
	}
	sigprocmask(how, &set, NULL);
}

void
signals_hold_early(void)
{
	change_mask(SIG_BLOCK, false);
}

void
signals_hold(void)
{
	change_mask(SIG_BLOCK, true);
}

void
signals_release(void)
{
	change_mask(SIG_UNBLOCK, true);
}
