/* SPDX-License-Identifier: MIT */
#include <ev.h>
#include <stdlib.h>

#include "analyticsd/app.h"
#include "analyticsd/confine.h"
#include "analyticsd/verify.h"
#include "lib/notify.h"
#include "lib/reaper.h"

static void
verify(const void *settings, const char *argument)
{
	exit(verify_run(settings, argument));
}

static const struct program_option verify_option = {
    .name = "--verify",
    .argument = "[FILE.bson|-]",
    .help = "computes everything once more from what is kept (and compares it with a dump of\n"
	    "             both collections), says what differs, and leaves with 0 or 1",
    .run = verify,
};

static const struct program program = {
    .name = "analyticsd",
    .summary = "keeps the analytics of all forms, exactly, and sends them to who watches",
    .details = "Takes change events from ingestd on $DUNE_RUN_DIR/ingest.sock, keeps its state in\n"
	       "$DUNE_STATE_DIR/analytics.db, and sends frames to wsfand. See analyticsd(8).",
    .option = &verify_option,
};

int
main(int argc, char **argv)
{
	struct settings settings;
	struct ev_loop *loop;
	struct app *app;
	int code;

	env_start(argc, argv, &program, settings_table, settings_count, &settings, NULL);
	notify_init();
	loop = ev_default_loop(EVFLAG_AUTO);
	app = app_new(loop, &settings);
	confine(&settings);
	notify_ready();
	code = app_run(app);
	app_free(&app);
	reaper_drain();
	ev_loop_destroy(loop);
	return code;
}
