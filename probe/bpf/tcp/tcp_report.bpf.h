/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Once a window: the state of every live TCP flow. */
#pragma once

#include "report.bpf.h"
#include "tcp_flow.bpf.h"
#include "health/health_row.bpf.h"

PAGE(tcp_flow_page, struct tcp_flow, PAGE_ROWS);
PAGE(tcp_update_page, struct tcp_update, UPDATE_PAGE_ROWS);
PAGE(tcp_health_page, struct tcp_health, PAGE_ROWS);

#define MOMENT_NS 10000000 /* longer than from a tracepoint to the change that it announces */

static __always_inline bool is_opened(struct tcp_slot *slot, boot_ns_t by_ns) {
    return *(volatile __u64 *)&slot->flow.opened_ns < by_ns;
}

/* The tracepoint fires just before the state is stored: a flow that opened a moment ago may still have
 * CLOSE. */
static __always_inline bool is_alive(struct tcp_slot *slot, struct tcp_sock *tp, boot_ns_t now_ns,
                                     const enum access access) {
    return READ(access, tp, TCP_COMMON.skc_cookie.counter) == slot->flow.socket &&
           (READ(access, tp, TCP_COMMON.skc_state) != TCP_CLOSE || now_ns - slot->flow.opened_ns < MOMENT_NS);
}

/* No CLOSE was seen: the socket is closed, or its memory has another object. The flow ends with this
 * window. */
static __always_inline void close_missed(struct tcp_slot *slot, __u32 index, struct report *pass) {
    struct tcp_flow *row;

    count_waiting(slot);
    row = reserve_row();
    if (row) {
        __builtin_memcpy(row, &slot->flow, sizeof *row);
        row->reported_ns = WORD_REPORTED(slot->slot.word);
        row->closed_ns = pass->end_ns - 1;
        row->state = TCP_CLOSE;
        submit_row(row);
    }
    leave_place(slot->flow.socket);
    free_tcp_slot(index);
    pass->missed++;
}

/* A row with everything was sent, and the collector knows how long the flow took to connect. */
static __always_inline bool is_told(const struct tcp_slot *slot, __u64 word, const struct report *pass) {
    boot_ns_t established_ns = slot->flow.established_ns;

    return WORD_REPORTED(word) && !slot->slot.whole &&
           (established_ns <= WORD_REPORTED(word) || established_ns >= pass->end_ns);
}

static __always_inline void write_update(struct tcp_update *row, const struct tcp_slot *slot) {
    row->socket = slot->flow.socket;
    row->cgroup = slot->flow.cgroup;
    __builtin_memcpy(row->comm, slot->flow.comm, sizeof row->comm);
    row->hierarchy = slot->flow.hierarchy;
    row->pid = slot->flow.pid;
    row->netns = slot->flow.netns;
    row->role = slot->flow.role;
    row->flags = slot->flow.flags | (samples_of(slot) ? FLOW_SAMPLED : 0);
}

/* Nobody has used it, but a process has the descriptor: tcp_user_scan can find it. */
static __always_inline bool is_unused(const struct tcp_slot *slot, struct tcp_sock *tp,
                                      const enum access access) {
    return is_guess(slot) && !slot->sought && READ(access, tp, TCP_INET.sk.sk_socket);
}

enum written { WRITTEN_NOTHING, WRITTEN_FLOW, WRITTEN_UPDATE };

/* Writes nothing when the socket is gone. */
static __always_inline enum written write_row(struct tcp_flow *row, struct tcp_update *update,
                                              struct tcp_health *health, bool *tells, struct tcp_slot *slot,
                                              __u64 word, struct tcp_sock *tp, struct report *pass,
                                              const enum access access) {
    struct tcp_counters *base = &slot->base[WORD_BASE(word)], *now = &slot->base[WORD_BASE(word) ^ 1];

    if (!is_alive(slot, tp, pass->end_ns, access))
        return WRITTEN_NOTHING;
    confirm_by_user(slot);
    if (rtt_looks)
        look_at_rtt(slot, tp, access, UNLOCKED);
    if (is_unused(slot, tp, access)) {
        slot->sought = 1;
        pass->unused++;
    }
    if (is_told(slot, word, pass)) {
        write_update(update, slot);
        READ_STATE(update, tp, slot, base, now, access, UNLOCKED);
        *tells = write_health(health, tp, &slot->flow, base, now, pass->end_ns, access);
        return WRITTEN_UPDATE;
    }
    if (!slot->flow.remote_port)
        read_addresses(&slot->flow, tp, access);
    __builtin_memcpy(row, &slot->flow, sizeof *row);
    row->reported_ns = WORD_REPORTED(word);
    if (row->established_ns >= pass->end_ns)
        row->established_ns = 0; /* the next window has it */
    read_state(row, tp, slot, base, now, access, UNLOCKED);
    *tells = write_health(health, tp, &slot->flow, base, now, pass->end_ns, access);
    slot->slot.whole = 0;
    return WRITTEN_FLOW;
}

/* One slot. A global function: the verifier walks it once, not once for each turn of the loop. */
__attribute__((noinline)) int report_tcp(struct report *pass) {
    struct tcp_update *update;
    struct tcp_health *health;
    struct tcp_slot *slot;
    struct tcp_flow *row;
    enum written written;
    bool tells = false;
    __u32 index, at;
    __u64 word, busy;

    if (!pass)
        return 0;
    index = pass->next;
    slot = tcp_slot_at(index);
    at = pass->rows;
    row = bpf_map_lookup_elem(&tcp_flow_page, &at);
    at = pass->updates;
    update = bpf_map_lookup_elem(&tcp_update_page, &at);
    at = pass->beside;
    health = bpf_map_lookup_elem(&tcp_health_page, &at);
    if (!slot || !row || !update || !health)
        return 0;
    word = *(volatile __u64 *)&slot->slot.word;
    if (WORD_STATE(word) == SLOT_CLOSED)
        pass->closing++;
    if (WORD_STATE(word) != SLOT_LIVE || !is_opened(slot, pass->end_ns))
        return 0;
    if (WORD_REPORTED(word) >= pass->end_ns) {
        pass->closing++; /* handed over after the window's end: the former owner's row is for this window */
        return 0;
    }
    busy = (word & ~3ULL) | SLOT_BUSY;
    if (__sync_val_compare_and_swap(&slot->slot.word, word, busy) != word) {
        pass->closing++;
        return 0;
    }
    /* between the read and the claim the slot may have gone to another flow, whose word is the same while
     * it is new */
    if (!is_opened(slot, pass->end_ns)) {
        if (__sync_val_compare_and_swap(&slot->slot.word, busy, word) != busy)
            free_tcp_slot(index);
        return 0;
    }
    if (CAN_CAST)
        written =
            write_row(row, update, health, &tells, slot, word, CAST(struct tcp_sock, slot->sk), pass, TYPED);
    else
        written =
            write_row(row, update, health, &tells, slot, word, (struct tcp_sock *)slot->sk, pass, BY_ADDRESS);
    if (written != WRITTEN_NOTHING) {
        bool guessed = slot->flow.flags & FLOW_GUESSED;

        word = WORD(pass->end_ns, WORD_BASE(word) ^ 1, SLOT_LIVE);
        if (__sync_val_compare_and_swap(&slot->slot.word, busy, word) == busy) {
            if (written == WRITTEN_FLOW)
                pass->rows++;
            else
                pass->updates++;
            pass->beside += tells;
            pass->guessed += guessed;
            return 0;
        }
    } else if (__sync_val_compare_and_swap(&slot->slot.word, busy, busy | SLOT_CLOSED) == busy) {
        close_missed(slot, index, pass);
        return 0;
    }
    /* it closed meanwhile: its close record has everything, and the slot is ours to free */
    pass->closing++;
    free_tcp_slot(index);
    return 0;
}

SEC("syscall")
int tcp_flow_report(struct report *ctx) {
    return report_slots(ctx, report_tcp, &room.tcp, max_tcp_flows);
}
