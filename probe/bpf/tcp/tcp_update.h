/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* tcp_update: one TCP conversation in one window, when a tcp_flow with its addresses was sent for an earlier
 * window: half the bytes, and most rows of a host. It stands alone for whoever adds up; who wants to know
 * more of the flow finds it by its socket. The only schema there is. */
#pragma once

#include "types.h"

/* The columns are those of tcp_flow. */
struct tcp_update {
    socket_id_t socket;
    cgroup_id_t cgroup; /* of the owner, who may be another than before */
    bytes_t bytes_sent;
    bytes_t bytes_rcvd;
    comm_t comm;
    hierarchy_t hierarchy;
    process_id_t pid;
    netns_id_t netns;
    usec_t rtt_us;
    usec_t rtt_var_us;
    segments_t segs_sent;
    segments_t segs_rcvd;
    segments_t segs_resent;
    __u8 role;
    __u8 state;
    __u8 flags;
    __u8 pad[5];
};

_Static_assert(sizeof(struct tcp_update) == 88, "tcp_update grew a hole");
