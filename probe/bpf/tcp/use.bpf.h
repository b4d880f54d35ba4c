/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The user of a socket, from its I/O: the last user owns it. Right for everything that passes descriptors
 * around, io_uring too. UDP is counted here, too: the programs of one tracepoint share a run. Since Linux 6.3;
 * without it the flow stays with the process that accepted it (accept.bpf.h), or closes it. */
#pragma once

#include "hand_over.bpf.h"
#include "udp/udp_call.bpf.h"

/* The flow has a new user. `use`: what it has just done. */
static __noinline int use_flow(struct sock *sk, const struct use *use) {
    struct tcp_slot *slot = slot_of(sk);
    struct owner owner = {};

    if (!slot || (bpf_get_current_task_btf()->flags & PF_KTHREAD))
        return 0;
    own_as_current(&owner);
    if (!slot->user && is_guess(slot))
        forget_user(sk);
    slot->user = owner.pid;
    if (is_of_another_container(slot, &owner))
        hand_over(sk, &owner, use);
    else
        confirm_flow(slot, &owner);
    return 0;
}

/* It found no slot; or its start was missed, as one is that interrupts another run of the same program. Returns
 * whether it has one now. */
static __noinline int look_at_unseen(struct sock *sk, const struct use *use) {
    struct tcp_opener *refused = refused_of(sk->__sk_common.skc_cookie.counter);

    if (refused) {
        if (refused->user == current_tgid())
            return 0;
        own_as_current(&refused->owner);
        refused->user = refused->owner.pid;
        refused->flags &= ~(FLOW_GUESSED | FLOW_OWNERLESS);
    } else if (scanned && sk->__sk_common.skc_state == TCP_ESTABLISHED && open_unseen(sk, TCP_ESTABLISHED)) {
        use_flow(sk, use);
        return 1;
    }
    return 0;
}

static __always_inline int look_at_tcp(struct sock *sk, int bytes, __u32 sent, __u32 read) {
    struct tcp_slot *slot = slot_of(sk);
    struct use use = {.sent = sent, .read = read};

    if (!slot) {
        if (bytes <= 0 || !look_at_unseen(sk, &use) || !(slot = slot_of(sk)))
            return 0;
    } else if (bytes > 0 && slot->user != current_tgid()) {
        use_flow(sk, &use);
    }
    if (rtt_looks)
        look_at_rtt(slot, CAST(struct tcp_sock, sk), TYPED, UNLOCKED);
    return 0;
}

/* The flows of MPTCP, and of UDP in packets, are out of reach here: the pass looks their user up. */
static __noinline int look_at_other(struct sock *sk) {
    __u16 family = sk->__sk_common.skc_family;
    __u64 cookie = sk->__sk_common.skc_cookie.counter;
    struct socket_owner *entry;

    if (known_of(cookie)->user == user_word(cookie, current_tgid()) ||
        (family != AF_INET && family != AF_INET6))
        return 0;
    entry = bpf_sk_storage_get(&socket_owner, sk, NULL,
                               sk->sk_protocol == IPPROTO_MPTCP ? BPF_SK_STORAGE_GET_F_CREATE : 0);
    if (!entry) {
        if (sk->sk_protocol == IPPROTO_MPTCP)
            count_lost(LOST_STORAGE);
        return 0;
    }
    if (entry->user != current_tgid() && !(bpf_get_current_task_btf()->flags & PF_KTHREAD)) {
        own_as_current(&entry->owner);
        entry->user = entry->owner.pid;
        note_user(sk, &entry->owner);
    }
    remember_user(cookie, *(volatile process_id_t *)&entry->user);
    return 0;
}

SEC("?tp_btf/sock_send_length")
int BPF_PROG(socket_send, struct sock *sk, int bytes) {
    if (sk->sk_protocol == IPPROTO_TCP)
        return look_at_tcp(sk, bytes, bytes, 0);
    if (udp_at_calls && is_udp(sk))
        return count_call(sk, bytes, 0, SENT);
    return bytes > 0 ? look_at_other(sk) : 0;
}

SEC("?tp_btf/sock_recv_length")
int BPF_PROG(socket_recv, struct sock *sk, int bytes, int flags) {
    if (sk->sk_protocol == IPPROTO_TCP)
        return look_at_tcp(sk, bytes, 0, flags & MSG_PEEK ? 0 : bytes);
    if (udp_at_calls && is_udp(sk))
        return count_call(sk, bytes, flags, RECEIVED);
    return bytes > 0 ? look_at_other(sk) : 0;
}
