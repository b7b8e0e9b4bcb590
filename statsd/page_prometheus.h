/* SPDX-License-Identifier: MIT */
/* page_prometheus: /metrics, in the Prometheus text format 0.0.4 (Prometheus,
 * "Exposition formats"). Pure. HELP and TYPE stand once before the rows of a name.
 *
 * Labels that are added: `process` to the rows of an instance whose name is not
 * just its daemon's ("wsfand.2"), so that the series of a plain installation never
 * change; not `instance`, which Prometheus itself sets on what it scrapes. `daemon` to rows whose
 * name does not begin with dune_<daemon>_, so that two daemons never write the same series. */
#ifndef STATSD_PAGE_PROMETHEUS_H
#define STATSD_PAGE_PROMETHEUS_H

#include "statsd/answer.h"
#include "lib/process.h"
#include "statsd/registry.h"

void page_prometheus(struct answer *answer, const struct registry *registry,
    const struct process *process, struct moment now);

#endif
