/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Where a socket's slot is: in a table by its cookie. Cookies rise, so that tens of thousands of sockets in a
 * row have places of their own; one whose place is taken by a living flow goes to a hash. Why not a socket
 * storage: it costs 3.3 us of a short connection, and a place 0.3 (its copy at the clone, its freeing). */
#pragma once

#include "room/table.bpf.h"
#include "tcp_slot.bpf.h"

#define TCP_PLACE_BITS 16
#define INDEX_BITS 24 /* --max-flows is at most 2^24 */

/* the low 40 bits of the cookie << 24 | the slot's index + 1, in one word because all CPUs write it. Cookies that the
 * kernel makes within an interrupt of another one fall from 2^64: they do not fit, so that words are compared. */
static __u64 tcp_place[1 << TCP_PLACE_BITS];

#define FIRST_ELSEWHERE 16384

/* cookie; the slot's index + 1 */
TABLE(tcp_elsewhere, BPF_MAP_TYPE_HASH, BPF_F_NO_PREALLOC, FIRST_ELSEWHERE, __u64, __u32);

/* There will be room for more flows, and there is little now. */
static __always_inline bool is_tcp_growing(void) {
    return is_growing(any_tcp_slot, &room.tcp) ||
           (*(volatile __u32 *)&room.elsewhere > FIRST_ELSEWHERE - AHEAD &&
            *(volatile __u32 *)&room.tcp.coming && !large(&tcp_elsewhere_more));
}

static __always_inline __u64 *place_at(__u64 cookie) {
    return &tcp_place[cookie & ((1 << TCP_PLACE_BITS) - 1)];
}

/* Global functions: the verifier walks them once, not once for each caller. */
__attribute__((noinline)) int look_elsewhere(__u64 cookie) {
    __u32 *taken = FIND_IN(tcp_elsewhere, &cookie);

    return taken ? *taken : 0;
}

__attribute__((noinline)) int hold_elsewhere(__u64 cookie, __u32 taken) {
    return ADD_TO(tcp_elsewhere, &room.elsewhere, &cookie, &taken);
}

__attribute__((noinline)) int leave_elsewhere(__u64 cookie) {
    return DELETE_FROM(tcp_elsewhere, &room.elsewhere, &cookie);
}

static __always_inline bool is_word_of(__u64 word, __u64 cookie) {
    return (word ^ cookie << INDEX_BITS) >> INDEX_BITS == 0;
}

/* Index + 1, to be checked by slot->sk; 0: none. */
static __always_inline __u32 placed(__u64 cookie) {
    __u64 word = *(volatile __u64 *)place_at(cookie);

    if (!cookie)
        return 0;
    if (is_word_of(word, cookie))
        return word & ((1 << INDEX_BITS) - 1);
    return *(volatile __u32 *)&room.elsewhere ? look_elsewhere(cookie) : 0;
}

static __always_inline struct tcp_slot *slot_in(__u32 taken, __u64 address) {
    struct tcp_slot *slot = taken ? tcp_slot_at(taken - 1) : NULL;

    return slot && slot->sk == address ? slot : NULL;
}

/* `address`: of the struct sock. */
static __always_inline struct tcp_slot *slot_by(__u64 cookie, __u64 address) {
    return slot_in(placed(cookie), address);
}

/* The same, without those elsewhere. For programs of tracepoints: Linux 5.15 to 6.0 warns in its log of one that
 * has a map whose memory is not taken beforehand. */
static __always_inline struct tcp_slot *slot_in_place(__u64 cookie, __u64 address) {
    __u64 word = *(volatile __u64 *)place_at(cookie);

    return slot_in(cookie && is_word_of(word, cookie) ? word & ((1 << INDEX_BITS) - 1) : 0, address);
}

static __always_inline struct tcp_slot *slot_of(struct sock *sk) {
    return slot_by(sk->__sk_common.skc_cookie.counter, (__u64)sk);
}

static __always_inline bool is_held(__u64 word) {
    struct tcp_slot *slot =
        (__u32)(word & ((1 << INDEX_BITS) - 1)) ? tcp_slot_at((word & ((1 << INDEX_BITS) - 1)) - 1) : NULL;

    return slot && is_word_of(word, slot->flow.socket) &&
           WORD_STATE(*(volatile __u64 *)&slot->slot.word) != SLOT_FREE;
}

/* The slot is live. Returns false when the socket has a slot already: the start-up scan and a hook may run at
 * the same time. */
static __always_inline bool hold_place(__u64 cookie, __u32 taken) {
    __u64 *place = place_at(cookie), word = *(volatile __u64 *)place;
    int error;

    if (is_word_of(word, cookie))
        return false;
    if (taken < 1 << INDEX_BITS && !is_held(word)) {
        if (__sync_val_compare_and_swap(place, word, cookie << INDEX_BITS | taken) == word)
            return true;
        /* another CPU was first: with this socket, or with another one */
        if (is_word_of(*(volatile __u64 *)place, cookie))
            return false;
    }
    error = hold_elsewhere(cookie, taken);
    if (error) {
        if (error != -EEXIST)
            count_lost(LOST_STORAGE); /* it is counted when it closes */
        return false;
    }
    return true;
}

static __always_inline void leave_place(__u64 cookie) {
    __u64 *place = place_at(cookie), word = *(volatile __u64 *)place;

    if (is_word_of(word, cookie))
        __sync_val_compare_and_swap(place, word, 0);
    else if (*(volatile __u32 *)&room.elsewhere)
        leave_elsewhere(cookie);
}

/* Who had a flow that has just closed: its reset comes after it. */
struct tcp_closed {
    socket_id_t socket;
    struct cgroup_key cgroup;
    netns_id_t netns;
    __u32 role;
};

#define CLOSED_BITS 12

static struct tcp_closed tcp_closed[1 << CLOSED_BITS];

static __always_inline struct tcp_closed *closed_at(__u64 cookie) {
    return &tcp_closed[cookie & ((1 << CLOSED_BITS) - 1)];
}

static __always_inline void note_closed(const struct tcp_flow *flow) {
    struct tcp_closed *closed = closed_at(flow->socket);

    closed->socket = flow->socket;
    closed->cgroup.cgroup = flow->cgroup;
    closed->cgroup.hierarchy = flow->hierarchy;
    closed->netns = flow->netns;
    closed->role = flow->role;
}
