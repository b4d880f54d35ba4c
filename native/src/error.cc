#include "error.h"
#include "module.h"

#include <bpf/libbpf.h>
#include <cstdarg>
#include <cstring>

namespace bcc {

namespace {

// A verifier log can be 16 MB; the reason is at its end.
constexpr size_t LONGEST_MESSAGE = 256 * 1024;
constexpr size_t LONGEST_LOG = 2 * LONGEST_MESSAGE;

constexpr int ENOTSUPP = 524; // include/linux/errno.h: the kernel's own, unknown to libc

thread_local std::string messages;

int keepMessage(libbpf_print_level level, const char *format, va_list arguments) {
    if (level == LIBBPF_DEBUG || messages.size() > LONGEST_LOG)
        return 0;
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(nullptr, 0, format, again);
    va_end(again);
    if (length <= 0)
        return 0;
    std::string message(length + 1, '\0');
    vsnprintf(message.data(), message.size(), format, arguments);
    message.pop_back();
    size_t skipped = message.size() > LONGEST_MESSAGE ? message.size() - LONGEST_MESSAGE : 0;
    messages.append(message, skipped, std::string::npos);
    return length;
}

std::string textOf(int error) {
    if (error == ENOTSUPP)
        return "Not supported by this kernel, or not for this type";
    char text[256] = "";
    libbpf_strerror(error, text, sizeof(text));
    return text;
}

std::string codeOf(int error) {
    // enum libbpf_errno, from __LIBBPF_ERRNO__START on
    static const char *const libbpf[] = {"LIBELF",   "FORMAT",  "KVERSION", "ENDIAN",   "INTERNAL",
                                         "RELOC",    "LOAD",    "VERIFY",   "PROG2BIG", "KVER",
                                         "PROGTYPE", "WRNGPID", "INVSEQ",   "NLPARSE"};
    size_t index = error - __LIBBPF_ERRNO__START;
    if (error >= __LIBBPF_ERRNO__START && index < std::size(libbpf))
        return std::string("LIBBPF_ERRNO__") + libbpf[index];
    if (error == ENOTSUPP)
        return "ENOTSUPP";
    const char *name = strerrorname_np(error);
    return name ? name : "E" + std::to_string(error);
}

// The line of libbpf's messages with the cause: the first failure, because retries are logged before it.
std::string culprit(const std::string &log) {
    size_t failed = log.find("failed");
    size_t start = failed == std::string::npos ? 0 : log.rfind('\n', failed) + 1; // npos + 1 is 0
    std::string line = log.substr(start, log.find('\n', start) - start);
    return line.rfind("libbpf: ", 0) == 0 ? line.substr(8) : line;
}

} // namespace

void captureMessages() {
    libbpf_set_print(keepMessage);
}

void forgetMessages() {
    messages.clear();
}

Failure failed(int error, const std::string &syscall, const std::string &subject) {
    error = abs(error);
    std::string log = std::move(messages);
    messages.clear();
    std::string message = syscall + " " + subject + ": " + textOf(error);
    if (!log.empty())
        message += " (" + culprit(log) + ")";
    return {error, syscall, message, log};
}

Napi::Error bpfError(Napi::Env env, const Failure &failure) {
    Napi::Value log = failure.log.empty() ? env.Undefined() : Napi::String::New(env, failure.log);
    Napi::Object error = instanceOf(env).errorClass.New(
        {Napi::String::New(env, failure.message), Napi::String::New(env, codeOf(failure.error)),
         Napi::Number::New(env, failure.error), Napi::String::New(env, failure.syscall), log});
    return Napi::Error(env, error);
}

} // namespace bcc
