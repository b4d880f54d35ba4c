/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* UDP counted at the calls that send and receive, with the tracepoints of use.bpf.h. Chosen because nothing
 * runs for each packet of the host, because the current process is the user in both directions, and because
 * the addresses are the socket's own: a conversation that is translated in the sender's network namespace is
 * one. Received is what the application got. It misses sockets that are used without a call: VXLAN's own. */
#pragma once

#include "udp_first.bpf.h"
#include "udp_peer.bpf.h"

/* UDP is counted here, not in packets. */
const volatile bool udp_at_calls;

/* The peer of a corked datagram is in its first call only. */
struct udp_corked {
    address_t address;
    port_t port;
};

struct {
    __uint(type, BPF_MAP_TYPE_SK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, int);
    __type(value, struct udp_corked);
} udp_corked SEC(".maps");

/* How the peer of a call is known. */
enum known_peer { PEER_UNKNOWN, PEER_NAMED, PEER_CONNECTED, PEER_CORKED };

static __always_inline bool is_udp(struct sock *sk) {
    return sk->sk_protocol == IPPROTO_UDP && sk->sk_type == SOCK_DGRAM;
}

/* 0 for a kernel thread. */
static __always_inline process_id_t current_user(void) {
    struct task_struct *task = bpf_get_current_task_btf();

    return task->flags & PF_KTHREAD ? 0 : task->tgid;
}

/* The peer that this call named; false when it named none. */
static __always_inline bool take_peer(struct datagram *datagram) {
    __u32 thread = bpf_get_current_pid_tgid();
    struct udp_peer *peer = peer_of(thread);
    bool is_ours = peer->call == call_word(datagram->key.socket, thread) && peer->sent == datagram->sent;

    if (is_ours) {
        __builtin_memcpy(datagram->key.remote, peer->address, 16);
        datagram->key.remote_port = peer->port;
    }
    peer->call = 0;
    return is_ours;
}

static __always_inline void read_connected(struct sock *sk, struct datagram *datagram) {
    if (sk->__sk_common.skc_family == AF_INET)
        map_v4(datagram->key.remote, sk->__sk_common.skc_daddr);
    else
        __builtin_memcpy(datagram->key.remote, &sk->__sk_common.skc_v6_daddr, 16);
    datagram->key.remote_port = bpf_ntohs(sk->__sk_common.skc_dport);
}

static __always_inline bool take_corked(struct sock *sk, struct datagram *datagram) {
    struct udp_corked *corked = bpf_sk_storage_get(&udp_corked, sk, NULL, 0);

    if (!corked)
        return false;
    __builtin_memcpy(datagram->key.remote, corked->address, 16);
    datagram->key.remote_port = corked->port;
    return true;
}

/* How many datagrams a call sent: none while it is corked, more with the socket's UDP_SEGMENT. That of a
 * control message is not seen. */
static __always_inline __u32 datagrams_of(struct sock *sk, struct datagram *datagram, enum known_peer known) {
    struct udp_sock *udp = CAST(struct udp_sock, sk);
    struct udp_corked *corked;
    __u32 segment;

    if (udp->pending) {
        if (known == PEER_NAMED &&
            (corked = bpf_sk_storage_get(&udp_corked, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE))) {
            __builtin_memcpy(corked->address, datagram->key.remote, 16);
            corked->port = datagram->key.remote_port;
        }
        return 0;
    }
    segment = udp->gso_size;
    return segment && datagram->bytes ? (datagram->bytes + segment - 1) / segment : 1;
}

/* A call that did not ask who sent: it was the only peer that the socket has sent to, or nobody knows. */
static __always_inline void guess_peer(struct datagram *datagram, const struct udp_first *first) {
    struct udp_slot *slot = only_conversation(datagram, first);

    if (!slot)
        return;
    __builtin_memcpy(datagram->key.remote, slot->key.remote, 16);
    datagram->key.remote_port = slot->key.remote_port;
    datagram->family = slot->flow.family;
}

/* The row's local address: the socket's. */
static __always_inline void write_local(struct udp_flow *flow, struct sock *sk) {
    if (sk->__sk_common.skc_family == AF_INET)
        map_v4(flow->local, sk->__sk_common.skc_rcv_saddr);
    else
        __builtin_memcpy(flow->local, &sk->__sk_common.skc_v6_rcv_saddr, 16);
}

/* For a conversation that is new, or has another user. Returns the slot's index + 1. */
static __noinline __u32 look_at_call(struct sock *sk, struct datagram *datagram, enum known_peer known) {
    struct udp_owner opener = {
        .sk = (__u64)sk, .flags = FLOW_OWNERLESS, .role = datagram->sent ? ROLE_CLIENT : ROLE_SERVER};
    struct udp_slot *slot;
    __u32 index;

    if (known == PEER_UNKNOWN && !datagram->sent) {
        struct udp_first *first = first_of(datagram);

        guess_peer(datagram, first);
        if (first)
            opener.role = first->role;
    }
    if (current_user()) {
        opener.flags = 0;
        own_as_current(&opener.owner);
    }
    index = known == PEER_CONNECTED ? find_or_open(datagram, &opener) : converse(datagram, &opener);
    if (!(slot = udp_slot_at(index - 1)) || slot->key.socket != datagram->key.socket) {
        count_lost(LOST_UDP_SLOT);
        return 0;
    }
    known_of(datagram->key.socket)->slot = index;
    write_local(&slot->flow, sk);
    if (!(opener.flags & FLOW_OWNERLESS)) {
        write_udp_owner(&slot->flow, &opener.owner);
        slot->flow.flags &= ~(FLOW_GUESSED | FLOW_OWNERLESS);
    }
    return index;
}

/* `bytes`: what the call returned. */
static __noinline int count_call(struct sock *sk, int bytes, int flags, enum direction direction) {
    enum known_peer known = PEER_UNKNOWN;
    struct datagram datagram;
    struct udp_slot *slot;
    __u32 index;

    __builtin_memset(&datagram, 0, sizeof datagram);
    datagram.sent = direction == SENT;
    datagram.bytes = bytes;
    datagram.packets = 1;
    datagram.key.socket = new_cookie_of(sk);
    datagram.key.local_port = sk->__sk_common.skc_num;
    if (take_peer(&datagram))
        known = PEER_NAMED;
    else if (sk->__sk_common.skc_state == TCP_ESTABLISHED)
        known = PEER_CONNECTED;
    /* what failed, what is only looked at, and the payload of what failed before */
    if (bytes < 0 || (direction == RECEIVED && (flags & (MSG_PEEK | MSG_ERRQUEUE))))
        return 0;
    /* the end of a socket that was shut down, no empty datagram */
    if (direction == RECEIVED && !bytes && known != PEER_NAMED &&
        (BPF_CORE_READ_BITFIELD_PROBED(sk, sk_shutdown) & RCV_SHUTDOWN))
        return 0;
    if (known == PEER_CONNECTED)
        read_connected(sk, &datagram);
    else if (known == PEER_UNKNOWN && direction == SENT && take_corked(sk, &datagram))
        known = PEER_CORKED;
    datagram.family = sk->__sk_common.skc_family;
    if (is_mapped(datagram.key.remote))
        datagram.family = AF_INET;
    if (direction == SENT)
        datagram.packets = datagrams_of(sk, &datagram, known);
    index = known == PEER_UNKNOWN ? 0 : *place_of(&datagram.key);
    slot = conversation_at(index, &datagram.key);
    if (slot && slot->flow.pid == current_user())
        remember_conversation(&datagram.key, index);
    else if (!(slot = udp_slot_at(look_at_call(sk, &datagram, known) - 1)))
        return 0;
    count_in(slot, &datagram);
    return 0;
}
