/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The life of a TCP conversation: opened, reported once a window, closed. */
#pragma once

#include "health/health_row.bpf.h"
#include "health/listen_slot.bpf.h"
#include "tcp_owner.bpf.h"
#include "tcp_isn.bpf.h"
#include "rtt/rtt_look.bpf.h"

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 8 * 1024 * 1024); /* default; the probe resizes it */
} tcp_flow SEC(".maps");

const volatile __u64 tcp_flow_wake_bytes = 4 * 1024 * 1024;

/* Sockets that found no slot, the last of them, by cookie. */
TABLE(tcp_refused, BPF_MAP_TYPE_LRU_HASH, 0, 2048, __u64, struct tcp_opener);

static bool refuses; /* there are some, or were */

static __always_inline struct tcp_opener *refused_of(__u64 cookie) {
    return *(volatile bool *)&refuses ? FIND_IN(tcp_refused, &cookie) : NULL;
}

/* A socket that is pushed out of the table comes here again with each use: it is counted where it is seen first. */
enum sight { FIRST, AGAIN };

static __always_inline void refuse(__u64 cookie, const struct tcp_opener *opener, enum sight sight) {
    refuses = true;
    if (!ADD_TO(tcp_refused, &room.refused, &cookie, opener) && sight == FIRST)
        count_lost(LOST_SLOT);
}

/* Gives the socket a slot and makes it visible. The counts of `sk` so far belong to the flow unless it
 * predates the probe. */
static __noinline struct tcp_slot *open_flow(struct sock *sk, struct tcp_opener *opener, enum sight sight) {
    __u32 taken = take_tcp_slot();
    struct tcp_slot *slot = taken ? tcp_slot_at(taken - 1) : NULL;
    __u64 cookie = new_cookie_of(sk), word;
    struct tcp_flow *flow;
    struct tcp_sock *tp;

    opener->netns = netns_of(sk);
    if (!slot) {
        refuse(cookie, opener, sight);
        return NULL;
    }
    flow = &slot->flow;
    __builtin_memset(flow, 0, sizeof *flow);
    __builtin_memset(slot->base, 0, sizeof slot->base);
    __builtin_memset(&slot->handshake, 0, sizeof slot->handshake);
    slot->slot.whole = 0;
    slot->rtt_sum_us = 0;
    slot->rtt_samples = slot->rtt_min_us = slot->rtt_max_us = slot->sought = slot->smoothed = 0;
    __builtin_memset(&slot->look, 0, sizeof slot->look);
    __builtin_memset(slot->waiting_us, 0, sizeof slot->waiting_us);
    if ((opener->flags & FLOW_PREDATES) && (tp = bpf_skc_to_tcp_sock(sk))) {
        read_counters(&slot->base[0], tp, NO_SAMPLES, &slot->handshake, TYPED);
        slot->base[0].bytes_rcvd = without_fin(slot->base[0].bytes_rcvd, 0, tp, TYPED, LOCKED);
        skip_samples(slot, tp);
    }
    flow->socket = cookie;
    write_owner(flow, &opener->owner);
    flow->netns = opener->netns;
    flow->role = opener->role;
    flow->flags = opener->flags;
    flow->opened_ns = bpf_ktime_get_boot_ns();
    slot->user = opener->user;
    slot->sk = (__u64)sk;
    slot->application = (__u64)application_of(sk);
    open_slot(&slot->slot);
    if (hold_place(cookie, taken))
        return slot;
    slot->sk = 0;
    if (claim_close(&slot->slot, &word) && WORD_STATE(word) == SLOT_LIVE)
        free_tcp_slot(taken - 1);
    return NULL;
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

/* Set by the probe when its scan has found all older sockets, and each has a slot: what has none from then on is
 * not older. */
bool scanned SEC(".data.scanned");

/* A flow without a slot: none was left, or its start was not seen. */
static __noinline void close_unseen(struct sock *sk, int old_state) {
    bool fails = old_state == TCP_SYN_SENT || old_state == TCP_SYN_RECV;
    __u64 cookie = new_cookie_of(sk);
    struct tcp_opener *refused = refused_of(cookie);
    struct user *user = refused && refused->user ? NULL : user_of(application_of(sk));
    struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
    struct tcp_opener opener = {};
    struct tcp_slot zero = {};
    struct tcp_counters now;
    struct tcp_flow *row;
    bool predates;

    if (!tp || !(row = reserve_row()))
        return;
    if (refused) {
        opener = *refused;
        DELETE_FROM(tcp_refused, &room.refused, &cookie);
    } else if (old_state == TCP_SYN_RECV) {
        own_accepted(sk, &opener);
        opener.role = ROLE_SERVER;
    } else {
        own_by_socket(&opener.owner, sk, TYPED);
        opener.flags = FLOW_OWNERLESS;
        opener.role = old_state == TCP_SYN_SENT ? ROLE_CLIENT : role_by_listener(sk);
    }
    predates = refused ? opener.flags & FLOW_PREDATES : !scanned && old_state != TCP_SYN_RECV;
    if (user) {
        opener.owner = user->owner;
        opener.flags = 0;
    }
    __builtin_memset(row, 0, sizeof *row);
    row->socket = cookie;
    write_owner(row, &opener.owner);
    row->netns = netns_of(sk);
    row->flags = (opener.flags & (FLOW_GUESSED | FLOW_OWNERLESS)) | (predates ? FLOW_PREDATES : 0) |
                 (fails ? FLOW_FAILED : 0);
    if (predates) /* how much of it is older than the probe is unknown: none of it is counted */
        read_counters(&zero.base[0], tp, NO_SAMPLES, &zero.handshake, TYPED);
    if (refused && rtt_args && (tp->bpf_sock_ops_cb_flags & BPF_SOCK_OPS_RTT_CB_FLAG))
        row->flags |= FLOW_SAMPLED;
    row->role = opener.role;
    read_addresses(row, tp, TYPED);
    read_state(row, tp, &zero, &zero.base[0], &now, TYPED, LOCKED);
    identify_older(row, tp, old_state, false);
    row->state = TCP_CLOSE;
    row->closed_ns = bpf_ktime_get_boot_ns();
    row->opened_ns = row->closed_ns;
    if (fails)
        row->error = sk->sk_err;
    submit_row(row);
}

/* FAILED: closed before it was established. */
enum ending { ENDED, FAILED };

static __noinline void close_flow(struct sock *sk, struct tcp_slot *slot, enum ending ending) {
    __u32 index = placed(sk->__sk_common.skc_cookie.counter) - 1;
    struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
    struct tcp_counters now;
    struct tcp_flow *row;
    __u64 word;

    leave_place(slot->flow.socket);
    /* the report pass may have freed the slot */
    if (!tp || !claim_close(&slot->slot, &word))
        return;
    confirm_by_user(slot);
    note_closed(&slot->flow);
    if (rtt_looks)
        look_at_rtt(slot, tp, TYPED, LOCKED);
    count_waiting(slot);
    row = reserve_row();
    if (row) {
        __builtin_memcpy(row, &slot->flow, sizeof *row);
        /* after the exchange above: a pass that came first has a time before this one */
        row->closed_ns = bpf_ktime_get_boot_ns();
        row->reported_ns = WORD_REPORTED(word);
        if (ending == FAILED) {
            row->flags |= FLOW_FAILED;
            row->error = sk->sk_err;
        }
        read_addresses(row, tp, TYPED);
        read_state(row, tp, slot, &slot->base[WORD_BASE(word)], &now, TYPED, LOCKED);
        tell_closed(row, tp, &slot->base[WORD_BASE(word)].health, &now.health);
        identify_older(row, tp, row->state, !(row->flags & FLOW_PREDATES));
        row->state = TCP_CLOSE;
        submit_row(row);
    }
    if (WORD_STATE(word) == SLOT_LIVE)
        free_tcp_slot(index); /* else the program that holds it frees it */
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
        look_at_rtt(slot, tp, TYPED, LOCKED);
}

static __always_inline void establish_health(struct sock *sk, struct tcp_slot *slot) {
    struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

    slot->flow.state = TCP_ESTABLISHED;
    if (tp)
        end_handshake(&slot->handshake, tp);
}

/* ESTABLISHED was not seen: it was missed, or TCP Fast Open closed before it. */
static __always_inline void end_unseen_handshake(struct sock *sk, struct tcp_slot *slot, int old_state) {
    if (slot->flow.state == TCP_SYN_SENT || old_state == TCP_SYN_RECV)
        establish_health(sk, slot);
}

static __always_inline bool is_watched(int state) {
    const __u32 watched = 1 << TCP_SYN_SENT | 1 << TCP_ESTABLISHED | 1 << TCP_LISTEN | 1 << TCP_CLOSE |
                          1 << TCP_FIN_WAIT1 | 1 << TCP_LAST_ACK;

    return state >= 0 && state < 32 && watched >> state & 1;
}

static __noinline void listen_flow(struct sock *sk) {
    struct owner owner = {};

    own_as_current(&owner);
    add_listener(sk, &owner, BPF_ANY);
    open_listener(sk, &owner);
}

static __noinline void connect_flow(struct sock *sk) {
    struct tcp_opener opener = {};
    struct tcp_slot *slot;

    own_connecting(sk, &opener);
    slot = open_flow(sk, &opener, FIRST);
    if (slot)
        slot->flow.state = TCP_SYN_SENT; /* until its handshake ends */
}

/* Accepted; or a connection whose start was not seen, or that found no slot then. */
static __noinline struct tcp_slot *open_unseen(struct sock *sk, int old_state) {
    struct tcp_opener *refused = refused_of(sk->__sk_common.skc_cookie.counter);
    struct tcp_opener opener = {};

    if (refused)
        opener = *refused;
    else
        own_accepted(sk, &opener);
    if (!opener.role)
        opener.role = old_state == TCP_SYN_SENT   ? ROLE_CLIENT
                      : old_state == TCP_SYN_RECV ? ROLE_SERVER
                                                  : role_by_listener(sk);
    return open_flow(sk, &opener, old_state == TCP_SYN_RECV ? FIRST : AGAIN);
}

/* Without the sample of its handshake, which comes before its slot, sock_ops has all but one. */
static __always_inline void sample_handshake(struct sock *sk, struct tcp_slot *slot) {
    struct tcp_sock *tp = !rtt_looks && rtt_args ? bpf_skc_to_tcp_sock(sk) : NULL;

    if (tp && tp->srtt_us && !slot->rtt_samples && (tp->bpf_sock_ops_cb_flags & BPF_SOCK_OPS_RTT_CB_FLAG))
        count_sample(slot, tp->srtt_us >> 3);
}

static __always_inline void establish_flow(struct sock *sk, struct tcp_slot *slot) {
    struct tcp_sock *tp;

    slot->application = (__u64)application_of(sk);
    if (slot->flow.role == ROLE_SERVER)
        sample_handshake(sk, slot);
    slot->flow.established_ns = bpf_ktime_get_boot_ns();
    slot->smoothed = rtt_looks && !rtt_at_segments && slot->application != slot->sk;
    look_in_state(sk, slot);
    tp = bpf_skc_to_tcp_sock(sk);
    if (tp)
        read_isn(&slot->flow, tp, slot->flow.role);
    establish_health(sk, slot);
}

/* Every change of a TCP socket's state. Chosen because it is stable, runs in process context for connect()
 * and listen(), and sees all ways in which a connection ends. It misses events that interrupt another run
 * of itself on the same CPU (the kernel counts them as recursion_misses), so each case corrects what an
 * earlier miss may have left. An accepted socket has its cookie only after SYN_RECV: its flow opens when it
 * is established. */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(tcp_flow_state, struct sock *sk, int old_state, int new_state) {
    struct tcp_slot *slot;

    if (!is_watched(new_state) || (new_state == TCP_CLOSE && old_state == TCP_CLOSE) ||
        sk->sk_protocol != IPPROTO_TCP)
        return 0;
    if (new_state == TCP_CLOSE && old_state == TCP_LISTEN)
        return close_listener(sk);
    slot = slot_of(sk);
    switch (new_state) {
    case TCP_LISTEN:
        listen_flow(sk);
        break;
    case TCP_SYN_SENT:
        if (slot)
            close_flow(sk, slot, ENDED);
        connect_flow(sk);
        break;
    case TCP_ESTABLISHED:
        if (slot || (slot = open_unseen(sk, old_state)))
            establish_flow(sk, slot);
        break;
    case TCP_FIN_WAIT1:
    case TCP_LAST_ACK:
        /* TCP Fast Open: closed before it was established; or that event was missed */
        if (!slot && (old_state == TCP_SYN_RECV || scanned))
            slot = open_unseen(sk, old_state);
        if (!slot)
            break;
        if (!slot->user)
            own_by_closer(slot);
        end_unseen_handshake(sk, slot, old_state);
        look_in_state(sk, slot);
        break;
    case TCP_CLOSE:
        if (!slot) {
            close_unseen(sk, old_state);
            break;
        }
        if (!slot->user && is_closed_here(sk, old_state))
            own_by_closer(slot);
        end_unseen_handshake(sk, slot, old_state);
        close_flow(sk, slot, old_state == TCP_SYN_SENT || old_state == TCP_SYN_RECV ? FAILED : ENDED);
    }
    return 0;
}
