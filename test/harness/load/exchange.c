// Sending and receiving on many connections at the same time.
#include "load.h"
#include <errno.h>
#include <poll.h>
#include <stdbool.h>

enum { DATAGRAM_BYTES = 1400 }; // fits an Ethernet frame

static bool is_done(const struct connection *connection) {
    return connection->to_send <= 0 && connection->to_receive <= 0;
}

static void give_up(struct connection *connection, int error) {
    count_failure(error);
    connection->to_send = connection->to_receive = 0;
}

static void step(struct connection *connection, short ready, size_t limit) {
    static char data[CHUNK_BYTES];
    if (ready & (POLLIN | POLLERR | POLLHUP)) {
        ssize_t bytes = recv(connection->fd, data, sizeof data, MSG_DONTWAIT);
        if (bytes <= 0)
            return give_up(connection, bytes ? errno : ECONNRESET);
        connection->to_receive -= bytes;
    }
    if (ready & POLLOUT && connection->to_send > 0) {
        size_t wanted = (size_t)connection->to_send < limit ? (size_t)connection->to_send : limit;
        ssize_t bytes = send(connection->fd, data, wanted, MSG_DONTWAIT);
        if (bytes > 0)
            connection->to_send -= bytes;
        else if (errno != EAGAIN)
            give_up(connection, errno);
    }
}

void exchange(struct connection *first, int count, struct transport transport) {
    size_t limit = transport.type == SOCK_DGRAM ? DATAGRAM_BYTES : CHUNK_BYTES;
    static struct pollfd ready[MAX_CONNECTIONS];
    static struct connection *pending[MAX_CONNECTIONS];
    for (;;) {
        int busy = 0;
        for (int i = 0; i < count; i++) {
            if (is_done(&first[i]))
                continue;
            pending[busy] = &first[i];
            ready[busy++] = (struct pollfd){first[i].fd, first[i].to_send > 0 ? POLLIN | POLLOUT : POLLIN, 0};
        }
        if (busy == 0)
            return;
        if (poll(ready, busy, PATIENCE_MS) == 0)
            for (int i = 0; i < busy; i++)
                give_up(pending[i], ETIMEDOUT);
        for (int i = 0; i < busy; i++)
            step(pending[i], ready[i].revents, limit);
    }
}
