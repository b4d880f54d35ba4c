/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The fields of a row of tcp_flow, read from the socket. */
#pragma once

#include "owner.bpf.h"
#include "tcp_listener.bpf.h"
#include "tcp_place.bpf.h"

static __always_inline void read_addresses(struct tcp_flow *row, struct tcp_sock *tp,
                                           const enum access access) {
    row->family = READ(access, tp, TCP_COMMON.skc_family);
    /* not skc_num: it is 0 by the time of CLOSE */
    row->local_port = bpf_ntohs(READ(access, tp, TCP_INET.inet_sport));
    row->remote_port = bpf_ntohs(READ(access, tp, TCP_COMMON.skc_dport));
    if (row->family == AF_INET6) {
        BPF_CORE_READ_INTO(&row->local, tp, TCP_COMMON.skc_v6_rcv_saddr);
        BPF_CORE_READ_INTO(&row->remote, tp, TCP_COMMON.skc_v6_daddr);
    } else {
        __builtin_memset(row->local, 0, 10);
        __builtin_memset(row->remote, 0, 10);
        row->local[10] = row->local[11] = row->remote[10] = row->remote[11] = 0xff;
        *(__be32 *)(row->local + 12) = READ(access, tp, TCP_INET.inet_saddr);
        *(__be32 *)(row->remote + 12) = READ(access, tp, TCP_COMMON.skc_daddr);
    }
}

/* Whether the caller holds the socket's lock: at CLOSE yes, in the report pass no. */
enum lock { UNLOCKED, LOCKED };

/* A CPU may be changing the socket: it is locked from softirq or from a process. */
static __always_inline bool is_locked(struct tcp_sock *tp) {
    __u32 spinning = 0;

    bpf_probe_read_kernel(&spinning, sizeof spinning, &tp->TCP_INET.sk.sk_lock.slock);
    return spinning || BPF_CORE_READ(tp, TCP_INET.sk.sk_lock.owned);
}

/* bytes_received, less a FIN: tcp_fin() sets SOCK_DONE a moment after its sequence number was counted as a
 * byte. A read without the lock may come in between: then the next report has the last byte. */
static __always_inline bytes_t without_fin(bytes_t received, bytes_t before, struct tcp_sock *tp,
                                           const enum access access, const enum lock lock) {
    __u64 fin_seen = 1ULL << bpf_core_enum_value(enum sock_flags, SOCK_DONE);
    bool unsure;

    if (received <= before)
        return before;
    unsure = lock == UNLOCKED && is_locked(tp);
    barrier();
    return unsure || (READ(access, tp, TCP_COMMON.skc_flags) & fin_seen) ? received - 1 : received;
}

/* What changes when the flow takes an RTT sample. An odd number has its samples; without the callbacks an even
 * one has tcp_sock.delivered: the kernel measures what is acknowledged. This also counts acknowledgements of
 * retransmitted segments, which give no sample without TCP timestamps (Karn), and all that one round trip
 * acknowledges. The callbacks come once per round trip: a sender whose round trip is longer than the window
 * has windows without a sample. */
static __always_inline __u32 rtt_progress(samples_t samples, struct tcp_sock *tp, const enum access access) {
    return samples ? samples << 1 | 1 : READ(access, tp, delivered) << 1;
}

#define NO_SAMPLES 0

static __always_inline void read_counters(struct tcp_counters *now, struct tcp_sock *tp, samples_t samples,
                                          const struct handshake *handshake, const enum access access) {
    /* first: the segment that brought the sample has been counted by then */
    now->rtt_progress = rtt_progress(samples, tp, access);
    barrier();
    now->bytes_sent = READ(access, tp, bytes_sent) - READ(access, tp, bytes_retrans);
    now->segs_sent = READ(access, tp, segs_out);
    now->segs_rcvd = READ(access, tp, segs_in);
    now->segs_resent = READ(access, tp, total_retrans);
    now->bytes_rcvd = READ(access, tp, bytes_received);
    now->data_segs_sent = READ(access, tp, data_segs_out);
    now->data_segs_rcvd = READ(access, tp, data_segs_in);
    read_health(&now->health, tp, handshake, access);
}

/* The fields that change from report to report, of both kinds of rows. The deltas are from `base`; the new
 * base is in `now`. `lock`: whether the caller holds the socket. */
#define READ_STATE(row, tp, slot, base, now, access, lock)                                                   \
    do {                                                                                                     \
        read_counters(now, tp, samples_of(slot), &(slot)->handshake, access);                                \
        /* tcp_retransmit_skb() raises bytes_retrans before bytes_sent */                                    \
        if ((now)->bytes_sent < (base)->bytes_sent)                                                          \
            (now)->bytes_sent = (base)->bytes_sent;                                                          \
        (row)->bytes_sent = (now)->bytes_sent - (base)->bytes_sent;                                          \
        (row)->segs_sent = (now)->segs_sent - (base)->segs_sent;                                             \
        (row)->segs_rcvd = (now)->segs_rcvd - (base)->segs_rcvd;                                             \
        (row)->segs_resent = (now)->segs_resent - (base)->segs_resent;                                       \
        (row)->data_segs_sent = (now)->data_segs_sent - (base)->data_segs_sent;                              \
        (row)->data_segs_rcvd = (now)->data_segs_rcvd - (base)->data_segs_rcvd;                              \
        (row)->busy_us = passed_us(&(now)->health.busy_ticks, (base)->health.busy_ticks, jiffy_us);          \
        (row)->min_rtt_us = min_rtt(tp, access);                                                             \
        (row)->known = tcp_known();                                                                          \
        if ((now)->rtt_progress != (base)->rtt_progress)                                                     \
            (row)->flags |= FLOW_MEASURED;                                                                   \
        (row)->rtt_us = READ(access, tp, srtt_us) >> 3;                                                      \
        (row)->rtt_var_us = READ(access, tp, mdev_us) >> 2;                                                  \
        (row)->lost_segments =                                                                               \
            (lock) == LOCKED ? 0 : READ(access, tp, lost_out); /* a closed flow has none */                  \
        (row)->state = READ(access, tp, TCP_COMMON.skc_state);                                               \
        (now)->bytes_rcvd = without_fin((now)->bytes_rcvd, (base)->bytes_rcvd, tp, access, lock);            \
        (row)->bytes_rcvd = (now)->bytes_rcvd - (base)->bytes_rcvd;                                          \
    } while (0)

static __always_inline void read_state(struct tcp_flow *row, struct tcp_sock *tp, const struct tcp_slot *slot,
                                       const struct tcp_counters *base, struct tcp_counters *now,
                                       const enum access access, const enum lock lock) {
    READ_STATE(row, tp, slot, base, now, access, lock);
    row->rtt_sum_us = slot->rtt_sum_us;
    row->rtt_samples = slot->rtt_samples;
    row->rtt_min_us = slot->rtt_min_us;
    row->rtt_max_us = slot->rtt_max_us;
    if (samples_of(slot))
        row->flags |= FLOW_SAMPLED;
}

static __always_inline void write_owner(struct tcp_flow *flow, const struct owner *owner) {
    flow->cgroup = owner->cgroup.cgroup;
    flow->hierarchy = owner->cgroup.hierarchy;
    flow->pid = owner->pid;
    __builtin_memcpy(flow->comm, owner->comm, sizeof flow->comm);
}
