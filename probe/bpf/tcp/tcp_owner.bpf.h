/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* A TCP flow and who owns it. */
#pragma once

#include "owner.bpf.h"
#include "tcp_slot.bpf.h"
#include "tcp_row.bpf.h"
#include "rtt/tcp_total.bpf.h"

/* Counts the samples that waited for the owner: now the owner is known, or will not become known. A global
 * function: the verifier walks it once, not once for each caller. */
__attribute__((noinline)) int count_all_waiting(struct tcp_slot *slot) {
    usec_t waiting;

    if (!slot)
        return 0;
    for (int i = 0; i < WAITING_SAMPLES; i++) {
        waiting = __sync_lock_test_and_set(&slot->waiting_us[i], 0);
        if (waiting)
            add_to_total(slot->flow.cgroup, slot->flow.hierarchy, slot->flow.netns, slot->flow.role,
                         waiting - 1);
    }
    return 0;
}

static __always_inline void count_waiting(struct tcp_slot *slot) {
    if (slot->waiting_us[0] | slot->waiting_us[1])
        count_all_waiting(slot);
}

/* Returns false when enough samples wait. */
static __always_inline bool let_wait(struct tcp_slot *slot, usec_t us) {
    for (int i = 0; i < WAITING_SAMPLES; i++)
        if (!slot->waiting_us[i] && !__sync_val_compare_and_swap(&slot->waiting_us[i], 0, us + 1))
            return true;
    return false;
}

static __always_inline bool is_guess(const struct tcp_slot *slot) {
    return slot->flow.flags & (FLOW_GUESSED | FLOW_OWNERLESS);
}

/* The flow's owner is no guess any more, or has changed. */
static __always_inline void confirm_flow(struct tcp_slot *slot, const struct owner *owner) {
    write_owner(&slot->flow, owner);
    slot->flow.flags &= ~(FLOW_GUESSED | FLOW_OWNERLESS);
    count_waiting(slot);
}

/* A process accepted it, or used it: use of MPTCP is not seen at the flow's own socket. A subflow that
 * goes to another container within a window belongs to the new owner for the whole window. */
static __always_inline void confirm_by_user(struct tcp_slot *slot) {
    struct sock *application = (struct sock *)slot->application;
    bool is_own = slot->application == slot->sk;
    struct user *user;

    if (is_own && !is_guess(slot))
        return;
    user = user_of(application);
    if (!user)
        return;
    if (slot->flow.pid != user->owner.pid || is_guess(slot))
        confirm_flow(slot, &user->owner);
    if (is_own)
        forget_user(application);
}

/* The last resort for an owner: the process that closes its end, always in process context. */
static __always_inline void own_by_closer(struct tcp_slot *slot) {
    struct owner owner = {};

    confirm_by_user(slot);
    if (!is_guess(slot) || (bpf_get_current_task_btf()->flags & PF_KTHREAD))
        return;
    own_as_current(&owner);
    slot->user = owner.pid;
    confirm_flow(slot, &owner);
}

/* Who has a flow when it is opened. */
struct tcp_opener {
    struct owner owner;
    process_id_t user;
    __u32 role;  /* enum role */
    __u32 flags; /* enum flow_flags */
    netns_id_t netns;
};

/* connect(2), or a kernel thread that adds a subflow to an MPTCP connection. */
static __always_inline int own_connecting(struct sock *sk, struct tcp_opener *opener) {
    struct sock *application = application_of(sk);

    opener->role = ROLE_CLIENT;
    if (application != sk && (bpf_get_current_task_btf()->flags & PF_KTHREAD)) {
        own_by_socket(&opener->owner, sk, TYPED);
        opener->flags = FLOW_OWNERLESS;
        return 0;
    }
    own_as_current(&opener->owner);
    opener->user = opener->owner.pid;
    if (application != sk)
        note_user(application, &opener->owner);
    return 0;
}

/* Accepted: whoever listens, until somebody uses it. */
static __noinline int own_accepted(struct sock *sk, struct tcp_opener *opener) {
    struct listener *listener = listener_of(sk);

    if (listener)
        opener->owner = listener->owner;
    else
        own_by_socket(&opener->owner, sk, TYPED);
    opener->flags = opener->owner.pid ? FLOW_GUESSED : FLOW_OWNERLESS;
    return 0;
}
