/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Counters of tcp_sock that say why it is slow. They lie in cache lines that the report reads anyway; what lies
 * beside them is read only when it is asked for. */
#pragma once

#include "kernel.h"
#include "tcp_health.h"

/* clang writes BTF only for types that a map, a global or a function names */
const enum tcp_known *tcp_known_type __attribute__((unused));

/* What is asked for, and there. */
const volatile bool read_limits;
const volatile bool read_stalls;
const volatile bool read_timeouts;
const volatile bool read_queueing;
const volatile bool read_throughput;

const volatile __u32 jiffy_us; /* a tick of the kernel, CONFIG_HZ: tcp_sock.chrono_stat counts them */

static __always_inline __u8 tcp_known(void) {
    return KNOWN_SEGMENTS | (read_limits ? KNOWN_LIMITS : 0) | (read_stalls ? KNOWN_STALLS : 0) |
           (read_timeouts ? KNOWN_TIMEOUTS : 0) | (read_queueing ? KNOWN_QUEUEING : 0) |
           (read_throughput ? KNOWN_THROUGHPUT : 0);
}

/* Times in the kernel's units: in microseconds they would wrap within an hour. */
struct health_counters {
    __u32 busy_ticks;
    __u32 receiver_ticks;
    __u32 sndbuf_ticks;
    __u32 stalled_ms;
    segments_t out_of_order;
    segments_t ecn_marks;
    segments_t spurious;
    __u16 timeouts;
    __u16 recoveries;
    segments_t syn_resent;
};

/* What belongs to the handshake: segments that are sent again until ESTABLISHED are SYNs, and their time-outs
 * no stalls of data. */
struct handshake {
    segments_t syn_resent;
    __u32 stalled_ms;
    __u16 timeouts;
    __u16 recoveries;
};

/* enum tcp_chrono (net/tcp.h) */
#define CHRONO_BUSY 0
#define CHRONO_RWND_LIMITED 1
#define CHRONO_SNDBUF_LIMITED 2

#define CHRONO_TYPE(access, tp)                                                                              \
    ((access) == TYPED ? BPF_CORE_READ_BITFIELD(tp, chrono_type)                                             \
                       : BPF_CORE_READ_BITFIELD_PROBED(tp, chrono_type))

/* As tcp_get_info_chrono_stats(): what runs now is counted until now. The socket may change meanwhile: then its
 * start has. */
static __always_inline void read_chrono(struct health_counters *now, struct tcp_sock *tp,
                                        const enum access access) {
    __u32 start = READ(access, tp, chrono_start), type = CHRONO_TYPE(access, tp), running = 0;
    __u32 busy, receiver, sndbuf;

    barrier();
    busy = READ(access, tp, chrono_stat[CHRONO_BUSY]);
    receiver = READ(access, tp, chrono_stat[CHRONO_RWND_LIMITED]);
    sndbuf = READ(access, tp, chrono_stat[CHRONO_SNDBUF_LIMITED]);
    barrier();
    if (type && start == READ(access, tp, chrono_start))
        running = (__u32)bpf_jiffies64() - start;
    if (type == CHRONO_RWND_LIMITED + 1)
        receiver += running;
    else if (type == CHRONO_SNDBUF_LIMITED + 1)
        sndbuf += running;
    else
        busy += running;
    now->receiver_ticks = receiver;
    now->sndbuf_ticks = sndbuf;
    now->busy_ticks = busy + receiver + sndbuf;
}

static __always_inline __u32 stalled_ms(struct tcp_sock *tp, const enum access access) {
    __u32 total = READ(access, tp, total_rto_time), since = READ(access, tp, rto_stamp);

    return total + (since ? (__u32)(bpf_ktime_get_ns() / 1000000) - since : 0);
}

/* SYNs are always read: the share of the data that was sent again is without them. */
static __always_inline void read_resent(struct health_counters *now, struct tcp_sock *tp,
                                        const struct handshake *handshake, const enum access access) {
    segments_t resent = READ(access, tp, total_retrans);

    if (READ(access, tp, TCP_COMMON.skc_state) == TCP_SYN_SENT) {
        now->syn_resent = resent;
        return;
    }
    now->syn_resent = handshake->syn_resent;
    if (!resent || !read_stalls)
        return;
    now->spurious = READ(access, tp, dsack_dups);
    if (read_timeouts && bpf_core_field_exists(tp->total_rto)) {
        now->timeouts = READ(access, tp, total_rto) - handshake->timeouts;
        now->recoveries = READ(access, tp, total_rto_recoveries) - handshake->recoveries;
        now->stalled_ms = stalled_ms(tp, access) - handshake->stalled_ms;
    }
}

static __always_inline void read_health(struct health_counters *now, struct tcp_sock *tp,
                                        const struct handshake *handshake, const enum access access) {
    __builtin_memset(now, 0, sizeof *now);
    if (read_limits)
        read_chrono(now, tp, access);
    read_resent(now, tp, handshake, access);
    now->out_of_order = READ(access, tp, rcv_ooopack);
    now->ecn_marks = READ(access, tp, delivered_ce);
}

/* At ESTABLISHED: segments that are sent again from now on are data. */
static __always_inline void end_handshake(struct handshake *handshake, struct tcp_sock *tp) {
    if (!tp->total_retrans)
        return;
    handshake->syn_resent = tp->total_retrans;
    if (read_timeouts && bpf_core_field_exists(tp->total_rto)) {
        handshake->timeouts = tp->total_rto;
        handshake->recoveries = tp->total_rto_recoveries;
        handshake->stalled_ms = stalled_ms(tp, TYPED);
    }
}

/* A counter that was read while the socket changed may be a little too high: the next value waits for it. So does
 * one that falls when the handshake's part of it becomes known. */
static __always_inline __u32 risen(__u32 *now, __u32 before) {
    if ((int)(*now - before) < 0)
        *now = before;
    return *now - before;
}

static __always_inline __u16 risen_short(__u16 *now, __u16 before) {
    if ((short)(*now - before) < 0)
        *now = before;
    return *now - before;
}

/* The time that passed, up to the 71 minutes that fit. */
static __always_inline usec_t passed_us(__u32 *now, __u32 before, __u32 unit_us) {
    __u64 us = (__u64)risen(now, before) * unit_us;

    return us > ~0U ? ~0U : us;
}

/* ~0: no sample yet. */
static __always_inline usec_t min_rtt(struct tcp_sock *tp, const enum access access) {
    usec_t us = read_queueing ? READ(access, tp, rtt_min.s[0].v) : 0;

    return us == ~0U ? 0 : us;
}
