// A wire with real delay between two network namespaces, in user space: not every kernel has netem.
// One TUN device in each namespace; a packet that enters one leaves the other ONE_WAY_US later.
//
//   delayd NETNS_A NETNS_B DEVICE ONE_WAY_US DROP_EVERY SWAP_EVERY
//
// Prints "ready" when both devices exist. Each line on stdin, and the end, prints the counters of both
// directions as JSON. Ends on SIGTERM, SIGINT, at the end of stdin, and the devices end with it.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define QUEUED_PACKETS 32768 // 48 MB a direction: 2 Gbit/s at 200 ms one way
#define MTU_BYTES 1500       // what a TUN device starts with
#define BURST 64             // packets read from one side before the other has its turn

struct packet {
    long long due_ns;
    ssize_t bytes;
    unsigned char data[MTU_BYTES];
};

// The delay is the same for every packet, so that the queue is in the order of its due times.
struct direction {
    int in, out;
    struct packet *queue;
    unsigned head, tail; // they count on, the place in the queue is their remainder
    unsigned long long seen, forwarded, dropped, overflowed;
};

static volatile sig_atomic_t ended;

static void end(int signal) {
    (void)signal;
    ended = 1;
}

static void fail(const char *what) {
    fprintf(stderr, "delayd: %s: %s\n", what, strerror(errno));
    exit(1);
}

static long long now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static int open_tun(const char *netns, const char *device) {
    int namespace = open(netns, O_RDONLY | O_CLOEXEC);
    if (namespace < 0 || setns(namespace, CLONE_NEWNET))
        fail(netns);
    close(namespace);
    int tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (tun < 0)
        fail("/dev/net/tun");
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    strncpy(request.ifr_name, device, IFNAMSIZ - 1);
    if (ioctl(tun, TUNSETIFF, &request))
        fail(device);
    return tun;
}

static struct direction make_direction(int in, int out) {
    size_t bytes = sizeof(struct packet) * QUEUED_PACKETS;
    void *queue = mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (queue == MAP_FAILED)
        fail("mmap");
    return (struct direction){.in = in, .out = out, .queue = queue};
}

// The two newest packets leave in the other order.
static void swap_newest(struct direction *wire) {
    if (wire->tail - wire->head < 2)
        return;
    struct packet *last = &wire->queue[(wire->tail - 1) % QUEUED_PACKETS], kept = *last;
    struct packet *before = &wire->queue[(wire->tail - 2) % QUEUED_PACKETS];
    last->bytes = before->bytes;
    memcpy(last->data, before->data, before->bytes);
    before->bytes = kept.bytes;
    memcpy(before->data, kept.data, kept.bytes);
}

static void accept_packets(struct direction *wire, long long delay_ns, unsigned long long drop_every,
                           unsigned long long swap_every) {
    for (int i = 0; i < BURST; i++) {
        struct packet incoming;
        incoming.bytes = read(wire->in, incoming.data, sizeof incoming.data);
        if (incoming.bytes <= 0)
            return;
        wire->seen++;
        if (drop_every && wire->seen % drop_every == 0) {
            wire->dropped++;
        } else if (wire->tail - wire->head == QUEUED_PACKETS) {
            wire->overflowed++;
        } else {
            struct packet *queued = &wire->queue[wire->tail++ % QUEUED_PACKETS];
            queued->due_ns = now_ns() + delay_ns;
            queued->bytes = incoming.bytes;
            memcpy(queued->data, incoming.data, incoming.bytes);
            if (swap_every && wire->seen % swap_every == 0)
                swap_newest(wire);
        }
    }
}

// Returns when the next packet is due, or -1.
static long long forward_due(struct direction *wire) {
    while (wire->head != wire->tail) {
        struct packet *first = &wire->queue[wire->head % QUEUED_PACKETS];
        if (first->due_ns > now_ns())
            return first->due_ns;
        if (write(wire->out, first->data, first->bytes) == first->bytes)
            wire->forwarded++;
        wire->head++;
    }
    return -1;
}

static void print_counters(struct direction wires[2]) {
    for (int i = 0; i < 2; i++)
        printf("%s{\"seen\":%llu,\"forwarded\":%llu,\"dropped\":%llu,\"overflowed\":%llu}%s", i ? "," : "[",
               wires[i].seen, wires[i].forwarded, wires[i].dropped, wires[i].overflowed, i ? "]\n" : "");
    fflush(stdout);
}

int main(int argc, char **argv) {
    if (argc != 7) {
        fprintf(stderr, "usage: delayd NETNS_A NETNS_B DEVICE ONE_WAY_US DROP_EVERY SWAP_EVERY\n");
        return 2;
    }
    int a = open_tun(argv[1], argv[3]), b = open_tun(argv[2], argv[3]);
    long long delay_ns = atoll(argv[4]) * 1000;
    unsigned long long drop_every = strtoull(argv[5], 0, 10), swap_every = strtoull(argv[6], 0, 10);
    struct direction wires[2] = {make_direction(a, b), make_direction(b, a)};

    signal(SIGTERM, end);
    signal(SIGINT, end);
    // Punctual wake-ups on a busy machine. Best effort: without CAP_SYS_NICE the delay is less even.
    prctl(PR_SET_TIMERSLACK, 1UL);
    sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = 1});
    puts("ready");
    fflush(stdout);

    while (!ended) {
        long long first = forward_due(&wires[0]), second = forward_due(&wires[1]);
        long long due = first < 0 || (second >= 0 && second < first) ? second : first;
        long long wait_ns = due < 0 ? 0 : due - now_ns();
        if (wait_ns < 0)
            wait_ns = 0;
        struct timespec wait = {wait_ns / 1000000000, wait_ns % 1000000000};
        struct pollfd ready[3] = {{a, POLLIN, 0}, {b, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
        if (ppoll(ready, 3, due < 0 ? 0 : &wait, 0) < 0)
            continue; // a signal
        accept_packets(&wires[0], delay_ns, drop_every, swap_every);
        accept_packets(&wires[1], delay_ns, drop_every, swap_every);
        char line[64];
        if (ready[2].revents) {
            if (read(STDIN_FILENO, line, sizeof line) <= 0)
                break;
            print_counters(wires);
        }
    }
    print_counters(wires);
}
