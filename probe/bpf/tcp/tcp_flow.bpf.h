/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The life of a TCP conversation: opened, reported once a window, closed. */
#pragma once

#include "tcp_owner.bpf.h"
#include "rtt/rtt_look.bpf.h"

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 8 * 1024 * 1024); /* default; the probe resizes it */
} tcp_flow SEC(".maps");

const volatile __u64 tcp_flow_wake_bytes = 4 * 1024 * 1024;

/* Gives the socket a slot and makes it visible. The counts of `sk` so far belong to the flow unless it
 * predates the probe. */
static __noinline void open_flow(struct sock *sk, struct socket_owner *entry, __u32 flags) {
    __u32 taken = take_slot(&tcp_slot, &tcp_pool, max_tcp_flows);
    struct tcp_slot *slot = taken ? tcp_slot_at(taken - 1) : NULL;
    struct tcp_flow *flow;
    struct tcp_sock *tp;

    entry->predates = flags & FLOW_PREDATES;
    if (!slot) {
        if (!entry->refused)
            count_lost(LOST_SLOT);
        entry->refused = 1;
        return;
    }
    /* the start-up scan and a hook may run at the same time: one of them wins */
    if (__sync_val_compare_and_swap(&entry->slot, 0, taken)) {
        free_slot(&slot->slot, &tcp_pool, taken - 1);
        return;
    }
    flow = &slot->flow;
    __builtin_memset(flow, 0, sizeof *flow);
    __builtin_memset(slot->base, 0, sizeof slot->base);
    slot->slot.whole = 0;
    slot->rtt_sum_us = 0;
    slot->rtt_samples = slot->rtt_min_us = slot->rtt_max_us = slot->sought = slot->smoothed = 0;
    __builtin_memset(&slot->look, 0, sizeof slot->look);
    __builtin_memset(slot->waiting_us, 0, sizeof slot->waiting_us);
    if ((flags & FLOW_PREDATES) && (tp = bpf_skc_to_tcp_sock(sk))) {
        read_counters(&slot->base[0], tp, NO_SAMPLES, TYPED);
        slot->base[0].bytes_rcvd = without_fin(slot->base[0].bytes_rcvd, 0, tp, TYPED, LOCKED);
        skip_samples(slot, tp);
    }
    flow->socket = new_cookie_of(sk);
    write_owner(flow, &entry->owner);
    flow->netns = entry->netns;
    flow->role = entry->role;
    flow->flags = flags;
    flow->opened_ns = bpf_ktime_get_boot_ns();
    slot->sk = (__u64)sk;
    slot->application = (__u64)application_of(sk);
    open_slot(&slot->slot);
}

static __always_inline struct tcp_flow *reserve_row(void) {
    struct tcp_flow *row = bpf_ringbuf_reserve(&tcp_flow, sizeof *row, 0);

    if (!row)
        count_lost(LOST_TCP_FLOW_RING);
    return row;
}

static __always_inline void submit_row(struct tcp_flow *row) {
    bpf_ringbuf_submit(row, wake(&tcp_flow, tcp_flow_wake_bytes));
}

/* FAILED: closed before it was established. */
enum ending { ENDED, FAILED };

/* A flow without a slot: none was left, or the probe did not see it before its close. */
static __noinline void close_unseen(struct sock *sk, struct socket_owner *entry, enum ending ending) {
    struct user *user = entry && entry->user ? NULL : user_of(application_of(sk));
    struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
    bool predates = !entry || entry->predates;
    struct tcp_slot zero = {};
    struct owner found = {};
    struct tcp_counters now;
    struct tcp_flow *row;

    if (!tp || !(row = reserve_row()))
        return;
    if (user)
        found = user->owner;
    else if (entry)
        found = entry->owner;
    else
        own_by_socket(&found, sk, TYPED);
    __builtin_memset(row, 0, sizeof *row);
    row->socket = new_cookie_of(sk);
    write_owner(row, &found);
    row->netns = netns_of(sk);
    row->flags = (predates ? FLOW_PREDATES : 0) | (ending == FAILED ? FLOW_FAILED : 0) |
                 (!found.pid            ? FLOW_OWNERLESS
                  : user || entry->user ? 0
                                        : FLOW_GUESSED);
    if (predates) /* how much of it is older than the probe is unknown: none of it is counted */
        read_counters(&zero.base[0], tp, NO_SAMPLES, TYPED);
    if (entry && rtt_args && (tp->bpf_sock_ops_cb_flags & BPF_SOCK_OPS_RTT_CB_FLAG))
        row->flags |= FLOW_SAMPLED;
    row->role = entry ? entry->role : role_by_listener(sk);
    read_addresses(row, tp, TYPED);
    read_state(row, tp, &zero, &zero.base[0], &now, TYPED, LOCKED);
    row->state = TCP_CLOSE;
    row->closed_ns = bpf_ktime_get_boot_ns();
    row->opened_ns = row->closed_ns;
    submit_row(row);
}

static __noinline void close_flow(struct sock *sk, struct socket_owner *entry, enum ending ending) {
    __u32 index = entry->slot - 1;
    struct tcp_slot *slot = slot_of(sk, entry);
    struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
    struct tcp_counters now;
    struct tcp_flow *row;
    __u64 word;

    entry->slot = 0;
    /* the report pass may have freed the slot, and another socket may have it */
    if (!slot || !tp || !claim_close(&slot->slot, &word))
        return;
    confirm_by_user(slot);
    entry->owner.cgroup.cgroup = slot->flow.cgroup; /* a reset may still come */
    entry->owner.cgroup.hierarchy = slot->flow.hierarchy;
    if (rtt_looks)
        look_at_rtt(slot, tp, TYPED);
    if (slot->waiting_us[0])
        count_waiting(slot);
    row = reserve_row();
    if (row) {
        __builtin_memcpy(row, &slot->flow, sizeof *row);
        /* after the exchange above: a pass that came first has a time before this one */
        row->closed_ns = bpf_ktime_get_boot_ns();
        row->reported_ns = WORD_REPORTED(word);
        if (ending == FAILED)
            row->flags |= FLOW_FAILED;
        read_addresses(row, tp, TYPED);
        read_state(row, tp, slot, &slot->base[WORD_BASE(word)], &now, TYPED, LOCKED);
        row->state = TCP_CLOSE;
        submit_row(row);
    }
    if (WORD_STATE(word) == SLOT_LIVE)
        free_slot(&slot->slot, &tcp_pool, index); /* else the program that holds it frees it */
}

/* Closed with data unread, or with SO_LINGER 0: there is no other state in between. A reset by the peer comes
 * from softirq, before it sets sk_shutdown. */
static __always_inline bool is_closed_here(struct sock *sk, int old_state) {
    return (old_state == TCP_ESTABLISHED || old_state == TCP_CLOSE_WAIT) &&
           BPF_CORE_READ_BITFIELD_PROBED(sk, sk_shutdown) == SHUTDOWN_MASK;
}

static __always_inline void look_in_state(struct sock *sk, struct tcp_slot *slot) {
    struct tcp_sock *tp = rtt_looks ? bpf_skc_to_tcp_sock(sk) : NULL;

    if (tp)
        look_at_rtt(slot, tp, TYPED);
}

static __always_inline bool is_watched(int state) {
    const __u32 watched = 1 << TCP_SYN_SENT | 1 << TCP_SYN_RECV | 1 << TCP_ESTABLISHED | 1 << TCP_LISTEN |
                          1 << TCP_CLOSE | 1 << TCP_FIN_WAIT1 | 1 << TCP_LAST_ACK;

    return state >= 0 && state < 32 && watched >> state & 1;
}

/* Every change of a TCP socket's state. Chosen because it is stable, runs in process context for connect()
 * and listen(), and sees all ways in which a connection ends. It misses events that interrupt another run
 * of itself on the same CPU (the kernel counts them as recursion_misses), so each case corrects what an
 * earlier miss may have left. */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(tcp_flow_state, struct sock *sk, int old_state, int new_state) {
    bool creates = new_state == TCP_SYN_SENT || new_state == TCP_SYN_RECV || new_state == TCP_ESTABLISHED ||
                   new_state == TCP_LISTEN;
    enum ending ending = old_state == TCP_SYN_SENT || old_state == TCP_SYN_RECV ? FAILED : ENDED;
    struct socket_owner *entry;
    struct tcp_slot *slot;

    if (!is_watched(new_state) ||
        (new_state == TCP_CLOSE && (old_state == TCP_LISTEN || old_state == TCP_CLOSE)) ||
        sk->sk_protocol != IPPROTO_TCP)
        return 0;
    entry = bpf_sk_storage_get(&socket_owner, sk, NULL, creates ? BPF_SK_STORAGE_GET_F_CREATE : 0);
    if (!entry) {
        if (creates)
            count_lost(LOST_STORAGE);
        else if (new_state == TCP_CLOSE)
            close_unseen(sk, NULL, ending);
        return 0;
    }
    switch (new_state) {
    case TCP_LISTEN:
        add_listener(sk);
        entry->role = ROLE_SERVER;
        entry->slot = entry->predates = 0; /* sockets accepted from it start without them */
        entry->netns = netns_of(sk);
        own_as_current(&entry->owner);
        break;
    case TCP_SYN_SENT:
        if (entry->slot)
            close_flow(sk, entry, ENDED);
        entry->role = ROLE_CLIENT;
        entry->refused = entry->predates = 0;
        entry->netns = netns_of(sk);
        own_connecting(sk, entry);
        open_flow(sk, entry, entry->owner.pid ? 0 : FLOW_OWNERLESS);
        break;
    case TCP_SYN_RECV:
        entry->user = 0; /* a copy of the listener's */
        __attribute__((fallthrough));
    case TCP_ESTABLISHED:
        if (!entry->slot) {
            if (!entry->role) /* neither its connect() nor its listener was seen */
                entry->role = old_state == TCP_SYN_SENT ? ROLE_CLIENT : ROLE_SERVER;
            entry->netns = netns_of(sk);
            if (!entry->owner.cgroup.cgroup)
                own_by_socket(&entry->owner, sk, TYPED);
            open_flow(sk, entry, entry->owner.pid ? FLOW_GUESSED : FLOW_OWNERLESS);
        }
        if (new_state == TCP_ESTABLISHED && (slot = slot_of(sk, entry))) {
            /* inet_csk_clone_lock() of most kernels sets an accepted socket's cookie only after SYN_RECV */
            slot->flow.socket = new_cookie_of(sk);
            known_of(slot->flow.socket)->slot = entry->slot;
            slot->flow.established_ns = bpf_ktime_get_boot_ns();
            slot->application = (__u64)application_of(sk);
            slot->smoothed = rtt_looks && !rtt_at_segments && slot->application != slot->sk;
            look_in_state(sk, slot);
        }
        break;
    case TCP_FIN_WAIT1:
    case TCP_LAST_ACK:
        if (!entry->user)
            own_by_closer(sk, entry);
        if (rtt_looks && (slot = slot_of(sk, entry)))
            look_in_state(sk, slot);
        break;
    case TCP_CLOSE:
        if (!entry->user && is_closed_here(sk, old_state))
            own_by_closer(sk, entry);
        if (entry->slot)
            close_flow(sk, entry, ending);
        else
            close_unseen(sk, entry, ending);
    }
    return 0;
}
