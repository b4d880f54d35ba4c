#include "capabilities.h"
#include "error.h"
#include "every_thread.h"
#include "fd.h"
#include "module.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <linux/capability.h>
#include <string>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace bcc {

bool keepInThread(Capabilities kept) {
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        return false;
    // EPERM without CAP_SETPCAP: with no_new_privs no program that is started gains from the bounding set
    for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
        if (!(kept >> capability & 1))
            prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
    __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
    if (syscall(SYS_capget, &header, sets))
        return false;
    for (int word = 0; word < _LINUX_CAPABILITY_U32S_3; word++) {
        uint32_t mask = kept >> (32 * word);
        sets[word].effective &= mask;
        sets[word].permitted &= mask;
        sets[word].inheritable &= mask; // and with it the ambient ones, capabilities(7)
    }
    return syscall(SYS_capset, &header, sets) == 0;
}

bool keepsOnly(const char *thread, Capabilities kept) {
    std::string path = std::string("/proc/self/task/") + thread + "/status";
    Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    char text[8192] = {};
    if (file.get() < 0 || read(file.get(), text, sizeof(text) - 1) <= 0)
        return errno == ENOENT || errno == ESRCH; // it has ended
    for (const char *name : {"\nCapInh:", "\nCapPrm:", "\nCapEff:", "\nCapAmb:"}) {
        const char *found = strstr(text, name);
        if (!found || strtoull(found + strlen(name), nullptr, 16) & ~kept)
            return false;
    }
    return strstr(text, "\nNoNewPrivs:\t1");
}

// keepCapabilities(kept: bigint)
Napi::Value keepCapabilities(const Napi::CallbackInfo &info) {
    Napi::Env env = info.Env();
    bool lossless;
    Capabilities kept = info[0].As<Napi::BigInt>().Uint64Value(&lossless);
    forgetMessages();
    int error =
        inEveryThread({[](uint64_t kept) { return keepInThread(kept) ? 0 : errno; }, keepsOnly, kept});
    if (error)
        throw bpfError(env, failed(error, "capset", "of every thread"));
    return env.Undefined();
}

} // namespace bcc
