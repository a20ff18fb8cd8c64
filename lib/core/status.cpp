// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/status.hpp"

namespace domkeeper {
namespace {

int severity(Status status) {
    switch (status) {
        case Status::Ok: return 0;
        case Status::Warning: return 1;
        case Status::Unknown: return 2;
        case Status::Critical: return 3;
    }
    return 2;
}

}  // namespace

Status worst(Status a, Status b) {
    return severity(a) < severity(b) ? b : a;
}

std::string_view status_name(Status status) {
    switch (status) {
        case Status::Ok: return "OK";
        case Status::Warning: return "WARNING";
        case Status::Critical: return "CRITICAL";
        case Status::Unknown: return "UNKNOWN";
    }
    return "UNKNOWN";
}

}  // namespace domkeeper
