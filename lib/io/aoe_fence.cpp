// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/aoe_fence.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "lib/core/agent_options.hpp"
#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "lib/io/aoe_network.hpp"

namespace domkeeper {
namespace {

using Macs = std::vector<MacAddress>;

/// A list has one byte for its length, and this machine's card needs a place too.
constexpr std::size_t most_hosts = 250;
constexpr std::size_t most_disks = 1024;

bool holds(const Macs& list, const MacAddress& mac) {
    return std::find(list.begin(), list.end(), mac) != list.end();
}

bool holds_any(const Macs& list, const Macs& some) {
    return std::any_of(some.begin(), some.end(), [&](const auto& mac) { return holds(list, mac); });
}

bool holds_all(const Macs& list, const Macs& some) {
    return std::all_of(some.begin(), some.end(), [&](const auto& mac) { return holds(list, mac); });
}

/// Parts between spaces and commas.
std::vector<std::string> words(std::string text) {
    std::replace(text.begin(), text.end(), ',', ' ');
    std::vector<std::string> out;
    for (std::string& one : split(text, ' '))
        if (!one.empty()) out.push_back(std::move(one));
    return out;
}

Macs parse_macs(const std::string& name, const std::string& text) {
    Macs out;
    for (const std::string& word : words(text)) {
        const auto mac = parse_mac(word);
        if (!mac || !is_unicast(*mac))
            throw UsageError("option " + name + ": \"" + printable(word, 40) +
                             "\" is no MAC address, for example 02:a0:e0:00:00:01");
        if (!holds(out, *mac)) out.push_back(*mac);
    }
    if (out.empty()) throw UsageError("option " + name + " is missing: MAC addresses");
    if (out.size() > most_hosts) throw UsageError("option " + name + " names too many hosts");
    return out;
}

class AoeFence final : public PowerSwitch {
  public:
    explicit AoeFence(const FenceDevice& device)
        : interface_(option_of(device, "interface")),
          plug_(parse_macs("plug", option_of(device, "plug"))),
          hosts_(parse_macs("hosts", option_of(device, "hosts"))) {
        if (interface_.empty()) throw UsageError("option interface is missing");
        constexpr std::size_t longest = 15;  // Linux's IFNAMSIZ without the zero at its end
        if (interface_.size() > longest || interface_.find_first_of("/ ") != std::string::npos)
            throw UsageError("option interface: \"" + printable(interface_, 40) +
                             "\" is no name of an interface");
        for (const std::string& word : words(option_of(device, "disks"))) {
            const auto address = parse_aoe_address(word);
            if (!address)
                throw UsageError("option disks: \"" + printable(word, 40) +
                                 "\" is no AoE target, for example e7.1");
            disks_.push_back({*address, {}});
        }
        coverage_ = configured_coverage(device);
        if (disks_.empty()) throw UsageError("option disks is missing: AoE targets");
        if (disks_.size() > most_disks) throw UsageError("option disks names too many targets");
        if (holds_all(plug_, hosts_))
            throw UsageError("option hosts names no host but the one to be cut off");
    }

    Coverage coverage() const override { return coverage_; }

    PowerState read(Deadline deadline) override {
        std::size_t cut = 0;
        for (Disk& disk : disks_) {
            const Macs list = ask(disk, ReserveAction::Read, {}, deadline);
            if (list.empty() || holds_any(list, plug_)) continue;
            // A card that nobody has named might be this host's.
            for (const MacAddress& mac : list)
                if (!holds(hosts_, mac) && mac != disk.place->interface.mac)
                    throw ProtocolError("AoE target " + render_aoe_address(disk.address) +
                                        " lets in " + render_mac(mac) +
                                        ", which belongs to no host: it may be this one's");
            ++cut;
        }
        if (cut == disks_.size()) return PowerState::Off;
        if (cut == 0) return PowerState::On;
        throw ProtocolError("cut off from some of its disks only (" + std::to_string(cut) + " of " +
                            std::to_string(disks_.size()) + ")");
    }

    void command(PowerCommand command, Deadline deadline) override {
        switch (command) {
            case PowerCommand::Off:
                for (Disk& disk : disks_) cut_off(disk, deadline);
                return;
            case PowerCommand::On:
                for (Disk& disk : disks_) readmit(disk, deadline);
                return;
            case PowerCommand::Reset:
            case PowerCommand::Soft: break;
        }
        throw UsageError("a host's way to its disks can't be reset");
    }

  private:
    struct Disk {
        AoeAddress address;
        std::optional<AoePlace> place;
    };

    void cut_off(Disk& disk, Deadline deadline) {
        const Macs list = ask(disk, ReserveAction::Read, {}, deadline);
        // Others who were cut off before stay so; whoever is no host is left out.
        Macs next;
        for (const MacAddress& mac : list.empty() ? hosts_ : list)
            if (!holds(plug_, mac) && holds(hosts_, mac)) next.push_back(mac);
        const MacAddress& own = disk.place->interface.mac;
        // An empty list would open the target to everybody.
        if (!holds(next, own) && !holds(plug_, own)) next.push_back(own);
        if (next.empty())
            throw UsageError("nobody would be left to use target " +
                             render_aoe_address(disk.address));
        if (next != list) set(disk, next, deadline);
    }

    void readmit(Disk& disk, Deadline deadline) {
        Macs list = ask(disk, ReserveAction::Read, {}, deadline);
        if (list.empty() || holds_all(list, plug_)) return;
        for (const MacAddress& mac : plug_)
            if (!holds(list, mac)) list.push_back(mac);
        // With everybody back, a host that was added since must find it open too.
        if (holds_all(list, hosts_)) list.clear();
        set(disk, list, deadline);
    }

    void set(Disk& disk, const Macs& list, Deadline deadline) {
        const Macs now = ask(disk, ReserveAction::ForceSet, list, deadline);
        if (now != list)
            throw ProtocolError("AoE target " + render_aoe_address(disk.address) +
                                " took another list of hosts than it was given");
    }

    /// The target's list afterwards.
    Macs ask(Disk& disk, ReserveAction action, const Macs& list, Deadline deadline) {
        if (!socket_) {
            PacketSocket socket = PacketSocket::open();
            socket.listen(aoe_ether_type);
            socket_.emplace(std::move(socket));
        }
        if (!disk.place)
            disk.place =
                find_aoe_target(*socket_, read_interface(interface_), disk.address, deadline);
        try {
            return reserve_aoe_target(*socket_, *disk.place, action, list, deadline);
        } catch (const TimedOut&) {
            disk.place.reset();  // it may come back with another card
            throw;
        }
    }

    const std::string interface_;
    const Macs plug_;
    const Macs hosts_;
    std::vector<Disk> disks_;
    Coverage coverage_;
    std::optional<PacketSocket> socket_;
};

}  // namespace

std::unique_ptr<PowerSwitch> open_aoe_fence(const FenceDevice& device) {
    return std::make_unique<AoeFence>(device);
}

}  // namespace domkeeper
