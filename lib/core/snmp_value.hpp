// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace domkeeper {

/// A numeric object identifier.
using Oid = std::vector<std::uint32_t>;

/// "1.3.6.1.2.1" or ".1.3.6.1.2.1"; empty for anything else, for less than two parts and for more
/// than 128 (RFC 2578, 3.5).
std::optional<Oid> parse_oid(std::string_view text);
std::string render_oid(const Oid& oid);
/// True when `oid` is `prefix` or below it.
bool starts_with(const Oid& oid, const Oid& prefix);

/// What a device answered for one object.
struct SnmpValue {
    enum class Kind {
        Missing,  ///< noSuchObject, noSuchInstance, end of the view, noSuchName
        Integer,
        Text,
        ObjectId,
        Other  ///< a type that nothing here has a use for
    };
    Kind kind = Kind::Missing;
    std::int64_t number = 0;
    std::string text;  ///< raw bytes of the device: pass them through printable()
    Oid oid;
};

struct SnmpVariable {
    Oid oid;
    SnmpValue value;
};

}  // namespace domkeeper
