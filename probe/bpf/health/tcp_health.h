/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* tcp_health: why one TCP conversation is slow, in one window, beside its tcp_flow or tcp_update. Only a flow
 * that has something to tell has a row: most have none, so that what is said about few costs little. */
#pragma once

#include "types.h"

/* tcp_flow.known: what was read of the socket, so that 0 is told from not known. */
enum tcp_known {
    KNOWN_SEGMENTS = 1,   /* data segments, out of order, ECN marks, errors */
    KNOWN_LIMITS = 2,     /* busy_us, receiver_us, sndbuf_us */
    KNOWN_STALLS = 4,     /* SYNs, spurious retransmissions */
    KNOWN_TIMEOUTS = 8,   /* timeouts, recoveries, stalled_us: Linux 6.7 and newer */
    KNOWN_QUEUEING = 16,  /* min_rtt_us */
    KNOWN_THROUGHPUT = 32 /* delivery_rate, in flight, unsent, unread */
};

struct tcp_health {
    socket_id_t socket;
    cgroup_id_t cgroup; /* of the owner */
    boot_ns_t opened_ns;
    boot_ns_t closed_ns;   /* 0 while open */
    boot_ns_t reported_ns; /* as in tcp_flow */
    __u64
        delivery_rate; /* bytes a second of the newest rate sample: rate_delivered * mss_cache / rate_interval_us */
    comm_t comm;
    hierarchy_t hierarchy; /* of cgroup */
    process_id_t pid;
    netns_id_t netns;
    delta_usec_t receiver_us; /* part of busy_us: tcp_sock.chrono_stat of TCP_CHRONO_RWND_LIMITED */
    delta_usec_t sndbuf_us;   /* part of busy_us: of TCP_CHRONO_SNDBUF_LIMITED */
    delta_usec_t stalled_us;  /* tcp_sock.total_rto_time: until loss recovery ends, with the one that lasts */
    delta_timeouts_t timeouts;     /* tcp_sock.total_rto, after the handshake */
    delta_timeouts_t recoveries;   /* tcp_sock.total_rto_recoveries: time-outs in a row are one */
    delta_segments_t syn_resent;   /* tcp_sock.total_retrans, until ESTABLISHED: SYNs, of a server SYN-ACKs */
    delta_segments_t spurious;     /* tcp_sock.dsack_dups: sent again, and the peer had it */
    delta_segments_t out_of_order; /* tcp_sock.rcv_ooopack */
    delta_segments_t ecn_marks;    /* tcp_sock.delivered_ce: sent, and marked on the way */
    level_flows_t syn_waiting;     /* 1: its SYN has no answer at the window's end */
    peak_usec_t syn_waiting_us;    /* since opened_ns */
    level_bytes_t in_flight;       /* tcp_sock.snd_nxt - snd_una */
    level_bytes_t unsent;          /* tcp_sock.write_seq - snd_nxt */
    level_bytes_t unread;          /* tcp_sock.rcv_nxt - copied_seq: received, and not read by the program */
    __u8 role;                     /* enum role */
    __u8 app_limited;              /* tcp_sock.rate_app_limited: the sample says what the program sent */
    __u8 pad[6];
};

_Static_assert(sizeof(struct tcp_health) == 144, "tcp_health grew a hole");
