/* SPDX-License-Identifier: MIT */
#include "lib/env.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base.h"
#include "lib/die.h"
#include "lib/env_value.h"
#include "lib/log.h"
#include "lib/version.h"

enum option { OPTION_RUN, OPTION_HELP, OPTION_VERSION, OPTION_CHECK, OPTION_OWN };

static enum option
option_parse(int argc, char **argv, const struct program *program)
{
	static const char *const names[] = {
	    [OPTION_HELP] = "--help",
	    [OPTION_VERSION] = "--version",
	    [OPTION_CHECK] = "--check",
	};
	const struct program_option *own = program->option;
	bool is_own = argc > 1 && own != NULL && strcmp(argv[1], own->name) == 0;
	if (argc < 2)
		return OPTION_RUN;
	if (argc > (is_own && own->argument != NULL ? 3 : 2))
		die_usage("too many arguments; --help tells what there is");
	if (is_own)
		return OPTION_OWN;
	for (int i = OPTION_HELP; i <= OPTION_CHECK; i++)
		if (strcmp(argv[1], names[i]) == 0)
			return (enum option)i;
	die_usage("unknown argument \"%s\"; --help tells what there is", argv[1]);
}

/* So that scripts notice when nobody could read it. */
static NORETURN void
leave_after_output(void)
{
	if (fflush(stdout) != 0 || ferror(stdout))
		die_system("unable to write to standard output");
	exit(0);
}

/* A text of several lines, each behind `width` columns; the first is there already. */
static void
print_indented(const char *text, int width)
{
	for (;;) {
		size_t length = strcspn(text, "\n");
		printf("%.*s\n", (int)length, text);
		if (text[length] == '\0')
			return;
		text += length + 1;
		printf("%*s", width, "");
	}
}

static void
print_setting(
    const struct env_table *table, const struct setting *setting, int width, bool required)
{
	printf("  %-*s  ", width, setting->name);
	print_indented(setting->help, width + 4);
	printf("%*s", width + 4, "");
	if (setting->type == SETTING_NUMBER)
		printf("%lld to %lld; ", (long long)setting->min, (long long)setting->max);
	if (setting->type == SETTING_CHOICE)
		printf("%s; ", setting->choices);
	if (required)
		printf("required; ");
	else if (setting->fallback == NULL)
		printf("no default; ");
	else
		printf("default %s; ", setting->fallback[0] == '\0' ? "empty" : setting->fallback);
	const char *text = env_text(table, setting);
	printf("now %s\n", text == NULL ? "unset" : env_shown(setting, text));
}

static void
print_usage(const struct program *program)
{
	const struct program_option *own = program->option;
	bool argument = own != NULL && own->argument != NULL;
	char option[80] = "";
	if (own != NULL)
		snprintf(option, sizeof(option), "%s%s%s", own->name, argument ? " " : "",
		    argument ? own->argument : "");
	printf("usage: %s [--help | --version | --check%s%s]\n\n%s: %s\n\n", program->name,
	    own != NULL ? " | " : "", option, program->name, program->summary);
	printf("  --help     prints this\n"
	       "  --version  prints the version\n"
	       "  --check    validates the settings: exit 0, or 100 and what is wrong\n");
	if (own != NULL)
		printf("  %s\n             %s\n", option, own->help);
}

static NORETURN void
help(const struct program *program, const struct env_table *table)
{
	print_usage(program);
	printf("\nSettings, from the environment (empty is unset):\n\n");
	int width = 0;
	for (size_t i = 0; i < table->count; i++)
		width = MAX(width, (int)strlen(table->rows[i].name));
	for (size_t i = 0; i < table->count; i++) {
		const char *name = table->rows[i].name;
		bool required = program->required != NULL && strcmp(name, program->required) == 0;
		print_setting(table, &table->rows[i], width, required);
	}
	const char *notify = getenv("DUNE_NOTIFY_FD");
	printf("  %-*s  the descriptor that gets a newline when all is ready (s6)\n"
	       "%*sno default; now %s\n",
	    width, "DUNE_NOTIFY_FD", width + 4, "",
	    notify != NULL && notify[0] != '\0' ? notify : "unset");
	if (program->details != NULL)
		printf("\n%s%s", program->details,
		    program->details[strlen(program->details) - 1] == '\n' ? "" : "\n");
	leave_after_output();
}

static NORETURN void
version(const struct program *program)
{
	printf("%s %s\n", program->name, DUNE_VERSION);
	leave_after_output();
}

static void
load_one(const struct env_table *table, const struct setting *setting, void *settings)
{
	const char *text = env_text(table, setting);
	if (text == NULL && setting->type != SETTING_STRING)
		die_usage("%s must be set: %s", setting->name, setting->help);
	const char *allowed = env_store(setting, text, settings);
	if (allowed != NULL)
		die_usage("%s: \"%s\" is not %s", setting->name, env_shown(setting, text), allowed);
}

/* The log's own settings come first, so that what is wrong with the others is
 * told in the format that was asked for. */
static void
load_log(const struct program *program, const struct env_table *table, void *settings)
{
	const struct setting *level = env_find(table, "DUNE_LOG_LEVEL");
	const struct setting *format = env_find(table, "DUNE_LOG_FORMAT");
	if (level == NULL || format == NULL)
		return;
	load_one(table, level, settings);
	load_one(table, format, settings);
	int chosen_level, chosen_format;
	memcpy(&chosen_level, (char *)settings + level->offset, sizeof(int));
	memcpy(&chosen_format, (char *)settings + format->offset, sizeof(int));
	log_init(program->name, (enum log_level)chosen_level, (enum log_format)chosen_format);
}

static void
load(const struct program *program, const struct env_table *table, void *settings)
{
	load_log(program, table, settings);
	for (size_t i = 0; i < table->count; i++)
		load_one(table, &table->rows[i], settings);
	if (program->required == NULL)
		return;
	const struct setting *required = env_find(table, program->required);
	if (required != NULL && env_text(table, required) == NULL)
		die_usage("%s must be set: %s", required->name, required->help);
}

void
env_start(int argc, char **argv, const struct program *program, const struct setting *table,
    size_t count, void *settings, void (*check)(const void *settings))
{
	const struct env_table all = {.rows = table, .count = count};
	log_init(program->name, LOG_INFO, LOG_TEXT);
	signal(SIGPIPE, SIG_IGN);
	/* A limit on the size of files is a disk that is full: the write fails, and says so. */
	signal(SIGXFSZ, SIG_IGN);
	enum option option = option_parse(argc, argv, program);
	if (option == OPTION_HELP)
		help(program, &all);
	if (option == OPTION_VERSION)
		version(program);
	load(program, &all, settings);
	if (check != NULL)
		check(settings);
	if (option == OPTION_CHECK)
		exit(0);
	if (option == OPTION_OWN)
		program->option->run(settings, argc > 2 ? argv[2] : NULL);
}
