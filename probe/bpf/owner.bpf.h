/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The owner of a socket: the process that connects, accepts or uses it last. The process that listens, or
 * creates a UDP socket, is the first guess. */
#pragma once

#include "cgroup.bpf.h"
#include "process.bpf.h"

/* clang writes BTF only for types that a map, a global or a function names */
const enum role *role_type __attribute__((unused));
const enum flow_flags *flow_flags_type __attribute__((unused));

enum direction { RECEIVED, SENT };

struct owner {
    struct cgroup_key cgroup;
    process_id_t pid;
    comm_t comm;
    __u32 pad;
};

/* Sockets whose flows are not theirs: MPTCP's, and those of UDP that is counted in packets. */
struct socket_owner {
    struct owner owner;
    process_id_t user; /* a process that was seen using the socket; 0: the owner is a guess */
    __u32 pad;
};

struct {
    __uint(type, BPF_MAP_TYPE_SK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, int);
    __type(value, struct socket_owner);
} socket_owner SEC(".maps");

/* The helper assigns a cookie to a socket that has none. */
static __always_inline __u64 new_cookie_of(struct sock *sk) {
    return sk->__sk_common.skc_cookie.counter ?: bpf_get_socket_cookie(sk);
}

/* A cache by cookie of what the storage says of a socket: it costs a few loads, the storage costs a call
 * within a call. Two sockets may share a place: then the next one reads the storage again. */
struct known {
    __u64 user; /* cookie << 22 | socket_owner.user, in one word because all CPUs write it */
    __u32 slot; /* index + 1 of a UDP conversation, to be checked by its cookie */
    __u32 pad;
};

#define KNOWN_BITS 14
#define TGID_BITS 22 /* PID_MAX_LIMIT, linux/threads.h */

static struct known known_socket[1 << KNOWN_BITS];

static __always_inline struct known *known_of(__u64 cookie) {
    return &known_socket[cookie & ((1 << KNOWN_BITS) - 1)];
}

static __always_inline __u64 user_word(__u64 cookie, process_id_t user) {
    return cookie << TGID_BITS | user;
}

/* `user`: the current socket_owner.user. A change of one must change the other. */
static __always_inline void remember_user(__u64 cookie, process_id_t user) {
    if (cookie)
        *(volatile __u64 *)&known_of(cookie)->user = user_word(cookie, user);
}

/* 0 when it is unknown. */
static __always_inline process_id_t known_user(__u64 cookie) {
    __u64 user = *(volatile __u64 *)&known_of(cookie)->user ^ user_word(cookie, 0);

    return user >> TGID_BITS ? 0 : user;
}

/* Not bpf_get_current_pid_tgid(): cgroup_skb programs of older kernels, such as 6.1, may not call it. */
static __always_inline process_id_t current_tgid(void) {
    return bpf_get_current_task_btf()->tgid;
}

/* Users of sockets whose storage or flow was out of reach where the use was seen: after accept(2), for
 * example, the socket behind the descriptor is no pointer that the verifier trusts. */
struct user {
    struct owner owner;
    __u64 identity; /* of the socket: addresses are used again */
};

/* by struct sock */
TABLE(socket_user, BPF_MAP_TYPE_LRU_HASH, 0, 4096, __u64, struct user);

/* A cache per CPU of processes and their cgroups whose records were sent. Addresses are reused, but not
 * together with the start time of the process. */
struct met {
    __u64 leader; /* struct task_struct */
    __u64 mm;
    boot_ns_t started_ns;
    struct cgroup_key cgroup;
    __u32 pad;
    __u32 changes; /* odd during a write: programs are preempted and interrupted */
};

#define MET_BITS 5

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1 << MET_BITS);
    __type(key, __u32);
    __type(value, struct met);
} process_met SEC(".maps");

static __always_inline bool is_met(const struct met *met, struct task_struct *task,
                                   struct task_struct *leader, const struct cgroup_key *cgroup) {
    return met->leader == (__u64)leader && met->started_ns == leader->start_boottime &&
           met->mm == (__u64)task->mm && met->cgroup.cgroup == cgroup->cgroup &&
           met->cgroup.hierarchy == cgroup->hierarchy;
}

/* Sends the names that were not sent yet. */
static __noinline int meet(struct owner *owner, struct task_struct *task, struct met *met) {
    bool told;
    __u32 changes;

    if (!owner)
        return 0;
    told = announce(cgroup_of(task), &owner->cgroup);
    told = announce_process(task) && told;
    if (!told || !met)
        return 0;
    changes = *(volatile __u32 *)&met->changes;
    if ((changes & 1) || __sync_val_compare_and_swap(&met->changes, changes, changes + 1) != changes)
        return 0;
    met->leader = (__u64)task->group_leader;
    met->started_ns = task->group_leader->start_boottime;
    met->mm = (__u64)task->mm;
    met->cgroup = owner->cgroup;
    barrier();
    *(volatile __u32 *)&met->changes = changes + 2;
    return 0;
}

static __always_inline void own(struct owner *owner, struct task_struct *task) {
    struct task_struct *leader = task->group_leader;
    __u32 index = task->tgid & ((1 << MET_BITS) - 1), changes = 1;
    struct met *met = bpf_map_lookup_elem(&process_met, &index);
    bool known = false;

    owner->cgroup = cgroup_key(cgroup_of(task), TYPED);
    owner->pid = task->tgid;
    owner->pad = 0;
    if (met) {
        changes = *(volatile __u32 *)&met->changes;
        barrier();
        known = !(changes & 1) && is_met(met, task, leader, &owner->cgroup);
        barrier();
        known = known && *(volatile __u32 *)&met->changes == changes;
    }
    if (!known)
        meet(owner, task, met);
    __builtin_memcpy(owner->comm, leader->comm, sizeof owner->comm);
}

/* The same for the current process. A global function: the verifier walks it once, not once for each
 * caller. */
__attribute__((noinline)) int own_as_current(struct owner *owner) {
    if (owner)
        own(owner, bpf_get_current_task_btf());
    return 0;
}

/* The socket's own cgroup, always of the default hierarchy: that of its creator, or of its listener. */
static __always_inline void own_by_socket(struct owner *owner, struct sock *sk, const enum access access) {
    struct cgroup *cgroup = READ(access, sk, sk_cgrp_data.cgroup);

    if (!cgroup)
        return;
    owner->cgroup = cgroup_key(cgroup, access);
    announce(cgroup, &owner->cgroup);
}

static __always_inline __u64 cookie_of(struct sock *sk) {
    return LOAD(struct sock, sk, __sk_common.skc_cookie.counter);
}

static __always_inline bool is_mptcp(struct sock *sk) {
    return bpf_core_field_exists(struct mptcp_sock, token) &&
           LOAD(struct sock, sk, sk_protocol) == IPPROTO_MPTCP;
}

/* The application's socket. MPTCP runs over TCP sockets of the kernel, the subflows: they have no
 * descriptor, and kernel threads create some of them. They point to the application's socket. */
static __always_inline struct sock *application_of(struct sock *sk) {
    struct mptcp_subflow_context *subflow;
    struct sock *conn;

    if (!bpf_core_field_exists(struct tcp_sock, is_mptcp) || !LOAD(struct tcp_sock, sk, is_mptcp))
        return sk;
    subflow = BPF_CORE_READ((struct inet_connection_sock *)sk, icsk_ulp_data);
    conn = BPF_CORE_READ(subflow, conn);
    return conn ?: sk;
}

/* Distinguishes a socket from an earlier one at the same address. MPTCP sockets may have no cookie. */
static __always_inline __u64 identity_of(struct sock *sk) {
    return is_mptcp(sk) ? BPF_CORE_READ((struct mptcp_sock *)sk, token) : cookie_of(sk);
}

/* `sk` is the application's. */
static __always_inline void note_user(struct sock *sk, struct owner *owner) {
    struct user user = {.owner = *owner, .identity = identity_of(sk)};
    __u64 key = (__u64)sk;

    PUT_IN(socket_user, &room.users, &key, &user);
}

/* A global function: the verifier walks it once, not once for each caller. */
__attribute__((noinline)) int forget_user_of(const __u64 *sk) {
    __u64 key;

    if (!sk)
        return 0;
    key = *sk;
    return DELETE_FROM(socket_user, &room.users, &key);
}

static __always_inline void forget_user(struct sock *sk) {
    __u64 key = (__u64)sk;

    forget_user_of(&key);
}

/* The user that was noted for this socket, not for an earlier one at its address. */
static __always_inline struct user *user_of(struct sock *sk) {
    __u64 key = (__u64)sk;
    struct user *user = FIND_IN(socket_user, &key);

    return user && user->identity == identity_of(sk) ? user : NULL;
}
