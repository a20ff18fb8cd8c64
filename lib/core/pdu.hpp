// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/core/power.hpp"
#include "lib/core/snmp_value.hpp"

namespace domkeeper {

/// One outlet, as a table of the device counts it. Strips in a chain have numbers of their own.
struct OutletNumber {
    std::uint32_t unit = 0;
    std::uint32_t outlet = 0;

    friend bool operator==(const OutletNumber&, const OutletNumber&) = default;
};

/// A column of a device's table, written "1.3.6.1.4.1.318.1.1.12.3.5.1.1.4.{n}"; "{unit}" may stand
/// before "{n}".
class PduColumn {
  public:
    /// Empty for anything else.
    static std::optional<PduColumn> parse(std::string_view text);
    Oid at(const OutletNumber& number) const;
    /// Whose entry this is; empty: none of this column.
    std::optional<OutletNumber> number_of(const Oid& oid, std::uint32_t default_unit) const;
    /// What all entries begin with.
    const Oid& root() const { return root_; }

  private:
    Oid root_;
    bool has_unit_ = false;
};

/// Something that must hold beside the status for an outlet to count as off.
struct OffNeed {
    PduColumn column;
    std::vector<std::int64_t> any_of;     ///< one of these values, or
    std::optional<std::int64_t> at_most;  ///< a number no larger than this
    bool optional = false;                ///< a device that has no such object need not have it
    std::string what;                     ///< what it means if it does not hold
};

/// How a family of power strips is read and switched: data, from one TOML file each.
struct PduFamily {
    std::string name;
    std::string description;
    std::vector<Oid> sys_object_ids;  ///< what the sysObjectID of its models begins with
    std::uint32_t unit = 0;           ///< where a plug names none
    bool storage = false;             ///< it takes a way to disks, not the power

    PduColumn status;
    std::vector<std::int64_t> on, off;  ///< every other value is neither
    PduColumn control_on, control_off;
    std::int64_t command_on = 0, command_off = 0;
    std::optional<PduColumn> label;  ///< the outlets' names
    std::vector<OffNeed> off_needs;
};

/// What is wrong with a family as a whole, for the one who wrote it; empty: nothing.
std::vector<std::string> family_mistakes(const PduFamily& family);

/// "3" or, for strips in a chain, "2.3" or "2:3"; empty for a name.
std::optional<OutletNumber> parse_outlet_number(std::string_view plug, std::uint32_t default_unit);

/// The objects that tell the state of an outlet: its status, then what else must hold.
std::vector<Oid> outlet_objects(const PduFamily& family, const OutletNumber& number);

/// What the answers for outlet_objects() mean.
struct OutletReading {
    enum class Kind {
        On,
        Off,
        NoSuchOutlet,  ///< the device has no status for it
        Doubtful       ///< neither on nor off for certain
    };
    Kind kind = Kind::Doubtful;
    std::string why;  ///< of the last two; printable
};

/// Off only when the status is one of the documented values for off and all else that the family
/// asks for holds; a value that is not documented is doubtful, never off.
OutletReading judge_outlet(const PduFamily& family, const std::vector<SnmpValue>& values);

/// The family whose models have this sysObjectID; the longest match wins. Null: none has.
/// `ambiguous`, when given, is set if two families match equally well (then null, too).
const PduFamily* find_family(const std::vector<PduFamily>& families, const Oid& sys_object_id,
                             bool* ambiguous = nullptr);

}  // namespace domkeeper
