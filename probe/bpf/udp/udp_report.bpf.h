/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Once a window: the UDP conversations with a datagram in it. */
#pragma once

#include "report.bpf.h"
#include "udp_conversation.bpf.h"

/* A conversation that is silent this long is forgotten, and its roles with it. */
#define UDP_IDLE_NS 3600000000000ULL
/* The same once half of the table was in use: the rest is for active conversations. */
#define UDP_IDLE_SHORT_NS 60000000000ULL
/* active_ns is coarse, and written a moment before the counters. */
#define UDP_MOMENT_NS 1000000000ULL

static __always_inline bool is_idle(const struct udp_slot *slot, boot_ns_t now_ns) {
    bool is_full = *(volatile __u32 *)&room.udp.used > max_udp_flows / 2;

    return slot->active_ns + (is_full ? UDP_IDLE_SHORT_NS : UDP_IDLE_NS) < now_ns;
}

PAGE(udp_flow_page, struct udp_flow, PAGE_ROWS);

static __always_inline void confirm_udp(struct udp_slot *slot) {
    struct user *user;

    if (!(slot->flow.flags & (FLOW_GUESSED | FLOW_OWNERLESS)))
        return;
    user = user_of((struct sock *)slot->sk);
    if (user && user->identity == slot->flow.socket) {
        write_udp_owner(&slot->flow, &user->owner);
        slot->flow.flags &= ~(FLOW_GUESSED | FLOW_OWNERLESS);
    }
}

/* No datagram since the last report. */
static __always_inline void rest(struct udp_slot *slot, __u64 word, __u64 busy, struct report *pass) {
    bool idle = is_idle(slot, pass->end_ns);
    __u64 next = idle ? busy | SLOT_CLOSED : word;

    if (__sync_val_compare_and_swap(&slot->slot.word, busy, next) == busy) {
        if (!idle)
            return;
        forget_conversation(slot);
    }
    /* idle, or evicted meanwhile: the slot is ours to free */
    free_udp_slot(pass->next);
}

__attribute__((noinline)) int report_udp(struct report *pass) {
    struct udp_slot *slot;
    struct udp_flow *row;
    __u64 word, busy;
    __u32 base, at;

    if (!pass)
        return 0;
    at = pass->rows;
    slot = udp_slot_at(pass->next);
    row = bpf_map_lookup_elem(&udp_flow_page, &at);
    if (!slot || !row)
        return 0;
    word = *(volatile __u64 *)&slot->slot.word;
    if (WORD_STATE(word) == SLOT_CLOSED)
        pass->closing++;
    if (WORD_STATE(word) != SLOT_LIVE || slot->flow.opened_ns >= pass->end_ns)
        return 0;
    if (slot->active_ns + UDP_MOMENT_NS < WORD_REPORTED(word) && !is_idle(slot, pass->end_ns))
        return 0; /* silent since its last row */
    busy = (word & ~3ULL) | SLOT_BUSY;
    if (__sync_val_compare_and_swap(&slot->slot.word, word, busy) != word) {
        pass->closing++;
        return 0;
    }
    base = WORD_BASE(word);
    confirm_udp(slot);
    __builtin_memcpy(row, &slot->flow, sizeof *row);
    row->reported_ns = WORD_REPORTED(word);
    read_udp_state(row, slot, &slot->base[base], &slot->base[base ^ 1]);
    /* between the read and the claim the slot may have gone to another conversation that is as new */
    if (row->opened_ns >= pass->end_ns || !has_moved(row)) {
        rest(slot, word, busy, pass);
        return 0;
    }
    if (__sync_val_compare_and_swap(&slot->slot.word, busy, WORD(pass->end_ns, base ^ 1, SLOT_LIVE)) !=
        busy) {
        pass->closing++;
        free_udp_slot(pass->next);
        return 0;
    }
    pass->rows = at + 1;
    pass->guessed += !!(row->flags & FLOW_GUESSED);
    return 0;
}

SEC("?syscall")
int udp_flow_report(struct report *ctx) {
    return report_slots(ctx, report_udp, &room.udp, max_udp_flows);
}
