/* SPDX-License-Identifier: MIT */
/* fdpass: one descriptor with one byte, over a Unix stream socket (SCM_RIGHTS, unix(7)). */
#ifndef LIB_FDPASS_H
#define LIB_FDPASS_H

#include "lib/base.h"

/* 0; -1 with errno (EAGAIN: the receiver is behind). `fd` stays the caller's. */
MUST_CHECK int fdpass_send(int socket, int fd);

/* 1 and a descriptor in *fd (close-on-exec, now the caller's); 0: the peer has
 * closed; -1 with errno (EAGAIN: nothing there; EBADMSG: no descriptor came with it). */
MUST_CHECK int fdpass_receive(int socket, int *fd);

#endif
