/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* UDP counted packet by packet, for kernels without the hooks of udp_call.bpf.h. Chosen because the socket is
 * known in both directions, in every network namespace, connected or not. It returns at once for other
 * protocols, which is its cost for TCP. A datagram to a closed port is counted at its sender; one that the
 * receiver has no room for is counted as received. The addresses are the packet's. */
#pragma once

#include "udp_datagram.bpf.h"
#include "udp_first.bpf.h"

/* User space sends in its own context, so the current process is the sender. */
static __always_inline void use_by_sender(struct socket_owner *entry) {
    struct task_struct *task = bpf_get_current_task_btf();

    if (entry->user == (__u32)task->tgid || (task->flags & PF_KTHREAD))
        return;
    own_as_current(&entry->owner);
    entry->user = entry->owner.pid;
}

static __always_inline bool is_of_known_user(const struct udp_slot *slot, const struct datagram *datagram) {
    process_id_t user = known_user(datagram->key.socket);

    return slot->flow.pid == user && !(slot->flow.flags & (FLOW_GUESSED | FLOW_OWNERLESS)) &&
           (!datagram->sent || user == current_tgid());
}

/* For a conversation that is new, or whose user may have changed. Returns the slot's index + 1. A global
 * function: the verifier walks it once, not once for each way to read a header. */
__attribute__((noinline)) int look_at_datagram(struct __sk_buff *skb, struct datagram *datagram) {
    struct udp_owner opener = {.flags = FLOW_OWNERLESS};
    struct socket_owner *entry;
    struct udp_slot *slot;
    struct bpf_sock *sk;
    __u32 index;

    if (!datagram || !(sk = skb->sk) || !(sk = bpf_sk_fullsock(sk)))
        return 0;
    entry = bpf_sk_storage_get(&socket_owner, sk, NULL, 0);
    if (datagram->sent && entry)
        use_by_sender(entry);
    index = *place_of(&datagram->key);
    if (!conversation_at(index, &datagram->key)) {
        opener.sk = (__u64)sk;
        opener.role = datagram->sent ? ROLE_CLIENT : ROLE_SERVER;
        if (entry) { /* the process that used the socket last, or created it */
            opener.owner = entry->owner;
            opener.flags = entry->user ? 0 : FLOW_GUESSED;
        }
        index = converse(datagram, &opener);
    }
    if (!(slot = udp_slot_at(index - 1)) || slot->key.socket != datagram->key.socket) {
        count_lost(LOST_UDP_SLOT);
        return 0;
    }
    known_of(datagram->key.socket)->slot = index;
    if (entry && entry->user) {
        remember_user(datagram->key.socket, entry->user);
        if (slot->flow.pid != entry->owner.pid || (slot->flow.flags & (FLOW_GUESSED | FLOW_OWNERLESS))) {
            write_udp_owner(&slot->flow, &entry->owner);
            slot->flow.flags &= ~(FLOW_GUESSED | FLOW_OWNERLESS);
        }
    }
    return index;
}

static __always_inline int count_datagram(struct __sk_buff *skb, enum direction direction) {
    struct udp_slot *slot;
    struct datagram datagram;
    struct bpf_sock *sk;
    __u32 index;

    __builtin_memset(&datagram, 0, sizeof datagram); /* holes, too: a global function reads it */
    datagram.sent = direction == SENT;
    if (is_tcp(skb) || !(sk = skb->sk) || !is_datagram(sk) || !read_datagram(skb, &datagram))
        return 1;
    datagram.key.socket = CAN_CAST ? CAST(struct sock, sk)->__sk_common.skc_cookie.counter : 0;
    if (!datagram.key.socket)
        datagram.key.socket = bpf_get_socket_cookie(skb);
    index = *place_of(&datagram.key);
    slot = conversation_at(index, &datagram.key);
    if (slot && is_of_known_user(slot, &datagram))
        remember_conversation(&datagram.key, index);
    else if (!(slot = udp_slot_at(look_at_datagram(skb, &datagram) - 1)))
        return 1;
    count_in(slot, &datagram);
    return 1;
}

SEC("?cgroup_skb/egress")
int udp_flow_egress(struct __sk_buff *skb) {
    return count_datagram(skb, SENT);
}

SEC("?cgroup_skb/ingress")
int udp_flow_ingress(struct __sk_buff *skb) {
    return count_datagram(skb, RECEIVED);
}

/* The process that creates a socket is the first guess for the receiver. */
SEC("?cgroup/sock_create")
int udp_create(struct bpf_sock *sk) {
    struct socket_owner *entry;

    if (sk->protocol != IPPROTO_UDP || sk->type != SOCK_DGRAM)
        return 1;
    entry = bpf_sk_storage_get(&socket_owner, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
    if (!entry) {
        count_lost(LOST_STORAGE);
        return 1;
    }
    own_as_current(&entry->owner);
    return 1;
}
