/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Sockets by their descriptors. At start-up those that are older than the probe: every file of every process, in all network
 * namespaces. Listeners first, because the listeners of a namespace decide the roles of its connections.
 * Then, namespace by namespace, sockets without a descriptor: MPTCP subflows, orphans, connections that
 * are not accepted yet. */
#pragma once

#include "tcp_flow.bpf.h"

static __always_inline struct sock *inet_socket_of(struct file *file) {
    struct socket *socket;
    struct sock *sk;
    __u16 family;

    if (!file || !(socket = bpf_sock_from_file(file)) || !(sk = socket->sk))
        return NULL;
    family = sk->__sk_common.skc_family;
    return family == AF_INET || family == AF_INET6 ? sk : NULL;
}

/* The subflows of an MPTCP socket are out of reach here: tcp_socket_scan finds them and looks up their
 * user. */
static __always_inline void note_mptcp(struct sock *sk, struct task_struct *task) {
    struct owner owner = {};

    if (sk->__sk_common.skc_state == TCP_LISTEN)
        add_listener(sk); /* for the role of connections that fell back to TCP */
    if (user_of(sk))
        return;
    own(&owner, task);
    note_user(sk, &owner);
}

static __always_inline struct socket_owner *find_owner(struct sock *sk, struct task_struct *task) {
    struct socket_owner *entry = bpf_sk_storage_get(&socket_owner, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);

    if (!entry) {
        count_lost(LOST_STORAGE);
    } else if (!entry->owner.pid) {
        entry->netns = netns_of(sk);
        own(&entry->owner, task);
    }
    return entry;
}

/* Listeners and UDP sockets: their owners are the first owners of flows. */
SEC("iter/task_file")
int listener_scan(struct bpf_iter__task_file *ctx) {
    struct task_struct *task =
        ctx->task; /* loaded once: the verifier takes a second load for another pointer */
    struct file *file = ctx->file;
    struct socket_owner *entry;
    struct sock *sk;
    __u16 protocol;

    if (!task || !(sk = inet_socket_of(file)))
        return 0;
    protocol = sk->sk_protocol;
    if (protocol == IPPROTO_UDP)
        find_owner(sk, task);
    else if (is_mptcp(sk))
        note_mptcp(sk, task);
    if (protocol != IPPROTO_TCP || sk->__sk_common.skc_state != TCP_LISTEN || !(entry = find_owner(sk, task)))
        return 0;
    entry->role = ROLE_SERVER;
    add_listener(sk);
    return 0;
}

SEC("iter/task_file")
int tcp_flow_scan(struct bpf_iter__task_file *ctx) {
    struct task_struct *task = ctx->task;
    struct file *file = ctx->file;
    struct socket_owner *entry;
    struct sock *sk;
    __u8 state;

    if (!task || !(sk = inet_socket_of(file)) || sk->sk_protocol != IPPROTO_TCP)
        return 0;
    state = sk->__sk_common.skc_state;
    if (state == TCP_CLOSE || state == TCP_LISTEN || !(entry = find_owner(sk, task)) || entry->slot)
        return 0;
    entry->role = role_by_listener(sk);
    open_flow(sk, entry, FLOW_PREDATES);
    return 0;
}

/* After a pass that found accepted connections that nobody has used yet: who has the descriptor. */
SEC("iter/task_file")
int tcp_user_scan(struct bpf_iter__task_file *ctx) {
    struct task_struct *task = ctx->task;
    struct file *file = ctx->file;
    struct socket_owner *entry;
    struct owner owner = {};
    struct tcp_slot *slot;
    struct sock *sk;

    if (!task || !(sk = inet_socket_of(file)))
        return 0;
    if (is_mptcp(sk)) {
        note_mptcp(sk, task);
        return 0;
    }
    if (sk->sk_protocol != IPPROTO_TCP || !(entry = bpf_sk_storage_get(&socket_owner, sk, NULL, 0)) ||
        !(slot = slot_of(sk, entry)) || !slot->sought || !is_guess(slot))
        return 0;
    own(&owner, task);
    confirm_flow(slot, &owner);
    return 0;
}

static __always_inline bool find_user(struct sock *sk, struct socket_owner *entry) {
    struct user *user = user_of(application_of(sk));

    entry->netns = netns_of(sk);
    if (!user) {
        own_by_socket(&entry->owner, sk, TYPED);
        return false;
    }
    entry->owner = user->owner;
    return true;
}

SEC("?iter/tcp")
int tcp_socket_scan(struct bpf_iter__tcp *ctx) {
    struct sock_common *common = ctx->sk_common;
    struct socket_owner *entry;
    struct tcp_sock *tp;
    struct sock *sk;
    bool found;
    __u8 state;

    if (!common || !(tp = bpf_skc_to_tcp_sock(common)))
        return 0;
    sk = &tp->TCP_INET.sk;
    state = sk->__sk_common.skc_state;
    if (state == TCP_CLOSE)
        return 0;
    entry = bpf_sk_storage_get(&socket_owner, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
    if (!entry)
        count_lost(LOST_STORAGE);
    if (!entry || entry->slot || entry->owner.cgroup.cgroup)
        return 0;
    found = find_user(sk, entry);
    if (state == TCP_LISTEN) {
        entry->role = ROLE_SERVER;
        add_listener(sk);
        return 0;
    }
    entry->role = role_by_listener(sk);
    open_flow(sk, entry, FLOW_PREDATES | (found ? 0 : FLOW_OWNERLESS));
    return 0;
}
