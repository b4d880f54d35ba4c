#include "error.h"
#include "module.h"

#include <ctime>

namespace bcc {

// CLOCK_BOOTTIME in ns: what bpf_ktime_get_boot_ns() counts.
Napi::Value bootTime(const Napi::CallbackInfo &info) {
    timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return Napi::BigInt::New(info.Env(), uint64_t(now.tv_sec) * 1'000'000'000 + now.tv_nsec);
}

// A tick of the kernel in ns (1 s / CONFIG_HZ): its coarse clocks move with it.
Napi::Value tickTime(const Napi::CallbackInfo &info) {
    timespec tick;
    clock_getres(CLOCK_MONOTONIC_COARSE, &tick);
    return Napi::BigInt::New(info.Env(), uint64_t(tick.tv_sec) * 1'000'000'000 + tick.tv_nsec);
}

} // namespace bcc
