// load server ADDRESS PORT [--ports N] [--mode echo|discard|hangup] [--forks N]
//             [--transport tcp|mptcp|udp] [--dual-stack]
//
// Listens on N ports from PORT on and prints {"listening":PORT}. Echoes, discards, or hangs up at once. With
// --forks the listeners are opened here and connections are accepted by N child processes.
// Commands on stdin: `stats` prints {"accepted":N,"open":N,"bytes":N}; the end of stdin ends the server.
#define _GNU_SOURCE
#include "load.h"
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_PORTS = 1024, MAX_FORKS = 64, EVENTS = 256 };

static enum { ECHO, DISCARD, HANGUP } mode;
static bool datagrams;
static int listeners[MAX_PORTS], ports = 1;
static pid_t children[MAX_FORKS];
static int forks;

// Shared by the forks.
static struct { atomic_ullong accepted, closed, bytes; } * stats;

static int open_listener(struct transport transport, const char *text, int port, bool dual_stack) {
    struct sockaddr_storage address;
    socklen_t length = parse_address(text, port, &address);
    int fd = socket(address.ss_family, transport.type | SOCK_NONBLOCK | SOCK_CLOEXEC, transport.protocol);
    if (fd < 0)
        fail("socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (address.ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){!dual_stack}, sizeof(int));
    if (bind(fd, (void *)&address, length))
        fail("bind");
    if (!datagrams && listen(fd, BACKLOG))
        fail("listen");
    return fd;
}

static void watch(int epoll, int fd) {
    // EPERM: a file or /dev/null, as the stdin of a container; then there are no commands.
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) && errno != EPERM)
        fail("epoll_ctl");
}

static void accept_all(int epoll, int listener) {
    for (;;) {
        int fd = accept4(listener, 0, 0, SOCK_CLOEXEC);
        if (fd < 0 && errno == EAGAIN)
            return;
        if (fd < 0 && (errno == ECONNABORTED || errno == EINTR))
            continue;
        if (fd < 0)
            fail("accept");
        stats->accepted++;
        if (mode == HANGUP) {
            close(fd);
            stats->closed++;
        } else {
            watch(epoll, fd);
        }
    }
}

static bool write_all(int fd, const char *data, ssize_t bytes) {
    for (ssize_t written; bytes > 0; data += written, bytes -= written)
        if ((written = write(fd, data, bytes)) < 0)
            return false;
    return true;
}

// Accepted sockets block: a read follows its event, and a write waits for a client that reads its answers.
static void answer_stream(int fd) {
    char data[CHUNK_BYTES];
    ssize_t bytes = read(fd, data, sizeof data);
    if (bytes > 0)
        stats->bytes += bytes;
    if (bytes <= 0 || (mode == ECHO && !write_all(fd, data, bytes))) {
        close(fd);
        stats->closed++;
    }
}

static void answer_datagrams(int fd) {
    char data[CHUNK_BYTES];
    struct sockaddr_storage peer;
    for (;;) {
        socklen_t length = sizeof peer;
        ssize_t bytes = recvfrom(fd, data, sizeof data, 0, (void *)&peer, &length);
        if (bytes < 0)
            return;
        stats->bytes += bytes;
        if (mode == ECHO)
            sendto(fd, data, bytes, 0, (void *)&peer, length);
    }
}

// Also the first process of a container, which has no default action for a signal.
static void end(int signal) {
    (void)signal;
    for (int i = 0; i < forks; i++)
        kill(children[i], SIGKILL);
    for (int i = 0; i < forks; i++)
        waitpid(children[i], 0, 0);
    _exit(0);
}

static void answer_commands(void) {
    char line[256];
    ssize_t bytes = read(STDIN_FILENO, line, sizeof line - 1);
    if (bytes <= 0)
        end(SIGTERM);
    line[bytes] = 0;
    for (char *at = line; (at = strstr(at, "stats\n")); at++) {
        unsigned long long accepted = stats->accepted, closed = stats->closed, received = stats->bytes;
        printf("{\"accepted\":%llu,\"open\":%llu,\"bytes\":%llu}\n", accepted, accepted - closed, received);
    }
}

static bool is_listener(int fd) {
    return fd >= listeners[0] && fd <= listeners[ports - 1]; // opened one after the other
}

_Noreturn static void loop(bool accepts, bool commanded) {
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (commanded)
        watch(epoll, STDIN_FILENO);
    for (int i = 0; accepts && i < ports; i++)
        watch(epoll, listeners[i]);
    for (;;) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd == STDIN_FILENO)
                answer_commands();
            else if (!is_listener(fd))
                answer_stream(fd);
            else if (datagrams)
                answer_datagrams(fd);
            else
                accept_all(epoll, fd);
        }
    }
}

static pid_t start_fork(void) {
    pid_t child = fork();
    if (child != 0)
        return child;
    signal(SIGTERM, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGKILL); // also when the parent is killed outright
    loop(true, false);
}

int serve(int argc, char **argv) {
    if (argc < 2)
        usage("load server ADDRESS PORT [--ports N] [--mode echo|discard|hangup] [--forks N] "
              "[--transport tcp|mptcp|udp] [--dual-stack]");
    bool dual_stack = false;
    struct transport transport = transport_named("tcp");
    for (int i = 2; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (!strcmp(argv[i], "--dual-stack"))
            dual_stack = true;
        else if (!strcmp(argv[i], "--ports"))
            ports = atoi(value), i++;
        else if (!strcmp(argv[i], "--forks"))
            forks = atoi(value), i++;
        else if (!strcmp(argv[i], "--transport"))
            transport = transport_named(value), i++;
        else if (!strcmp(argv[i], "--mode"))
            mode = !strcmp(value, "discard") ? DISCARD : !strcmp(value, "hangup") ? HANGUP : ECHO, i++;
        else
            usage(argv[i]);
    }
    if (ports < 1 || ports > MAX_PORTS)
        usage("--ports is 1 to 1024");
    if (forks < 0 || forks > MAX_FORKS)
        usage("--forks is at most 64");
    datagrams = transport.type == SOCK_DGRAM;
    stats = mmap(0, sizeof *stats, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < ports; i++)
        listeners[i] = open_listener(transport, argv[0], atoi(argv[1]) + i, dual_stack);
    signal(SIGTERM, end);
    for (int i = 0; i < forks; i++)
        children[i] = start_fork();
    printf("{\"listening\":%d}\n", atoi(argv[1]));
    loop(forks == 0, true);
}
