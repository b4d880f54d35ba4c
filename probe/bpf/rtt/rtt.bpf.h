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
    else if ((refused = refused_of(cookie)))
        add_to_total(refused->owner.cgroup.cgroup, refused->owner.cgroup.hierarchy, refused->netns,
                     refused->role, us);
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
static __always_inline int count_reset_of(struct sock *sk, enum direction direction) {
    __u64 cookie = sk ? sk->__sk_common.skc_cookie.counter : 0;
    struct tcp_opener *refused;
    struct tcp_closed *closed;
    struct tcp_slot *slot;

    if (!cookie)
        return 0;
    slot = slot_by(cookie, (__u64)sk);
    if (slot) {
        confirm_by_user(slot);
        return count_reset(slot->flow.cgroup, slot->flow.hierarchy, slot->flow.netns, slot->flow.role,
                           direction);
    }
    closed = closed_at(cookie);
    if (closed->socket == cookie)
        return count_reset(closed->cgroup.cgroup, closed->cgroup.hierarchy, closed->netns, closed->role,
                           direction);
    refused = refused_of(cookie);
    if (refused)
        count_reset(refused->owner.cgroup.cgroup, refused->owner.cgroup.hierarchy, refused->netns,
                    refused->role, direction);
    return 0;
}

/* For known connections: the answer to a port without a listener has no owner, and the answer of a
 * listener to a stray segment belongs to no connection. */
SEC("?tp_btf/tcp_send_reset")
int BPF_PROG(tcp_send_reset, struct sock *sk) {
    return sk && sk->__sk_common.skc_state == TCP_LISTEN ? 0 : count_reset_of(sk, SENT);
}

SEC("?tp_btf/tcp_receive_reset")
int BPF_PROG(tcp_receive_reset, struct sock *sk) {
    return count_reset_of(sk, RECEIVED);
}
