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

static __always_inline __u64 seen_at(__u32 seq, __u32 srtt_us) {
    return (__u64)seq << 32 | srtt_us;
}

/* Every program reads the last look before the socket and takes its turn by an exchange, so that each sample
 * counts once, whoever sees it. Without the socket's lock, what changes meanwhile is left to the next look; and a
 * slot that another flow took meanwhile is left to it. */
static __always_inline void look_at_rtt(struct tcp_slot *slot, struct tcp_sock *tp, const enum access access,
                                        const enum lock lock) {
    __u64 last = *(volatile __u64 *)&slot->look.at;
    __u32 last_srtt_us = last, last_mdev_us = *(volatile __u32 *)&slot->look.mdev_us;
    __u32 seq, srtt_us, mdev_us;
    bool is_proved;
    int us;

    barrier();
    seq = READ(access, tp, rtt_seq);
    srtt_us = READ(access, tp, srtt_us);
    mdev_us = READ(access, tp, mdev_us);
    if ((seen_at(seq, srtt_us) == last && mdev_us == last_mdev_us) || !srtt_us || slot->smoothed)
        return;
    barrier();
    if (lock == UNLOCKED && (READ(access, tp, srtt_us) != srtt_us || READ(access, tp, rtt_seq) != seq))
        return;
    us = last_srtt_us ? srtt_us - (last_srtt_us - (last_srtt_us >> 3)) : srtt_us >> 3;
    is_proved = us >= 0 && mdev_after(last_srtt_us, last_mdev_us, us) == mdev_us;
    if (lock == UNLOCKED && !is_proved && is_locked(tp))
        return;
    if (lock == UNLOCKED &&
        *(volatile __u64 *)&slot->flow.socket != (__u64)READ(access, tp, TCP_COMMON.skc_cookie.counter))
        return;
    if (__sync_val_compare_and_swap(&slot->look.at, last, seen_at(seq, srtt_us)) != last)
        return;
    *(volatile __u32 *)&slot->look.mdev_us = mdev_us;
    if (last_srtt_us && seq == last >> 32)
        return; /* within a round trip */
    if (!is_proved) {
        us = READ(access, tp, rack.rtt_us) ?: srtt_us >> 3;
        judge_looks(slot);
    }
    count_sample(slot, us);
}

/* Samples before this are not of the flow. */
static __always_inline void skip_samples(struct tcp_slot *slot, struct tcp_sock *tp) {
    slot->look.at = seen_at(tp->rtt_seq, tp->srtt_us);
    slot->look.mdev_us = tp->mdev_us;
}
