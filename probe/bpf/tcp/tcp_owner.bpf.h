/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* A TCP flow and who owns it. */
#pragma once

#include "owner.bpf.h"
#include "tcp_slot.bpf.h"
#include "tcp_row.bpf.h"
#include "rtt/tcp_total.bpf.h"

/* Counts the samples that waited for the owner: now the owner is known, or will not become known. A global
 * function: the verifier walks it once, not once for each caller. */
__attribute__((noinline)) int count_waiting(struct tcp_slot *slot) {
    struct cgroup_key cgroup = {};
    struct tcp_total_sums *sums;
    usec_t waiting;

    if (!slot)
        return 0;
    cgroup.cgroup = slot->flow.cgroup;
    cgroup.hierarchy = slot->flow.hierarchy;
    sums = sums_of(&cgroup, slot->flow.netns, slot->flow.role);
    for (int i = 0; i < WAITING_SAMPLES; i++) {
        waiting = __sync_lock_test_and_set(&slot->waiting_us[i], 0);
        if (waiting && sums)
            add_sample(sums, waiting - 1);
    }
    return 0;
}

/* Returns false when enough samples wait. */
static __always_inline bool let_wait(struct tcp_slot *slot, usec_t us) {
    for (int i = 0; i < WAITING_SAMPLES; i++)
        if (!slot->waiting_us[i]) {
            slot->waiting_us[i] = us + 1;
            return true;
        }
    return false;
}

static __always_inline struct tcp_slot *slot_of(struct sock *sk, const struct socket_owner *entry) {
    struct tcp_slot *slot = entry->slot ? tcp_slot_at(entry->slot - 1) : NULL;

    return slot && slot->sk == (__u64)sk ? slot : NULL;
}

/* The same without the storage; NULL when the storage is needed. */
static __always_inline struct tcp_slot *known_slot(__u64 cookie) {
    struct tcp_slot *slot = tcp_slot_at(known_of(cookie)->slot - 1);

    return slot && slot->flow.socket == cookie ? slot : NULL;
}

static __always_inline bool is_guess(const struct tcp_slot *slot) {
    return slot->flow.flags & (FLOW_GUESSED | FLOW_OWNERLESS);
}

/* The flow's owner is no guess any more, or has changed. */
static __always_inline void confirm_flow(struct tcp_slot *slot, const struct owner *owner) {
    write_owner(&slot->flow, owner);
    slot->flow.flags &= ~(FLOW_GUESSED | FLOW_OWNERLESS);
    if (slot->waiting_us[0])
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
static __always_inline void own_by_closer(struct sock *sk, struct socket_owner *entry) {
    struct tcp_slot *slot = slot_of(sk, entry);

    if (!slot)
        return;
    confirm_by_user(slot);
    if (bpf_get_current_task_btf()->flags & PF_KTHREAD)
        return;
    if (is_guess(slot)) {
        own_by_current(sk, entry);
        confirm_flow(slot, &entry->owner);
    }
}

/* connect(2), or a kernel thread that adds a subflow to an MPTCP connection. */
static __noinline void own_connecting(struct sock *sk, struct socket_owner *entry) {
    struct sock *application = application_of(sk);

    if (application != sk && (bpf_get_current_task_btf()->flags & PF_KTHREAD)) {
        entry->owner.pid = entry->user = 0;
        remember_user(sk->__sk_common.skc_cookie.counter, 0);
        own_by_socket(&entry->owner, sk, TYPED);
        return;
    }
    own_by_current(sk, entry);
    if (application != sk)
        note_user(application, &entry->owner);
}
