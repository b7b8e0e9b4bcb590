/* SPDX-License-Identifier: MIT */
/* statsd: the daemons' counters as JSON, as Prometheus text, and as a page. */
#include <ev.h>
#include <stdlib.h>

#include "lib/base.h"
#include "lib/env.h"
#include "lib/log.h"
#include "lib/notify.h"
#include "lib/reaper.h"
#include "lib/signals.h"
#include "lib/sock.h"
#include "statsd/app.h"
#include "statsd/confine.h"
#include "statsd/settings.h"

static const struct program program = {
    .name = "statsd",
    .summary = "takes the daemons' reports and answers /api/ws/stats, /metrics, /healthz, "
	       "/readyz and the page",
};

static void
terminate(void *owner UNUSED)
{
	ev_break(ev_default_loop(EVFLAG_AUTO), EVBREAK_ALL);
}

static void
reload(void *owner)
{
	app_reload(owner);
}

int
main(int argc, char **argv)
{
	static const struct signal_events signals = {.terminate = terminate, .reload = reload};
	struct settings settings;

	env_start(argc, argv, &program, settings_table, settings_count, &settings, app_check);
	notify_init();
	sock_raise_file_limit();

	struct ev_loop *loop = ev_default_loop(EVFLAG_AUTO);
	struct app *app = app_new(loop, &settings);
	signals_init(loop, &signals, app);

	confine(&settings);
	notify_ready();
	log_info("ready");
	ev_run(loop, 0);

	signals_free(loop);
	app_free(&app);
	reaper_drain();
	ev_loop_destroy(loop);
	return EXIT_SUCCESS;
}
