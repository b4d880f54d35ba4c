// The workload of the tests: a server and a client that do exactly what they are told, one command a line.
#pragma once
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

enum { BACKLOG = 4096, CHUNK_BYTES = 65536, MAX_CONNECTIONS = 20000, PATIENCE_MS = 10000 };

struct transport {
    int type, protocol; // of socket(2)
};

// `tcp`, `mptcp` or `udp`; ends the program for any other word.
struct transport transport_named(const char *name);

// An IPv4 or IPv6 address; its length for bind(2) and connect(2). Ends the program for any other text.
socklen_t parse_address(const char *text, int port, struct sockaddr_storage *address);

_Noreturn void fail(const char *what); // with errno
_Noreturn void usage(const char *what);

struct connection {
    int fd;
    long long to_send, to_receive;
};

// Moves what `count` connections have to send and receive; one that fails is counted and has nothing left.
void exchange(struct connection *first, int count, struct transport transport);
void count_failure(int error);

int serve(int argc, char **argv);
int drive(int argc, char **argv);
int nap(int argc, char **argv);
