/* SPDX-License-Identifier: MIT */
/* notify: readiness, said once, when it is true: a newline to the descriptor
 * that DUNE_NOTIFY_FD names (s6's notification-fd), which is then closed. A wrong
 * DUNE_NOTIFY_FD is fatal (100). Without it nothing happens. */
#ifndef LIB_NOTIFY_H
#define LIB_NOTIFY_H

/* Early in main(): takes the variable out of the environment and checks it. */
void notify_init(void);
void notify_ready(void);

#endif
