/* SPDX-License-Identifier: MIT */
#include <ev.h>
#include <string.h>

#include "analyticsd/app.h"
#include "analyticsd/confine.h"
#include "analyticsd/verify.h"
#include "lib/die.h"
#include "lib/notify.h"
#include "lib/reaper.h"

static const struct program program = {
    .name = "analyticsd",
    .summary = "keeps the analytics of all forms, exactly, and sends them to who watches",
    .details =
	"Takes change events from ingestd on $DUNE_RUN_DIR/ingest.sock, keeps its state in\n"
	"$DUNE_STATE_DIR/analytics.db, and sends frames to wsfand. See analyticsd(8).\n\n"
	"--verify [FILE.bson|-] computes everything once more from what is kept (and compares it\n"
	"with a dump of both collections), says what differs, and leaves with 0 or 1.",
};

/* --verify is ours alone; env_start() knows the others. */
static int
verify(int argc, char **argv)
{
	struct settings settings;

	env_start(1, argv, &program, settings_table, settings_count, &settings, NULL);
	if (argc > 3)
		die_usage("--verify takes one file at most, or - for standard input");
	return verify_run(&settings, argc > 2 ? argv[2] : NULL);
}

int
main(int argc, char **argv)
{
	struct settings settings;
	struct ev_loop *loop;
	struct app *app;
	int code;

	if (argc > 1 && strcmp(argv[1], "--verify") == 0)
		return verify(argc, argv);
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
