/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Every RTT sample, one per round trip, from sock_ops: for kernels without the hooks of rtt_look.bpf.h; from
 * tcp_probe, where looks at calls are not enough; and the resets. */
#pragma once

#include "tcp/tcp_flow.bpf.h"

/* Callbacks are requested when a socket connects or listens, so that the handshake's sample is included;
 * accepted sockets inherit the flag. Sockets of a listener without it get the flag when they are
 * established, and the handshake's sample is then srtt_us. That of an accepted socket comes before its slot:
 * sample_handshake() counts it. Flags of other programs stay. */
SEC("?sockops")
int tcp_rtt(struct bpf_sock_ops *ops) {
    struct tcp_total_sums *sums;
    struct tcp_opener *refused;
    struct tcp_slot *slot;
    struct bpf_sock *sk;
    __u64 cookie;
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
    if (!us || !rtt_args || !(sk = ops->sk))
        return 1;
    cookie = bpf_get_socket_cookie(ops);
    slot = slot_by(cookie, (__u64)sk);
    if (slot)
        count_sample(slot, us);
    else if ((refused = refused_of(cookie)) &&
             (sums = sums_of(&refused->owner.cgroup, refused->netns, refused->role)))
        add_sample(sums, us);
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

/* Every segment that arrives on an established connection, just before it is looked at: between two looks there
 * is one update at most, also of bulk and of MPTCP's subflows. */
SEC("?tp_btf/tcp_probe")
int BPF_PROG(tcp_rtt_probe, struct sock *sk) {
    struct tcp_slot *slot = slot_of(sk);

    if (slot)
        look_at_rtt(slot, CAST(struct tcp_sock, sk), TYPED, LOCKED);
    return 0;
}

/* Of a connection that is open, that has just closed, or that found no slot. */
static __always_inline struct tcp_total_sums *sums_of_socket(struct sock *sk) {
    __u64 cookie = sk ? sk->__sk_common.skc_cookie.counter : 0;
    struct cgroup_key cgroup = {};
    struct tcp_opener *refused;
    struct tcp_closed *closed;
    struct tcp_slot *slot;

    if (!cookie)
        return NULL;
    slot = slot_by(cookie, (__u64)sk);
    if (slot) {
        confirm_by_user(slot);
        cgroup.cgroup = slot->flow.cgroup;
        cgroup.hierarchy = slot->flow.hierarchy;
        return sums_of(&cgroup, slot->flow.netns, slot->flow.role);
    }
    closed = closed_at(cookie);
    if (closed->socket == cookie)
        return sums_of(&closed->cgroup, closed->netns, closed->role);
    refused = refused_of(cookie);
    return refused ? sums_of(&refused->owner.cgroup, refused->netns, refused->role) : NULL;
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
