/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The few kernel types that the programs read. Offsets come from the running kernel's BTF (CO-RE), so only
 * names and types matter here. bpf_core_field_exists detects differences between kernels. */
#pragma once

#include <stdbool.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#define EEXIST 17
#define AF_INET 2
#define AF_INET6 10
#define ETH_P_IP 0x0800 /* linux/if_ether.h */
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define SOCK_DGRAM 2 /* linux/net.h */
#define IPPROTO_MPTCP 262
#define MSG_PEEK 2 /* linux/socket.h */
#define MSG_ERRQUEUE 0x2000
#define RCV_SHUTDOWN 1 /* net/sock.h */
#define SHUTDOWN_MASK 3
#define PF_KTHREAD 0x00200000 /* task_struct.flags */

/* include/net/tcp_states.h */
enum tcp_state {
    TCP_ESTABLISHED = 1,
    TCP_SYN_SENT,
    TCP_SYN_RECV,
    TCP_FIN_WAIT1,
    TCP_FIN_WAIT2,
    TCP_TIME_WAIT,
    TCP_CLOSE,
    TCP_CLOSE_WAIT,
    TCP_LAST_ACK,
    TCP_LISTEN,
    TCP_CLOSING,
    TCP_NEW_SYN_RECV,
};

/* How a kernel object is read: TYPED through a pointer whose type the verifier knows, which is a load;
 * BY_ADDRESS through a number, which is a call. */
enum access { BY_ADDRESS, TYPED };
#define READ(access, from, field) ((access) == TYPED ? (from)->field : BPF_CORE_READ(from, field))

/* Since Linux 6.2 a number can become a pointer that is read by loads. A call for each field costs three
 * times as much. */
extern void *bpf_rdonly_cast(const void *obj, __u32 btf_id) __ksym __weak;
#define CAN_CAST bpf_core_enum_value_exists(enum special_kfunc_type, KF_bpf_rdonly_cast)
#define CAST(type, from) ((type *)bpf_rdonly_cast((void *)(from), bpf_core_type_id_kernel(type)))

/* One field of an object that may not exist any more, or never did: then it is 0. */
/* `from` is read first: in BPF_CORE_READ its own structs would be sought among the kernel's, which needs
 * CAP_SYS_ADMIN. */
#define LOAD(type, from, field)                                                                              \
    ({                                                                                                       \
        const type *load_from = (const type *)(from);                                                        \
        CAN_CAST ? CAST(const type, load_from)->field : BPF_CORE_READ(load_from, field);                     \
    })

/* The pointer at an address: list_head begins with one. */
#define LOAD_POINTER(from) (CAN_CAST ? (void *)CAST(struct list_head, from)->next : probe_pointer(from))

/* Where a tcp_sock keeps what every socket has. */
#define TCP_INET inet_conn.icsk_inet
#define TCP_COMMON inet_conn.icsk_inet.sk.__sk_common

/* linux/io_uring.h */
#define IORING_OP_ACCEPT 13
#define IORING_CQE_F_MORE (1U << 1)

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct list_head {
    struct list_head *next;
};

struct kernfs_node {
    __u64 id;
    const char *name;
    struct kernfs_node *__parent;
};

/* before Linux 6.15 (741c10b096bc) */
struct kernfs_node___plain {
    struct kernfs_node *parent;
};

struct cgroup_root {
    int hierarchy_id;
};

struct cgroup {
    int level;
    struct kernfs_node *kn;
    struct cgroup_root *root;
};

struct cgroup_subsys_state {
    struct cgroup *cgroup;
};

struct css_set {
    struct cgroup_subsys_state *subsys[1];
    struct cgroup *dfl_cgrp;
};

typedef struct {
    __u32 val;
} kuid_t;

struct cred {
    kuid_t euid;
};

struct qstr {
    const unsigned char *name;
};

struct dentry {
    struct dentry *d_parent;
    struct qstr d_name;
};

struct path {
    struct dentry *dentry;
};

struct file {
    struct path f_path;
    void *private_data;
};

struct mm_struct {
    struct file *exe_file;
};

struct fdtable {
    unsigned int max_fds;
    struct file **fd;
};

struct files_struct {
    struct fdtable *fdt;
};

struct task_struct {
    unsigned int flags;
    int tgid;
    char comm[16];
    __u64 start_boottime;
    struct mm_struct *mm;
    struct task_struct *group_leader;
    struct task_struct *real_parent;
    const struct cred *cred;
    struct files_struct *files;
    struct css_set *cgroups;
};

struct sock_cgroup_data {
    struct cgroup *cgroup;
};

struct ns_common {
    unsigned int inum;
};

struct net {
    struct ns_common ns;
};

typedef struct {
    struct net *net;
} possible_net_t;

struct in6_addr {
    union {
        __u8 u6_addr8[16];
    } in6_u;
};

struct sock_common {
    __be32 skc_daddr;
    __be32 skc_rcv_saddr;
    __be16 skc_dport;
    __u16 skc_num;
    unsigned short skc_family;
    volatile unsigned char skc_state;
    unsigned long skc_flags;
    possible_net_t skc_net;
    struct in6_addr skc_v6_daddr;
    struct in6_addr skc_v6_rcv_saddr;
    struct {
        __s64 counter;
    } skc_cookie;
};

typedef struct {
    struct spinlock {
    } slock;
    int owned;
} socket_lock_t;

struct sock {
    struct sock_common __sk_common;
    socket_lock_t sk_lock;
    unsigned short sk_type;
    unsigned short sk_protocol;
    __u8 sk_shutdown; /* SHUTDOWN_MASK: close(2) has begun */
    int sk_err;
    __u32 sk_ack_backlog;
    __u32 sk_max_ack_backlog;
    struct {
        int counter;
    } sk_drops;
    struct sock_cgroup_data sk_cgrp_data;
    struct socket *sk_socket; /* that of a descriptor: an accepted connection gets it from accept(2) */
};

struct inet_sock {
    struct sock sk;
    __be32 inet_saddr;
    __be16 inet_sport;
};

struct udp_sock {
    int pending;    /* a corked datagram waits for more */
    __u16 gso_size; /* the option UDP_SEGMENT */
};

struct inet_connection_sock {
    struct inet_sock icsk_inet;
    void *icsk_ulp_data; /* of an MPTCP subflow: struct mptcp_subflow_context */
};

struct tcp_rack {
    __u32 rtt_us; /* of the segment acknowledged last: a raw sample */
};

struct minmax_sample {
    __u32 t;
    __u32 v;
};

struct minmax {
    struct minmax_sample s[3]; /* the first is the smallest of the whole time */
};

struct tcp_sock {
    struct inet_connection_sock inet_conn;
    __u32 srtt_us;
    __u32 mdev_us;
    __u32 rtt_seq; /* the sequence number to be acknowledged for the next sample */
    struct tcp_rack rack;
    __u8 bpf_sock_ops_cb_flags;
    __u64 bytes_sent;
    __u64 bytes_retrans;
    __u64 bytes_received;
    __u64 bytes_acked;
    __u32 segs_in;
    __u32 segs_out;
    __u32 total_retrans;
    __u32 lost_out;
    __u32 delivered;
    __u32 rcv_nxt;
    __u32 copied_seq;
    __u32 snd_nxt;
    __u32 snd_una;
    __u32 write_seq;
    __u32 data_segs_out;
    __u32 data_segs_in;
    __u8 chrono_type;     /* what limits now; before Linux 6.18 a bit field */
    __u32 chrono_start;   /* jiffies */
    __u32 chrono_stat[3]; /* jiffies of TCP_CHRONO_BUSY, RWND_LIMITED, SNDBUF_LIMITED */
    struct minmax rtt_min;
    __u32 rcv_ooopack;
    __u32 delivered_ce;
    __u32 dsack_dups;
    __u32 rto_stamp; /* ms: the time-out that lasts */
    __u16 total_rto; /* since Linux 6.7 (3868ab0f1925), with the two below and rto_stamp */
    __u16 total_rto_recoveries;
    __u32 total_rto_time; /* ms */
    __u32 mss_cache;
    __u32 rate_delivered;
    __u32 rate_interval_us;
    __u8 rate_app_limited : 1;
    _Bool is_mptcp;
};

struct mptcp_sock {
    __u32 token;        /* RFC 8684: names the connection in this network namespace */
    struct sock *first; /* the subflow that the connection began with */
};

struct mptcp_subflow_context {
    struct sock *conn; /* the MPTCP socket */
};

struct socket {
    struct file *file;
    struct sock *sk;
};

struct seq_file;

struct bpf_iter_meta {
    struct seq_file *seq;
};

struct bpf_iter__task_file {
    struct bpf_iter_meta *meta;
    struct task_struct *task;
    __u32 fd;
    struct file *file;
};

struct io_kiocb {
    __u8 opcode;
};

struct trace_event_raw_io_uring_complete {
    void *req;
    int res;
    unsigned int cflags;
};

enum sock_flags { SOCK_DEAD, SOCK_DONE };

struct bpf_iter__tcp {
    struct bpf_iter_meta *meta;
    struct sock_common *sk_common;
};

/* CONFIG_CGROUPS decides which of these exist, and their numbers: they come from BTF. */
enum cgroup_subsys_id { pids_cgrp_id = 1, memory_cgrp_id, cpu_cgrp_id, devices_cgrp_id, freezer_cgrp_id };

/* kernel/bpf/verifier.c: came with bpf_rdonly_cast() itself (a35b9af4ec2c), so it shows that the function
 * exists */
enum special_kfunc_type { KF_bpf_rdonly_cast = 1 };

#pragma clang attribute pop

static __always_inline void *probe_pointer(const void *from) {
    void *pointer = NULL;

    bpf_probe_read_kernel(&pointer, sizeof pointer, from);
    return pointer;
}
