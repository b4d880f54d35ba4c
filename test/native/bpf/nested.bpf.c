/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Maps within maps. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual MIT/GPL";

struct chunk {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 2);
    __type(key, __u32);
    __type(value, __u64);
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
    __uint(max_entries, 4);
    __type(key, __u32);
    __array(values, struct chunk);
} chunks SEC(".maps");

struct table {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 2);
    __type(key, __u32);
    __type(value, __u64);
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
    __uint(max_entries, 1);
    __type(key, __u32);
    __array(values, struct table);
} tables SEC(".maps");

/* Adds 1 to number `n` of all chunks; returns -1 when it is in none. */
SEC("syscall")
int add_one(__u32 *n) {
    __u32 chunk = *n / 2, at = *n % 2;
    void *numbers = bpf_map_lookup_elem(&chunks, &chunk);
    __u64 *number = numbers ? bpf_map_lookup_elem(numbers, &at) : NULL;

    if (!number)
        return -1;
    __sync_fetch_and_add(number, 1);
    return 0;
}

/* Notes `n` in the table; an error of the map is returned. */
SEC("syscall")
int note(__u32 *n) {
    __u32 first = 0, key = *n;
    void *table = bpf_map_lookup_elem(&tables, &first);
    __u64 square = (__u64)key * key;

    return table ? bpf_map_update_elem(table, &key, &square, BPF_ANY) : -1;
}
