#pragma once

#include <cstdint>

namespace bcc {

// Work that the kernel does for the calling thread alone, such as capset(2).
struct ThreadWork {
    int (*run)(uint64_t argument);                         // 0 or an errno; in a signal handler
    bool (*isDone)(const char *thread, uint64_t argument); // of a directory of /proc/self/task
    uint64_t argument;
};

// Does the work in each thread of this process, as glibc does it for setuid(2). Returns 0 only when it was seen done in
// all threads, else an errno. A thread that starts meanwhile inherits from one that has or has not done it: it is looked
// for again until none is left.
int inEveryThread(const ThreadWork &work);

} // namespace bcc
