/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* tcp_flow: one TCP conversation, seen from one local socket, in one window: its first window, the one in
 * which it was established, and the one in which it closed. In other windows it has a tcp_update. This is
 * the only schema. */
#pragma once

#include "types.h"

struct tcp_flow {
    socket_id_t socket;
    cgroup_id_t cgroup;       /* of the owner, when it connected or listened */
    boot_ns_t opened_ns;      /* SYN_SENT, or creation of the accepted socket */
    boot_ns_t established_ns; /* ESTABLISHED, when that was before the window's end; 0 if not, or not seen */
    comm_t comm;
    hierarchy_t hierarchy; /* of cgroup */
    process_id_t pid;
    netns_id_t netns;
    port_t local_port;            /* inet_sock.inet_sport */
    port_t remote_port;           /* sock_common.skc_dport */
    __u8 family;                  /* sock_common.skc_family: AF_INET or AF_INET6 */
    __u8 role;                    /* enum role */
    __u8 state;                   /* sock_common.skc_state, TCP_ESTABLISHED = 1 ... */
    flow_flags_t flags;           /* enum flow_flags */
    usec_t rtt_us;                /* tcp_sock.srtt_us >> 3: the kernel keeps eight times the RTT */
    usec_t rtt_var_us;            /* tcp_sock.mdev_us >> 2: the mean deviation, kept four times */
    delta_segments_t segs_sent;   /* since the last report: tcp_sock.segs_out */
    delta_segments_t segs_rcvd;   /* since the last report: tcp_sock.segs_in */
    delta_segments_t segs_resent; /* since the last report: tcp_sock.total_retrans */
    delta_bytes_t bytes_sent;     /* since the last report: tcp_sock.bytes_sent - bytes_retrans */
    delta_bytes_t bytes_rcvd;     /* since the last report: tcp_sock.bytes_received, less a FIN */
    boot_ns_t closed_ns;          /* CLOSE, or with FLOW_HANDED the hand-over; 0 while open */
    boot_ns_t reported_ns; /* end of the last window whose pass reported it, or its hand-over; 0: none */
    __u64 rtt_sum_us;      /* sum of all RTT samples of the flow */
    samples_t rtt_samples; /* of it: one a round trip, as for BPF_SOCK_OPS_RTT_CB */
    usec_t rtt_min_us;     /* of all samples of the flow; 0 for none */
    usec_t rtt_max_us;     /* of all samples of the flow */
    address_t local;       /* inet_sock.inet_saddr / sock_common.skc_v6_rcv_saddr */
    address_t remote;      /* sock_common.skc_daddr / skc_v6_daddr */
    __u32 isn_local;  /* initial sequence number: tcp_sock.snd_una less what was acknowledged; with isn_remote
                              0: not known */
    __u32 isn_remote; /* of the peer: tcp_sock.rcv_nxt less what was received */
    level_segments_t lost_segments; /* tcp_sock.lost_out: taken for lost, not acknowledged since */
    delta_segments_t
        data_segs_sent; /* since the last report: tcp_sock.data_segs_out, with those sent again */
    delta_segments_t data_segs_rcvd; /* since the last report: tcp_sock.data_segs_in */
    delta_usec_t busy_us; /* since the last report, with data outstanding: the sum of tcp_sock.chrono_stat */
    usec_t min_rtt_us;    /* tcp_sock.rtt_min; 0 for none, and where it is not asked for */
    __u8 known;           /* enum tcp_known */
    __u8 error;           /* with FLOW_FAILED, sock.sk_err: ECONNREFUSED, ETIMEDOUT ...; 0: nobody waited */
    __u8 pad[6];
};

_Static_assert(sizeof(struct tcp_flow) == 208, "tcp_flow grew a hole");

/* tcp_update: the same conversation in one window, when an earlier window had a tcp_flow with its
 * addresses: half the bytes, and most rows of a host. It is enough for sums; `socket` leads to the rest of
 * the flow. The columns are those of tcp_flow. */
struct tcp_update {
    socket_id_t socket;
    cgroup_id_t cgroup; /* of the owner, which may have changed */
    delta_bytes_t bytes_sent;
    delta_bytes_t bytes_rcvd;
    comm_t comm;
    hierarchy_t hierarchy;
    process_id_t pid;
    netns_id_t netns;
    usec_t rtt_us;
    usec_t rtt_var_us;
    delta_segments_t segs_sent;
    delta_segments_t segs_rcvd;
    delta_segments_t segs_resent;
    level_segments_t lost_segments;
    delta_segments_t data_segs_sent;
    delta_segments_t data_segs_rcvd;
    delta_usec_t busy_us;
    usec_t min_rtt_us;
    __u8 role;
    __u8 state;
    flow_flags_t flags;
    __u8 known;
};

_Static_assert(sizeof(struct tcp_update) == 104, "tcp_update grew a hole");
