#pragma once

#include "fd.h"

namespace bcc {

// A file system mounted in no directory, which ends with its descriptor; on failure -1 with errno and the
// operation.
Fd mountDetached(const char *filesystem, const char *&doing);

} // namespace bcc
