#include "mount.h"
#include "error.h"
#include "module.h"

#include <cerrno>
#include <linux/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace bcc {

// fsopen(2), fsconfig(2), fsmount(2), Linux 5.2: by number, because glibc has wrappers only since 2.36.
Fd mountDetached(const char *filesystem, const char *&doing) {
    doing = "fsopen";
    Fd context(syscall(SYS_fsopen, filesystem, FSOPEN_CLOEXEC));
    if (context.get() < 0)
        return Fd(-1);
    doing = "fsconfig";
    if (syscall(SYS_fsconfig, context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0))
        return Fd(-1);
    doing = "fsmount";
    return Fd(syscall(SYS_fsmount, context.get(), FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV));
}

Napi::Value mountCgroup2(const Napi::CallbackInfo &info) {
    Napi::Env env = info.Env();
    forgetMessages();
    const char *doing = nullptr;
    Fd mount = mountDetached("cgroup2", doing);
    if (mount.get() < 0)
        throw bpfError(env, failed(errno, doing, "cgroup2"));
    return Napi::Number::New(env, mount.release());
}

} // namespace bcc
