/* SPDX-License-Identifier: MIT */
#include <ev.h>

#include "analyticsd/app.h"
#include "lib/notify.h"
#include "lib/reaper.h"

static const struct program program = {
    .name = "analyticsd",
    .summary = "keeps the analytics of all forms, exactly, and sends them to who watches",
    .details = "Takes change events from ingestd on $DUNE_RUN_DIR/ingest.sock, keeps its state in\n"
	       "$DUNE_STATE_DIR/analytics.db, and sends frames to wsfand. See analyticsd(8).",
};

int
main(int argc, char **argv)
{
	struct settings settings;
	struct ev_loop *loop;
	struct app *app;
	int code;

	notify_init();
	env_start(argc, argv, &program, settings_table, settings_count, &settings, NULL);
	loop = ev_default_loop(EVFLAG_AUTO);
	app = app_new(loop, &settings);
	notify_ready();
	code = app_run(app);
	app_free(&app);
	reaper_drain();
	ev_loop_destroy(loop);
	return code;
}
