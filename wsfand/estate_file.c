/* SPDX-License-Identifier: MIT */
#include "wsfand/estate_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/sock.h"

#define PIECE 262144

/* From Linux 6.3 on: nothing that could ever be executed. Where vm.memfd_noexec is 2 no other file
 * is given. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

static int
write_all(int fd, const uint8_t *data, size_t length)
{
	while (length > 0) {
		ssize_t written = write(fd, data, length);

		if (written < 0 && errno != EINTR)
			return -1;
		if (written > 0) {
			data += written;
			length -= (size_t)written;
		}
	}
	return 0;
}

static int
make_file(void)
{
	unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd = memfd_create("wsfand-estate", flags | MFD_NOEXEC_SEAL);

	return fd < 0 && errno == EINVAL ? memfd_create("wsfand-estate", flags) : fd;
}

int
estate_file_make(const struct estate_writer *sealed)
{
	int fd = make_file();

	if (fd < 0)
		return -1;
	if (write_all(fd, buf_bytes(&sealed->buf), buf_length(&sealed->buf)) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0 ||
	    lseek(fd, 0, SEEK_SET) < 0)
		fd_close(&fd);
	return fd;
}

int
estate_file_read(int fd, struct buf *buf)
{
	ssize_t got;

	/* Somebody may have read it before; a pipe has no beginning to go back to. */
	(void)lseek(fd, 0, SEEK_SET);
	buf_init(buf, ESTATE_MAX);
	do {
		uint8_t *place = buf_reserve(buf, MIN((size_t)PIECE, buf_room(buf)));

		if (!place || buf_room(buf) == 0) {
			buf_free(buf);
			errno = EFBIG;
			return -1;
		}
		got = read(fd, place, MIN((size_t)PIECE, buf_room(buf)));
		if (got > 0)
			buf_commit(buf, (size_t)got);
	} while (got > 0 || (got < 0 && errno == EINTR));
	if (got < 0) {
		int error = errno;

		buf_free(buf);
		errno = error;
	}
	return got < 0 ? -1 : 0;
}
