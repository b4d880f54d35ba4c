/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Hash tables whose kernel memory grows once: a small one, and a large one beside it that the probe makes when
 * half of the small one is used. What is in the small one stays there. Those that forget what was not used for
 * long (LRU) do so only in the large one. */
#pragma once

#include "room.bpf.h"

#define TABLE(name, kind, flags, entries, key_type, value_type)                                              \
    struct name##_map {                                                                                      \
        __uint(type, kind);                                                                                  \
        __uint(map_flags, flags);                                                                            \
        __uint(max_entries, entries);                                                                        \
        __type(key, key_type);                                                                               \
        __type(value, value_type);                                                                           \
    } name SEC(".maps");                                                                                     \
    struct {                                                                                                 \
        __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);                                                            \
        __uint(max_entries, 1);                                                                              \
        __type(key, __u32);                                                                                  \
        __array(values, struct name##_map);                                                                  \
    } name##_more SEC(".maps");                                                                              \
    enum { name##_half = (entries) / 2 }

static __always_inline void *large(void *more) {
    __u32 first = 0;

    return bpf_map_lookup_elem(more, &first);
}

static __always_inline void *find_in(void *small, void *more, const void *key) {
    void *found = bpf_map_lookup_elem(small, key), *map;

    if (found || !(map = large(more)))
        return found;
    return bpf_map_lookup_elem(map, key);
}

/* The probe is called when half of the small one is used. */
static __always_inline void count_entry(void *map, __u32 *count, __u32 half) {
    if (__sync_fetch_and_add(count, 1) == half && !map)
        call_for_room();
}

/* A key that is there already is -EEXIST. When the large one has just come, two CPUs may add a key to one each:
 * whoever reads all entries adds them up, and whoever looks finds the same one each time. */
static __always_inline long add_to(void *small, void *more, __u32 *count, __u32 half, const void *key,
                                   const void *value) {
    void *map = large(more);
    long error;

    if (!map)
        error = bpf_map_update_elem(small, key, value, BPF_NOEXIST);
    else if (bpf_map_lookup_elem(small, key))
        error = -EEXIST;
    else
        error = bpf_map_update_elem(map, key, value, BPF_NOEXIST);
    if (!error)
        count_entry(map, count, half);
    return error;
}

/* A key that is there already gets the new value. */
static __always_inline void put_in(void *small, void *more, __u32 *count, __u32 half, const void *key,
                                   const void *value) {
    void *map = large(more);

    if (map) {
        bpf_map_delete_elem(small, key);
        bpf_map_update_elem(map, key, value, BPF_ANY);
        return;
    }
    if (!bpf_map_lookup_elem(small, key))
        count_entry(NULL, count, half);
    bpf_map_update_elem(small, key, value, BPF_ANY);
}

/* Of a table of what was seen. */
enum seen {
    SEEN_NOT, /* another CPU adds it at the same time, or there is no memory */
    SEEN_NOW, /* it was added */
    SEEN_BEFORE
};

static __always_inline enum seen see_in(void *small, void *more, __u32 *count, __u32 half, const void *key) {
    __u8 yes = 1;

    if (find_in(small, more, key))
        return SEEN_BEFORE;
    return add_to(small, more, count, half, key, &yes) ? SEEN_NOT : SEEN_NOW;
}

/* Returns whether it was there. */
static __always_inline bool delete_from(void *small, void *more, __u32 *count, const void *key) {
    void *map;

    if (bpf_map_delete_elem(small, key) && (!(map = large(more)) || bpf_map_delete_elem(map, key)))
        return false;
    __sync_fetch_and_add(count, -1);
    return true;
}

#define FIND_IN(table, key) find_in(&table, &table##_more, key)
#define ADD_TO(table, count, key, value) add_to(&table, &table##_more, count, table##_half, key, value)
#define PUT_IN(table, count, key, value) put_in(&table, &table##_more, count, table##_half, key, value)
#define SEE_IN(table, count, key) see_in(&table, &table##_more, count, table##_half, key)
#define DELETE_FROM(table, count, key) delete_from(&table, &table##_more, count, key)
