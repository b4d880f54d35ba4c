/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Addresses and ports with a listener, now or before: the first guess for the owners of connections that were
 * accepted there, and the role of those whose start was not seen. Of several processes with one port
 * (SO_REUSEPORT) it is the last. */
#pragma once

#include "owner.bpf.h"

struct listener_key {
    netns_id_t netns;
    __u32 port;        /* host byte order */
    address_t address; /* of any address: 0 */
};

struct listener {
    struct owner owner;
};

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 16384);
    __type(key, struct listener_key);
    __type(value, struct listener);
} tcp_listener SEC(".maps");

static __always_inline netns_id_t netns_of(struct sock *sk) {
    return sk->__sk_common.skc_net.net->ns.inum;
}

/* An IPv4 address is the same on an IPv6 socket. */
static __always_inline void read_listener_key(struct listener_key *key, struct sock *sk) {
    __be32 v4 = sk->__sk_common.skc_rcv_saddr;

    __builtin_memset(key, 0, sizeof *key);
    key->netns = netns_of(sk);
    key->port = bpf_ntohs(BPF_CORE_READ((struct inet_sock *)sk, inet_sport));
    if (v4) {
        key->address[10] = key->address[11] = 0xff;
        *(__be32 *)(key->address + 12) = v4;
    } else if (sk->__sk_common.skc_family == AF_INET6) {
        __builtin_memcpy(key->address, &sk->__sk_common.skc_v6_rcv_saddr, 16);
    }
}

/* `flags`: BPF_ANY for who listens now, BPF_NOEXIST for one of those that have the descriptor. */
static __always_inline void add_listener(struct sock *sk, const struct owner *owner, __u64 flags) {
    struct listener listener = {.owner = *owner};
    struct listener_key key;

    read_listener_key(&key, sk);
    bpf_map_update_elem(&tcp_listener, &key, &listener, flags);
}

/* That of the socket's own address, or of any. */
static __noinline struct listener *listener_of(struct sock *sk) {
    struct listener *listener;
    struct listener_key key;

    read_listener_key(&key, sk);
    listener = bpf_map_lookup_elem(&tcp_listener, &key);
    if (listener)
        return listener;
    __builtin_memset(key.address, 0, sizeof key.address);
    return bpf_map_lookup_elem(&tcp_listener, &key);
}

static __always_inline __u32 role_by_listener(struct sock *sk) {
    return listener_of(sk) ? ROLE_SERVER : ROLE_CLIENT;
}
