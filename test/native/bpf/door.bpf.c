/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* One small program for each thing that bcc-bindings can do. */
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

typedef __u64 boot_ns_t;
typedef __u32 usec_t;
typedef char comm_t[16];
typedef __u8 address_t[16];
enum state { CLOSED = 7, LISTENING = 10 };

struct change {
    boot_ns_t at_ns;
    __s64 difference;
    usec_t waited_us;
    __u32 old_state;
    __s32 new_state;
    __u16 local_port;
    __be16 remote_port;
    address_t address;
    comm_t comm;
    __u8 bytes[6];
    __s8 small;
    bool yes;
    char names[2][4];
    __u16 ports[2];
    enum state state;
    struct {
        __u32 id;
        __u32 level;
    } cgroup;
};

/* The little of the kernel's types that is read here; CO-RE finds the offsets. */
struct sock_common {
    __be16 skc_dport;
    __u16 skc_num;
} __attribute__((preserve_access_index));
struct sock {
    struct sock_common __sk_common;
} __attribute__((preserve_access_index));
struct task_struct {
    int pid, tgid;
} __attribute__((preserve_access_index));
struct seq_file;
struct bpf_iter_meta {
    struct seq_file *seq;
} __attribute__((preserve_access_index));
struct bpf_iter__task {
    struct bpf_iter_meta *meta;
    struct task_struct *task;
} __attribute__((preserve_access_index));
struct bpf_iter__bpf_map_elem {
    struct bpf_iter_meta *meta;
    struct bpf_map *map;
    void *key;
    void *value;
} __attribute__((preserve_access_index));

const volatile __u16 port = 0;
const volatile __s8 small = 0;
const volatile bool yes = false;
const volatile __u64 wide = 0;
const volatile __u32 resume_every = 0;
/* clang keeps the type of a variable in BTF, but not one that only a function body knows. */
const struct change *const unused_change __attribute__((unused)) = 0;

/* Alone in .bss, so that it starts there. */
struct counts {
    __u64 egress_packets;
    __u64 sockops_calls;
    __u32 elements;
    __u32 resumed;
} counts;

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 1 << 16);
} changes SEC(".maps"), numbers SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 16);
    __type(key, __u32);
    __type(value, __u64);
} squares SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 3);
    __type(key, __u32);
    __type(value, __u32);
} per_cpu SEC(".maps");

struct slot {
    __u32 parts[3];
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 4);
    __type(key, __u32);
    __type(value, struct slot);
} slots SEC(".maps");

/* bpf(2) has no batch for it: entries() walks it key by key. */
struct {
    __uint(type, BPF_MAP_TYPE_CGROUP_STORAGE);
    __type(key, __u64);
    __type(value, __u64);
} by_cgroup SEC(".maps");

SEC("tp_btf/inet_sock_set_state")
int on_state(unsigned long long *ctx) {
    struct sock *sk = (struct sock *)ctx[0];
    __u16 local = sk->__sk_common.skc_num, remote = bpf_ntohs(sk->__sk_common.skc_dport);
    if (local != port && remote != port)
        return 0;
    struct change *change = bpf_ringbuf_reserve(&changes, sizeof(*change), 0);
    if (!change)
        return 0;
    __builtin_memset(change, 0, sizeof(*change));
    change->at_ns = bpf_ktime_get_boot_ns();
    change->old_state = ctx[1];
    change->new_state = ctx[2];
    change->local_port = local;
    change->remote_port = remote;
    change->small = small;
    change->yes = yes;
    change->difference = wide;
    bpf_get_current_comm(change->comm, sizeof(change->comm));
    bpf_ringbuf_submit(change, 0);
    return 0;
}

SEC("iter/task")
int tasks(struct bpf_iter__task *ctx) {
    struct task_struct *task = ctx->task;
    if (!task || task->pid != task->tgid)
        return 0;
    int pid = task->pid;
    bpf_seq_write(ctx->meta->seq, &pid, sizeof(pid));
    return 0;
}

/* Asks to be resumed before every resume_every-th element, once. */
SEC("iter/bpf_map_elem")
int walk(struct bpf_iter__bpf_map_elem *ctx) {
    __u32 *key = ctx->key;
    __u64 *value = ctx->value;
    if (!key || !value)
        return 0;
    if (resume_every && counts.elements % resume_every == 0 &&
        counts.resumed <= counts.elements / resume_every) {
        counts.resumed++;
        return 1;
    }
    counts.elements++;
    __u64 pair[2] = {*key, *value};
    bpf_seq_write(ctx->meta->seq, pair, sizeof(pair));
    return 0;
}

struct work {
    __u32 passes;
    __u32 left;
    __s32 answer;
};

SEC("syscall")
int work(struct work *ctx) {
    ctx->passes++;
    if (!ctx->left)
        return ctx->answer;
    ctx->left--;
    return 1;
}

/* Writes `count` numbers; every `odd`-th record is of another size. */
struct emission {
    __u32 count;
    __u32 odd;
};

SEC("syscall")
int emit(struct emission *ctx) {
    __u64 record[2] = {};
    for (__u32 i = 0; i < 2000; i++) {
        if (i >= ctx->count)
            break;
        record[0] = i;
        if (ctx->odd && i % ctx->odd == ctx->odd - 1)
            bpf_ringbuf_output(&numbers, record, 16, 0);
        else
            bpf_ringbuf_output(&numbers, record, 8, 0);
    }
    return 0;
}

SEC("cgroup_skb/egress")
int egress(struct __sk_buff *skb) {
    __sync_fetch_and_add(&counts.egress_packets, 1);
    __u64 *count = bpf_get_local_storage(&by_cgroup, 0);
    __sync_fetch_and_add(count, 1);
    return 1;
}

SEC("sockops")
int socket_ops(struct bpf_sock_ops *ops) {
    __sync_fetch_and_add(&counts.sockops_calls, 1);
    return 1;
}

SEC("syscall")
int touch(void *ctx) {
    __u32 key = 1, *mine = bpf_map_lookup_elem(&per_cpu, &key);
    if (mine)
        (*mine)++;
    struct slot *slot = bpf_map_lookup_elem(&slots, &key);
    if (slot)
        slot->parts[0] = 42;
    __u64 square = 4;
    key = 2;
    bpf_map_update_elem(&squares, &key, &square, BPF_ANY);
    return 0;
}

char _license[] SEC("license") = "Dual MIT/GPL";
