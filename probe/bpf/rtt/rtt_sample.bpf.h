/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* An RTT sample of a flow. */
#pragma once

#include "tcp/tcp_owner.bpf.h"

static __always_inline void sample_flow(struct tcp_slot *slot, usec_t us) {
    __sync_fetch_and_add(&slot->rtt_sum_us, us);
    if (!__sync_fetch_and_add(&slot->rtt_samples, 1) || us < slot->rtt_min_us)
        slot->rtt_min_us = us;
    if (us > slot->rtt_max_us)
        slot->rtt_max_us = us;
}

/* No process has the descriptor yet. For MPTCP's subflows, one may have that of the connection. */
static __always_inline bool is_handshake(const struct tcp_slot *slot) {
    return !slot->flow.established_ns && slot->application == slot->sk;
}

/* The handshake of an accepted connection is over before a process accepts or uses it: its sample waits for
 * the owner. A global function: the verifier walks it once, not once for each caller. */
__attribute__((noinline)) int count_sample(struct tcp_slot *slot, usec_t us) {
    if (!slot)
        return 0;
    sample_flow(slot, us);
    if (is_guess(slot) && !is_handshake(slot))
        confirm_by_user(slot);
    if ((slot->flow.flags & FLOW_GUESSED) && let_wait(slot, us))
        return 0;
    return add_to_total(slot->flow.cgroup, slot->flow.hierarchy, slot->flow.netns, slot->flow.role, us);
}
