/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* UDP conversations: found by their addresses, opened, pushed out. */
#pragma once

#include "owner.bpf.h"
#include "udp_slot.bpf.h"

#define EVICTION_LOOKS 8

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 1024 * 1024);
} udp_flow SEC(".maps");

/* What is counted at once: datagrams of one packet or of one call. */
struct datagram {
    struct udp_key key;
    __u32 bytes;
    __u32 packets;
    bool sent;
    __u8 family;
};

static __always_inline void map_v4(address_t to, __be32 from) {
    __builtin_memset(to, 0, 10);
    to[10] = to[11] = 0xff;
    *(__be32 *)(to + 12) = from;
}

static __always_inline bool is_mapped(const address_t address) {
    const __u32 *words = (const __u32 *)address;

    return !words[0] && !words[1] && words[2] == bpf_htonl(0xffff);
}

static __always_inline bool is_same(const struct udp_key *a, const struct udp_key *b) {
    const __u64 *x = (const __u64 *)a, *y = (const __u64 *)b;

    return x[0] == y[0] && x[1] == y[1] && x[2] == y[2] && x[3] == y[3] && x[4] == y[4] && x[5] == y[5];
}

static __always_inline void write_udp_owner(struct udp_flow *flow, const struct owner *owner) {
    flow->cgroup = owner->cgroup.cgroup;
    flow->hierarchy = owner->cgroup.hierarchy;
    flow->pid = owner->pid;
    __builtin_memcpy(flow->comm, owner->comm, sizeof flow->comm);
}

/* The conversation is forgotten: its slot cannot be found any more. */
static __always_inline void forget_conversation(struct udp_slot *slot) {
    DELETE_FROM(udp_conversation, &room.conversations, &slot->key);
    slot->key.socket = 0;
}

/* The deltas since the base; the new base is in `now`. */
static __always_inline void read_udp_state(struct udp_flow *row, const struct udp_slot *slot,
                                           const struct udp_counters *base, struct udp_counters *now) {
    *now = slot->now;
    row->bytes_sent = now->bytes_sent - base->bytes_sent;
    row->bytes_rcvd = now->bytes_rcvd - base->bytes_rcvd;
    row->packets_sent = now->packets_sent - base->packets_sent;
    row->packets_rcvd = now->packets_rcvd - base->packets_rcvd;
    row->udp_dropped = now->dropped - base->dropped;
}

/* Whether there is something to tell; a corked datagram is bytes first. */
static __always_inline bool has_moved(const struct udp_flow *row) {
    return row->bytes_sent | row->bytes_rcvd | row->packets_sent | row->packets_rcvd | row->udp_dropped;
}

/* No room: of a few random conversations the one that was silent longest is evicted. Its last row has what
 * it counted since the last report. Returns the slot's index + 1. */
static __noinline __u32 evict(void) {
    __u64 oldest_ns = ~0ULL, word;
    struct udp_counters now;
    struct udp_slot *slot;
    struct udp_flow *row;
    __u32 oldest = 0, used = *(volatile __u32 *)&room.udp.used;

    for (int i = 0; i < EVICTION_LOOKS; i++) {
        __u32 index = (__u64)bpf_get_prandom_u32() * used >> 32;

        slot = udp_slot_at(index);
        if (slot && WORD_STATE(slot->slot.word) == SLOT_LIVE && slot->active_ns < oldest_ns) {
            oldest_ns = slot->active_ns;
            oldest = index;
        }
    }
    slot = udp_slot_at(oldest);
    if (!slot || oldest_ns == ~0ULL || !claim_close(&slot->slot, &word))
        return 0;
    forget_conversation(slot);
    count_lost(LOST_EVICTED_UDP);
    row = bpf_ringbuf_reserve(&udp_flow, sizeof *row, 0);
    if (row) {
        __builtin_memcpy(row, &slot->flow, sizeof *row);
        row->closed_ns = bpf_ktime_get_boot_ns();
        row->reported_ns = WORD_REPORTED(word);
        read_udp_state(row, slot, &slot->base[WORD_BASE(word)], &now);
        if (has_moved(row))
            bpf_ringbuf_submit(row, 0);
        else
            bpf_ringbuf_discard(row, 0);
    } else {
        count_lost(LOST_UDP_FLOW_RING);
    }
    return WORD_STATE(word) == SLOT_LIVE ? oldest + 1 : 0; /* else the pass that holds it frees the slot */
}

/* Who has a conversation when it is opened. */
struct udp_owner {
    __u64 sk; /* the address of the struct sock */
    struct owner owner;
    __u32 flags; /* enum flow_flags; FLOW_OWNERLESS: `owner` is empty, the socket's own cgroup has it */
    __u32 role;  /* enum role */
};

static __noinline void open_conversation(const struct datagram *datagram, const struct udp_owner *opener) {
    __u32 taken = take_udp_slot();
    struct owner found = opener->owner;
    struct sock *kernel_sk;
    struct udp_slot *slot;
    struct udp_flow *flow;
    __u64 word;

    if (!taken)
        taken = evict();
    slot = taken ? udp_slot_at(taken - 1) : NULL;
    if (!slot)
        return;
    flow = &slot->flow;
    __builtin_memset(flow, 0, sizeof *flow);
    __builtin_memset(&slot->now, 0, sizeof slot->now);
    __builtin_memset(slot->base, 0, sizeof slot->base);
    slot->key = datagram->key;
    slot->sk = opener->sk;
    kernel_sk = (struct sock *)*(volatile __u64 *)&slot->sk; /* now a number, to be read by address */
    flow->socket = datagram->key.socket;
    __builtin_memcpy(flow->local, datagram->key.local, sizeof flow->local);
    __builtin_memcpy(flow->remote, datagram->key.remote, sizeof flow->remote);
    flow->local_port = datagram->key.local_port;
    flow->remote_port = datagram->key.remote_port;
    flow->family = datagram->family;
    flow->role = opener->role;
    flow->flags = opener->flags;
    if (opener->flags & FLOW_OWNERLESS)
        own_by_socket(&found, kernel_sk, BY_ADDRESS);
    write_udp_owner(flow, &found);
    flow->netns = BPF_CORE_READ(kernel_sk, __sk_common.skc_net.net, ns.inum);
    slot->active_ns = flow->opened_ns = bpf_ktime_get_boot_ns();
    open_slot(&slot->slot);
    if (!ADD_TO(udp_conversation, &room.conversations, &slot->key, &taken))
        return;
    /* another CPU was first, or there is no memory */
    if (claim_close(&slot->slot, &word)) {
        slot->key.socket = 0;
        if (WORD_STATE(word) == SLOT_LIVE)
            free_udp_slot(taken - 1);
    }
}

static __always_inline struct udp_slot *conversation_at(__u32 index, const struct udp_key *key) {
    struct udp_slot *slot = udp_slot_at(index - 1);

    return slot && is_same(&slot->key, key) ? slot : NULL;
}

/* A cache of the table of conversations: index + 1, to be checked by the key. It costs a few loads, the
 * table 100 ns. */
#define PLACE_BITS 15

static __u32 udp_place[1 << PLACE_BITS];

static __always_inline __u32 *place_of(const struct udp_key *key) {
    const __u64 *x = (const __u64 *)key;
    const __u64 odd = 0x9e3779b97f4a7c15; /* 2^64 over the golden ratio */

    /* the socket, the remote address, the ports: the local address distinguishes little */
    return &udp_place[(((x[0] ^ x[3]) * odd ^ x[4] ^ x[5]) * odd) >> (64 - PLACE_BITS)];
}

/* Returns the slot's index + 1; 0 when there is none yet. */
static __always_inline __u32 find_conversation(const struct udp_key *key) {
    struct udp_key own =
        *key; /* on the stack: older kernels take no argument of a global function for a key */
    __u32 *index = FIND_IN(udp_conversation, &own);

    if (!index || !conversation_at(*index, key))
        return 0;
    *place_of(key) = *index;
    return *index;
}

/* The same, opened when there is none. A global function: the verifier walks it once, not once for each way to
 * it. */
__attribute__((noinline)) int find_or_open(const struct datagram *datagram, const struct udp_owner *opener) {
    __u32 index;

    if (!datagram || !opener)
        return 0;
    index = find_conversation(&datagram->key);
    if (index)
        return index;
    open_conversation(datagram, opener);
    return find_conversation(&datagram->key);
}

/* For what is dropped: another socket, or another conversation, may have had the place since. */
static __always_inline void remember_conversation(const struct udp_key *key, __u32 index) {
    struct known *known = known_of(key->socket);

    if (known->slot != index)
        known->slot = index;
}

/* The boot clock, at most one tick old: enough to find the oldest conversation. Jiffies are a load, the
 * clock is a call of 25 ns. CPUs may write it at the same time: they write the same value. */
static struct {
    __u64 jiffies;
    boot_ns_t ns;
} coarse;

static __always_inline boot_ns_t coarse_boot_ns(void) {
    __u64 jiffies = bpf_jiffies64();

    if (*(volatile __u64 *)&coarse.jiffies != jiffies) {
        coarse.ns = bpf_ktime_get_boot_ns();
        *(volatile __u64 *)&coarse.jiffies = jiffies;
    }
    return *(volatile boot_ns_t *)&coarse.ns;
}

static __always_inline void count_in(struct udp_slot *slot, const struct datagram *datagram) {
    slot->active_ns = coarse_boot_ns();
    if (datagram->sent) {
        __sync_fetch_and_add(&slot->now.bytes_sent, datagram->bytes);
        __sync_fetch_and_add(&slot->now.packets_sent, datagram->packets);
    } else {
        __sync_fetch_and_add(&slot->now.bytes_rcvd, datagram->bytes);
        __sync_fetch_and_add(&slot->now.packets_rcvd, datagram->packets);
    }
}
