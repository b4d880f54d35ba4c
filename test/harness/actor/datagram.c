// Commands for datagrams.
#define _GNU_SOURCE
#include "actor.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdlib.h>

#ifndef UDP_SEGMENT // linux/udp.h
#define UDP_SEGMENT 103
#define UDP_GRO 104
#endif

enum { DATAGRAM_BYTES = 65507 }; // the most that IPv4 carries

static char data[DATAGRAM_BYTES];

static int bind_to(char **words) {
    struct sockaddr_storage address;
    socklen_t length = parse_address(words[0], words[1], &address);
    int fd = length ? socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) ||
        setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &(int){1}, sizeof(int)) ||
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(int){4 << 20}, sizeof(int)) ||
        (address.ss_family == AF_INET6 &&
         setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){0}, sizeof(int))) ||
        bind(fd, (void *)&address, length))
        return -1;
    return answer_socket(fd);
}

static int join_group(char **words) {
    struct ip_mreqn request = {0};
    if (inet_pton(AF_INET, words[1], &request.imr_multiaddr) != 1)
        errno = EINVAL;
    else if (setsockopt(atoi(words[0]), IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request) == 0) {
        answer("{\"joined\":\"%s\"}", words[1]);
        return 0;
    }
    return -1;
}

static int set_room(char **words) {
    int bytes = atoi(words[1]);

    if (setsockopt(atoi(words[0]), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes))
        return -1;
    answer("{\"room\":%d}", bytes);
    return 0;
}

static int take_offloaded(char **words) {
    if (setsockopt(atoi(words[0]), IPPROTO_UDP, UDP_GRO, &(int){1}, sizeof(int)))
        return -1;
    answer("{\"gro\":%s}", words[0]);
    return 0;
}

static int add_options(char **words) {
    static const char nothing[4] = {1, 1, 1, 1}; // RFC 791: no operation

    if (setsockopt(atoi(words[0]), IPPROTO_IP, IP_OPTIONS, nothing, sizeof nothing))
        return -1;
    answer("{\"options\":%s}", words[0]);
    return 0;
}

struct traffic {
    long long sent, bytes_sent, received, bytes_received;
};

static int answer_traffic(const struct traffic *traffic) {
    answer("{\"sent\":%lld,\"bytes_sent\":%lld,\"received\":%lld,\"bytes_received\":%lld}", traffic->sent,
           traffic->bytes_sent, traffic->received, traffic->bytes_received);
    return 0;
}

static int send_one(int fd, int bytes, int segment, void *to, socklen_t length, struct traffic *traffic) {
    ssize_t sent = sendto(fd, data, bytes, 0, to, length);
    if (sent < 0)
        return -1;
    traffic->sent += segment ? (sent + segment - 1) / segment : 1;
    traffic->bytes_sent += sent;
    return 0;
}

static int receive_one(int fd, struct sockaddr_storage *from, socklen_t *length, struct traffic *traffic) {
    static char received[DATAGRAM_BYTES];
    if (wait_for(fd, POLLIN))
        return -1;
    ssize_t bytes = recvfrom(fd, received, sizeof received, 0, (void *)from, length);
    if (bytes < 0)
        return -1;
    traffic->received++;
    traffic->bytes_received += bytes;
    return 0;
}

// The size of a datagram, or -1.
static int size_of(const char *word) {
    int bytes = atoi(word);
    if (bytes >= 0 && bytes <= DATAGRAM_BYTES)
        return bytes;
    errno = EMSGSIZE;
    return -1;
}

// The address that two words name; without them NULL, for a connected socket.
static void *optional(char **words, struct sockaddr_storage *address, socklen_t *length) {
    *length = words[0][0] ? parse_address(words[0], words[1], address) : 0;
    return *length ? address : 0;
}

static int send_many(char **words) {
    int fd = atoi(words[0]), count = atoi(words[1]), bytes = size_of(words[2]), segment = atoi(words[3]);
    struct sockaddr_storage address;
    struct traffic traffic = {0};
    socklen_t length;
    void *to = optional(words + 4, &address, &length);
    if (bytes < 0 || setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof segment))
        return -1;
    for (int i = 0; i < count; i++)
        if (send_one(fd, bytes, segment, to, length, &traffic))
            return -1;
    return answer_traffic(&traffic);
}

static int receive_many(char **words) {
    struct sockaddr_storage from;
    struct traffic traffic = {0};
    for (int count = atoi(words[1]); count > 0; count--)
        if (receive_one(atoi(words[0]), &from, &(socklen_t){sizeof from}, &traffic))
            return -1;
    return answer_traffic(&traffic);
}

static int resolve(char **words) {
    int fd = atoi(words[0]), bytes = size_of(words[2]);
    struct sockaddr_storage from;
    struct traffic traffic = {0};
    if (bytes < 0)
        return -1;
    for (int count = atoi(words[1]); count > 0; count--) {
        socklen_t length = sizeof from;
        if (receive_one(fd, &from, &length, &traffic) || send_one(fd, bytes, 0, &from, length, &traffic))
            return -1;
    }
    return answer_traffic(&traffic);
}

static int ask(char **words) {
    int fd = atoi(words[0]), bytes = size_of(words[2]);
    struct sockaddr_storage address, from;
    struct traffic traffic = {0};
    socklen_t length;
    void *to = optional(words + 3, &address, &length);
    if (bytes < 0)
        return -1;
    for (int count = atoi(words[1]); count > 0; count--)
        if (send_one(fd, bytes, 0, to, length, &traffic) ||
            receive_one(fd, &from, &(socklen_t){sizeof from}, &traffic))
            return -1;
    return answer_traffic(&traffic);
}

// One datagram to each of COUNT ports.
static int spray(char **words) {
    int fd = atoi(words[0]), bytes = size_of(words[1]), first = atoi(words[3]), count = atoi(words[4]);
    struct sockaddr_storage address;
    struct traffic traffic = {0};
    socklen_t length = parse_address(words[2], words[3], &address);
    if (bytes < 0 || !length)
        return -1;
    for (int i = 0; i < count; i++) {
        ((struct sockaddr_in *)&address)->sin_port = htons(first + i); // at the same place as sin6_port
        if (send_one(fd, bytes, 0, &address, length, &traffic))
            return -1;
    }
    return answer_traffic(&traffic);
}

const struct command datagram_commands[] = {
    {"bind", "ADDRESS PORT: a socket for datagrams, IPv6 ones for IPv4 too", 2, bind_to},
    {"join", "FD GROUP: by the route to it", 2, join_group},
    {"options", "FD: send with IP options, four bytes that say nothing, ip(7)", 1, add_options},
    {"room", "FD BYTES: for datagrams that are not received yet", 2, set_room},
    {"gro", "FD: receive what the sender or the device left in one piece at once, udp(7)", 1, take_offloaded},
    {"datagrams", "FD COUNT BYTES SEGMENT [ADDRESS PORT]: send; SEGMENT 0 or the size to cut BYTES into", 4,
     send_many},
    {"spray", "FD BYTES ADDRESS PORT COUNT: one datagram to each port from PORT on", 5, spray},
    {"collect", "FD COUNT: receive", 2, receive_many},
    {"ask", "FD COUNT BYTES [ADDRESS PORT]: send one and receive one, COUNT times", 3, ask},
    {"resolve", "FD COUNT BYTES: receive one and send BYTES to its sender, COUNT times", 3, resolve},
    {0},
};
