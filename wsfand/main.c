/* SPDX-License-Identifier: MIT */
/* wsfand: takes frames on a Unix socket and fans them out to the browsers that watch. */
#include <ev.h>

#include "lib/die.h"
#include "lib/env.h"
#include "lib/log.h"
#include "lib/notify.h"
#include "lib/reaper.h"
#include "lib/signals.h"
#include "wsfand/admit.h"
#include "wsfand/app.h"
#include "wsfand/confine.h"
#include "wsfand/settings.h"
#include "wsfand/succession.h"

int
main(int argc, char **argv)
{
	static const struct program_option check_state = {
	    .name = "--check-state",
	    .help = "whether the state of another wsfand, on standard input, can be taken over:\n"
		    "             exit 0, or 100 and why not (an upgrade in place asks this first)",
	    .run = succession_check_state,
	};
	static const struct program program = {
	    .name = "wsfand",
	    .summary = "fans frames out to the WebSocket clients that watch a form",
	    .option = &check_state,
	};
	struct settings settings;
	struct ev_loop *loop;
	struct app *app;
	struct inheritance *inheritance;

	signals_hold_early();
	succession_init(argv);
	env_start(argc, argv, &program, settings_table, settings_count, &settings, admit_check);
	log_set_instance(settings.instance);
	notify_init();
	loop = ev_default_loop(0);
	if (!loop)
		die_system("unable to make an event loop");
	inheritance = succession_inherit();
	app = app_new(loop, &settings, inheritance);
	inheritance_free(&inheritance);
	confine(&settings, succession_program());
	notify_ready();
	ev_run(loop, 0);
	app_free(&app);
	reaper_drain();
	ev_loop_destroy(loop);
	return 0;
}
