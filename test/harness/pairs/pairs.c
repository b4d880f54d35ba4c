// Two programs that talk and say with which socket they did: for each connection an id, the cookie of the socket, bytes sent and
// bytes received. The client sends the id first, so that the two ends of one connection say the same.
//
//     pairs server PORT | pairs proxy PORT ADDRESS PORT | pairs client ADDRESS[,ADDRESS] PORT COUNT FIRST THREADS [hold]
//     pairs udp-server PORT | pairs udp-client ADDRESS PORT COUNT FIRST
//
// A client with `hold` waits for a line in the middle of all its connections. Every program says `ready` or, for hold, `held`;
// servers tell all when their stdin ends.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { MAX_TOLD = 1 << 16, STACK = 128 << 10, DATAGRAMS = 3, DATAGRAM = 100 };
// How a connection ends: the client closes, or resets; the server closes, or resets; the client half-closes.
enum ending { CLIENT_CLOSES, CLIENT_RESETS, SERVER_CLOSES, SERVER_RESETS, HALF_CLOSE, ENDINGS };

struct greeting {
    uint32_t id, up, down, more; // bytes each way, and what follows a hold
    uint32_t ending;
};

struct told {
    uint32_t id;
    uint64_t cookie, sent, received;
};
static struct told told[MAX_TOLD];
static int told_count;

static _Noreturn void fail(const char *what) {
    perror(what);
    exit(1);
}

static uint64_t cookie_of(int fd) {
    uint64_t cookie = 0;
    socklen_t size = sizeof cookie;

    getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size);
    return cookie;
}

static void tell(uint32_t id, uint64_t cookie, uint64_t sent, uint64_t received) {
    int at = __sync_fetch_and_add(&told_count, 1);

    if (at < MAX_TOLD)
        told[at] = (struct told){id, cookie, sent, received};
}

static void say_all(void) {
    for (int at = 0; at < told_count && at < MAX_TOLD; at++)
        printf("%u %lx %lu %lu\n", told[at].id, told[at].cookie, told[at].sent, told[at].received);
    puts("end");
    fflush(stdout);
}

/* Returns how much was moved: less than `size` when the connection is over, or nothing came for too long. */
static size_t move_all(int fd, char *data, size_t size, int writes) {
    size_t done = 0;

    while (done < size) {
        ssize_t now =
            writes ? send(fd, data + done, size - done, MSG_NOSIGNAL) : recv(fd, data + done, size - done, 0);

        if (now <= 0 && (now == 0 || errno != EINTR))
            break;
        if (now > 0)
            done += now;
    }
    return done;
}

static void move(int fd, size_t size, int writes, uint64_t *count) {
    static __thread char chunk[16384];

    while (size > 0) {
        size_t now = size < sizeof chunk ? size : sizeof chunk, done = move_all(fd, chunk, now, writes);

        *count += done;
        if (done < now)
            return;
        size -= now;
    }
}

/* A reset may be lost on its way: then nobody comes any more. */
static void be_patient(int fd) {
    struct timeval patience = {4, 0};

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
}

static void reset(int fd) {
    struct linger linger = {1, 0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

static int address_of(const char *text, int port, struct sockaddr_in6 *address) {
    char mapped[64];

    snprintf(mapped, sizeof mapped, strchr(text, ':') ? "%s" : "::ffff:%s", text);
    memset(address, 0, sizeof *address);
    address->sin6_family = AF_INET6;
    address->sin6_port = htons(port);
    return inet_pton(AF_INET6, mapped, &address->sin6_addr) == 1 ? 0 : -1;
}

static int listen_at(int port, int type) {
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    int fd = socket(AF_INET6, type, 0), one = 1;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (void *)&any, sizeof any) || (type == SOCK_STREAM && listen(fd, 4096)))
        fail("bind");
    return fd;
}

static void thread(void *(*run)(void *), void *with) {
    pthread_attr_t attributes;
    pthread_t made;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    if (pthread_create(&made, &attributes, run, with))
        fail("pthread_create");
}

static int answering; // connections whose end the server has not seen yet

static void answer_one(int fd) {
    uint64_t sent = 0, received = sizeof(struct greeting), cookie = cookie_of(fd);
    struct greeting greeting;
    char byte;

    be_patient(fd);
    if (move_all(fd, (char *)&greeting, sizeof greeting, 0) < sizeof greeting) {
        close(fd);
        return;
    }
    move(fd, greeting.up, 0, &received);
    move(fd, greeting.down, 1, &sent);
    if (greeting.more) { /* however long it takes */
        struct timeval none = {0, 0};

        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &none, sizeof none);
    }
    move(fd, greeting.more, 0, &received);
    if (greeting.ending == SERVER_RESETS)
        reset(fd);
    else if (greeting.ending != SERVER_CLOSES)
        recv(fd, &byte, 1, 0);
    if (greeting.ending == HALF_CLOSE)
        move(fd, 1000, 1, &sent);
    tell(greeting.id, cookie, sent, received);
    close(fd);
}

static void *answer(void *with) {
    answer_one((int)(intptr_t)with);
    __sync_fetch_and_sub(&answering, 1);
    return NULL;
}

static int listener;
static void *accept_all(void *with) {
    for (;;) {
        int fd = accept(listener, NULL, NULL);

        if (fd < 0)
            continue;
        if (with == (void *)answer)
            __sync_fetch_and_add(&answering, 1);
        thread(with, (void *)(intptr_t)fd);
    }
    return NULL;
}

static void wait_for_end(void) {
    char line[64];

    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin))
        ;
    while (__atomic_load_n(&answering, __ATOMIC_RELAXED) > 0) // one whose reset was lost is waited for
        usleep(10000);
    say_all();
}

static struct sockaddr_in6 target;
struct way {
    int from, to;
};
static void *pump(void *with) {
    struct way way = *(struct way *)with;
    char chunk[16384];
    ssize_t got;

    free(with);
    while ((got = recv(way.from, chunk, sizeof chunk, 0)) > 0)
        if (move_all(way.to, chunk, got, 1) < (size_t)got)
            break;
    shutdown(way.to, SHUT_WR);
    return NULL;
}

static void *relay(void *with) {
    int near = (int)(intptr_t)with, far = socket(AF_INET6, SOCK_STREAM, 0);
    struct way *way = malloc(sizeof *way);
    struct way *back = malloc(sizeof *back);
    pthread_t one;

    if (connect(far, (void *)&target, sizeof target))
        fail("connect");
    *way = (struct way){near, far};
    *back = (struct way){far, near};
    pthread_create(&one, NULL, pump, way);
    pump(back);
    pthread_join(one, NULL);
    close(near);
    close(far);
    return NULL;
}

static char *addresses[16];
static int address_count, port, count, first, holds, failed;
static int next_connection;
static pthread_barrier_t held, released;

static void *connect_all(void *with) {
    (void)with;
    for (;;) {
        int at = __sync_fetch_and_add(&next_connection, 1), fd;
        unsigned seed = first + at;
        struct greeting greeting = {.id = first + at, .ending = rand_r(&seed) % ENDINGS};
        struct sockaddr_in6 address;
        uint64_t sent = sizeof greeting, received = 0, cookie;
        char byte;

        if (at >= count)
            return NULL;
        greeting.up = rand_r(&seed) % (at % 8 ? 500 : 60000);
        greeting.down = rand_r(&seed) % (at % 8 ? 500 : 60000);
        greeting.more = holds ? 100 : 0;
        address_of(addresses[at % address_count], port, &address);
        fd = socket(AF_INET6, SOCK_STREAM, 0);
        be_patient(fd);
        if (connect(fd, (void *)&address, sizeof address)) {
            __sync_fetch_and_add(&failed, 1);
            close(fd);
            continue;
        }
        cookie = cookie_of(fd);
        move_all(fd, (char *)&greeting, sizeof greeting, 1);
        move(fd, greeting.up, 1, &sent);
        move(fd, greeting.down, 0, &received);
        if (holds) {
            pthread_barrier_wait(&held);
            pthread_barrier_wait(&released);
            move(fd, greeting.more, 1, &sent);
        }
        if (greeting.ending == CLIENT_RESETS)
            reset(fd);
        if (greeting.ending == SERVER_CLOSES || greeting.ending == SERVER_RESETS)
            recv(fd, &byte, 1, 0);
        if (greeting.ending == HALF_CLOSE) {
            shutdown(fd, SHUT_WR);
            move(fd, 1000, 0, &received);
        }
        tell(greeting.id, cookie, sent, received);
        close(fd);
    }
}

static void drive(int threads) {
    pthread_t made[512];
    char line[64];

    pthread_barrier_init(&held, NULL, threads + 1);
    pthread_barrier_init(&released, NULL, threads + 1);
    for (int at = 0; at < threads; at++)
        if (pthread_create(&made[at], NULL, connect_all, NULL))
            fail("pthread_create");
    if (holds) {
        pthread_barrier_wait(&held);
        puts("held");
        fflush(stdout);
        if (!fgets(line, sizeof line, stdin))
            exit(1);
        pthread_barrier_wait(&released);
    }
    for (int at = 0; at < threads; at++)
        pthread_join(made[at], NULL);
    fprintf(stderr, "%d failed\n", failed);
    say_all();
}

// Answers each datagram with half of it.
static void *echo(void *with) {
    char data[2048];
    int fd = (int)(intptr_t)with;

    for (;;) {
        struct sockaddr_in6 from;
        socklen_t size = sizeof from;
        ssize_t got = recvfrom(fd, data, sizeof data, 0, (void *)&from, &size);

        if (got >= 0)
            sendto(fd, data, got / 2, 0, (void *)&from, size);
    }
    return NULL;
}

static void ask_all(void) {
    struct timeval patience = {2, 0};
    char data[2048] = {0};

    for (int at = 0; at < count; at++) {
        struct sockaddr_in6 address;
        struct sockaddr_in6 own = {.sin6_family = AF_INET6, .sin6_port = htons(20000 + first + at)};
        int fd = socket(AF_INET6, SOCK_DGRAM, 0);
        uint64_t sent = 0, received = 0;

        address_of(addresses[at % address_count], port, &address);
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        // no port twice: the server's socket would have one conversation with two clients
        if (bind(fd, (void *)&own, sizeof own) || connect(fd, (void *)&address, sizeof address))
            fail("connect");
        for (int one = 0; one < DATAGRAMS; one++) {
            ssize_t got = send(fd, data, DATAGRAM + at % 100, 0);

            sent += got > 0 ? got : 0;
            got = recv(fd, data, sizeof data, 0);
            received += got > 0 ? got : 0;
        }
        tell(first + at, cookie_of(fd), sent, received);
        close(fd);
    }
    say_all();
}

int main(int argc, char **argv) {
    const char *kind = argc > 1 ? argv[1] : "";

    signal(SIGPIPE, SIG_IGN);
    if (!strcmp(kind, "server") && argc == 3) {
        listener = listen_at(atoi(argv[2]), SOCK_STREAM);
        thread(accept_all, answer);
        wait_for_end();
    } else if (!strcmp(kind, "proxy") && argc == 5) {
        if (address_of(argv[3], atoi(argv[4]), &target))
            fail(argv[3]);
        listener = listen_at(atoi(argv[2]), SOCK_STREAM);
        thread(accept_all, relay);
        wait_for_end();
    } else if (!strcmp(kind, "udp-server") && argc == 3) {
        thread(echo, (void *)(intptr_t)listen_at(atoi(argv[2]), SOCK_DGRAM));
        wait_for_end();
    } else if (argc >= 6 && strstr(kind, "client")) {
        for (char *one = strtok(argv[2], ","); one && address_count < 16; one = strtok(NULL, ","))
            addresses[address_count++] = one;
        port = atoi(argv[3]);
        count = atoi(argv[4]);
        first = atoi(argv[5]);
        holds = argc > 7 && !strcmp(argv[7], "hold");
        if (!strcmp(kind, "udp-client"))
            ask_all();
        else
            drive(holds ? count : atoi(argv[6]));
    } else {
        fputs("usage: see pairs.c\n", stderr);
        return 2;
    }
    return 0;
}
