/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The process that accepted a connection: accept(2), or io_uring, returned its descriptor there, before any
 * I/O. The programs of accept(2) are for kernels without those of use.bpf.h: a program at the end of one
 * system call makes every system call of the host take the slow way, 55 ns longer. That of io_uring costs a
 * check for other completions. It misses io_uring's direct descriptors, which are in no file table: those
 * connections get their owner with their first I/O. */
#pragma once

#include "tcp_flow.bpf.h"

struct sys_exit {
    __u64 common;
    long id;
    long result; /* the descriptor, or -errno */
};

static __always_inline struct sock *socket_at(struct task_struct *task, __u64 fd) {
    struct fdtable *table = task->files->fdt;
    struct socket *socket;
    struct file *file;

    if (fd >= table->max_fds)
        return NULL;
    file = LOAD_POINTER(table->fd + fd);
    socket = LOAD(struct file, file, private_data);
    /* a file that is no socket does not point back */
    return socket && LOAD(struct socket, socket, file) == file ? LOAD(struct socket, socket, sk) : NULL;
}

/* The flow of a socket that is open in this process; of one that is elsewhere the user is noted. A reset may
 * close it, and another flow may take the slot, in the few instructions before the owner is written: the first
 * I/O of that flow corrects it. */
static __always_inline struct tcp_slot *flow_of(struct sock *sk) {
    struct tcp_slot *slot = slot_in_place(cookie_of(sk), (__u64)sk);

    return slot && slot->application == slot->sk ? slot : NULL;
}

static __noinline int note_accept(long result) {
    struct task_struct *task = bpf_get_current_task_btf();
    struct owner owner = {};
    struct tcp_slot *slot;
    struct sock *sk;
    __u16 family;

    if (result < 0 || !(sk = socket_at(task, result)))
        return 0;
    slot = flow_of(sk);
    if (slot && !is_guess(slot))
        return 0;
    family = slot ? AF_INET : LOAD(struct sock, sk, __sk_common.skc_family);
    if (family != AF_INET && family != AF_INET6)
        return 0;
    own_as_current(&owner);
    if (slot && (slot = flow_of(sk)))
        confirm_flow(slot, &owner);
    else
        note_user(sk, &owner);
    return 0;
}

SEC("?tracepoint/syscalls/sys_exit_accept")
int tcp_accept(struct sys_exit *ctx) {
    return note_accept(ctx->result);
}

SEC("?tracepoint/syscalls/sys_exit_accept4")
int tcp_accept4(struct sys_exit *ctx) {
    return note_accept(ctx->result);
}

/* A multishot accept posts all but its last descriptor without the request. So do other multishots, whose
 * results are no descriptors: then a socket of this process with that number is noted as its own. */
SEC("?tracepoint/io_uring/io_uring_complete")
int tcp_ring_accept(struct trace_event_raw_io_uring_complete *ctx) {
    struct io_kiocb *request = ctx->req;

    if (request ? BPF_CORE_READ(request, opcode) != IORING_OP_ACCEPT : !(ctx->cflags & IORING_CQE_F_MORE))
        return 0;
    return note_accept(ctx->res);
}
