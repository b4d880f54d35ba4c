/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The life of a TCP conversation: opened, reported once a window, closed. */
#pragma once

#include "cgroup.bpf.h"
#include "tcp_slot.bpf.h"

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 8 * 1024 * 1024); /* default; the probe resizes it */
} tcp_flow SEC(".maps");

const volatile __u64 tcp_flow_wake_bytes = 4 * 1024 * 1024;

/* Who owns a socket. BPF_F_CLONE hands the listener's owner to the sockets accepted from it. */
struct tcp_owner {
    struct cgroup_key cgroup;
    process_id_t pid;
    comm_t comm;
    __u32 slot;    /* index + 1; 0: no flow, which is so for listeners */
    __u32 role;    /* enum tcp_role of its flow, or of the flows accepted from it */
    __u32 refused; /* there was no slot for its flow, and that was counted */
};

struct {
    __uint(type, BPF_MAP_TYPE_SK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
    __type(key, int);
    __type(value, struct tcp_owner);
} tcp_owner SEC(".maps");

/* A port that somebody listens on, or did: tells the role of connections whose beginning nobody saw. */
struct listener_key {
    netns_id_t netns;
    __u32 port; /* host byte order */
};

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 16384);
    __type(key, struct listener_key);
    __type(value, __u8);
} tcp_listener SEC(".maps");

static __always_inline struct listener_key listener_key(struct sock *sk) {
    return (struct listener_key){
        .netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum),
        .port = bpf_ntohs(BPF_CORE_READ((struct inet_sock *)sk, inet_sport)),
    };
}

static __always_inline void add_listener(struct sock *sk) {
    struct listener_key key = listener_key(sk);
    __u8 yes = 1;

    bpf_map_update_elem(&tcp_listener, &key, &yes, BPF_ANY);
}

static __always_inline __u32 role_by_listener(struct sock *sk) {
    struct listener_key key = listener_key(sk);

    return bpf_map_lookup_elem(&tcp_listener, &key) ? ROLE_SERVER : ROLE_CLIENT;
}

static __always_inline void own(struct tcp_owner *owner, struct task_struct *task) {
    struct task_struct *leader = BPF_CORE_READ(task, group_leader);

    owner->cgroup = cgroup_key(cgroup_of(task));
    owner->pid = BPF_CORE_READ(task, tgid);
    bpf_probe_read_kernel(owner->comm, sizeof owner->comm, &leader->comm);
}

/* The socket's own cgroup, always of the default hierarchy: who created it, or its listener. */
static __always_inline void own_by_socket(struct tcp_owner *owner, struct sock *sk) {
    struct cgroup *cgroup = BPF_CORE_READ(sk, sk_cgrp_data.cgroup);

    if (cgroup)
        owner->cgroup = cgroup_key(cgroup);
}

static __always_inline void read_addresses(struct tcp_flow *row, struct sock *sk) {
    struct inet_sock *inet = (struct inet_sock *)sk;

    row->family = BPF_CORE_READ(sk, __sk_common.skc_family);
    /* not skc_num: it is 0 by the time of CLOSE */
    row->local_port = bpf_ntohs(BPF_CORE_READ(inet, inet_sport));
    row->remote_port = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
    if (row->family == AF_INET6) {
        BPF_CORE_READ_INTO(&row->local, sk, __sk_common.skc_v6_rcv_saddr);
        BPF_CORE_READ_INTO(&row->remote, sk, __sk_common.skc_v6_daddr);
    } else {
        __builtin_memset(row->local, 0, 10);
        __builtin_memset(row->remote, 0, 10);
        row->local[10] = row->local[11] = row->remote[10] = row->remote[11] = 0xff;
        *(__be32 *)(row->local + 12) = BPF_CORE_READ(inet, inet_saddr);
        *(__be32 *)(row->remote + 12) = BPF_CORE_READ(sk, __sk_common.skc_daddr);
    }
}

static __always_inline void read_counters(struct tcp_counters *now, struct tcp_sock *tp) {
    __u64 fin_seen = 1ULL << bpf_core_enum_value(enum sock_flags, SOCK_DONE);

    now->bytes_sent = BPF_CORE_READ(tp, bytes_sent) - BPF_CORE_READ(tp, bytes_retrans);
    now->bytes_rcvd = BPF_CORE_READ(tp, bytes_received);
    /* tcp_fin() sets SOCK_DONE; its sequence number was counted as a byte */
    if (now->bytes_rcvd && (BPF_CORE_READ((struct sock *)tp, __sk_common.skc_flags) & fin_seen))
        now->bytes_rcvd--;
    now->segs_sent = BPF_CORE_READ(tp, segs_out);
    now->segs_rcvd = BPF_CORE_READ(tp, segs_in);
    now->segs_resent = BPF_CORE_READ(tp, total_retrans);
    now->pad = 0;
}

/* What changes in a row from report to report. Takes the deltas from `base` and leaves the new base in `now`.
 */
static __always_inline void read_state(struct tcp_flow *row, struct sock *sk, const struct tcp_counters *base,
                                       struct tcp_counters *now) {
    struct tcp_sock *tp = (struct tcp_sock *)sk;

    read_counters(now, tp);
    row->bytes_sent = now->bytes_sent - base->bytes_sent;
    row->bytes_rcvd = now->bytes_rcvd - base->bytes_rcvd;
    row->segs_sent = now->segs_sent - base->segs_sent;
    row->segs_rcvd = now->segs_rcvd - base->segs_rcvd;
    row->segs_resent = now->segs_resent - base->segs_resent;
    row->rtt_us = BPF_CORE_READ(tp, srtt_us) >> 3;
    row->rtt_var_us = BPF_CORE_READ(tp, mdev_us) >> 2;
    row->state = BPF_CORE_READ(sk, __sk_common.skc_state);
}

/* Give the socket a slot and publish it. What `sk` has counted so far belongs to the flow unless it predates
 * us. */
static __always_inline void open_flow(struct sock *sk, struct tcp_owner *owner, __u8 flags) {
    __u32 taken = take_slot();
    struct tcp_slot *slot = taken ? slot_at(taken - 1) : NULL;
    struct tcp_flow *flow;

    if (!slot) {
        if (!owner->refused)
            count_lost(LOST_SLOT);
        owner->refused = 1;
        return;
    }
    /* the start-up scan and a hook may meet here: one of them publishes */
    if (__sync_val_compare_and_swap(&owner->slot, 0, taken)) {
        free_slot(slot, taken - 1);
        return;
    }
    flow = &slot->flow;
    __builtin_memset(flow, 0, sizeof *flow);
    __builtin_memset(slot->base, 0, sizeof slot->base);
    if (flags & FLOW_PREDATES)
        read_counters(&slot->base[0], (struct tcp_sock *)sk);
    flow->socket = bpf_get_socket_cookie(sk);
    flow->cgroup = owner->cgroup.cgroup;
    flow->hierarchy = owner->cgroup.hierarchy;
    flow->pid = owner->pid;
    __builtin_memcpy(flow->comm, owner->comm, sizeof flow->comm);
    flow->netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
    flow->role = owner->role;
    flow->flags = flags;
    flow->opened_ns = bpf_ktime_get_boot_ns();
    slot->sk = (__u64)sk;
    __sync_lock_test_and_set(&slot->word, WORD(0ULL, 0, SLOT_LIVE));
}

static __always_inline struct tcp_flow *reserve_row(void) {
    struct tcp_flow *row = bpf_ringbuf_reserve(&tcp_flow, sizeof *row, 0);

    if (!row)
        count_lost(LOST_TCP_FLOW);
    return row;
}

static __always_inline void submit_row(struct tcp_flow *row) {
    bpf_ringbuf_submit(row, wake(&tcp_flow, tcp_flow_wake_bytes));
}

/* A flow without a slot: there was none left, or the probe never saw it before now. */
static __always_inline void close_unseen(struct sock *sk, struct tcp_owner *owner) {
    struct tcp_owner found = {};
    struct tcp_counters zero = {}, now;
    struct tcp_flow *row = reserve_row();

    if (!row)
        return;
    if (owner)
        found = *owner;
    else
        own_by_socket(&found, sk);
    __builtin_memset(row, 0, sizeof *row);
    row->socket = bpf_get_socket_cookie(sk);
    row->cgroup = found.cgroup.cgroup;
    row->hierarchy = found.cgroup.hierarchy;
    row->pid = found.pid;
    __builtin_memcpy(row->comm, found.comm, sizeof row->comm);
    row->netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
    row->flags = owner ? 0 : FLOW_PREDATES | FLOW_OWNERLESS;
    row->role = owner ? owner->role : role_by_listener(sk);
    read_addresses(row, sk);
    read_state(row, sk, &zero, &now);
    row->state = TCP_CLOSE;
    row->closed_ns = bpf_ktime_get_boot_ns();
    row->opened_ns = row->closed_ns;
    submit_row(row);
}

/* True when the flow is ours to close: not a slot that the report pass found dead and gave to another socket.
 */
static __always_inline bool claim_close(struct tcp_slot *slot, struct sock *sk, __u64 *word) {
    for (int i = 0; i < 8; i++) {
        *word = *(volatile __u64 *)&slot->word;
        if (slot->sk != (__u64)sk || (WORD_STATE(*word) != SLOT_LIVE && WORD_STATE(*word) != SLOT_BUSY))
            return false;
        if (__sync_val_compare_and_swap(&slot->word, *word, SLOT_CLOSED) == *word)
            return true;
    }
    return false;
}

static __always_inline void close_flow(struct sock *sk, struct tcp_owner *owner) {
    __u32 index = owner->slot - 1;
    struct tcp_slot *slot = slot_at(index);
    struct tcp_counters now;
    struct tcp_flow *row;
    __u64 word;

    owner->slot = 0;
    if (!slot || !claim_close(slot, sk, &word))
        return;
    row = reserve_row();
    if (row) {
        __builtin_memcpy(row, &slot->flow, sizeof *row);
        /* after the exchange above: a pass that came first has a time before this one */
        row->closed_ns = bpf_ktime_get_boot_ns();
        row->reported_ns = WORD_REPORTED(word);
        read_addresses(row, sk);
        read_state(row, sk, &slot->base[WORD_BASE(word)], &now);
        row->state = TCP_CLOSE;
        submit_row(row);
    }
    if (WORD_STATE(word) == SLOT_LIVE)
        free_slot(slot, index); /* else the pass that is at it does */
}

/* Every change of a TCP socket's state. Chosen because it is stable, runs in process context for connect()
 * and listen(), and sees all ways a connection ends. It misses events that interrupt another run of itself on
 * the same CPU (the kernel counts them as recursion_misses), so each case mends what an earlier miss may have
 * left. */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(tcp_flow_state, struct sock *sk, int old_state, int new_state) {
    __u64 create = new_state == TCP_CLOSE ? 0 : BPF_SK_STORAGE_GET_F_CREATE;
    struct tcp_owner *owner;

    if (new_state != TCP_SYN_SENT && new_state != TCP_SYN_RECV && new_state != TCP_ESTABLISHED &&
        new_state != TCP_LISTEN && new_state != TCP_CLOSE)
        return 0;
    if ((new_state == TCP_CLOSE && (old_state == TCP_LISTEN || old_state == TCP_CLOSE)) ||
        BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP)
        return 0;
    owner = bpf_sk_storage_get(&tcp_owner, sk, NULL, create);
    if (!owner && create) {
        count_lost(LOST_STORAGE);
        return 0;
    }
    switch (new_state) {
    case TCP_LISTEN:
        add_listener(sk);
        owner->role = ROLE_SERVER;
        own(owner, bpf_get_current_task_btf());
        break;
    case TCP_SYN_SENT:
        if (owner->slot)
            close_flow(sk, owner);
        owner->role = ROLE_CLIENT;
        owner->refused = 0;
        own(owner, bpf_get_current_task_btf());
        open_flow(sk, owner, 0);
        break;
    case TCP_SYN_RECV:
    case TCP_ESTABLISHED:
        if (owner->slot)
            break;
        if (!owner->role) /* neither its connect() nor its listener was seen */
            owner->role = old_state == TCP_SYN_SENT ? ROLE_CLIENT : ROLE_SERVER;
        if (!owner->cgroup.cgroup)
            own_by_socket(owner, sk);
        open_flow(sk, owner, owner->pid ? FLOW_GUESSED : FLOW_OWNERLESS);
        break;
    case TCP_CLOSE:
        if (owner && owner->slot)
            close_flow(sk, owner);
        else
            close_unseen(sk, owner);
    }
    return 0;
}
