// load client [--transport tcp|mptcp|udp] [--timed] [COMMAND...]
//
// Runs the commands of its arguments, then those on stdin, one a line; answers each with one line of JSON:
//
//   open N ADDRESS PORT [PORTS]            open and keep N connections, spread over PORTS ports from PORT on
//   churn N ADDRESS PORT [PORTS [hangup]]  open and close N connections, one after the other; `hangup`: the
//                                          server (in mode hangup) closes first
//   talk N ADDRESS PORT [PORTS]            open and close N connections that carry 64 bytes each way (server: echo)
//   send I BYTES                           send on connection I until all is acknowledged (server: discard)
//   echo ROUNDS BYTES                      send on every connection and await the answers, ROUNDS times
//   close | reset                          close all connections, with FIN or with RST
//   hold                                   keep everything until a signal comes
//   quit
//
// With --timed an answer also says how long the command took and the CPU of this process in it:
// "seconds":S,"cpu_seconds":S.
#define _GNU_SOURCE
#include "load.h"
#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum {
    CONNECTING = 512,   // at once: 25,000 a second over 20 ms, and no backlog overflows
    TALKING = 32,       // at once: nobody waits for the other side
    CHURN_AHEAD = 1000, // connections a port may wait for accept(2): far below the server's backlog
};

static struct connection connections[MAX_CONNECTIONS];
static int opened, failed, last_error;
static struct transport transport;
static const char *separator; // of the ports in the answer to `open`
static bool timed;
static double began, began_cpu; // seconds, of the command that runs

void count_failure(int error) {
    failed++;
    last_error = error;
}

static double seconds_of(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

static void end_answer(void) {
    if (timed)
        printf(",\"seconds\":%.6f,\"cpu_seconds\":%.6f", seconds_of(CLOCK_MONOTONIC) - began,
               seconds_of(CLOCK_PROCESS_CPUTIME_ID) - began_cpu);
    if (failed)
        printf(",\"failed\":%d,\"error\":\"%s\"", failed, strerrorname_np(last_error));
    puts("}");
}

static bool wait_for(int fd, short events) {
    struct pollfd ready = {.fd = fd, .events = events};
    if (poll(&ready, 1, PATIENCE_MS) == 1)
        return true;
    errno = ETIMEDOUT;
    return false;
}

// A socket that is connected, or with SOCK_NONBLOCK on its way to it; -1 with errno.
static int connect_to(const char *text, int port, int flags) {
    struct sockaddr_storage address;
    socklen_t length = parse_address(text, port, &address);
    int fd = socket(address.ss_family, transport.type | SOCK_CLOEXEC | flags, transport.protocol);
    if (fd < 0 || connect(fd, (void *)&address, length) == 0 || errno == EINPROGRESS)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static int local_port(int fd) {
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    getsockname(fd, (void *)&address, &length);
    return ntohs(((struct sockaddr_in *)&address)->sin_port); // at the same place as sin6_port
}

static void finish_connecting(int fd) {
    int error = ETIMEDOUT;
    if (wait_for(fd, POLLOUT))
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){sizeof error});
    if (error) {
        count_failure(error);
        close(fd);
        return;
    }
    printf("%s%d", separator, local_port(fd));
    separator = ",";
    connections[opened++].fd = fd;
}

static void open_connections(int count, const char *address, int port, int ports) {
    int before = opened;
    separator = "";
    printf("{\"ports\":[");
    for (int done = 0; done < count;) {
        int fds[CONNECTING], started = 0;
        for (; started < CONNECTING && done < count; done++) {
            errno = EMFILE;
            bool fits = opened + started < MAX_CONNECTIONS;
            int fd = fits ? connect_to(address, port + done % ports, SOCK_NONBLOCK) : -1;
            if (fd < 0)
                count_failure(errno);
            else
                fds[started++] = fd;
        }
        for (int i = 0; i < started; i++)
            finish_connecting(fds[i]);
    }
    printf("],\"opened\":%d", opened - before);
    end_answer();
}

static bool await_end(int fd) {
    char data[256];
    while (wait_for(fd, POLLIN)) {
        ssize_t bytes = read(fd, data, sizeof data);
        if (bytes <= 0)
            return bytes == 0;
    }
    return false;
}

static void churn(int count, const char *address, int port, int ports, bool hangup) {
    int churned = 0;
    for (int i = 0; i < count; i++) {
        int fd = connect_to(address, port + i % ports, 0);
        // accept(2) is first come, first served: when the server has closed this one, it had all before it.
        bool in_step = (i / ports) % CHURN_AHEAD == CHURN_AHEAD - 1 || i >= count - ports;
        if (fd >= 0 && in_step && !hangup)
            shutdown(fd, SHUT_WR);
        if (fd >= 0 && (!(in_step || hangup) || await_end(fd)))
            churned++;
        else
            count_failure(errno);
        if (fd >= 0)
            close(fd);
    }
    printf("{\"churned\":%d", churned);
    end_answer();
}

static void talk(int count, const char *address, int port, int ports) {
    char data[64] = {0};
    int talked = 0;
    for (int done = 0; done < count; done += TALKING) {
        int fds[TALKING], some = count - done < TALKING ? count - done : TALKING;
        for (int i = 0; i < some; i++) {
            fds[i] = connect_to(address, port + (done + i) % ports, 0);
            if (fds[i] < 0 || write(fds[i], data, sizeof data) != sizeof data)
                count_failure(errno);
        }
        for (int i = 0; i < some; i++) {
            talked +=
                fds[i] >= 0 && wait_for(fds[i], POLLIN) && read(fds[i], data, sizeof data) == sizeof data;
            if (fds[i] >= 0)
                close(fds[i]);
        }
    }
    printf("{\"talked\":%d", talked);
    end_answer();
}

static void send_on(int index, long long bytes) {
    if (index < 0 || index >= opened)
        usage("no such connection");
    struct connection *connection = &connections[index];
    connection->to_send = bytes;
    exchange(connection, 1, transport);
    int unacknowledged = 0; // tcp(7): what is not sent, and what is not acknowledged
    while (ioctl(connection->fd, SIOCOUTQ, &unacknowledged) == 0 && unacknowledged > 0)
        usleep(500);
    printf("{\"sent\":%lld", bytes);
    end_answer();
}

static void echo(int rounds, long long bytes) {
    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < opened; i++)
            connections[i].to_send = connections[i].to_receive = bytes;
        exchange(connections, opened, transport);
    }
    printf("{\"echoed\":%lld", (long long)rounds * opened - failed);
    end_answer();
}

static void close_all(bool reset) {
    for (int i = 0; i < opened; i++) {
        if (reset) // socket(7): a linger time of zero closes with RST
            setsockopt(connections[i].fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0},
                       sizeof(struct linger));
        close(connections[i].fd);
    }
    printf("{\"closed\":%d", opened);
    opened = 0;
    end_answer();
}

static void obey(const char *command) {
    char word[16] = "", address[64] = "", how[16] = "";
    int n = 0, port = 0, ports = 1;
    long long bytes = 0;
    failed = 0;
    began = seconds_of(CLOCK_MONOTONIC);
    began_cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    sscanf(command, "%15s", word);
    if (!strcmp(word, "open") && sscanf(command, "%*s %d %63s %d %d", &n, address, &port, &ports) >= 3)
        open_connections(n, address, port, ports);
    else if (!strcmp(word, "churn") &&
             sscanf(command, "%*s %d %63s %d %d %15s", &n, address, &port, &ports, how) >= 3)
        churn(n, address, port, ports, !strcmp(how, "hangup"));
    else if (!strcmp(word, "talk") && sscanf(command, "%*s %d %63s %d %d", &n, address, &port, &ports) >= 3)
        talk(n, address, port, ports);
    else if (!strcmp(word, "send") && sscanf(command, "%*s %d %lld", &n, &bytes) == 2)
        send_on(n, bytes);
    else if (!strcmp(word, "echo") && sscanf(command, "%*s %d %lld", &n, &bytes) == 2)
        echo(n, bytes);
    else if (!strcmp(word, "close") || !strcmp(word, "reset"))
        close_all(!strcmp(word, "reset"));
    else if (!strcmp(word, "hold"))
        pause();
    else if (!strcmp(word, "quit"))
        exit(0);
    else
        usage(command);
}

static void end(int signal) {
    (void)signal;
    _exit(0);
}

int drive(int argc, char **argv) {
    int first = 0;
    signal(SIGTERM, end); // the first process of a container has no default action
    transport = transport_named("tcp");
    if (argc > 1 && !strcmp(argv[0], "--transport")) {
        transport = transport_named(argv[1]);
        first = 2;
    }
    if (first < argc && !strcmp(argv[first], "--timed")) {
        timed = true;
        first++;
    }
    for (int i = first; i < argc; i++)
        obey(argv[i]);
    char line[256];
    while (fgets(line, sizeof line, stdin))
        obey(line);
    return 0;
}
