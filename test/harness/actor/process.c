// Commands for processes, threads and the ways of a descriptor from one to another.
#define _GNU_SOURCE
#include "actor.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/un.h>
#include <unistd.h>

enum { MAX_CHILDREN = 16 };

static int to_child[MAX_CHILDREN], children;

static int fork_child(char **words) {
    int commands[2];
    (void)words;
    if (children == MAX_CHILDREN || pipe2(commands, O_CLOEXEC))
        return -1;
    pid_t pid = fork();
    if (pid < 0)
        return -1;
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); // also when the parent is killed outright
        dup2(commands[0], STDIN_FILENO);  // kept over exec
        close(commands[0]);
        close(commands[1]);
        children = 0;
        follow(STDIN_FILENO);
    }
    close(commands[0]);
    to_child[children] = commands[1];
    answer("{\"child\":%d,\"pid\":%d}", children++, pid);
    return 0;
}

// The child answers.
static int in_child(char **words) {
    int child = atoi(words[0]);
    if (child < 0 || child >= children) {
        errno = ESRCH;
        return -1;
    }
    for (int i = 1; words[i][0]; i++)
        dprintf(to_child[child], "%s%s", words[i], words[i + 1][0] ? " " : "\n");
    return 0;
}

static void *obey_in_thread(void *words) {
    prctl(PR_SET_NAME, "thread"); // a name that is not the leader's
    obey(words);
    return 0;
}

static int in_thread(char **words) {
    pthread_t thread;
    errno = pthread_create(&thread, 0, obey_in_thread, words);
    if (errno)
        return -1;
    pthread_join(thread, 0);
    return 0;
}

static int exec_with(char **words) {
    int fd = atoi(words[1]);
    answer("{\"exec\":\"%s\"}", words[0]);
    for (int i = 2; words[i][0]; i++)
        // FD itself stays close-on-exec in dup2(2)
        if (dup2(fd, atoi(words[i])) < 0 || fcntl(atoi(words[i]), F_SETFD, 0))
            return -1;
    execl(words[0], words[0], (char *)0);
    return -1;
}

// unix(7): an abstract name, of this network namespace.
static socklen_t mailbox(const char *pid, struct sockaddr_un *address) {
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    int length = snprintf(address->sun_path + 1, sizeof address->sun_path - 1, "sockflux-actor-%s", pid);
    return offsetof(struct sockaddr_un, sun_path) + 1 + length;
}

static int give(char **words) {
    struct sockaddr_un address;
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct msghdr message = {
        .msg_name = &address,
        .msg_namelen = mailbox(words[1], &address),
        .msg_iov = &(struct iovec){"", 1},
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof control,
    };
    control.header = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(&control.header), &(int){atoi(words[0])}, sizeof(int));
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (sendmsg(fd, &message, 0) < 0)
        return -1;
    close(fd);
    answer("{\"given\":%s}", words[0]);
    return 0;
}

// So that others can give.
static int open_mailbox(char **words) {
    struct sockaddr_un address;
    char pid[16];
    (void)words;
    snprintf(pid, sizeof pid, "%d", getpid());
    socklen_t length = mailbox(pid, &address);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (bind(fd, (void *)&address, length))
        return -1;
    answer("{\"fd\":%d}", fd);
    return 0;
}

static int take(char **words) {
    char byte;
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct msghdr message = {
        .msg_iov = &(struct iovec){&byte, 1},
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof control,
    };
    int fd;
    if (recvmsg(atoi(words[0]), &message, MSG_CMSG_CLOEXEC) < 0)
        return -1;
    memcpy(&fd, CMSG_DATA(&control.header), sizeof fd);
    return answer_socket(fd);
}

const struct command process_commands[] = {
    {"fork", "", 0, fork_child},
    {"in", "CHILD COMMAND...: the child obeys and answers", 2, in_child},
    {"thread", "COMMAND...: obey in a thread that ends then", 1, in_thread},
    {"exec", "PATH FD TARGET...: run a program that has FD as descriptor TARGET", 3, exec_with},
    {"mailbox", "", 0, open_mailbox},
    {"give", "FD PID: to the mailbox of a process, as SCM_RIGHTS", 2, give},
    {"take", "MAILBOX", 1, take},
    {0},
};
