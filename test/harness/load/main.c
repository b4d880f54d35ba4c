// load server ... : see server.c
// load client ... : see client.c
// load neighbour MS : see neighbour.c
#define _GNU_SOURCE
#include "load.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262 // linux/in.h
#endif

void fail(const char *what) {
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

void usage(const char *what) {
    fprintf(stderr, "load: %s\n", what);
    exit(2);
}

struct transport transport_named(const char *name) {
    if (!strcmp(name, "tcp"))
        return (struct transport){SOCK_STREAM, IPPROTO_TCP};
    if (!strcmp(name, "mptcp"))
        return (struct transport){SOCK_STREAM, IPPROTO_MPTCP};
    if (!strcmp(name, "udp"))
        return (struct transport){SOCK_DGRAM, IPPROTO_UDP};
    usage("a transport is tcp, mptcp or udp");
}

socklen_t parse_address(const char *text, int port, struct sockaddr_storage *address) {
    memset(address, 0, sizeof *address);
    struct sockaddr_in *v4 = (void *)address;
    struct sockaddr_in6 *v6 = (void *)address;
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        return sizeof *v4;
    }
    if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        return sizeof *v6;
    }
    usage("not an IPv4 or IPv6 address");
}

int main(int argc, char **argv) {
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    signal(SIGPIPE, SIG_IGN);
    setlinebuf(stdout);
    if (argc > 1 && !strcmp(argv[1], "server"))
        return serve(argc - 2, argv + 2);
    if (argc > 1 && !strcmp(argv[1], "client"))
        return drive(argc - 2, argv + 2);
    if (argc > 1 && !strcmp(argv[1], "neighbour"))
        return nap(argc - 2, argv + 2);
    usage("say `load server`, `load client` or `load neighbour`");
}
