/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Sums of RTT samples and resets per cgroup, network namespace and role. The sums only rise: the probe
 * reads them once a window and takes the differences, so that no sample is lost between a read and a
 * reset. */
#pragma once

#include "owner.bpf.h"
#include "room/table.bpf.h"
#include "rtt_bucket.h"
#include "tcp_total.h"

#define FIRST_TOTALS 512

/* clang writes BTF only for types that a map, a global or a function names */
const struct tcp_total *tcp_total_type __attribute__((unused));
const struct rtt_bucket *rtt_bucket_type __attribute__((unused));

struct tcp_total_key {
    cgroup_id_t cgroup;
    hierarchy_t hierarchy;
    netns_id_t netns;
    __u32 role;
    __u32 pad;
};

struct tcp_total_sums {
    __u64 rtt_sum_us;
    __u64 rtt_squares_us2;
    __u32 resets_sent;
    __u32 resets_rcvd;
    /* the range within a window, by its number & 1: of the current window, and of the last one, which is
     * being read */
    __u32 range_window[2];
    usec_t range_min_us[2];
    usec_t range_max_us[2]; /* 0: no sample */
    samples_t bucket[RTT_BUCKETS];
};

/* preallocated: per-CPU memory cannot be allocated fast */
TABLE(tcp_total, BPF_MAP_TYPE_PERCPU_HASH, 0, FIRST_TOTALS, struct tcp_total_key, struct tcp_total_sums);

static struct tcp_total_sums no_sums;

bool rtt_args; /* this kernel passes the sample: older ones do not. Set by the first sample */

__u32 window SEC(".data.window"); /* incremented by the probe, right before it reads the sums */

static __always_inline struct tcp_total_sums *sums_of(const struct tcp_total_key *key) {
    struct tcp_total_sums *sums = FIND_IN(tcp_total, key);

    if (sums)
        return sums;
    ADD_TO(tcp_total, &room.totals, key, &no_sums);
    sums = FIND_IN(tcp_total, key);
    if (!sums)
        count_lost(LOST_TCP_TOTAL);
    return sums;
}

/* floor(log2(v)): BPF has no instruction for it. */
static __always_inline __u32 log2_of(__u32 v) {
    __u32 log = 0;

#pragma unroll
    for (int bits = 16; bits; bits >>= 1)
        if (v >> bits) {
            v >>= bits;
            log += bits;
        }
    return log;
}

static __always_inline __u32 bucket_of(usec_t us) {
    __u32 exponent;

    if (us < 1u << RTT_FIRST_EXPONENT)
        return 0;
    if (us >= 1u << RTT_END_EXPONENT)
        return RTT_BUCKETS - 1;
    exponent = log2_of(us);
    return 1 + 16 * (exponent - RTT_FIRST_EXPONENT) + ((us << 4 >> exponent) & 15);
}

/* Atomic, although each CPU has its own: a softirq may interrupt. */
static __always_inline void add_sample(struct tcp_total_sums *sums, usec_t us) {
    __u32 now = *(volatile __u32 *)&window, bucket = bucket_of(us);
    __u32 side = now & 1;

    if (sums->range_window[side] != now || !sums->range_max_us[side]) {
        sums->range_window[side] = now;
        sums->range_min_us[side] = sums->range_max_us[side] = us;
    } else if (us < sums->range_min_us[side]) {
        sums->range_min_us[side] = us;
    } else if (us > sums->range_max_us[side]) {
        sums->range_max_us[side] = us;
    }
    __sync_fetch_and_add(&sums->rtt_sum_us, us);
    __sync_fetch_and_add(&sums->rtt_squares_us2, (__u64)us * us);
    barrier_var(bucket);
    if (bucket < RTT_BUCKETS)
        __sync_fetch_and_add(&sums->bucket[bucket], 1);
}

/* Global functions: the verifier walks them once, not once for each caller. */
__attribute__((noinline)) int add_to_total(cgroup_id_t cgroup, hierarchy_t hierarchy, netns_id_t netns,
                                           __u32 role, usec_t us) {
    struct tcp_total_key key = {.cgroup = cgroup, .hierarchy = hierarchy, .netns = netns, .role = role};
    struct tcp_total_sums *sums = sums_of(&key);

    if (sums)
        add_sample(sums, us);
    return 0;
}

__attribute__((noinline)) int count_reset(cgroup_id_t cgroup, hierarchy_t hierarchy, netns_id_t netns,
                                          __u32 role, enum direction direction) {
    struct tcp_total_key key = {.cgroup = cgroup, .hierarchy = hierarchy, .netns = netns, .role = role};
    struct tcp_total_sums *sums = sums_of(&key);

    if (sums)
        __sync_fetch_and_add(direction == SENT ? &sums->resets_sent : &sums->resets_rcvd, 1);
    return 0;
}
