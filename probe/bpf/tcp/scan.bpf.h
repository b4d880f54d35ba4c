/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Sockets by their descriptors. At start-up those that are older than the probe: every file of every process, in all network
 * namespaces. Listeners first, because the listeners of a namespace decide the roles of its connections.
 * Then, namespace by namespace, sockets without a descriptor: MPTCP subflows, orphans, connections that
 * are not accepted yet. Room for so many at once is made meanwhile: the scan waits for it. */
#pragma once

#include "tcp_flow.bpf.h"
#include "udp/udp_call.bpf.h"

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

    if (user_of(sk))
        return;
    own(&owner, task);
    if (sk->__sk_common.skc_state == TCP_LISTEN)
        add_listener(sk, &owner, BPF_NOEXIST); /* for connections that fell back to TCP */
    note_user(sk, &owner);
}

/* Of UDP that is counted in packets. */
static __always_inline void find_owner(struct sock *sk, struct task_struct *task) {
    struct socket_owner *entry = bpf_sk_storage_get(&socket_owner, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);

    if (!entry)
        count_lost(LOST_STORAGE);
    else if (!entry->owner.pid)
        own(&entry->owner, task);
}

/* Listeners and UDP sockets: their owners are the first owners of flows. */
SEC("iter/task_file")
int listener_scan(struct bpf_iter__task_file *ctx) {
    struct task_struct *task =
        ctx->task; /* loaded once: the verifier takes a second load for another pointer */
    struct file *file = ctx->file;
    struct owner owner = {};
    struct sock *sk;

    if (!task || !(sk = inet_socket_of(file)))
        return 0;
    if (sk->sk_protocol == IPPROTO_UDP && !udp_at_calls)
        find_owner(sk, task);
    else if (is_mptcp(sk))
        note_mptcp(sk, task);
    if (sk->sk_protocol != IPPROTO_TCP || sk->__sk_common.skc_state != TCP_LISTEN)
        return 0;
    own(&owner, task);
    add_listener(sk, &owner, BPF_NOEXIST);
    open_listener(sk, &owner);
    return 0;
}

SEC("iter/task_file")
int tcp_flow_scan(struct bpf_iter__task_file *ctx) {
    struct tcp_opener opener = {.flags = FLOW_PREDATES};
    struct task_struct *task = ctx->task;
    struct file *file = ctx->file;
    struct sock *sk;
    __u8 state;

    if (!task || !(sk = inet_socket_of(file)) || sk->sk_protocol != IPPROTO_TCP)
        return 0;
    state = sk->__sk_common.skc_state;
    if (state == TCP_CLOSE || state == TCP_LISTEN || slot_of(sk))
        return 0;
    if (is_tcp_growing())
        return 1; /* the same one again */
    own(&opener.owner, task);
    opener.role = role_by_listener(sk);
    open_flow(sk, &opener, FIRST);
    return 0;
}

/* After a pass that found accepted connections that nobody has used yet: who has the descriptor. */
SEC("iter/task_file")
int tcp_user_scan(struct bpf_iter__task_file *ctx) {
    struct task_struct *task = ctx->task;
    struct file *file = ctx->file;
    struct owner owner = {};
    struct tcp_slot *slot;
    struct sock *sk;

    if (!task || !(sk = inet_socket_of(file)))
        return 0;
    if (is_mptcp(sk)) {
        note_mptcp(sk, task);
        return 0;
    }
    if (sk->sk_protocol != IPPROTO_TCP || !(slot = slot_of(sk)) || !slot->sought || !is_guess(slot))
        return 0;
    own(&owner, task);
    confirm_flow(slot, &owner);
    return 0;
}

SEC("?iter/tcp")
int tcp_socket_scan(struct bpf_iter__tcp *ctx) {
    struct sock_common *common = ctx->sk_common;
    struct tcp_opener opener = {.flags = FLOW_PREDATES};
    struct tcp_slot *slot;
    struct tcp_sock *tp;
    struct user *user;
    struct sock *sk;
    __u8 state;

    if (!common || !(tp = bpf_skc_to_tcp_sock(common)))
        return 0;
    sk = &tp->TCP_INET.sk;
    state = sk->__sk_common.skc_state;
    slot = state == TCP_LISTEN ? NULL : slot_of(sk);
    if (slot) /* found by its descriptor, without the socket's lock, which is held here since Linux 5.15 */
        identify_older(&slot->flow, tp, state, false);
    if (slot || state == TCP_CLOSE || (state == TCP_LISTEN && listener_of(sk)))
        return 0;
    user = user_of(application_of(sk));
    if (user) {
        opener.owner = user->owner;
    } else {
        own_by_socket(&opener.owner, sk, TYPED);
        opener.flags |= FLOW_OWNERLESS;
    }
    if (state == TCP_LISTEN) {
        add_listener(sk, &opener.owner, BPF_NOEXIST);
        open_listener(sk, &opener.owner);
        return 0;
    }
    if (is_tcp_growing())
        return 1;
    opener.role = role_by_listener(sk);
    slot = open_flow(sk, &opener, BPF_CORE_READ(sk, sk_socket, file) ? AGAIN : FIRST);
    if (slot)
        identify_older(&slot->flow, tp, state, false);
    return 0;
}
