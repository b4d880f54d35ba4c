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

} // namespace bcc
