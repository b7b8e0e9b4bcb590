/* SPDX-License-Identifier: MIT */
#include "wsfand/spares.h"

#include <sys/resource.h>
#include <unistd.h>

#include "tests/unit/unit.h"

TEST(spares_are_given_and_taken_again)
{
	struct rlimit limit;
	struct spares spares;
	int fd;

	spares_init(&spares);
	CHECK(spares_refill(&spares));
	/* No more than there are now. */
	CHECK_INT(getrlimit(RLIMIT_NOFILE, &limit), 0);
	fd = dup(STDIN_FILENO);
	limit.rlim_cur = (rlim_t)fd;
	close(fd);
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &limit), 0);
	CHECK_INT(dup(STDIN_FILENO), -1);
	CHECK(spares_release(&spares));
	fd = dup(STDIN_FILENO);
	CHECK(fd >= 0);
	CHECK(!spares_refill(&spares));
	close(fd);
	CHECK(spares_refill(&spares));
	for (int i = 0; i < SPARES; i++)
		CHECK(spares_release(&spares));
	CHECK(!spares_release(&spares));
	spares_free(&spares);
}
