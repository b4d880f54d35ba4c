// Commands for I/O without system calls for it: io_uring(7), spoken to directly.
#define _GNU_SOURCE
#include "actor.h"
#include <errno.h>
#include <linux/io_uring.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static void *map(int ring, size_t bytes, off_t what) {
    return mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, what);
}

static int result_of(int error) {
    if (error >= 0)
        return error;
    errno = -error;
    return -1;
}

#ifndef IORING_ACCEPT_MULTISHOT
#define IORING_ACCEPT_MULTISHOT 1 // linux/io_uring.h, Linux 5.19
#endif

// One operation on a ring of its own; its result, or -1 with errno.
static int perform(const struct io_uring_sqe *operation) {
    struct io_uring_params params = {0};
    int ring = syscall(SYS_io_uring_setup, 1, &params);
    if (ring < 0)
        return -1;
    char *submitted = map(ring, params.sq_off.array + sizeof(unsigned), IORING_OFF_SQ_RING);
    size_t completed_bytes = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
    char *completed = map(ring, completed_bytes, IORING_OFF_CQ_RING);
    struct io_uring_sqe *entry = map(ring, sizeof *entry, IORING_OFF_SQES);
    if (submitted == MAP_FAILED || completed == MAP_FAILED || entry == MAP_FAILED)
        return -1;
    *entry = *operation;
    *(unsigned *)(submitted + params.sq_off.array) = 0;
    __atomic_store_n((unsigned *)(submitted + params.sq_off.tail), 1, __ATOMIC_RELEASE);
    int entered = syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, 0, 0);
    int result = ((struct io_uring_cqe *)(completed + params.cq_off.cqes))->res;
    munmap(submitted, params.sq_off.array + sizeof(unsigned));
    munmap(completed, completed_bytes);
    munmap(entry, sizeof *entry);
    close(ring);
    return entered < 0 ? -1 : result_of(result);
}

static int ring_accept(char **words) {
    return answer_socket(perform(&(struct io_uring_sqe){
        .opcode = IORING_OP_ACCEPT,
        .ioprio = strcmp(words[1], "multishot") ? 0 : IORING_ACCEPT_MULTISHOT,
        .fd = atoi(words[0]),
        .accept_flags = SOCK_CLOEXEC,
    }));
}

static int ring_move(char **words, int opcode) {
    static char data[65536];
    int bytes = atoi(words[1]);
    if (bytes < 1 || bytes > (int)sizeof data) {
        errno = EMSGSIZE;
        return -1;
    }
    int moved = perform(&(struct io_uring_sqe){.opcode = opcode,
                                               .fd = atoi(words[0]),
                                               .addr = (unsigned long)data,
                                               .len = bytes,
                                               .msg_flags = MSG_WAITALL});
    if (moved < 0)
        return -1;
    answer("{\"bytes\":%d}", moved);
    return 0;
}

static int ring_send(char **words) {
    return ring_move(words, IORING_OP_SEND);
}

static int ring_receive(char **words) {
    return ring_move(words, IORING_OP_RECV);
}

const struct command uring_commands[] = {
    {"uring-accept", "FD [multishot]", 1, ring_accept},
    {"uring-send", "FD BYTES", 2, ring_send},
    {"uring-receive", "FD BYTES", 2, ring_receive},
    {0},
};
