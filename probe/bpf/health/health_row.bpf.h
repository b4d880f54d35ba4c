/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* A row of tcp_health, if the flow has something to tell. */
#pragma once

#include "tcp/tcp_row.bpf.h"

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 1024 * 1024); /* default; the probe resizes it */
} tcp_health SEC(".maps");

/* Positive part of a - b, both sequence numbers. */
static __always_inline __u32 beyond(__u32 a, __u32 b) {
    return (int)(a - b) > 0 ? a - b : 0;
}

#define APP_LIMITED(access, tp)                                                                              \
    ((access) == TYPED ? BPF_CORE_READ_BITFIELD(tp, rate_app_limited)                                        \
                       : BPF_CORE_READ_BITFIELD_PROBED(tp, rate_app_limited))

/* The newest rate sample, as tcp_compute_delivery_rate(): of a flow that sent something since its last report. */
static __always_inline void read_rate(struct tcp_health *row, struct tcp_sock *tp, const enum access access) {
    __u32 interval_us = READ(access, tp, rate_interval_us);
    __u64 bytes = (__u64)READ(access, tp, rate_delivered) * READ(access, tp, mss_cache);

    if (!interval_us)
        return;
    row->delivery_rate = bytes * 1000000 / interval_us;
    row->app_limited = APP_LIMITED(access, tp);
}

static __always_inline void read_levels(struct tcp_health *row, struct tcp_sock *tp,
                                        const enum access access) {
    __u32 sent = READ(access, tp, snd_nxt), received = READ(access, tp, rcv_nxt);

    row->in_flight = beyond(sent, READ(access, tp, snd_una));
    row->unsent = beyond(READ(access, tp, write_seq), sent);
    row->unread = beyond(received, READ(access, tp, copied_seq));
}

/* A SYN without an answer. */
static __always_inline void read_waiting(struct tcp_health *row, struct tcp_sock *tp, boot_ns_t now_ns,
                                         const enum access access) {
    if (!read_stalls || READ(access, tp, TCP_COMMON.skc_state) != TCP_SYN_SENT)
        return;
    row->syn_waiting = 1;
    row->syn_waiting_us = now_ns > row->opened_ns ? (now_ns - row->opened_ns) / 1000 : 0;
}

#define RISEN_BYTES (offsetof(struct tcp_health, syn_waiting) - offsetof(struct tcp_health, receiver_us))

/* What the counters of both rows have in common. Returns whether one has risen. A global function: the verifier
 * walks it once, not once for each caller. */
__attribute__((noinline)) int write_risen(struct tcp_health *row, struct health_counters *now,
                                          const struct health_counters *base) {
    if (!row || !now || !base)
        return 0;
    row->receiver_us = passed_us(&now->receiver_ticks, base->receiver_ticks, jiffy_us);
    row->sndbuf_us = passed_us(&now->sndbuf_ticks, base->sndbuf_ticks, jiffy_us);
    row->stalled_us = passed_us(&now->stalled_ms, base->stalled_ms, 1000);
    row->timeouts = risen_short(&now->timeouts, base->timeouts);
    row->recoveries = risen_short(&now->recoveries, base->recoveries);
    row->syn_resent = risen(&now->syn_resent, base->syn_resent);
    row->spurious = risen(&now->spurious, base->spurious);
    row->out_of_order = risen(&now->out_of_order, base->out_of_order);
    row->ecn_marks = risen(&now->ecn_marks, base->ecn_marks);
    return !!(row->receiver_us | row->sndbuf_us | row->stalled_us | row->timeouts | row->recoveries |
              row->syn_resent | row->spurious | row->out_of_order | row->ecn_marks);
}

static __always_inline void write_health_owner(struct tcp_health *row, const struct tcp_flow *flow) {
    row->socket = flow->socket;
    row->cgroup = flow->cgroup;
    row->opened_ns = flow->opened_ns;
    row->closed_ns = row->reported_ns = 0;
    __builtin_memcpy(row->comm, flow->comm, sizeof row->comm);
    row->hierarchy = flow->hierarchy;
    row->pid = flow->pid;
    row->netns = flow->netns;
    row->role = flow->role;
    row->app_limited = 0;
    __builtin_memset(row->pad, 0, sizeof row->pad);
    row->delivery_rate = 0;
    row->syn_waiting = row->syn_waiting_us = row->in_flight = row->unsent = row->unread = 0;
}

/* Of an open flow, in the report pass: `sent` says whether it has sent data in the window. Returns false when it has
 * nothing to tell. */
static __always_inline bool write_health(struct tcp_health *row, struct tcp_sock *tp,
                                         const struct tcp_flow *flow, const struct tcp_counters *base,
                                         struct tcp_counters *now, boot_ns_t now_ns,
                                         const enum access access) {
    bool tells;

    write_health_owner(row, flow);
    tells = write_risen(row, &now->health, &base->health);
    read_waiting(row, tp, now_ns, access);
    if (read_throughput && !row->syn_waiting) {
        read_levels(row, tp, access);
        if (now->data_segs_sent != base->data_segs_sent)
            read_rate(row, tp, access);
    }
    return tells || row->syn_waiting || row->in_flight || row->unsent || row->unread || row->delivery_rate;
}

/* Of a flow that closed: `whole` is its other row. Levels are of open flows. */
static __always_inline void tell_closed(const struct tcp_flow *whole, struct tcp_sock *tp,
                                        const struct health_counters *base, struct health_counters *now) {
    struct tcp_health row = {}, *sent;
    bool tells = write_risen(&row, now, base);

    if (read_throughput && whole->data_segs_sent)
        read_rate(&row, tp, TYPED);
    if (!tells && !row.delivery_rate)
        return;
    sent = bpf_ringbuf_reserve(&tcp_health, sizeof *sent, 0);
    if (!sent) {
        count_lost(LOST_TCP_HEALTH_RING);
        return;
    }
    write_health_owner(sent, whole);
    sent->closed_ns = whole->closed_ns;
    sent->reported_ns = whole->reported_ns;
    sent->delivery_rate = row.delivery_rate;
    sent->app_limited = row.app_limited;
    __builtin_memcpy(&sent->receiver_us, &row.receiver_us, RISEN_BYTES);
    bpf_ringbuf_submit(sent, BPF_RB_NO_WAKEUP);
}

/* Of a flow that another container takes over, to be submitted or discarded; NULL when it has nothing to tell. Made in
 * the ring, because the stack of its callers is full. `now` waits where it is not above `base`. */
static __always_inline struct tcp_health *reserve_told(const struct tcp_flow *whole, struct tcp_sock *tp,
                                                       const struct health_counters *base,
                                                       struct health_counters *now) {
    struct tcp_health *row = bpf_ringbuf_reserve(&tcp_health, sizeof *row, 0);
    bool tells;

    if (!row) {
        count_lost(LOST_TCP_HEALTH_RING);
        return NULL;
    }
    write_health_owner(row, whole);
    row->closed_ns = whole->closed_ns;
    row->reported_ns = whole->reported_ns;
    tells = write_risen(row, now, base);
    if (read_throughput && whole->data_segs_sent)
        read_rate(row, tp, TYPED);
    if (tells || row->delivery_rate)
        return row;
    bpf_ringbuf_discard(row, BPF_RB_NO_WAKEUP);
    return NULL;
}
