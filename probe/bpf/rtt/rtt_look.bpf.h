/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* RTT samples without a program that is called for each: a look at the socket where programs run anyway. The
 * kernel keeps no sample, but tcp_rtt_estimator() leaves enough to recover the last one. From two values of
 * srtt_us, eight times the mean, follows the sample between them, and mdev_us, four times the mean deviation,
 * proves that there was only one. rtt_seq moves once a round trip: these are the samples that sock_ops programs
 * are called for.
 *
 * Whoever answers requests looks often enough: the answer's packet has the acknowledgement, and the receive
 * comes after it. Bulk has many round trips within one send(2): without proof a look takes the newest raw
 * sample, and when these are more than one in a hundred, the flow counts with its smoothed time. */
#pragma once

#include "rtt_sample.bpf.h"

const volatile bool rtt_looks;
/* tcp_probe looks, too: of all flows, bulk and MPTCP's. */
const volatile bool rtt_at_segments;

#define UNPROVED_PERCENT 1

/* mdev_us after a sample, as in tcp_rtt_estimator() (net/ipv4/tcp_input.c). */
static __always_inline __u32 mdev_after(__u32 srtt_us, __u32 mdev_us, usec_t us) {
    int error = (int)us - (int)(srtt_us >> 3);

    if (!srtt_us)
        return us << 1;
    if (error < 0) {
        error = -error - (int)(mdev_us >> 2);
        if (error > 0)
            error >>= 3;
    } else {
        error -= mdev_us >> 2;
    }
    return mdev_us + error;
}

static __always_inline void judge_looks(struct tcp_slot *slot) {
    slot->look.unproved++;
    if (slot->look.unproved > 1 && slot->look.unproved * 100 > slot->rtt_samples * UNPROVED_PERCENT)
        slot->smoothed = 1;
}

static __always_inline void look_at_rtt(struct tcp_slot *slot, struct tcp_sock *tp,
                                        const enum access access) {
    __u32 seq = READ(access, tp, rtt_seq), srtt_us = READ(access, tp, srtt_us);
    __u32 mdev_us = READ(access, tp, mdev_us);
    struct rtt_look last = slot->look;
    int us;

    if (seq == last.seq && srtt_us == last.srtt_us && mdev_us == last.mdev_us)
        return;
    if (slot->smoothed)
        return;
    slot->look.srtt_us = srtt_us;
    slot->look.mdev_us = mdev_us;
    /* softirq and a call may look at the same time: one of them counts */
    if (seq == last.seq || !srtt_us ||
        __sync_val_compare_and_swap(&slot->look.seq, last.seq, seq) != last.seq)
        return;
    us = last.srtt_us ? srtt_us - (last.srtt_us - (last.srtt_us >> 3)) : srtt_us >> 3;
    if (us < 0 || mdev_after(last.srtt_us, last.mdev_us, us) != mdev_us) {
        us = READ(access, tp, rack.rtt_us) ?: srtt_us >> 3;
        judge_looks(slot);
    }
    count_sample(slot, us);
}

/* Samples before this are not of the flow. */
static __always_inline void skip_samples(struct tcp_slot *slot, struct tcp_sock *tp) {
    slot->look.seq = tp->rtt_seq;
    slot->look.srtt_us = tp->srtt_us;
    slot->look.mdev_us = tp->mdev_us;
}
