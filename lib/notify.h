/* SPDX-License-Identifier: MIT */
/* notify: readiness, said once, when it is true: a newline to the descriptor
 * that DUNE_NOTIFY_FD names (s6's notification-fd), which is then closed; a wrong
 * DUNE_NOTIFY_FD is fatal (100). And READY=1 to the socket that NOTIFY_SOCKET names, which
 * systemd sets for Type=notify (sd_notify(3)). Without either nothing happens. */
#ifndef LIB_NOTIFY_H
#define LIB_NOTIFY_H

/* Early in main(): takes the variables out of the environment and checks the first. */
void notify_init(void);
void notify_ready(void);

#endif
