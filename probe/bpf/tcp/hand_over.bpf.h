/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* A connection that another container uses from now on: the former owner gets a row with what it carried since
 * the last report. The programs see the new owner's first send or receive just after it happened, so its bytes
 * are taken off. Not for changes of the process within a container: servers that fork pay nothing. */
#pragma once

#include "tcp_flow.bpf.h"

/* What the new owner has just done, in bytes. */
struct use {
    __u32 sent;
    __u32 read;
};

static __always_inline bool is_of_another_container(const struct tcp_slot *slot, const struct owner *owner) {
    return !is_guess(slot) &&
           (slot->flow.cgroup != owner->cgroup.cgroup || slot->flow.hierarchy != owner->cgroup.hierarchy);
}

/* Takes off up to `bytes` of a delta, which the new owner's next row then has. */
static __always_inline void leave(bytes_t *delta, bytes_t *now, bytes_t bytes) {
    if (bytes > *delta)
        bytes = *delta;
    *delta -= bytes;
    *now -= bytes;
}

/* Sent is what left the write queue, in order: the new owner's bytes are the last in it. Received is what the
 * former owner has read: bytes still in the receive queue count for the new one. Segments cannot be
 * split and stay with the former owner. */
static __always_inline void read_former(struct tcp_flow *row, struct tcp_sock *tp,
                                        const struct tcp_slot *slot, const struct tcp_counters *base,
                                        struct tcp_counters *now, const struct use *use) {
    __u32 unsent = tp->write_seq - tp->snd_nxt, unread = tp->rcv_nxt - tp->copied_seq;

    read_addresses(row, tp, TYPED);
    read_state(row, tp, slot, base, now, TYPED, UNLOCKED);
    row->lost_segments = 0; /* a level: the new owner's */
    leave(&row->bytes_sent, &now->bytes_sent, use->sent > unsent ? use->sent - unsent : 0);
    leave(&row->bytes_rcvd, &now->bytes_rcvd, (bytes_t)unread + use->read);
}

/* The slot is held like in the report pass. The former owner keeps nothing when the pass holds the slot, when
 * another hand-over does, and while the ring is half full, because closed flows come first: then all that the
 * flow carried since its last report is the new owner's. */
static __noinline int hand_over(struct sock *sk, const struct owner *owner, const struct use *use) {
    __u32 taken = placed(sk->__sk_common.skc_cookie.counter);
    struct tcp_slot *slot = taken ? tcp_slot_at(taken - 1) : NULL;
    struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
    struct tcp_health *told;
    struct tcp_flow *row;
    __u64 word, busy;
    boot_ns_t now_ns;

    if (!slot || !tp || slot->sk != (__u64)sk)
        return 0;
    word = *(volatile __u64 *)&slot->slot.word;
    busy = (word & ~3ULL) | SLOT_BUSY;
    row =
        WORD_STATE(word) == SLOT_LIVE && bpf_ringbuf_query(&tcp_flow, BPF_RB_AVAIL_DATA) < tcp_flow_wake_bytes
            ? reserve_row()
            : NULL;
    if (!row) {
        confirm_flow(slot, owner);
        return 0;
    }
    if (__sync_val_compare_and_swap(&slot->slot.word, word, busy) != word) {
        bpf_ringbuf_discard(row, 0);
        if (slot->sk == (__u64)sk)
            confirm_flow(slot, owner);
        return 0;
    }
    /* between the read and the claim the slot may have gone to another flow */
    if (slot->flow.socket != sk->__sk_common.skc_cookie.counter) {
        bpf_ringbuf_discard(row, 0);
        if (__sync_val_compare_and_swap(&slot->slot.word, busy, word) != busy)
            free_tcp_slot(taken - 1);
        return 0;
    }
    now_ns = bpf_ktime_get_boot_ns(); /* after the claim: a pass that came first has a time before this one */
    __builtin_memcpy(row, &slot->flow, sizeof *row);
    row->reported_ns = WORD_REPORTED(word);
    row->closed_ns = now_ns;
    row->flags |= FLOW_HANDED;
    read_former(row, tp, slot, &slot->base[WORD_BASE(word)], &slot->base[WORD_BASE(word) ^ 1], use);
    told =
        reserve_told(row, tp, &slot->base[WORD_BASE(word)].health, &slot->base[WORD_BASE(word) ^ 1].health);
    slot->slot.whole = 1;
    confirm_flow(slot, owner);
    if (__sync_val_compare_and_swap(&slot->slot.word, busy, WORD(now_ns, WORD_BASE(word) ^ 1, SLOT_LIVE)) ==
        busy) {
        if (told)
            bpf_ringbuf_submit(told, BPF_RB_NO_WAKEUP);
        submit_row(row);
        return 0;
    }
    /* it closed meanwhile: the row of its close has everything */
    if (told)
        bpf_ringbuf_discard(told, BPF_RB_NO_WAKEUP);
    bpf_ringbuf_discard(row, 0);
    free_tcp_slot(taken - 1);
    return 0;
}
