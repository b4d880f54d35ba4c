/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The processes that own flows: one record for each process and program that it runs. */
#pragma once

#include "lost.bpf.h"
#include "process.h"
#include "room/table.bpf.h"

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 512 * 1024);
} process SEC(".maps");

/* clang writes BTF only for types that a map, a global or a function names, and a ring names none */
const struct process *process_type __attribute__((unused));

/* Process ids are reused, and a process can run another program: the three together are unique. */
struct process_key {
    boot_ns_t started_ns;
    __u64 mm;
    process_id_t pid;
    __u32 pad;
};

/* Processes whose record was sent. Forgetting one costs a repeated record, nothing else. */
TABLE(process_seen, BPF_MAP_TYPE_LRU_HASH, 0, 4096, struct process_key, __u8);

/* Global functions: the verifier walks them once, not once for each caller. Keys are on the stack, because older
 * kernels take no argument of such a function for one. */
__attribute__((noinline)) int see_process(const struct process_key *key) {
    struct process_key own;

    if (!key)
        return SEEN_NOT;
    own = *key;
    return SEE_IN(process_seen, &room.processes, &own);
}

__attribute__((noinline)) int forget_process(const struct process_key *key) {
    struct process_key own;

    if (!key)
        return 0;
    own = *key;
    return DELETE_FROM(process_seen, &room.processes, &own);
}

static __always_inline void read_exe(struct process *row, struct mm_struct *mm) {
    struct dentry *dentry = BPF_CORE_READ(mm, exe_file, f_path.dentry), *parent;

#pragma unroll
    for (int i = 0; i < EXE_LEVELS; i++) {
        char *name = row->exe + i * EXE_NAME;

        name[0] = 0;
        if (!dentry)
            continue;
        parent = BPF_CORE_READ(dentry, d_parent);
        if (parent == dentry) { /* the root of its mount */
            dentry = NULL;
            continue;
        }
        bpf_probe_read_kernel_str(name, EXE_NAME, BPF_CORE_READ(dentry, d_name.name));
        dentry = parent;
    }
}

/* Returns true when its record was sent before. */
static __always_inline bool announce_process(struct task_struct *task) {
    struct task_struct *leader = task->group_leader;
    struct process_key key = {
        .started_ns = leader->start_boottime,
        .mm = (__u64)task->mm,
        .pid = task->tgid,
    };
    struct task_struct *parent;
    struct process *row;
    enum seen seen = see_process(&key);

    if (seen != SEEN_NOW)
        return seen == SEEN_BEFORE;
    row = bpf_ringbuf_reserve(&process, sizeof *row, 0);
    if (!row) {
        count_lost(LOST_PROCESS_RING);
        forget_process(&key);
        return false;
    }
    parent = BPF_CORE_READ(leader, real_parent);
    row->started_ns = key.started_ns;
    row->pid = key.pid;
    row->parent = BPF_CORE_READ(parent, tgid);
    row->uid = BPF_CORE_READ(leader, cred, euid.val);
    row->pad = 0;
    bpf_probe_read_kernel(row->comm, sizeof row->comm, &leader->comm);
    bpf_probe_read_kernel(row->parent_comm, sizeof row->parent_comm, &parent->comm);
    read_exe(row, (struct mm_struct *)key.mm);
    bpf_ringbuf_submit(row, 0);
    return false;
}
