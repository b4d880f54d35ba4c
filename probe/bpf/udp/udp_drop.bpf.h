/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Datagrams that arrived and that the socket had no room for: its receive buffer, or, before Linux 6.18, the
 * memory of all UDP sockets, is full. Counted for a conversation of the socket: the sender is not known here. */
#pragma once

#include "udp_conversation.bpf.h"

static __always_inline struct udp_slot *known_conversation(__u64 cookie) {
    struct udp_slot *slot = udp_slot_at(known_of(cookie)->slot - 1);

    return slot && slot->key.socket == cookie ? slot : NULL;
}

/* Nobody has used the socket yet, or another socket has its place in the cache. */
static __noinline struct udp_slot *open_unknown(struct sock *sk, __u64 cookie) {
    struct udp_owner opener = {.sk = (__u64)sk, .flags = FLOW_OWNERLESS, .role = ROLE_SERVER};
    struct datagram datagram;

    __builtin_memset(&datagram, 0, sizeof datagram);
    datagram.key.socket = cookie;
    datagram.key.local_port = sk->__sk_common.skc_num;
    datagram.family = sk->__sk_common.skc_family;
    return udp_slot_at(find_or_open(&datagram, &opener) - 1);
}

SEC("?tp_btf/udp_fail_queue_rcv_skb")
int BPF_PROG(udp_drop, int error, struct sock *sk) {
    struct udp_slot *slot;
    __u64 cookie;

    if (sk->sk_protocol != IPPROTO_UDP || sk->sk_type != SOCK_DGRAM)
        return 0;
    cookie = new_cookie_of(sk);
    slot = known_conversation(cookie) ?: open_unknown(sk, cookie);
    if (!slot) {
        count_lost(LOST_UDP_SLOT);
        return 0;
    }
    slot->active_ns = coarse_boot_ns();
    __sync_fetch_and_add(&slot->now.dropped, 1);
    return 0;
}
