#include "error.h"
#include "fd.h"
#include "module.h"

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>

namespace bcc {

// sendDatagram(path, text): `@name` is in the abstract name space, unix(7).
Napi::Value sendDatagram(const Napi::CallbackInfo &info) {
    Napi::Env env = info.Env();
    std::string path = info[0].As<Napi::String>(), text = info[1].As<Napi::String>();
    forgetMessages();
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof(address.sun_path))
        throw bpfError(env, failed(path.empty() ? EINVAL : ENAMETOOLONG, "sendto", path));
    memcpy(address.sun_path, path.data(), path.size());
    if (path[0] == '@')
        address.sun_path[0] = '\0';
    socklen_t length = offsetof(sockaddr_un, sun_path) + path.size();
    Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (socket.get() < 0 || sendto(socket.get(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                                   reinterpret_cast<sockaddr *>(&address), length) < 0)
        throw bpfError(env, failed(errno, "sendto", path));
    return env.Undefined();
}

} // namespace bcc
