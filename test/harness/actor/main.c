// actor: see actor.h and the tables of commands in the other files.
#define _GNU_SOURCE
#include "actor.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct command *const tables[] = {stream_commands, datagram_commands, process_commands,
                                               uring_commands};

// One write(2): parent and children share stdout.
void answer(const char *format, ...) {
    char line[4096];
    va_list values;
    va_start(values, format);
    int length = vsnprintf(line, sizeof line - 1, format, values);
    va_end(values);
    if (length >= (int)sizeof line - 1)
        abort();
    line[length++] = '\n';
    if (write(STDOUT_FILENO, line, length) != length)
        exit(1);
}

static int port_of(const struct sockaddr_storage *address) {
    return ntohs(((const struct sockaddr_in *)address)->sin_port); // at the same place as sin6_port
}

int answer_socket(int fd) {
    struct sockaddr_storage local = {0}, peer = {0};
    if (fd < 0 || getsockname(fd, (void *)&local, &(socklen_t){sizeof local}))
        return -1;
    getpeername(fd, (void *)&peer, &(socklen_t){sizeof peer}); // ENOTCONN: 0
    answer("{\"fd\":%d,\"port\":%d,\"peer\":%d}", fd, port_of(&local), port_of(&peer));
    return 0;
}

socklen_t parse_address(const char *text, const char *port, struct sockaddr_storage *address) {
    struct sockaddr_in *v4 = (void *)address;
    struct sockaddr_in6 *v6 = (void *)address;
    memset(address, 0, sizeof *address);
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(atoi(port));
        return sizeof *v4;
    }
    if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(atoi(port));
        return sizeof *v6;
    }
    errno = EINVAL;
    return 0;
}

int wait_for(int fd, short events) {
    struct pollfd ready = {.fd = fd, .events = events};
    int count = poll(&ready, 1, PATIENCE_MS);
    if (count == 0)
        errno = ETIMEDOUT;
    return count == 1 ? 0 : -1;
}

int obey(char **words) {
    for (size_t table = 0; table < sizeof tables / sizeof *tables; table++)
        for (const struct command *command = tables[table]; command->name; command++) {
            if (strcmp(command->name, words[0]))
                continue;
            if (!words[command->words][0]) {
                fprintf(stderr, "actor: %s %s\n", command->name, command->usage);
                exit(2);
            }
            int result = command->run(words + 1);
            if (result < 0)
                answer("{\"error\":\"%s\"}", strerrorname_np(errno));
            return result;
        }
    fprintf(stderr, "actor: no such command: %s\n", words[0]);
    exit(2);
}

// Byte by byte: what follows the line is for whoever reads next, also after exec(3).
static int read_line(int fd, char *line, int size) {
    int length = 0;
    while (length < size - 1 && read(fd, line + length, 1) == 1) {
        if (line[length] == '\n') {
            line[length] = 0;
            return 1;
        }
        length++;
    }
    return 0;
}

void follow(int commands) {
    char line[512];
    while (read_line(commands, line, sizeof line)) {
        char *words[MAX_WORDS + 1], *rest = line, *word;
        for (int i = 0; i <= MAX_WORDS; i++)
            words[i] = "";
        for (int i = 0; i < MAX_WORDS && (word = strsep(&rest, " ")); i++)
            words[i] = word;
        obey(words);
    }
    exit(0);
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    answer("{\"pid\":%d}", getpid());
    follow(STDIN_FILENO);
}
