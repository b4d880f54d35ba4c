/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The user of a socket, from its I/O: the last user owns it. Right for everything that passes descriptors
 * around, io_uring too. UDP is counted here, too: the programs of one tracepoint share a run. Since Linux 6.3; without it the flow stays with the process that accepted it
 * (accept.bpf.h), or closes it. */
#pragma once

#include "hand_over.bpf.h"
#include "udp/udp_call.bpf.h"

/* The socket has a new user. `use`: what it has just done. */
static __always_inline void use_socket(struct sock *sk, struct socket_owner *entry, const struct use *use) {
    struct task_struct *task = bpf_get_current_task_btf();
    bool first = !entry->user;
    struct tcp_slot *slot;

    if (task->flags & PF_KTHREAD)
        return;
    own_as_current(&entry->owner);
    entry->user = entry->owner.pid;
    if (sk->sk_protocol == IPPROTO_TCP) {
        slot = slot_of(sk, entry);
        if (first && (!slot || is_guess(slot)))
            forget_user(sk);
        if (slot && is_of_another_container(slot, &entry->owner))
            hand_over(sk, entry, use);
        else if (slot)
            confirm_flow(slot, &entry->owner);
    } else {
        note_user(sk, &entry->owner); /* its flows are out of reach here: the pass looks the user up */
    }
}

/* The cache does not have it as the last user; the storage may. */
static __noinline int look_at_use(struct sock *sk, __u32 sent, __u32 read) {
    __u16 family = sk->__sk_common.skc_family;
    struct use use = {.sent = sent, .read = read};
    struct socket_owner *entry;

    if (family != AF_INET && family != AF_INET6)
        return 0;
    entry = bpf_sk_storage_get(&socket_owner, sk, NULL,
                               sk->sk_protocol == IPPROTO_MPTCP ? BPF_SK_STORAGE_GET_F_CREATE : 0);
    if (!entry) {
        if (sk->sk_protocol == IPPROTO_MPTCP)
            count_lost(LOST_STORAGE);
        return 0;
    }
    if (entry->user != current_tgid())
        use_socket(sk, entry, &use);
    known_of(sk->__sk_common.skc_cookie.counter)->slot = entry->slot;
    remember_user(sk->__sk_common.skc_cookie.counter, *(volatile process_id_t *)&entry->user);
    return 0;
}

/* After the look at the user: the cache has the slot of a TCP socket then. */
static __always_inline int look_at_samples(struct sock *sk) {
    struct tcp_slot *slot;

    if (!rtt_looks || sk->sk_protocol != IPPROTO_TCP)
        return 0;
    slot = tcp_slot_at(known_of(sk->__sk_common.skc_cookie.counter)->slot - 1);
    if (slot && slot->sk == (__u64)sk)
        look_at_rtt(slot, CAST(struct tcp_sock, sk), TYPED);
    return 0;
}

static __always_inline bool is_new_use(struct sock *sk, int bytes) {
    __u64 cookie = sk->__sk_common.skc_cookie.counter;

    return bytes > 0 && known_of(cookie)->user != user_word(cookie, current_tgid());
}

SEC("?tp_btf/sock_send_length")
int BPF_PROG(socket_send, struct sock *sk, int bytes) {
    if (udp_at_calls && is_udp(sk))
        return count_call(sk, bytes, 0, SENT);
    if (is_new_use(sk, bytes))
        look_at_use(sk, bytes, 0);
    return look_at_samples(sk);
}

SEC("?tp_btf/sock_recv_length")
int BPF_PROG(socket_recv, struct sock *sk, int bytes, int flags) {
    if (udp_at_calls && is_udp(sk))
        return count_call(sk, bytes, flags, RECEIVED);
    if (is_new_use(sk, bytes))
        look_at_use(sk, 0, flags & MSG_PEEK ? 0 : bytes);
    return look_at_samples(sk);
}
