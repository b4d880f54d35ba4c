#include "every_thread.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <dirent.h>
#include <mutex>
#include <string>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

namespace bcc {

namespace {

// glibc's SIGSETXID (nptl): the only signals that no thread can block are 32 and 33, which glibc takes out of every mask;
// libzmq's threads block all others. glibc uses it while setuid() runs, which nothing here calls.
constexpr int SIGNAL = 33;
constexpr int KERNEL_MASK_BYTES = 8;
constexpr long TURN_NS = 200'000;
constexpr int TURNS = 25'000; // 5 s for a thread that is in a system call which nothing interrupts
constexpr int TURNS_OF_A_LOOK = 100;
constexpr int PASSES = 1000;

// The kernel's struct sigaction, which glibc's sigaction(3) refuses for this signal.
struct KernelAction {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)();
    uint64_t mask;
};

ThreadWork current;
std::atomic<int> answered{0};
std::atomic<int> failure{0};

void onSignal(int) {
    int before = errno;
    if (int error = current.run(current.argument))
        failure = error;
    answered++;
    errno = before;
}

bool action(int signal, const KernelAction *next, KernelAction *last) {
    return syscall(SYS_rt_sigaction, signal, next, last, KERNEL_MASK_BYTES) == 0;
}

// Code of libc that x86 returns through from a handler: any handler that libc has set tells it. arm64 needs none.
bool restorerOf(KernelAction *found) {
    for (int signal = 1; signal < 64; signal++)
        if (action(signal, nullptr, found) && found->restorer)
            return true;
#ifdef __x86_64__
    return false;
#else
    *found = {};
    return true;
#endif
}

std::vector<std::string> threadsWithout(const ThreadWork &work) {
    std::vector<std::string> found;
    DIR *tasks = opendir("/proc/self/task");
    if (!tasks)
        return {"?"};
    while (dirent *entry = readdir(tasks))
        if (entry->d_name[0] != '.' && !work.isDone(entry->d_name, work.argument))
            found.push_back(entry->d_name);
    closedir(tasks);
    return found;
}

// Returns when they have done it or ended.
int signalAll(const std::vector<std::string> &threads) {
    pid_t process = getpid(), self = syscall(SYS_gettid);
    answered = 0;
    int sent = 0;
    for (const std::string &thread : threads) {
        pid_t id = atoi(thread.c_str());
        if (id == self)
            onSignal(SIGNAL);
        else if (syscall(SYS_tgkill, process, id, SIGNAL)) // it has ended
            continue;
        sent++;
    }
    timespec turn = {0, TURN_NS};
    for (int turns = 1; answered < sent && !failure; turns++) {
        nanosleep(&turn, nullptr);
        // one that ended meanwhile does not answer
        if (turns % TURNS_OF_A_LOOK == 0 && threadsWithout(current).empty())
            break;
        if (turns == TURNS)
            return ETIMEDOUT;
    }
    return failure;
}

} // namespace

int inEveryThread(const ThreadWork &work) {
    static std::mutex alone;
    std::lock_guard<std::mutex> lock(alone);
    KernelAction ours = {}, last = {};
    if (!restorerOf(&ours))
        return ENOTSUP;
    ours.handler = onSignal;
    ours.flags = (ours.flags & 0x04000000) | SA_RESTART | SA_ONSTACK; // SA_RESTORER of asm/signal.h
    ours.mask = ~0ull;
    current = work;
    failure = 0;
    if (!action(SIGNAL, &ours, &last))
        return errno;
    // twice: readdir(3) may miss a thread when others end
    for (int pass = 0, clean = 0; clean < 2; pass++) {
        std::vector<std::string> left = threadsWithout(work);
        clean = left.empty() ? clean + 1 : 0;
        int error = left.empty() ? 0 : pass < PASSES ? signalAll(left) : ETIMEDOUT;
        if (error) // our handler stays: a signal may be pending
            return error;
    }
    action(SIGNAL, &last, nullptr);
    return 0;
}

} // namespace bcc
