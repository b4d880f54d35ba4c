/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* A balancer as those of Kubernetes are that work at sockets: what is sent to a service goes to a backend, and
 * what the backend answers comes from the service. The backend's address is no other test's. */
#include "../../../probe/bpf/kernel.h"
#include <bpf/bpf_endian.h>

#define SERVICE bpf_htonl(0x0a600014) /* 10.96.0.20 */
#define BACKEND bpf_htonl(0x7f4d0001) /* 127.77.0.1 */

SEC("cgroup/sendmsg4")
int to_backend(struct bpf_sock_addr *ctx) {
    if (ctx->user_ip4 == SERVICE) {
        ctx->user_ip4 = BACKEND;
        ctx->user_port = bpf_htons(5301);
    }
    return 1;
}

SEC("cgroup/recvmsg4")
int from_backend(struct bpf_sock_addr *ctx) {
    if (ctx->user_ip4 == BACKEND) {
        ctx->user_ip4 = SERVICE;
        ctx->user_port = bpf_htons(53);
    }
    return 1;
}

char _license[] SEC("license") = "Dual MIT/GPL";
