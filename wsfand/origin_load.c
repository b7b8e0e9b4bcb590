/* SPDX-License-Identifier: MIT */
#include "wsfand/origin_load.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/die.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "wsfand/origin.h"

#define SETTING "DUNE_ALLOWED_ORIGINS_FILE"
#define MAX_LINE 512
#define MAX_LINES 1000
#define ERROR_SIZE (2 * MAX_LINE)

/* One more item behind the others, unless the line is empty. */
static int
add_line(char **list, const char *line, char error[static ERROR_SIZE])
{
	const char *allowed;
	char *longer;

	if (line[strspn(line, " \t")] == '\0')
		return 0;
	allowed = origins_check(line);
	if (allowed != NULL) {
		snprintf(error, ERROR_SIZE, "\"%s\" is not %s", line, allowed);
		return -1;
	}
	longer = mem_printf("%s,%s", *list, line);
	MEM_FREE(list);
	*list = longer;
	return 0;
}

static int
add_lines(char **list, FILE *file, char error[static ERROR_SIZE])
{
	char line[MAX_LINE];

	for (unsigned lines = 0; fgets(line, sizeof(line), file) != NULL; lines++) {
		size_t length = strcspn(line, "\r\n");

		if (lines == MAX_LINES || length == sizeof(line) - 1) {
			snprintf(error, ERROR_SIZE, "more than %d lines, or one of over %d bytes",
			    MAX_LINES, MAX_LINE - 2);
			return -1;
		}
		line[length] = '\0';
		if (add_line(list, line, error) < 0)
			return -1;
	}
	if (ferror(file)) {
		snprintf(error, ERROR_SIZE, "%s", strerror(errno));
		return -1;
	}
	return 0;
}

/* NULL, and what is wrong with the file. */
static char *
read_list(const struct settings *settings, char error[static ERROR_SIZE])
{
	char *list = mem_strdup(settings->allowed_origins);
	FILE *file;
	int added = -1;

	if (settings->allowed_origins_file == NULL)
		return list;
	file = fopen(settings->allowed_origins_file, "re");
	if (file == NULL) {
		snprintf(error, ERROR_SIZE, "%s", strerror(errno));
	} else {
		added = add_lines(&list, file, error);
		fclose(file);
	}
	if (added < 0)
		MEM_FREE(&list);
	return list;
}

char *
origins_load(const struct settings *settings)
{
	char error[ERROR_SIZE];
	char *list = read_list(settings, error);

	if (list == NULL)
		die_usage(SETTING ": %s: %s", settings->allowed_origins_file, error);
	return list;
}

int
origins_load_again(char **list, const struct settings *settings)
{
	char error[ERROR_SIZE];
	char *fresh;

	if (settings->allowed_origins_file == NULL)
		return 0;
	fresh = read_list(settings, error);
	if (fresh == NULL) {
		log_error(SETTING ": %s: %s; the old origins stay", settings->allowed_origins_file,
		    error);
		return -1;
	}
	MEM_FREE(list);
	*list = fresh;
	log_info("the origins are read again");
	return 0;
}
