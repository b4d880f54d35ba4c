#pragma once

#include <unistd.h>
#include <utility>

namespace bcc {

// A file descriptor that closes itself.
class Fd {
  public:
    explicit Fd(int fd) : fd(fd) {}
    Fd(Fd &&other) : fd(other.release()) {}
    ~Fd() {
        if (fd >= 0)
            close(fd);
    }
    int get() const {
        return fd;
    }
    int release() {
        return std::exchange(fd, -1);
    }

  private:
    int fd;
};

} // namespace bcc
