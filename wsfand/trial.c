/* SPDX-License-Identifier: MIT */
#include "wsfand/trial.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"

#define POLL_NS 500000

pid_t
trial_start(const char *path, const char *name, int estate)
{
	char *argv[] = {(char *)name, (char *)"--check-state", NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	pid_t pid = -1;
	int error;

	sigemptyset(&none);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	error = posix_spawn_file_actions_adddup2(&actions, estate, STDIN_FILENO);
	if (error == 0)
		error = posix_spawnattr_setsigmask(&attributes, &none);
	if (error == 0)
		error = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	if (error == 0)
		error = posix_spawn(&pid, path, &actions, &attributes, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	errno = error;
	return error == 0 ? pid : -1;
}

void
trial_kill(pid_t pid)
{
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

int
trial_wait(pid_t pid, unsigned seconds)
{
	const struct timespec poll = {.tv_nsec = POLL_NS};
	uint64_t end_ms = clock_monotonic_ms() + seconds * 1000;
	int status;

	do {
		pid_t ended = waitpid(pid, &status, WNOHANG);

		if (ended == pid)
			return status;
		nanosleep(&poll, NULL);
	} while (clock_monotonic_ms() < end_ms);
	trial_kill(pid);
	return -1;
}

const char *
trial_problem(int status, char out[static TRIAL_TEXT])
{
	if (status == -1)
		snprintf(out, TRIAL_TEXT, "it took too long to judge the state");
	else if (WIFSIGNALED(status))
		snprintf(out, TRIAL_TEXT, "it was killed by signal %d while it judged the state",
		    WTERMSIG(status));
	else if (WEXITSTATUS(status) != 0)
		snprintf(out, TRIAL_TEXT, "it will not take the state (exit code %d)",
		    WEXITSTATUS(status));
	else
		return NULL;
	return out;
}
