// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <stdexcept>
#include <string>

namespace domkeeper {

/// Root of the family: something could not be done or measured. The message names what, where
/// and why, in one line, without secrets, and is safe to print.
class Error : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// Wrong command line or configuration: the caller must change something.
class UsageError : public Error {
    using Error::Error;
};
/// Nobody answers there: refused, no route, name unknown.
class Unreachable : public Error {
    using Error::Error;
};
/// The deadline passed before an answer came.
class TimedOut : public Error {
    using Error::Error;
};
/// The other side answered and said no: bad password, missing permission.
class Denied : public Error {
    using Error::Error;
};
/// The other side answered something that its protocol does not allow or this code can't trust.
class ProtocolError : public Error {
    using Error::Error;
};
/// This machine failed: disk full, out of memory, a file that can't be read.
class SystemError : public Error {
    using Error::Error;
};

}  // namespace domkeeper
