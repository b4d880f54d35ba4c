/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* rtt_bucket: how many RTT samples of one cgroup, network namespace and role fell into one bucket in one
 * window; only buckets with samples have a row. Buckets are log-linear: 16 to each doubling, so that the
 * middle of one is at most 3.2 % from every value in it. Bucket 0 holds what is below 8 us, the last what is
 * from 2^26 us (67 s) on.
 *
 *   bucket 1 + 16 * (e - 3) + m  holds  [2^e * (1 + m/16), 2^e * (1 + (m+1)/16)) us
 *   for 3 <= e < 26 and 0 <= m < 16
 */
#pragma once

#include "types.h"

#define RTT_FIRST_EXPONENT 3
#define RTT_END_EXPONENT 26
#define RTT_BUCKETS (1 + 16 * (RTT_END_EXPONENT - RTT_FIRST_EXPONENT) + 1)

struct rtt_bucket {
    cgroup_id_t cgroup;    /* of the owner */
    hierarchy_t hierarchy; /* of cgroup */
    netns_id_t netns;
    samples_t samples;
    __u16 bucket;
    __u8 role; /* enum role */
    __u8 pad;
};

_Static_assert(sizeof(struct rtt_bucket) == 24, "rtt_bucket grew a hole");
