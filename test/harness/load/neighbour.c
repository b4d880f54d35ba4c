// load neighbour MS
//
// Sleeps 200 us at a time, for MS milliseconds in all, and prints how late it was woken:
//
//   {"wakes":N,"p999_us":N,"max_us":N}
#include "load.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { NAP_NS = 200000, MAX_MS = 60000 };

static long long now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static int by_size(const void *a, const void *b) {
    long long x = *(const long long *)a, y = *(const long long *)b;
    return (x > y) - (x < y);
}

int nap(int argc, char **argv) {
    long ms = argc == 1 ? strtol(argv[0], 0, 10) : 0;
    if (ms < 1 || ms > MAX_MS)
        usage("neighbour needs 1 to 60000 ms");
    long long *late = calloc(ms * 1000000LL / NAP_NS, sizeof *late);
    if (!late)
        fail("calloc");
    int wakes = 0;
    for (long long end = now_ns() + ms * 1000000LL, before; (before = now_ns()) < end;) {
        nanosleep(&(struct timespec){0, NAP_NS}, 0);
        late[wakes++] = now_ns() - before - NAP_NS;
    }
    qsort(late, wakes, sizeof *late, by_size);
    printf("{\"wakes\":%d,\"p999_us\":%lld,\"max_us\":%lld}\n", wakes, late[wakes * 999LL / 1000] / 1000,
           late[wakes - 1] / 1000);
    return 0;
}
