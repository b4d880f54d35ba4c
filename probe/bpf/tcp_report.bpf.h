/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Once a window: the state of every live TCP flow. */
#pragma once

#include "report.bpf.h"
#include "tcp_flow.bpf.h"

PAGE(tcp_flow_page, struct tcp_flow);

#define MOMENT_NS 10000000 /* longer than the kernel needs from a tracepoint to what it announces */

/* An accepted socket of most kernels has its last cookie only after the tracepoint for SYN_RECV: until it is
 * established, which takes no time, a report leaves it to the next. */
static __always_inline bool is_opened(struct tcp_slot *slot, boot_ns_t by_ns) {
    bool is_new = slot->flow.role == ROLE_SERVER && !slot->flow.established_ns;

    return *(volatile __u64 *)&slot->flow.opened_ns + (is_new ? MOMENT_NS : 0) < by_ns;
}

/* The tracepoint fires just before the state is stored: a flow opened a moment ago may still read CLOSE. */
static __always_inline bool is_alive(struct tcp_slot *slot, struct tcp_sock *tp, boot_ns_t now_ns,
                                     const bool typed) {
    /* TCP Fast Open: longer in SYN_RECV than it takes to get the cookie */
    if (slot->flow.role == ROLE_SERVER && !slot->flow.established_ns &&
        READ(typed, tp, TCP_COMMON.skc_state) == TCP_SYN_RECV)
        slot->flow.socket = READ(typed, tp, TCP_COMMON.skc_cookie.counter);
    return READ(typed, tp, TCP_COMMON.skc_cookie.counter) == slot->flow.socket &&
           (READ(typed, tp, TCP_COMMON.skc_state) != TCP_CLOSE || now_ns - slot->flow.opened_ns < MOMENT_NS);
}

/* No CLOSE was seen: the socket is closed, or its memory is another's. The flow ends with this window. */
static __always_inline void close_missed(struct tcp_slot *slot, __u32 index, struct report *pass) {
    struct tcp_flow *row;

    if (slot->waiting_us)
        count_waiting(slot);
    row = reserve_row();
    if (row) {
        __builtin_memcpy(row, &slot->flow, sizeof *row);
        row->reported_ns = WORD_REPORTED(slot->slot.word);
        row->closed_ns = pass->end_ns - 1;
        row->state = TCP_CLOSE;
        submit_row(row);
    }
    free_slot(&slot->slot, &tcp_pool, index);
    pass->missed++;
}

/* Returns false when the socket is not there any more. */
static __always_inline bool write_row(struct tcp_flow *row, struct tcp_slot *slot, __u64 word,
                                      struct tcp_sock *tp, const struct report *pass, const bool typed) {
    __u32 base = WORD_BASE(word);

    if (!is_alive(slot, tp, pass->end_ns, typed))
        return false;
    if (!slot->flow.remote_port)
        read_addresses(&slot->flow, tp, typed);
    confirm_by_user(slot);
    __builtin_memcpy(row, &slot->flow, sizeof *row);
    row->reported_ns = WORD_REPORTED(word);
    if (row->established_ns >= pass->end_ns)
        row->established_ns = 0; /* told by the next window */
    read_state(row, tp, slot, &slot->base[base], &slot->base[base ^ 1], typed, false);
    return true;
}

/* One slot. A function of its own, so that the verifier walks it once and not once for each turn of the loop.
 */
__attribute__((noinline)) int report_tcp(struct report *pass) {
    struct tcp_slot *slot;
    struct tcp_flow *row;
    __u64 word, busy;
    __u32 index, at;
    bool alive;

    if (!pass)
        return 0;
    index = pass->next;
    at = pass->rows;
    slot = tcp_slot_at(index);
    row = bpf_map_lookup_elem(&tcp_flow_page, &at);
    if (!slot || !row)
        return 0;
    word = *(volatile __u64 *)&slot->slot.word;
    if (WORD_STATE(word) == SLOT_CLOSED)
        pass->closing++;
    if (WORD_STATE(word) != SLOT_LIVE || !is_opened(slot, pass->end_ns))
        return 0;
    busy = (word & ~3ULL) | SLOT_BUSY;
    if (__sync_val_compare_and_swap(&slot->slot.word, word, busy) != word) {
        pass->closing++;
        return 0;
    }
    /* between the look and the claim the slot may have gone to another flow, whose word is the same while new
     */
    if (!is_opened(slot, pass->end_ns)) {
        if (__sync_val_compare_and_swap(&slot->slot.word, busy, word) != busy)
            free_slot(&slot->slot, &tcp_pool, index);
        return 0;
    }
    if (CAN_CAST)
        alive = write_row(row, slot, word, CAST(struct tcp_sock, slot->sk), pass, true);
    else
        alive = write_row(row, slot, word, (struct tcp_sock *)slot->sk, pass, false);
    if (alive) {
        word = WORD(pass->end_ns, WORD_BASE(word) ^ 1, SLOT_LIVE);
        if (__sync_val_compare_and_swap(&slot->slot.word, busy, word) == busy) {
            pass->rows = at + 1;
            pass->guessed += !!(row->flags & FLOW_GUESSED);
            return 0;
        }
    } else if (__sync_val_compare_and_swap(&slot->slot.word, busy, busy | SLOT_CLOSED) == busy) {
        close_missed(slot, index, pass);
        return 0;
    }
    /* it closed while we looked: its record tells, and the slot was left to us */
    pass->closing++;
    free_slot(&slot->slot, &tcp_pool, index);
    return 0;
}

SEC("syscall")
int tcp_flow_report(struct report *ctx) {
    REPORT(report_tcp, tcp_pool, max_tcp_flows);
}
