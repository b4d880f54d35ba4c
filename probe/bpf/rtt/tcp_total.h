/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* tcp_total: sums over the TCP sockets of one cgroup, network namespace and role in one window, with or
 * without a flow. The probe makes the rows from the kernel's totals per CPU. */
#pragma once

#include "types.h"

struct tcp_total {
    cgroup_id_t cgroup;    /* of the owner */
    __u64 rtt_sum_us;      /* sum of the RTT samples: one a round trip, as for BPF_SOCK_OPS_RTT_CB */
    __u64 rtt_squares_us2; /* sum of their squares */
    hierarchy_t hierarchy; /* of cgroup */
    netns_id_t netns;
    samples_t rtt_samples;
    usec_t rtt_min_us; /* 0 for no sample */
    usec_t rtt_max_us;
    delta_resets_t resets_sent; /* tcp:tcp_send_reset, for a known socket */
    delta_resets_t resets_rcvd; /* tcp:tcp_receive_reset */
    __u8 role;                  /* enum role */
    __u8 pad[3];
};

_Static_assert(sizeof(struct tcp_total) == 56, "tcp_total grew a hole");
