// A process of the tests that does with sockets what it is told, one command a line on stdin, and answers
// each with one line of JSON. Sockets are named by their file descriptors, which the answers tell.
#pragma once
#include <sys/socket.h>

enum { MAX_WORDS = 16, PATIENCE_MS = 5000 };

// A command gets the words after its name, padded with empty ones. It answers and returns 0, or returns -1
// with errno, which becomes the answer {"error":"ECONNREFUSED"}.
struct command {
    const char *name, *usage;
    int words; // at least
    int (*run)(char **words);
};
extern const struct command stream_commands[], datagram_commands[], process_commands[], uring_commands[];

int obey(char **words);              // the first one is the command's name
_Noreturn void follow(int commands); // until the end of the file
void answer(const char *format, ...) __attribute__((format(printf, 1, 2)));
int answer_socket(int fd); // {"fd":5,"port":8000,"peer":40000}; -1 goes through

// An IPv4 or IPv6 address; its length, or 0.
socklen_t parse_address(const char *text, const char *port, struct sockaddr_storage *address);
int wait_for(int fd, short events); // poll(2) with patience
