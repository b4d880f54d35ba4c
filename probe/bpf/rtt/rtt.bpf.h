/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Every RTT sample that the kernel takes, one per round trip, and the resets. */
#pragma once

#include "tcp/tcp_flow.bpf.h"

static __always_inline void sample_flow(struct tcp_slot *slot, usec_t us) {
    slot->rtt_sum_us += us;
    if (!slot->rtt_samples++ || us < slot->rtt_min_us)
        slot->rtt_min_us = us;
    if (us > slot->rtt_max_us)
        slot->rtt_max_us = us;
}

/* No process has the descriptor yet. For MPTCP's subflows, one may have that of the connection. */
static __always_inline bool is_handshake(const struct tcp_slot *slot) {
    return !slot->flow.established_ns && slot->application == slot->sk;
}

/* The handshake of an accepted connection is over before a process accepts or uses it: its sample waits for
 * the owner. */
static __always_inline void count_sample(struct socket_owner *entry, struct tcp_slot *slot, usec_t us) {
    struct cgroup_key cgroup = entry->owner.cgroup;
    struct tcp_total_sums *sums;

    if (slot) {
        sample_flow(slot, us);
        if (is_guess(slot) && !is_handshake(slot))
            confirm_by_user(slot);
        cgroup.cgroup = slot->flow.cgroup;
        cgroup.hierarchy = slot->flow.hierarchy;
        if ((slot->flow.flags & FLOW_GUESSED) && let_wait(slot, us))
            return;
    }
    sums = sums_of(&cgroup, entry->netns, entry->role);
    if (sums)
        add_sample(sums, us);
}

/* A sample of a flow with an owner, found in the cache without a call. */
static __always_inline bool count_known(struct bpf_sock *sk, usec_t us) {
    struct tcp_slot *slot = known_slot(CAST(struct sock, sk)->__sk_common.skc_cookie.counter);
    struct cgroup_key cgroup = {};
    struct tcp_total_sums *sums;

    if (!slot || is_guess(slot))
        return false;
    cgroup.cgroup = slot->flow.cgroup;
    cgroup.hierarchy = slot->flow.hierarchy;
    sums = sums_of(&cgroup, slot->flow.netns, slot->flow.role);
    sample_flow(slot, us);
    if (sums)
        add_sample(sums, us);
    return true;
}

/* Callbacks are requested when a socket connects or listens, so that the handshake's sample is included;
 * accepted sockets inherit the flag. Sockets of a listener without it get the flag when they are
 * established, and the handshake's sample is then srtt_us. Flags of other programs stay. */
SEC("?sockops")
int tcp_rtt(struct bpf_sock_ops *ops) {
    struct socket_owner *entry;
    struct tcp_slot *slot;
    struct bpf_sock *sk;
    usec_t us = 0;

    switch (ops->op) {
    case BPF_SOCK_OPS_RTT_CB:
        us = ops->args[0];
        if (us && !rtt_args)
            rtt_args = true;
        break;
    case BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB:
    case BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB:
        if (ops->bpf_sock_ops_cb_flags & BPF_SOCK_OPS_RTT_CB_FLAG)
            return 1;
        us = ops->srtt_us >> 3;
        __attribute__((fallthrough));
    case BPF_SOCK_OPS_TCP_CONNECT_CB:
    case BPF_SOCK_OPS_TCP_LISTEN_CB:
        bpf_sock_ops_cb_flags_set(ops, ops->bpf_sock_ops_cb_flags | BPF_SOCK_OPS_RTT_CB_FLAG);
    }
    if (!us || !rtt_args || !(sk = ops->sk) || (CAN_CAST && count_known(sk, us)) ||
        !(entry = bpf_sk_storage_get(&socket_owner, sk, NULL, 0)))
        return 1;
    slot = entry->slot ? tcp_slot_at(entry->slot - 1) : NULL;
    if (slot && slot->sk != (__u64)sk)
        slot = NULL;
    if (slot)
        known_of(slot->flow.socket)->slot = entry->slot;
    count_sample(entry, slot, us);
    return 1;
}

#define TCP_BPF_SOCK_OPS_CB_FLAGS 1008 /* linux/bpf.h */

/* Connections older than the probe, and listeners, whose connections inherit it. */
SEC("?iter/tcp")
int tcp_rtt_scan(struct bpf_iter__tcp *ctx) {
    struct sock_common *common = ctx->sk_common;
    struct tcp_sock *tp;
    int flags;

    if (!common || !(tp = bpf_skc_to_tcp_sock(common)))
        return 0;
    flags = tp->bpf_sock_ops_cb_flags | BPF_SOCK_OPS_RTT_CB_FLAG;
    bpf_setsockopt(tp, IPPROTO_TCP, TCP_BPF_SOCK_OPS_CB_FLAGS, &flags, sizeof flags);
    return 0;
}

static __always_inline struct tcp_total_sums *sums_of_socket(struct sock *sk) {
    struct socket_owner *entry = sk ? bpf_sk_storage_get(&socket_owner, sk, NULL, 0) : NULL;
    struct cgroup_key cgroup;
    struct tcp_slot *slot;

    if (!entry)
        return NULL;
    cgroup = entry->owner.cgroup;
    slot = slot_of(sk, entry);
    if (slot) {
        confirm_by_user(slot);
        cgroup.cgroup = slot->flow.cgroup;
        cgroup.hierarchy = slot->flow.hierarchy;
    }
    return sums_of(&cgroup, entry->netns, entry->role);
}

/* For known connections: the answer to a port without a listener has no owner, and the answer of a
 * listener to a stray segment belongs to no connection. */
SEC("?tp_btf/tcp_send_reset")
int BPF_PROG(tcp_send_reset, struct sock *sk) {
    bool listens = sk && sk->__sk_common.skc_state == TCP_LISTEN;
    struct tcp_total_sums *sums = listens ? NULL : sums_of_socket(sk);

    if (sums)
        __sync_fetch_and_add(&sums->resets_sent, 1);
    return 0;
}

SEC("?tp_btf/tcp_receive_reset")
int BPF_PROG(tcp_receive_reset, struct sock *sk) {
    struct tcp_total_sums *sums = sums_of_socket(sk);

    if (sums)
        __sync_fetch_and_add(&sums->resets_rcvd, 1);
    return 0;
}
