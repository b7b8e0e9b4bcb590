/* SPDX-License-Identifier: MIT */
#ifndef LIB_VERSION_H
#define LIB_VERSION_H

#define DUNE_VERSION "0.1.0"

#endif
