/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Listening sockets, one slot each: the pass reads their queues. They are few, and come and go seldom. */
#pragma once

#include "owner.bpf.h"
#include "slot.bpf.h"
#include "tcp_listen.h"

#define MAX_LISTENERS 4096 /* one more is counted, and its queue not reported */

struct listen_slot {
    struct slot slot;
    __u64 sk; /* struct sock, checked by cookie: it may be gone */
    struct tcp_listen listen;
    __u32 drops;  /* at the last report */
    __u32 closed; /* `final` is the last value of its drops */
    __u32 final;
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, MAX_LISTENERS);
    __type(key, __u32);
    __type(value, struct listen_slot);
} listen_slot SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, MAX_LISTENERS);
    __type(key, __u64);   /* cookie */
    __type(value, __u32); /* the slot's index + 1 */
} tcp_listening SEC(".maps");

const volatile bool listens; /* the queues of listening sockets are asked for */

struct pool listen_pool;

static __always_inline struct listen_slot *listen_slot_at(__u32 index) {
    return bpf_map_lookup_elem(&listen_slot, &index);
}

static __always_inline struct slot *any_listen_slot(__u32 index) {
    return bpf_map_lookup_elem(&listen_slot, &index);
}

static __always_inline struct listen_slot *listening(__u64 cookie) {
    __u32 *taken = bpf_map_lookup_elem(&tcp_listening, &cookie);

    return taken ? listen_slot_at(*taken - 1) : NULL;
}

static __always_inline void write_listen_owner(struct tcp_listen *listen, const struct owner *owner) {
    listen->cgroup = owner->cgroup.cgroup;
    listen->hierarchy = owner->cgroup.hierarchy;
    listen->pid = owner->pid;
    __builtin_memcpy(listen->comm, owner->comm, sizeof listen->comm);
}

/* A socket that listens, or that is found listening. */
static __noinline int open_listener(struct sock *sk, const struct owner *owner) {
    struct listen_slot *slot;
    __u64 cookie;
    __u32 taken;

    if (!listens)
        return 0;
    cookie = new_cookie_of(sk);
    if ((slot = listening(cookie)) && __sync_lock_test_and_set(&slot->closed, false)) {
        /* it stopped, and listens again before that was reported */
        write_listen_owner(&slot->listen, owner);
        slot->listen.port = sk->__sk_common.skc_num;
        slot = listening(cookie); /* or just now: forget_listener() */
    }
    if (slot)
        return 0;
    taken = take_slot(any_listen_slot, &listen_pool, MAX_LISTENERS);
    slot = taken ? listen_slot_at(taken - 1) : NULL;
    if (!slot) {
        count_lost(LOST_LISTENER);
        return 0;
    }
    __builtin_memset(&slot->listen, 0, sizeof slot->listen);
    slot->listen.socket = cookie;
    write_listen_owner(&slot->listen, owner);
    slot->listen.netns = sk->__sk_common.skc_net.net->ns.inum;
    slot->listen.port = sk->__sk_common.skc_num;
    slot->listen.role = ROLE_SERVER;
    slot->sk = (__u64)sk;
    slot->drops = BPF_CORE_READ(sk, sk_drops.counter);
    slot->closed = false;
    open_slot(&slot->slot);
    if (bpf_map_update_elem(&tcp_listening, &cookie, &taken, BPF_NOEXIST))
        free_slot(&slot->slot, &listen_pool, taken - 1);
    return 0;
}

/* Before the socket is freed: the next report has its last drops. */
static __noinline int close_listener(struct sock *sk) {
    struct listen_slot *slot = listens ? listening(sk->__sk_common.skc_cookie.counter) : NULL;

    if (!slot)
        return 0;
    slot->final = BPF_CORE_READ(sk, sk_drops.counter);
    barrier();
    slot->closed = true;
    return 0;
}

/* The last row was written. One that listens again meanwhile stays, or has another slot. */
static __always_inline void forget_listener(struct listen_slot *slot, __u32 index) {
    bool closed = *(volatile __u32 *)&slot->closed;
    __u64 cookie = slot->listen.socket;
    __u32 taken = index + 1;

    bpf_map_delete_elem(&tcp_listening, &cookie);
    if (closed && !*(volatile __u32 *)&slot->closed &&
        !bpf_map_update_elem(&tcp_listening, &cookie, &taken, BPF_NOEXIST))
        return;
    free_slot(&slot->slot, &listen_pool, index);
}
