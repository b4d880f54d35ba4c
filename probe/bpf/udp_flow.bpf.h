/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* UDP conversations: every datagram, at the socket that sends or receives it. */
#pragma once

#include "owner.bpf.h"
#include "udp_slot.bpf.h"

#define UDP_HEADER 8
#define EVICTION_LOOKS 8

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 1024 * 1024);
} udp_flow SEC(".maps");

/* What one sk_buff says. */
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

/* Returns false for what is not to be counted. The addresses are the packet's: those of the socket are empty
 * while it is not connected. */
static __always_inline bool read_datagram(struct __sk_buff *skb, struct datagram *it) {
    __u8 header[40], *from = header, *to = header;
    __be16 ports[2];
    __u32 start;

    if (skb->protocol == bpf_htons(ETH_P_IP)) {
        if (bpf_skb_load_bytes_relative(skb, 0, header, 20, BPF_HDR_START_NET))
            return false;
        start = (header[0] & 15) * 4;
        from += 12;
        to += 16;
        it->family = AF_INET;
        map_v4(it->sent ? it->key.local : it->key.remote, *(__be32 *)from);
        map_v4(it->sent ? it->key.remote : it->key.local, *(__be32 *)to);
    } else {
        if (bpf_skb_load_bytes_relative(skb, 0, header, 40, BPF_HDR_START_NET))
            return false;
        if (header[6] != IPPROTO_UDP) {
            count_lost(LOST_UDP_HEADER);
            return false;
        }
        start = 40;
        it->family = AF_INET6;
        __builtin_memcpy(it->sent ? it->key.local : it->key.remote, header + 8, 16);
        __builtin_memcpy(it->sent ? it->key.remote : it->key.local, header + 24, 16);
    }
    if (bpf_skb_load_bytes_relative(skb, start, ports, sizeof ports, BPF_HDR_START_NET))
        return false;
    it->key.local_port = bpf_ntohs(it->sent ? ports[0] : ports[1]);
    it->key.remote_port = bpf_ntohs(it->sent ? ports[1] : ports[0]);
    it->packets = skb->gso_segs ?: 1;
    it->bytes = skb->len - start - UDP_HEADER;
    return true;
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

/* The conversation is over for us: nobody finds its slot any more. */
static __always_inline void forget_conversation(struct udp_slot *slot) {
    bpf_map_delete_elem(&udp_conversation, &slot->key);
    slot->key.socket = 0;
}

/* Counts what passed since the base, and leaves the new base in `now`. */
static __always_inline void read_udp_state(struct udp_flow *row, const struct udp_slot *slot,
                                           const struct udp_counters *base, struct udp_counters *now) {
    *now = slot->now;
    row->bytes_sent = now->bytes_sent - base->bytes_sent;
    row->bytes_rcvd = now->bytes_rcvd - base->bytes_rcvd;
    row->packets_sent = now->packets_sent - base->packets_sent;
    row->packets_rcvd = now->packets_rcvd - base->packets_rcvd;
}

/* No room: of a few conversations the one that was silent longest makes it. Its last row tells what it did
 * since the last report. Returns the slot's index + 1. */
static __noinline __u32 evict(void) {
    __u64 oldest_ns = ~0ULL, word;
    struct udp_counters now;
    struct udp_slot *slot;
    struct udp_flow *row;
    __u32 oldest = 0;

    for (int i = 0; i < EVICTION_LOOKS; i++) {
        __u32 index = (__u64)bpf_get_prandom_u32() * max_udp_flows >> 32;

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
        if (row->packets_sent | row->packets_rcvd)
            bpf_ringbuf_submit(row, 0);
        else
            bpf_ringbuf_discard(row, 0);
    } else {
        count_lost(LOST_UDP_FLOW);
    }
    return WORD_STATE(word) == SLOT_LIVE ? oldest + 1 : 0; /* else the pass that is at it frees the slot */
}

static __noinline struct udp_slot *open_conversation(struct bpf_sock *sk, const struct datagram *it,
                                                     struct socket_owner *owner) {
    __u32 taken = take_slot(&udp_slot, &udp_pool, max_udp_flows);
    struct udp_slot *slot;
    struct udp_flow *flow;
    struct owner found = {};
    struct sock *kernel_sk;
    __u64 word;

    if (!taken)
        taken = evict();
    slot = taken ? udp_slot_at(taken - 1) : NULL;
    if (!slot)
        return NULL;
    flow = &slot->flow;
    __builtin_memset(flow, 0, sizeof *flow);
    __builtin_memset(&slot->now, 0, sizeof slot->now);
    __builtin_memset(slot->base, 0, sizeof slot->base);
    slot->key = it->key;
    slot->sk = (__u64)sk;
    kernel_sk = (struct sock *)*(volatile __u64 *)&slot->sk; /* a number now, to be read from */
    flow->socket = it->key.socket;
    __builtin_memcpy(flow->local, it->key.local, sizeof flow->local);
    __builtin_memcpy(flow->remote, it->key.remote, sizeof flow->remote);
    flow->local_port = it->key.local_port;
    flow->remote_port = it->key.remote_port;
    flow->family = it->family;
    flow->role = it->sent ? ROLE_CLIENT : ROLE_SERVER;
    if (owner) {
        write_udp_owner(flow, &owner->owner);
        flow->flags = owner->user ? 0 : FLOW_GUESSED;
    } else {
        own_by_socket(&found, kernel_sk, false);
        write_udp_owner(flow, &found);
        flow->flags = FLOW_OWNERLESS;
    }
    flow->netns = BPF_CORE_READ(kernel_sk, __sk_common.skc_net.net, ns.inum);
    slot->active_ns = flow->opened_ns = bpf_ktime_get_boot_ns();
    open_slot(&slot->slot);
    if (!bpf_map_update_elem(&udp_conversation, &it->key, &taken, BPF_NOEXIST))
        return slot;
    /* another CPU was first, or there is no memory */
    if (claim_close(&slot->slot, &word)) {
        slot->key.socket = 0;
        if (WORD_STATE(word) == SLOT_LIVE)
            free_slot(&slot->slot, &udp_pool, taken - 1);
    }
    return NULL;
}

static __always_inline struct udp_slot *conversation_at(const __u32 *index, const struct udp_key *key) {
    struct udp_slot *slot = index && *index ? udp_slot_at(*index - 1) : NULL;

    return slot && is_same(&slot->key, key) ? slot : NULL;
}

static __always_inline struct udp_slot *conversation_of(struct bpf_sock *sk, const struct datagram *it,
                                                        struct socket_owner *owner) {
    struct udp_slot *slot = owner ? conversation_at(&owner->slot, &it->key) : NULL;
    __u32 *index;

    if (slot)
        return slot;
    index = bpf_map_lookup_elem(&udp_conversation, &it->key);
    slot = conversation_at(index, &it->key);
    if (!slot) {
        slot = open_conversation(sk, it, owner);
        index = bpf_map_lookup_elem(&udp_conversation, &it->key);
        if (!slot)
            slot = conversation_at(index, &it->key);
    }
    if (owner && index)
        owner->slot = *index;
    return slot;
}

/* User space never sends from elsewhere, so whoever runs is the sender. */
static __always_inline void use_by_sender(struct socket_owner *it) {
    struct task_struct *task = bpf_get_current_task_btf();

    if (it->user == (__u32)task->tgid || (task->flags & PF_KTHREAD))
        return;
    own(&it->owner, task);
    it->user = it->owner.pid;
}

/* Most packets are TCP's: told by a byte of the header that lies ready. */
static __always_inline bool is_tcp(struct __sk_buff *skb) {
    __u8 *ip = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;

    return ip + 20 <= end && (ip[0] >> 4 == 4 ? ip[9] : ip[6]) == IPPROTO_TCP;
}

static __always_inline int count_datagram(struct __sk_buff *skb, bool sent) {
    struct datagram it = {.sent = sent};
    struct socket_owner *owner;
    struct udp_slot *slot;
    struct bpf_sock *sk;

    if (is_tcp(skb) || !(sk = skb->sk) || !(sk = bpf_sk_fullsock(sk)) || sk->protocol != IPPROTO_UDP ||
        sk->type != SOCK_DGRAM || !read_datagram(skb, &it))
        return 1;
    it.key.socket = bpf_get_socket_cookie(skb);
    owner = bpf_sk_storage_get(&socket_owner, sk, NULL, 0);
    if (sent && owner)
        use_by_sender(owner);
    slot = conversation_of(sk, &it, owner);
    if (!slot) {
        count_lost(LOST_UDP_SLOT);
        return 1;
    }
    if (owner && owner->user &&
        (slot->flow.pid != owner->owner.pid || (slot->flow.flags & (FLOW_GUESSED | FLOW_OWNERLESS)))) {
        write_udp_owner(&slot->flow, &owner->owner);
        slot->flow.flags &= ~(FLOW_GUESSED | FLOW_OWNERLESS);
    }
    slot->active_ns = bpf_ktime_get_boot_ns();
    if (sent) {
        __sync_fetch_and_add(&slot->now.bytes_sent, it.bytes);
        __sync_fetch_and_add(&slot->now.packets_sent, it.packets);
    } else {
        __sync_fetch_and_add(&slot->now.bytes_rcvd, it.bytes);
        __sync_fetch_and_add(&slot->now.packets_rcvd, it.packets);
    }
    return 1;
}

/* Chosen because the socket is known in both directions, in every network namespace, connected or not. For
 * other protocols it leaves at once, which is what it costs TCP. A datagram to a closed port is seen by its
 * sender; one that the receiver has no room for is counted as received. */
SEC("?cgroup_skb/egress")
int udp_flow_egress(struct __sk_buff *skb) {
    return count_datagram(skb, true);
}

SEC("?cgroup_skb/ingress")
int udp_flow_ingress(struct __sk_buff *skb) {
    return count_datagram(skb, false);
}

/* Who creates a socket is the first guess for who receives on it. */
SEC("?cgroup/sock_create")
int udp_create(struct bpf_sock *sk) {
    struct socket_owner *it;

    if (sk->protocol != IPPROTO_UDP || sk->type != SOCK_DGRAM)
        return 1;
    it = bpf_sk_storage_get(&socket_owner, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
    if (!it) {
        count_lost(LOST_STORAGE);
        return 1;
    }
    own(&it->owner, bpf_get_current_task_btf());
    return 1;
}
