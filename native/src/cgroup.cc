#include "error.h"
#include "fd.h"
#include "module.h"

#include <cerrno>
#include <linux/mount.h>
#include <sys/syscall.h>

namespace bcc {

// fsopen(2), fsconfig(2), fsmount(2), Linux 5.2: by number, for glibc has wrappers since 2.36 only.
// The mount is in no directory: it ends with the descriptor, however the process ends.
Napi::Value mountCgroup2(const Napi::CallbackInfo &info) {
    Napi::Env env = info.Env();
    forgetMessages();
    Fd context(syscall(SYS_fsopen, "cgroup2", FSOPEN_CLOEXEC));
    if (context.get() < 0)
        throw bpfError(env, failed(errno, "fsopen", "cgroup2"));
    if (syscall(SYS_fsconfig, context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0))
        throw bpfError(env, failed(errno, "fsconfig", "cgroup2"));
    int mount = syscall(SYS_fsmount, context.get(), FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    if (mount < 0)
        throw bpfError(env, failed(errno, "fsmount", "cgroup2"));
    return Napi::Number::New(env, mount);
}

} // namespace bcc
