/* SPDX-License-Identifier: MIT */
#include "wsfand/succession.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/die.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/num.h"
#include "lib/signals.h"
#include "lib/sock.h"
#include "wsfand/counters.h"
#include "wsfand/estate_file.h"
#include "wsfand/trial.h"

/* Tells the new image which descriptor holds its estate. */
#define VARIABLE "DUNE_ESTATE_FD"
/* For the first judgement, in seconds, which holds nobody up; and for the second, which does. */
#define TRIAL_SECONDS 5
#define LAST_TRIAL_SECONDS 2

enum stage { SUCCESSION_IDLE, SUCCESSION_TRIAL, SUCCESSION_HOLD };

struct succession {
	struct ev_loop *loop;
	void (*save)(void *owner, struct saver *saver, const struct occasion *occasion);
	void *owner;
	enum stage stage;
	pid_t pid; /* of the trial; TRIAL only */
	uint64_t rehearsed_ns; /* how long the start of the trial took */
	ev_child child;
	ev_timer timer; /* TRIAL: its end; HOLD: the end of this turn of the loop */
};

static char **arguments;
static const char *executed;

void
succession_init(char **argv)
{
	int fd;

	arguments = argv;
	/* The path given to execve(2), PATH looked through already. Not /proc/self/exe: the file
	 * that has taken the old one's place is wanted. */
	executed = (const char *)getauxval(AT_EXECFN);
	if (!executed)
		executed = argv[0];
	while ((fd = open("/dev/null", O_RDWR)) >= 0 && fd <= STDERR_FILENO)
		;
	fd_close(&fd);
}

const char *
succession_program(void)
{
	return executed;
}

struct inheritance *
succession_inherit(void)
{
	const char *text = getenv(VARIABLE), *problem;
	struct inheritance *inheritance;
	uint64_t number;
	int fd;

	if (!text || !*text)
		return NULL;
	if (num_parse_u64(text, strlen(text), &number) < 0 || number > INT_MAX)
		die_usage(VARIABLE ": \"%s\" is not a descriptor", text);
	fd = (int)number;
	unsetenv(VARIABLE);
	inheritance = mem_zalloc(sizeof(*inheritance));
	if (estate_file_read(fd, &inheritance->bytes) < 0)
		die_system("unable to read the state in descriptor %d", fd);
	fd_close(&fd);
	problem = estate_check(
	    &inheritance->summary, buf_bytes(&inheritance->bytes), buf_length(&inheritance->bytes));
	errno = 0;
	if (problem)
		die_system("unable to take the state over: %s", problem);
	return inheritance;
}

void
inheritance_free(struct inheritance **pointer)
{
	struct inheritance *inheritance = *pointer;

	*pointer = NULL;
	if (!inheritance)
		return;
	buf_free(&inheritance->bytes);
	MEM_FREE(&inheritance);
}

void
succession_check_state(const void *settings UNUSED, const char *argument UNUSED)
{
	struct estate_summary summary;
	const char *problem;
	struct buf bytes;

	if (estate_file_read(STDIN_FILENO, &bytes) < 0)
		die_system("unable to read a state from standard input");
	problem = estate_check(&summary, buf_bytes(&bytes), buf_length(&bytes));
	if (problem && summary.version > 0)
		die_usage("state of version %u: %s; versions %d to %d are read",
		    (unsigned)summary.version, problem, ESTATE_OLDEST, ESTATE_VERSION);
	if (problem)
		die_usage("%s; versions %d to %d are read", problem, ESTATE_OLDEST, ESTATE_VERSION);
	log_info("this wsfand can take over: state of version %u, by wsfand %.*s: %zu clients in "
		 "%zu rooms, %zu producers",
	    (unsigned)summary.version, (int)summary.program.length,
	    (const char *)summary.program.data, summary.clients, summary.rooms, summary.producers);
	buf_free(&bytes);
	exit(0);
}

static void
stand_down(struct succession *succession)
{
	ev_timer_stop(succession->loop, &succession->timer);
	ev_child_stop(succession->loop, &succession->child);
	if (succession->stage == SUCCESSION_TRIAL)
		trial_kill(succession->pid);
	if (succession->stage == SUCCESSION_HOLD)
		signals_release();
	succession->stage = SUCCESSION_IDLE;
}

static void
fail(struct succession *succession, const char *problem)
{
	counters[COUNTER_upgrades_failed]++;
	log_error("unable to upgrade in place to %s: %s; going on as before", executed, problem);
	stand_down(succession);
}

/* Writes an estate; the saver says what goes with it. Its file, or -1 with errno. */
static int
write_estate(struct succession *succession, struct saver *saver, bool rehearsal)
{
	const struct occasion occasion = {.rehearsal = rehearsal,
	    .began_ns = clock_monotonic_ns(),
	    .rehearsed_ns = succession->rehearsed_ns};

	saver_init(saver);
	succession->save(succession->owner, saver, &occasion);
	if (estate_seal(&saver->writer) < 0) {
		errno = EFBIG;
		return -1;
	}
	return estate_file_make(&saver->writer);
}

/* Whether these descriptors outlive execve(2). */
static void
hand_on(const struct saver *saver, int estate, bool stays)
{
	for (size_t i = 0; i < saver->fd_count; i++)
		fcntl(saver->fds[i], F_SETFD, stays ? 0 : FD_CLOEXEC);
	fcntl(estate, F_SETFD, stays ? 0 : FD_CLOEXEC);
}

/* Comes back only when it fails, with errno. */
static void
execute(const struct saver *saver, int estate)
{
	char number[16];
	int error;

	snprintf(number, sizeof(number), "%d", estate);
	if (setenv(VARIABLE, number, 1) < 0)
		return;
	hand_on(saver, estate, true);
	execv(executed, arguments);
	error = errno;
	hand_on(saver, estate, false);
	unsetenv(VARIABLE);
	errno = error;
}

/* What the new binary says to this estate, while we wait for it. NULL: it takes it. */
static const char *
judge(int estate, char text[static TRIAL_TEXT])
{
	pid_t pid = trial_start(executed, arguments[0], estate);

	if (pid < 0)
		return strerror(errno);
	return trial_problem(trial_wait(pid, LAST_TRIAL_SECONDS), text);
}

static void
change(struct succession *succession)
{
	char text[TRIAL_TEXT];
	const char *problem = NULL;
	struct saver saver;
	int estate = write_estate(succession, &saver, false);

	if (estate >= 0)
		problem = judge(estate, text);
	if (estate >= 0 && !problem)
		execute(&saver, estate);
	/* Still here. */
	fail(succession, problem ? problem : strerror(errno));
	fd_close(&estate);
	saver_free(&saver);
}

/* Signals that came before they were held back have been told in this turn, since they are of
 * higher priority; those that come later wait for the new image. */
static void
hold(struct succession *succession)
{
	succession->stage = SUCCESSION_HOLD;
	signals_hold();
	ev_timer_stop(succession->loop, &succession->timer);
	ev_timer_set(&succession->timer, 0, 0);
	ev_timer_start(succession->loop, &succession->timer);
}

static void
on_child(struct ev_loop *loop, ev_child *child, int events UNUSED)
{
	struct succession *succession = container_of(child, struct succession, child);
	char text[TRIAL_TEXT];
	const char *problem = trial_problem(child->rstatus, text);

	ev_child_stop(loop, child);
	/* It is no more. */
	succession->stage = SUCCESSION_IDLE;
	if (problem)
		fail(succession, problem);
	else
		hold(succession);
}

static void
on_timer(struct ev_loop *loop UNUSED, ev_timer *timer, int events UNUSED)
{
	struct succession *succession = container_of(timer, struct succession, timer);
	char text[TRIAL_TEXT];

	if (succession->stage == SUCCESSION_HOLD)
		change(succession);
	else
		fail(succession, trial_problem(-1, text));
}

struct succession *
succession_new(struct ev_loop *loop,
    void (*save)(void *owner, struct saver *saver, const struct occasion *occasion), void *owner)
{
	struct succession *succession = mem_zalloc(sizeof(*succession));

	succession->loop = loop;
	succession->save = save;
	succession->owner = owner;
	ev_child_init(&succession->child, on_child, 0, 0);
	ev_timer_init(&succession->timer, on_timer, 0, 0);
	ev_set_priority(&succession->timer, EV_MINPRI);
	return succession;
}

void
succession_start(struct succession *succession)
{
	uint64_t began_ns = clock_monotonic_ns();
	struct saver saver;
	int estate, error;

	if (succession->stage != SUCCESSION_IDLE) {
		log_info("USR2: an upgrade in place is under way already");
		return;
	}
	log_info("USR2: upgrading in place to %s", executed);
	estate = write_estate(succession, &saver, true);
	succession->pid = estate < 0 ? -1 : trial_start(executed, arguments[0], estate);
	error = errno;
	fd_close(&estate);
	saver_free(&saver);
	if (succession->pid < 0) {
		fail(succession, strerror(error));
		return;
	}
	succession->rehearsed_ns = clock_monotonic_ns() - began_ns;
	succession->stage = SUCCESSION_TRIAL;
	ev_child_set(&succession->child, succession->pid, 0);
	ev_child_start(succession->loop, &succession->child);
	ev_timer_set(&succession->timer, TRIAL_SECONDS, 0);
	ev_timer_start(succession->loop, &succession->timer);
}

void
succession_abort(struct succession *succession, const char *why)
{
	if (succession->stage != SUCCESSION_IDLE)
		fail(succession, why);
}

void
succession_free(struct succession **pointer)
{
	struct succession *succession = *pointer;

	*pointer = NULL;
	if (!succession)
		return;
	stand_down(succession);
	MEM_FREE(&succession);
}
