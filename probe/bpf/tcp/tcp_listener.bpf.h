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
    __u64 sk;     /* struct sock, checked by its cookie: it may be gone */
    __u64 socket; /* its cookie */
};

TABLE(tcp_listener, BPF_MAP_TYPE_LRU_HASH, 0, 4096, struct listener_key, struct listener);

static __always_inline netns_id_t netns_of(struct sock *sk) {
    return sk->__sk_common.skc_net.net->ns.inum;
}

static __always_inline bool is_unspecific(const address_t address) {
    const __u32 *words = (const __u32 *)address;

    return !words[0] && !words[1] && (words[2] == bpf_htonl(0xffff) || (!words[2] && !words[3]));
}

/* An IPv4 address is the same on an IPv6 socket. One with an IPv6 address has 127.0.0.6 for its IPv4 address. */
static __always_inline void read_listener_key(struct listener_key *key, struct sock *sk) {
    __be32 v4 = sk->__sk_common.skc_rcv_saddr;

    __builtin_memset(key, 0, sizeof *key);
    key->netns = netns_of(sk);
    key->port = bpf_ntohs(BPF_CORE_READ((struct inet_sock *)sk, inet_sport));
    if (sk->__sk_common.skc_family == AF_INET6)
        __builtin_memcpy(key->address, &sk->__sk_common.skc_v6_rcv_saddr, 16);
    if (v4 && is_unspecific(key->address)) {
        key->address[10] = key->address[11] = 0xff;
        *(__be32 *)(key->address + 12) = v4;
    }
}

/* The port where it listens now; 0: nowhere. */
static __always_inline __u32 port_now(const struct listener *listener) {
    __u64 sk = listener->sk;

    if (LOAD(struct sock, sk, __sk_common.skc_cookie.counter) != listener->socket ||
        LOAD(struct sock, sk, __sk_common.skc_state) != TCP_LISTEN)
        return 0;
    return LOAD(struct sock, sk, __sk_common.skc_num);
}

/* A socket that listens without a bind(2) gets its port, on any address, after it was seen. It is noted under port 0,
 * and found here. `key`: of any address; gets the port. */
static __noinline struct listener *find_unbound(struct listener_key *key) {
    struct listener *listener;

    key->port = 0;
    listener = FIND_IN(tcp_listener, key);
    key->port = listener ? port_now(listener) : 0;
    if (!key->port)
        return NULL;
    PUT_IN(tcp_listener, &room.listeners, key, listener);
    return listener;
}

/* A listen(2) that will fail is seen, too: where another socket listens, which stays. Those of a group may. */
static __always_inline bool is_in_use(const struct listener_key *key, struct sock *sk, __u64 socket) {
    struct listener *other = FIND_IN(tcp_listener, key);

    return other && other->socket != socket &&
           !BPF_CORE_READ_BITFIELD_PROBED(sk, __sk_common.skc_reuseport) && port_now(other) == key->port;
}

/* `flags`: BPF_ANY for who listens now, BPF_NOEXIST for one of those that have the descriptor. */
static __noinline int add_listener(struct sock *sk, const struct owner *owner, __u64 flags) {
    struct listener listener = {.owner = *owner, .sk = (__u64)sk, .socket = new_cookie_of(sk)};
    struct listener_key key, any;

    read_listener_key(&key, sk);
    if (!key.port) { /* the one before has its port by now */
        any = key;
        find_unbound(&any);
    } else if (flags == BPF_ANY && is_in_use(&key, sk, listener.socket)) {
        return 0;
    }
    if (flags == BPF_NOEXIST)
        ADD_TO(tcp_listener, &room.listeners, &key, &listener);
    else
        PUT_IN(tcp_listener, &room.listeners, &key, &listener);
    return 0;
}

/* That of the socket's own address, or of any. */
static __noinline struct listener *listener_of(struct sock *sk) {
    struct listener *listener;
    struct listener_key key;
    __u32 port;

    read_listener_key(&key, sk);
    listener = FIND_IN(tcp_listener, &key);
    if (listener)
        return listener;
    __builtin_memset(key.address, 0, sizeof key.address);
    listener = FIND_IN(tcp_listener, &key);
    if (listener)
        return listener;
    port = key.port;
    listener = find_unbound(&key);
    return listener && key.port == port ? listener : NULL;
}

static __always_inline __u32 role_by_listener(struct sock *sk) {
    return listener_of(sk) ? ROLE_SERVER : ROLE_CLIENT;
}
