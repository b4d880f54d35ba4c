/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* A live TCP flow. */
#pragma once

#include "health/health_counters.bpf.h"
#include "slot.bpf.h"
#include "tcp_flow.h"

/* Counters that only rise, to take deltas from. Those of tcp_health may wrap. */
struct tcp_counters {
    bytes_t bytes_sent;
    bytes_t bytes_rcvd;
    segments_t segs_sent;
    segments_t segs_rcvd;
    segments_t segs_resent;
    __u32 rtt_progress; /* changes with every RTT sample: rtt_progress() */
    segments_t data_segs_sent;
    segments_t data_segs_rcvd;
    struct health_counters health;
};

/* What the last look at the socket's RTT saw. */
struct rtt_look {
    __u64
        at; /* tcp_sock.rtt_seq << 32 | srtt_us, in one word: a call and softirq may look at the same time */
    __u32 mdev_us;
    __u32 unproved; /* samples that are the newest of several */
};

/* That of the handshake, and that of the first data: on the loopback they are acknowledged before the
 * tracepoint of their send(2). */
#define WAITING_SAMPLES 2

struct tcp_slot {
    struct slot slot;
    __u64 sk;          /* struct sock, checked by cookie: it may be gone */
    __u64 application; /* struct sock under which its user is noted: for MPTCP the application's */
    __u64 rtt_sum_us;
    samples_t rtt_samples;
    usec_t rtt_min_us;
    usec_t rtt_max_us;
    process_id_t user; /* a process that was seen using the socket; 0: the owner is a guess */
    __u32 pad;
    usec_t waiting_us[WAITING_SAMPLES]; /* + 1: samples that wait for the owner to be known; 0: none */
    struct rtt_look look;
    __u16 sought;   /* its user was looked for by its descriptor */
    __u16 smoothed; /* looks do not see its samples: its smoothed time counts instead */
    struct handshake handshake;
    struct tcp_counters base[2];
    struct tcp_flow flow;
};

SLOTS(tcp_slot, struct tcp_slot);

const volatile __u32 max_tcp_flows = MAX_FLOWS;

/* 0: the flow's samples are not known, and its smoothed time counts instead. */
static __always_inline samples_t samples_of(const struct tcp_slot *slot) {
    return slot->smoothed ? 0 : slot->rtt_samples;
}

static __always_inline struct tcp_slot *tcp_slot_at(__u32 index) {
    return slot_among(&tcp_slot, index);
}

static __always_inline struct slot *any_tcp_slot(__u32 index) {
    return slot_among(&tcp_slot, index);
}

/* Global functions: the verifier walks their loops once, not once for each caller. */
__attribute__((noinline)) int take_tcp_slot(void) {
    return take_slot(any_tcp_slot, &room.tcp, max_tcp_flows);
}

__attribute__((noinline)) int free_tcp_slot(__u32 index) {
    struct slot *slot = any_tcp_slot(index);

    if (slot)
        free_slot(slot, &room.tcp, index);
    return 0;
}
