/* SPDX-License-Identifier: MIT */
#include "tests/unit/lib/capture.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static void
read_back(int fd, char *text, size_t size)
{
	ssize_t length = pread(fd, text, size - 1, 0);
	CHECK(length >= 0);
	text[length] = '\0';
	close(fd);
}

void
capture(struct captured *captured, void (*run)(void))
{
	int out = memfd_create("out", MFD_CLOEXEC), err = memfd_create("err", MFD_CLOEXEC);
	CHECK(out >= 0 && err >= 0);
	fflush(NULL);
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		dup2(out, STDOUT_FILENO);
		dup2(err, STDERR_FILENO);
		run();
		fflush(stdout);
		_exit(0);
	}
	int status;
	CHECK(waitpid(pid, &status, 0) == pid);
	captured->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	read_back(out, captured->out, sizeof(captured->out));
	read_back(err, captured->err, sizeof(captured->err));
}
