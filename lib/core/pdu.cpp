// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/pdu.hpp"

#include <algorithm>

#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

constexpr std::int64_t highest_outlet = 65'535;

bool holds(const std::vector<std::int64_t>& values, std::int64_t value) {
    return std::find(values.begin(), values.end(), value) != values.end();
}

std::optional<std::uint32_t> small_number(std::string_view text) {
    const auto value = parse_integer(text);
    if (!value || *value < 0 || *value > highest_outlet) return std::nullopt;
    return static_cast<std::uint32_t>(*value);
}

/// Why this need is not met; empty: it is.
std::optional<std::string> unmet(const OffNeed& need, const SnmpValue& value) {
    if (value.kind == SnmpValue::Kind::Missing) {
        if (need.optional) return std::nullopt;
        return "it does not say whether " + need.what;
    }
    if (value.kind != SnmpValue::Kind::Integer)
        return "what it says of whether " + need.what + " is no number";
    const bool met =
        need.at_most ? value.number <= *need.at_most : holds(need.any_of, value.number);
    if (met) return std::nullopt;
    return need.what + " (" + std::to_string(value.number) + ")";
}

}  // namespace

std::optional<PduColumn> PduColumn::parse(std::string_view text) {
    constexpr std::string_view outlet = ".{n}";
    constexpr std::string_view unit = ".{unit}";
    PduColumn column;
    if (!text.ends_with(outlet)) return std::nullopt;
    text.remove_suffix(outlet.size());
    if (text.ends_with(unit)) {
        column.has_unit_ = true;
        text.remove_suffix(unit.size());
    }
    const auto root = parse_oid(text);
    // Room for the two numbers that are added.
    if (!root || root->size() > 126) return std::nullopt;
    column.root_ = *root;
    return column;
}

Oid PduColumn::at(const OutletNumber& number) const {
    Oid oid = root_;
    if (has_unit_) oid.push_back(number.unit);
    oid.push_back(number.outlet);
    return oid;
}

std::optional<OutletNumber> PduColumn::number_of(const Oid& oid, std::uint32_t default_unit) const {
    const std::size_t more = has_unit_ ? 2 : 1;
    if (oid.size() != root_.size() + more || !starts_with(oid, root_)) return std::nullopt;
    return OutletNumber{has_unit_ ? oid[oid.size() - 2] : default_unit, oid.back()};
}

std::vector<std::string> family_mistakes(const PduFamily& family) {
    std::vector<std::string> mistakes;
    if (family.on.empty()) mistakes.push_back("on: no value means on");
    if (family.off.empty()) mistakes.push_back("off: no value means off");
    for (const std::int64_t value : family.off)
        if (holds(family.on, value))
            mistakes.push_back("off: " + std::to_string(value) + " means on as well");
    if (family.control_on.at({}) == family.control_off.at({}) &&
        family.command_on == family.command_off)
        mistakes.push_back("command_off: it is the same as command_on");
    for (const OffNeed& need : family.off_needs)
        if (need.any_of.empty() != need.at_most.has_value())
            mistakes.push_back("off_needs: either any_of or at_most must stand there");
    return mistakes;
}

std::optional<OutletNumber> parse_outlet_number(std::string_view plug, std::uint32_t default_unit) {
    OutletNumber number{default_unit, 0};
    const std::size_t cut = plug.find_first_of(".:");
    if (cut != std::string_view::npos) {
        const auto unit = small_number(plug.substr(0, cut));
        if (!unit) return std::nullopt;
        number.unit = *unit;
        plug.remove_prefix(cut + 1);
    }
    const auto outlet = small_number(plug);
    if (!outlet) return std::nullopt;
    number.outlet = *outlet;
    return number;
}

std::vector<Oid> outlet_objects(const PduFamily& family, const OutletNumber& number) {
    std::vector<Oid> oids{family.status.at(number)};
    for (const OffNeed& need : family.off_needs) oids.push_back(need.column.at(number));
    return oids;
}

OutletReading judge_outlet(const PduFamily& family, const std::vector<SnmpValue>& values) {
    using Kind = OutletReading::Kind;
    if (values.size() != family.off_needs.size() + 1)
        return {Kind::Doubtful, "answers are missing"};
    const SnmpValue& status = values.front();
    if (status.kind == SnmpValue::Kind::Missing)
        return {Kind::NoSuchOutlet, "there is no such outlet"};
    if (status.kind != SnmpValue::Kind::Integer) return {Kind::Doubtful, "its status is no number"};
    if (holds(family.on, status.number)) return {Kind::On, {}};
    if (!holds(family.off, status.number))
        return {Kind::Doubtful,
                "its status " + std::to_string(status.number) + " means neither on nor off"};
    for (std::size_t i = 0; i < family.off_needs.size(); ++i)
        if (const auto why = unmet(family.off_needs[i], values[i + 1]))
            return {Kind::Doubtful, "it reads off, but " + printable(*why, 160)};
    return {Kind::Off, {}};
}

const PduFamily* find_family(const std::vector<PduFamily>& families, const Oid& sys_object_id,
                             bool* ambiguous) {
    const PduFamily* best = nullptr;
    std::size_t length = 0;
    bool twice = false;
    for (const PduFamily& family : families)
        for (const Oid& prefix : family.sys_object_ids) {
            if (!starts_with(sys_object_id, prefix) || prefix.size() < length) continue;
            twice = prefix.size() == length && best != nullptr && best != &family;
            best = &family;
            length = prefix.size();
        }
    if (ambiguous != nullptr) *ambiguous = twice;
    return twice ? nullptr : best;
}

}  // namespace domkeeper
