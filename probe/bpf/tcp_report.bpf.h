/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Once a window: the state of every live flow, written into an mmap'ed page of rows. */
#pragma once

#include "tcp_flow.bpf.h"

#define PAGE_ROWS 4096
#define PASS_SLOTS 256 /* one run: under 0.2 ms on a core */

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, PAGE_ROWS);
    __type(key, __u32);
    __type(value, struct tcp_flow);
} tcp_flow_page SEC(".maps");

/* The context of BPF_PROG_RUN, in and out. */
struct tcp_flow_report {
    boot_ns_t end_ns; /* the window's end: flows opened later belong to the next */
    __u32 next;       /* the slot to go on from */
    __u32 rows;       /* rows on the page */
    __u32 closing;    /* slots whose close record was on the way: drain the ring once more a moment later */
    __u32 missed;     /* flows found closed that no CLOSE was seen of */
};

enum report_result { REPORT_DONE, REPORT_AGAIN, REPORT_PAGE_FULL };

/* The tracepoint fires just before the state is stored: a flow opened a moment ago may still read CLOSE. */
static __always_inline bool is_alive(struct tcp_slot *slot, struct sock *sk, boot_ns_t now_ns) {
    return BPF_CORE_READ(sk, __sk_common.skc_cookie.counter) == slot->flow.socket &&
           (BPF_CORE_READ(sk, __sk_common.skc_state) != TCP_CLOSE ||
            now_ns - slot->flow.opened_ns < 10000000);
}

/* No CLOSE was seen: the socket is closed, or its memory is another's. The flow ends with this window. */
static __always_inline void close_missed(struct tcp_slot *slot, __u32 index, struct tcp_flow_report *pass) {
    struct tcp_flow *row = reserve_row();

    if (row) {
        __builtin_memcpy(row, &slot->flow, sizeof *row);
        row->reported_ns = WORD_REPORTED(slot->word);
        row->closed_ns = pass->end_ns - 1;
        row->state = TCP_CLOSE;
        submit_row(row);
    }
    free_slot(slot, index);
    pass->missed++;
}

/* One slot. A function of its own, so that the verifier walks it once and not once for each turn of the loop.
 */
__attribute__((noinline)) int report_slot(struct tcp_flow_report *pass) {
    struct tcp_slot *slot;
    struct tcp_flow *row;
    struct sock *sk;
    __u64 word, busy;
    __u32 index, base, at;

    if (!pass)
        return 0;
    index = pass->next;
    at = pass->rows;
    slot = slot_at(index);
    row = bpf_map_lookup_elem(&tcp_flow_page, &at);
    if (!slot || !row)
        return 0;
    word = *(volatile __u64 *)&slot->word;
    if (WORD_STATE(word) == SLOT_CLOSED)
        pass->closing++;
    if (WORD_STATE(word) != SLOT_LIVE || slot->flow.opened_ns >= pass->end_ns)
        return 0;
    busy = (word & ~3ULL) | SLOT_BUSY;
    if (__sync_val_compare_and_swap(&slot->word, word, busy) != word) {
        pass->closing++;
        return 0;
    }
    base = WORD_BASE(word);
    sk = (struct sock *)slot->sk;
    /* between the look and the claim the slot may have gone to another flow, whose word is the same while new
     */
    if (*(volatile __u64 *)&slot->flow.opened_ns >= pass->end_ns) {
        if (__sync_val_compare_and_swap(&slot->word, busy, word) != busy)
            free_slot(slot, index);
        return 0;
    }
    if (is_alive(slot, sk, pass->end_ns)) {
        if (!slot->flow.remote_port)
            read_addresses(&slot->flow, sk);
        __builtin_memcpy(row, &slot->flow, sizeof *row);
        row->reported_ns = WORD_REPORTED(word);
        read_state(row, sk, &slot->base[base], &slot->base[base ^ 1]);
        if (__sync_val_compare_and_swap(&slot->word, busy, WORD(pass->end_ns, base ^ 1, SLOT_LIVE)) == busy) {
            pass->rows = at + 1;
            return 0;
        }
    } else if (__sync_val_compare_and_swap(&slot->word, busy, busy | SLOT_CLOSED) == busy) {
        close_missed(slot, index, pass);
        return 0;
    }
    /* it closed while we looked: its record tells, and the slot was left to us */
    pass->closing++;
    free_slot(slot, index);
    return 0;
}

SEC("syscall")
int tcp_flow_report(struct tcp_flow_report *ctx) {
    struct tcp_flow_report pass = *ctx;
    __u32 end = *(volatile __u32 *)&slots_used;
    int result = REPORT_AGAIN;

    if (end > max_flows)
        end = max_flows;
    for (int i = 0; i < PASS_SLOTS; i++) {
        if (pass.next >= end) {
            result = REPORT_DONE;
            break;
        }
        if (pass.rows >= PAGE_ROWS) {
            result = REPORT_PAGE_FULL;
            break;
        }
        report_slot(&pass);
        pass.next++;
    }
    *ctx = pass;
    return result;
}
