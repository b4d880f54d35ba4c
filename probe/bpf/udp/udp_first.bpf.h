/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* What a socket has done first: it decides whose an answer is that no request matches, and one whose sender
 * the application did not ask for. */
#pragma once

#include "udp_conversation.bpf.h"

struct udp_first {
    __u32 slot; /* index + 1 of the only conversation that the socket began by sending; 0: none, or several */
    __u32 role; /* enum role */
};

/* by cookie */
TABLE(udp_first, BPF_MAP_TYPE_LRU_HASH, 0, 2048, __u64, struct udp_first);

/* Another address of a conversation: that of its answers. */
struct udp_alias {
    boot_ns_t opened_ns; /* of the conversation */
    __u32 slot;          /* its index + 1 */
    __u32 pad;
};

TABLE(udp_alias, BPF_MAP_TYPE_LRU_HASH, 0, 2048, struct udp_key, struct udp_alias);

static __noinline struct udp_first *first_of(const struct datagram *datagram) {
    __u64 socket = datagram->key.socket;

    return FIND_IN(udp_first, &socket);
}

/* `index`: of the conversation that was opened. */
static __noinline int note_first(const struct datagram *datagram, struct udp_first *known, __u32 index) {
    __u64 socket = datagram->key.socket;
    struct udp_first first = {.slot = datagram->sent ? index : 0,
                              .role = datagram->sent ? ROLE_CLIENT : ROLE_SERVER};

    if (!known)
        ADD_TO(udp_first, &room.firsts, &socket, &first);
    else if (known->slot != index)
        known->slot = 0;
    return 0;
}

static __always_inline struct udp_slot *only_conversation(const struct datagram *datagram,
                                                          const struct udp_first *first) {
    struct udp_slot *slot = first && first->slot ? udp_slot_at(first->slot - 1) : NULL;

    return slot && slot->key.socket == datagram->key.socket ? slot : NULL;
}

/* A group has many members, and each answers from an address of its own. */
static __always_inline bool is_group(const address_t address) {
    return is_mapped(address) ? address[12] >= 224 : address[0] == 0xff;
}

/* An answer that no request matches, because addresses are translated on the way, belongs to the same
 * socket's conversation that has only sent. Returns the slot's index + 1, or 0. */
static __noinline __u32 find_unanswered(const struct datagram *datagram, const struct udp_first *first) {
    struct udp_slot *slot = only_conversation(datagram, first);
    struct udp_key key = datagram->key;
    struct udp_alias alias = {};

    if (!slot || slot->now.packets_rcvd || is_group(slot->key.remote))
        return 0;
    alias.opened_ns = slot->flow.opened_ns;
    alias.slot = first->slot;
    PUT_IN(udp_alias, &room.aliases, &key, &alias);
    return alias.slot;
}

/* Returns the slot's index + 1, or 0. */
static __noinline __u32 find_alias(const struct udp_key *key) {
    struct udp_key own = *key;
    struct udp_alias *alias = FIND_IN(udp_alias, &own);
    struct udp_slot *slot = alias ? udp_slot_at(alias->slot - 1) : NULL;

    return slot && slot->key.socket == key->socket && slot->flow.opened_ns == alias->opened_ns ? alias->slot
                                                                                               : 0;
}

/* The conversation of a datagram, opened when there is none. Returns the slot's index + 1. A global function
 * like find_or_open(). */
__attribute__((noinline)) int converse(const struct datagram *datagram, const struct udp_owner *opener) {
    struct udp_first *first;
    __u32 index;

    if (!datagram || !opener)
        return 0;
    index = find_conversation(&datagram->key);
    if (!index && !datagram->sent)
        index = find_alias(&datagram->key);
    if (index)
        return index;
    first = first_of(datagram);
    if (!datagram->sent && (index = find_unanswered(datagram, first)))
        return index;
    index = find_or_open(datagram, opener);
    if (index && (datagram->sent || !first))
        note_first(datagram, first, index);
    return index;
}
