// Commands for connections.
#define _GNU_SOURCE
#include "actor.h"
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262 // linux/in.h
#endif

enum { BACKLOG = 128, CHUNK_BYTES = 65536 };

static char chunk[CHUNK_BYTES];

static int open_socket(int family, const char *transport, int flags) {
    int type = strcmp(transport, "udp") ? SOCK_STREAM : SOCK_DGRAM;
    int protocol = strcmp(transport, "mptcp") ? 0 : IPPROTO_MPTCP;
    return socket(family, type | SOCK_CLOEXEC | flags, protocol);
}

static int listen_at(char **words) {
    struct sockaddr_storage address;
    socklen_t length = parse_address(words[0], words[1], &address);
    int fd = length ? open_socket(address.ss_family, words[2], 0) : -1;
    int group = !strcmp(words[3], "reuseport");
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &group, sizeof group) ||
        bind(fd, (void *)&address, length) || listen(fd, *words[4] ? atoi(words[4]) : BACKLOG))
        return -1;
    return answer_socket(fd);
}

static int hold_bound(char **words) {
    struct sockaddr_storage address;
    socklen_t length = parse_address(words[0], words[1], &address);
    int fd = length ? open_socket(address.ss_family, "tcp", 0) : -1;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) ||
        bind(fd, (void *)&address, length))
        return -1;
    return answer_socket(fd);
}

static int hold_unbound(char **words) {
    (void)words;
    return answer_socket(open_socket(AF_INET, "tcp", 0));
}

static int listen_with(char **words) {
    return listen(atoi(words[0]), BACKLOG) ? -1 : answer_socket(atoi(words[0]));
}

static int listen_again(char **words) {
    return shutdown(atoi(words[0]), SHUT_RDWR) ? -1 : listen_with(words);
}

static int connect_with(char **words, int flags) {
    struct sockaddr_storage address;
    socklen_t length = parse_address(words[0], words[1], &address);
    int fd = length ? open_socket(address.ss_family, words[2], flags) : -1;
    if (fd < 0)
        return -1;
    if (connect(fd, (void *)&address, length) && errno != EINPROGRESS) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return answer_socket(fd);
}

static int connect_and_wait(char **words) {
    return connect_with(words, 0);
}

static int begin_connect(char **words) {
    return connect_with(words, SOCK_NONBLOCK);
}

static int finish_connect(char **words) {
    int fd = atoi(words[0]), epoll = epoll_create1(EPOLL_CLOEXEC), error = ETIMEDOUT;
    struct epoll_event event = {.events = EPOLLOUT};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
        return -1;
    if (epoll_wait(epoll, &event, 1, PATIENCE_MS) == 1)
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){sizeof error});
    close(epoll);
    errno = error;
    return error ? -1 : answer_socket(fd);
}

static int set_send_buffer(char **words) {
    if (setsockopt(atoi(words[0]), SOL_SOCKET, SO_SNDBUF, &(int){atoi(words[1])}, sizeof(int)))
        return -1;
    answer("{\"bytes\":%s}", words[1]);
    return 0;
}

static int accept_one(char **words) {
    return answer_socket(accept4(atoi(words[0]), 0, 0, SOCK_CLOEXEC));
}

// Whatever is in the backlog: of a SO_REUSEPORT group only the kernel knows which listener gets a connection.
static int accept_pending(char **words) {
    struct pollfd ready = {.fd = atoi(words[0]), .events = POLLIN};
    int accepted = 0;
    while (poll(&ready, 1, 0) == 1 && accept4(ready.fd, 0, 0, SOCK_CLOEXEC) >= 0)
        accepted++;
    answer("{\"accepted\":%d}", accepted);
    return 0;
}

static ssize_t send_some(int fd, size_t bytes) {
    return send(fd, chunk, bytes, 0);
}

static ssize_t write_some(int fd, size_t bytes) {
    return write(fd, chunk, bytes);
}

static ssize_t receive_some(int fd, size_t bytes) {
    return wait_for(fd, POLLIN) ? -1 : recv(fd, chunk, bytes, 0);
}

static ssize_t read_some(int fd, size_t bytes) {
    return wait_for(fd, POLLIN) ? -1 : read(fd, chunk, bytes);
}

static int move(char **words, ssize_t (*some)(int fd, size_t bytes)) {
    long long wanted = atoll(words[1]), moved = 0;
    while (moved < wanted) {
        ssize_t bytes = some(atoi(words[0]), wanted - moved < CHUNK_BYTES ? wanted - moved : CHUNK_BYTES);
        if (bytes == 0)
            errno = ENODATA; // the peer closed
        if (bytes <= 0)
            return -1;
        moved += bytes;
    }
    answer("{\"bytes\":%lld}", moved);
    return 0;
}

static int send_all(char **words) {
    return move(words, send_some);
}

static int write_all(char **words) {
    return move(words, write_some);
}

static int receive_all(char **words) {
    return move(words, receive_some);
}

static int read_all(char **words) {
    return move(words, read_some);
}

static int close_one(char **words) {
    if (close(atoi(words[0])))
        return -1;
    answer("{\"closed\":%s}", words[0]);
    return 0;
}

const struct command stream_commands[] = {
    {"listen", "ADDRESS PORT [tcp|mptcp] [reuseport|alone] [BACKLOG]", 2, listen_at},
    {"bound", "ADDRESS PORT: as listen, and does not listen yet", 2, hold_bound},
    {"unbound", "a socket without an address", 0, hold_unbound},
    {"listen-with", "FD", 1, listen_with},
    {"listen-again", "FD: stop, and listen at once", 1, listen_again},
    {"connect", "ADDRESS PORT [tcp|mptcp|udp]", 2, connect_and_wait},
    {"begin", "ADDRESS PORT [tcp|mptcp]: connect without waiting", 2, begin_connect},
    {"finish", "FD: wait until it is connected", 1, finish_connect},
    {"send-buffer", "FD BYTES", 2, set_send_buffer},
    {"accept", "FD", 1, accept_one},
    {"accept-pending", "FD", 1, accept_pending},
    {"send", "FD BYTES", 2, send_all},
    {"write", "FD BYTES", 2, write_all},
    {"receive", "FD BYTES", 2, receive_all},
    {"read", "FD BYTES", 2, read_all},
    {"close", "FD", 1, close_one},
    {0},
};
