/* SPDX-License-Identifier: MIT */
/* ingestd: brings the changes in a database or a file to analyticsd, each once more
 * until it is committed there. */
#include <ev.h>
#include <unistd.h>

#include "ingestd/app.h"
#include "ingestd/confine.h"
#include "ingestd/settings.h"
#include "ingestd/source.h"
#include "lib/die.h"
#include "lib/env.h"
#include "lib/notify.h"
#include "lib/reaper.h"

static const struct program program = {
    .name = "ingestd",
    .summary = "brings form responses from a database or a file to analyticsd",
    .required = "DUNE_SOURCE",
};

int
main(int argc, char **argv)
{
	struct settings settings;
	struct ev_loop *loop;
	struct app *app;
	bool clean;

	env_start(
	    argc, argv, &program, settings_table, settings_count, &settings, source_check_settings);
	notify_init();
	loop = ev_default_loop(0);
	if (!loop)
		die_system("unable to make an event loop");
	/* Before the source has its thread. */
	confine(&settings);
	app = app_new(loop, &settings);
	notify_ready();
	ev_run(loop, 0);
	clean = app_free(&app);
	reaper_drain();
	if (!clean)
		_exit(0);
	ev_loop_destroy(loop);
	return 0;
}
