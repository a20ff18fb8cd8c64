// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/pdu_switch.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "lib/core/agent_options.hpp"
#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "lib/io/pdu_families.hpp"

namespace domkeeper {
namespace {

/// Of a device that lists for ever.
constexpr std::size_t most_outlets = 2048;
/// Objects in one request: more would not fit into one datagram of a small device.
constexpr std::size_t most_objects = 24;

const Oid& sys_object_id() {
    static const Oid oid{1, 3, 6, 1, 2, 1, 1, 2, 0};  // RFC 3418
    return oid;
}

class PduSwitch final : public PowerSwitch {
  public:
    PduSwitch(std::unique_ptr<Snmp> snmp, std::vector<std::string> plugs,
              std::vector<PduFamily> families, bool find_by_model, Coverage disks)
        : snmp_(std::move(snmp)),
          plugs_(std::move(plugs)),
          families_(std::move(families)),
          disks_(std::move(disks)) {
        if (!find_by_model) family_ = &families_.at(0);
    }

    PowerState read(Deadline deadline) override {
        find_outlets(deadline);
        std::vector<OutletReading> readings = read_outlets(outlets_, deadline);
        std::size_t on = 0;
        for (std::size_t i = 0; i < readings.size(); ++i) {
            const OutletReading& reading = readings[i];
            const std::string what = "outlet " + printable(plugs_[i], 40) + ": " + reading.why;
            switch (reading.kind) {
                case OutletReading::Kind::On: ++on; break;
                case OutletReading::Kind::Off: break;
                case OutletReading::Kind::NoSuchOutlet:
                    // One that was there a moment ago: the device is rather restarting.
                    if (was_read_) throw ProtocolError(what);
                    throw NoSuchPlug(what);
                case OutletReading::Kind::Doubtful: throw Unverified(what);
            }
        }
        was_read_ = true;
        if (on == 0) return PowerState::Off;
        return on == readings.size() ? PowerState::On : PowerState::Mixed;
    }

    void command(PowerCommand command, Deadline deadline) override {
        find_outlets(deadline);
        const bool on = command == PowerCommand::On;
        if (!on && command != PowerCommand::Off)
            throw UsageError("a power strip knows on and off alone");
        const PduColumn& column = on ? family_->control_on : family_->control_off;
        for (const OutletNumber& outlet : outlets_)
            snmp_->set(column.at(outlet), on ? family_->command_on : family_->command_off,
                       deadline);
    }

    Coverage coverage() const override {
        const bool power = family_ == nullptr || !family_->storage;
        return power && disks_.empty() ? Coverage::everything() : disks_;
    }

    std::vector<PlugView> list(Deadline deadline) override {
        find_family_of_device(deadline);
        std::vector<PlugView> views;
        std::vector<OutletNumber> numbers;
        const PduColumn& column = family_->label ? *family_->label : family_->status;
        walk(column, deadline, [&](const OutletNumber& number, const SnmpValue& value) {
            const std::string plug =
                number.unit == family_->unit
                    ? std::to_string(number.outlet)
                    : std::to_string(number.unit) + "." + std::to_string(number.outlet);
            views.push_back(
                {plug, family_->label ? value.text : std::string(), PowerState::Unknown});
            numbers.push_back(number);
        });
        const std::vector<OutletReading> readings = read_outlets(numbers, deadline);
        for (std::size_t i = 0; i < readings.size(); ++i) {
            if (readings[i].kind == OutletReading::Kind::On) views[i].state = PowerState::On;
            if (readings[i].kind == OutletReading::Kind::Off) views[i].state = PowerState::Off;
        }
        return views;
    }

  private:
    void find_family_of_device(Deadline deadline) {
        if (family_ != nullptr) return;
        const SnmpValue model = snmp_->get({sys_object_id()}, deadline).at(0);
        if (model.kind != SnmpValue::Kind::ObjectId)
            throw ProtocolError(
                "the device does not say what it is (sysObjectID); name its family");
        bool ambiguous = false;
        const PduFamily* found = find_family(families_, model.oid, &ambiguous);
        if (found == nullptr)
            throw UsageError("its sysObjectID " + render_oid(model.oid) +
                             (ambiguous ? " fits two families" : " is of no known family") +
                             "; name the family");
        family_ = found;
    }

    void find_outlets(Deadline deadline) {
        find_family_of_device(deadline);
        if (!outlets_.empty()) return;
        if (plugs_.empty())
            throw UsageError("option plug is missing: number or name of the outlet");
        std::vector<OutletNumber> outlets;
        std::optional<std::vector<std::pair<std::string, OutletNumber>>> names;
        for (const std::string& plug : plugs_) {
            if (const auto number = parse_outlet_number(plug, family_->unit)) {
                outlets.push_back(*number);
                continue;
            }
            if (!names) names = read_names(deadline);
            outlets.push_back(find_name(*names, plug));
        }
        outlets_ = std::move(outlets);
    }

    std::vector<std::pair<std::string, OutletNumber>> read_names(Deadline deadline) {
        std::vector<std::pair<std::string, OutletNumber>> names;
        if (!family_->label) return names;
        walk(*family_->label, deadline, [&](const OutletNumber& number, const SnmpValue& value) {
            names.emplace_back(trim(value.text), number);
        });
        return names;
    }

    OutletNumber find_name(const std::vector<std::pair<std::string, OutletNumber>>& names,
                           const std::string& plug) const {
        const OutletNumber* found = nullptr;
        std::vector<std::string> known;
        for (const auto& [name, number] : names) {
            known.push_back(printable(name, 40));
            if (name != plug) continue;
            if (found != nullptr)
                throw NoSuchPlug("two outlets have the name " + printable(plug, 40) +
                                 "; give the number");
            found = &number;
        }
        if (found != nullptr) return *found;
        const auto near = closest(plug, known);
        throw NoSuchPlug("no outlet has the name " + printable(plug, 40) +
                         (near ? "; is " + *near + " meant?" : ""));
    }

    template <typename Visit>
    void walk(const PduColumn& column, Deadline deadline, const Visit& visit) {
        Oid at = column.root();
        for (std::size_t i = 0; i < most_outlets; ++i) {
            const SnmpVariable variable = snmp_->next(at, deadline);
            if (!starts_with(variable.oid, column.root())) return;
            at = variable.oid;
            if (const auto number = column.number_of(at, family_->unit))
                visit(*number, variable.value);
        }
        throw ProtocolError("the device lists more than " + std::to_string(most_outlets) +
                            " outlets");
    }

    /// All outlets, as many as possible in one answer: several supplies must be off at one moment.
    std::vector<OutletReading> read_outlets(const std::vector<OutletNumber>& outlets,
                                            Deadline deadline) {
        const std::size_t each = family_->off_needs.size() + 1;
        const std::size_t at_once = std::max<std::size_t>(1, most_objects / each);
        std::vector<OutletReading> readings;
        for (std::size_t begin = 0; begin < outlets.size(); begin += at_once) {
            const std::size_t end = std::min(outlets.size(), begin + at_once);
            std::vector<Oid> objects;
            for (std::size_t i = begin; i < end; ++i)
                for (Oid& oid : outlet_objects(*family_, outlets[i]))
                    objects.push_back(std::move(oid));
            const std::vector<SnmpValue> values = snmp_->get(objects, deadline);
            if (values.size() != objects.size()) throw ProtocolError("answers are missing");
            for (std::size_t i = 0; i < values.size(); i += each)
                readings.push_back(judge_outlet(
                    *family_, {values.begin() + static_cast<std::ptrdiff_t>(i),
                               values.begin() + static_cast<std::ptrdiff_t>(i + each)}));
        }
        return readings;
    }

    std::unique_ptr<Snmp> snmp_;
    std::vector<std::string> plugs_;
    std::vector<PduFamily> families_;
    Coverage disks_;
    const PduFamily* family_ = nullptr;
    std::vector<OutletNumber> outlets_;
    bool was_read_ = false;
};

}  // namespace

std::unique_ptr<PowerSwitch> make_pdu_switch(std::unique_ptr<Snmp> snmp,
                                             std::vector<std::string> plugs,
                                             std::vector<PduFamily> families, bool find_by_model,
                                             Coverage disks) {
    return std::make_unique<PduSwitch>(std::move(snmp), std::move(plugs), std::move(families),
                                       find_by_model, std::move(disks));
}

std::unique_ptr<PowerSwitch> open_pdu_switch(const FenceDevice& device, std::string password) {
    PduOptions options = parse_pdu_options(device, std::move(password));
    const bool named = !options.family.empty();
    const std::vector<std::string> folders = pdu_family_folders();
    std::vector<PduFamily> families;
    if (named)
        families.push_back(load_pdu_family(options.family, folders));
    else
        families = load_pdu_families(folders);
    Coverage disks;
    if (device.options.count("disks") != 0) disks = configured_coverage(device);
    return make_pdu_switch(open_snmp(std::move(options.login)), std::move(options.plugs),
                           std::move(families), !named, std::move(disks));
}

}  // namespace domkeeper
