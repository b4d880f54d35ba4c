#pragma once

#include "fd.h"

namespace bcc {

// A file system mounted in no directory, which ends with its descriptor; -1 with errno, and what was being
// done.
Fd mountDetached(const char *filesystem, const char *&doing);

} // namespace bcc
