/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Sockets that are older than the probe: every file of every process, in all network namespaces, at start-up
 * only. Listeners first, because a connection's role is told by the listeners of its namespace. Not found:
 * sockets that no descriptor names (orphans, not yet accepted ones); they are counted when they close. */
#pragma once

#include "tcp_flow.bpf.h"

static __always_inline struct sock *tcp_socket_of(struct bpf_iter__task_file *ctx) {
    struct file *file = ctx->file; /* loaded once: the verifier takes a second load for another pointer */
    struct socket *socket;
    struct sock *sk;

    if (!file || !(socket = bpf_sock_from_file(file)) || !(sk = socket->sk))
        return NULL;
    __u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);
    if ((family != AF_INET && family != AF_INET6) || BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP)
        return NULL;
    return sk;
}

static __always_inline struct tcp_owner *owner_of(struct sock *sk, struct task_struct *task) {
    struct tcp_owner *owner = bpf_sk_storage_get(&tcp_owner, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);

    if (!owner)
        count_lost(LOST_STORAGE);
    else if (!owner->pid)
        own(owner, task);
    return owner;
}

SEC("iter/task_file")
int tcp_listener_scan(struct bpf_iter__task_file *ctx) {
    struct task_struct *task = ctx->task;
    struct sock *sk = tcp_socket_of(ctx);
    struct tcp_owner *owner;

    if (!task || !sk || BPF_CORE_READ(sk, __sk_common.skc_state) != TCP_LISTEN ||
        !(owner = owner_of(sk, task)))
        return 0;
    owner->role = ROLE_SERVER;
    add_listener(sk);
    return 0;
}

SEC("iter/task_file")
int tcp_flow_scan(struct bpf_iter__task_file *ctx) {
    struct task_struct *task = ctx->task;
    struct sock *sk = tcp_socket_of(ctx);
    struct tcp_owner *owner;
    __u8 state;

    if (!task || !sk)
        return 0;
    state = BPF_CORE_READ(sk, __sk_common.skc_state);
    if (state == TCP_CLOSE || state == TCP_LISTEN || !(owner = owner_of(sk, task)) || owner->slot)
        return 0;
    owner->role = role_by_listener(sk);
    open_flow(sk, owner, FLOW_PREDATES);
    return 0;
}
