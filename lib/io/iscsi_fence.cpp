// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/iscsi_fence.hpp"

#include <algorithm>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "lib/core/agent_options.hpp"
#include "lib/core/domain_disks.hpp"
#include "lib/core/error.hpp"
#include "lib/core/scsi_codec.hpp"
#include "lib/core/text.hpp"
#include "lib/io/bounded.hpp"
#include "lib/io/iscsi_session.hpp"
#include "lib/io/sg_device.hpp"

namespace domkeeper {
namespace {

/// A target that does not abort the host's commands may still finish those that it took before.
constexpr Duration settling{200};

bool holds(const std::vector<std::uint64_t>& keys, std::uint64_t key) {
    return std::find(keys.begin(), keys.end(), key) != keys.end();
}

std::vector<std::uint64_t> parse_keys(std::string text) {
    std::replace(text.begin(), text.end(), ',', ' ');
    std::vector<std::uint64_t> out;
    for (const std::string& word : split(text, ' ')) {
        if (word.empty()) continue;
        const auto key = parse_key(word);
        if (!key)
            throw UsageError("option hosts: \"" + printable(word, 40) +
                             "\" is no reservation key, for example 0xa1");
        out.push_back(*key);
    }
    if (out.empty()) throw UsageError("option hosts is missing: the keys of all hosts");
    return out;
}

/// Types of reservation under which who is not registered may not write (SPC-4, table 64).
bool for_registrants(std::uint8_t type) {
    return type >= 5 && type <= 8;
}

class IscsiFence final : public PowerSwitch {
  public:
    IscsiFence(const FenceDevice& device, std::string password)
        : coverage_(configured_coverage(device)) {
        const auto key = parse_key(option_of(device, "plug"));
        if (!key || *key == iscsi_fence_key)
            throw UsageError("option plug: \"" + printable(option_of(device, "plug"), 40) +
                             "\" is no reservation key of a host, for example 0xa1");
        key_ = *key;
        hosts_ = parse_keys(option_of(device, "hosts"));
        IscsiLogin login;
        login.user = option_of(device, "username");
        login.password = std::move(password);
        if (const std::string name = option_of(device, "initiator"); !name.empty())
            login.initiator = name;
        login.host = option_of(device, "ip");
        if (!valid_address(login.host))
            throw UsageError("option ip is missing: the address of the portal");
        if (const std::string text = option_of(device, "ipport"); !text.empty()) {
            const auto port = parse_integer(text);
            if (!port || *port < 1 || *port > 65535)
                throw UsageError("option ipport: \"" + printable(text, 20) + "\" is no port");
            login.port = static_cast<int>(*port);
        }
        for (const std::string& unit : coverage_.units()) {
            const std::size_t slash = unit.rfind('/');
            const auto lun = slash == std::string::npos
                                 ? std::nullopt
                                 : parse_integer(std::string_view(unit).substr(slash + 1));
            if (!lun || *lun < 0 || *lun > 16'383)
                throw UsageError("option disks: \"" + printable(unit, 80) +
                                 "\" is no iSCSI disk, for example iqn.2026-01.lab:t1/1");
            login.target = unit.substr(0, slash);
            disks_.push_back({login, static_cast<int>(*lun), {}});
        }
        if (disks_.empty()) throw UsageError("option disks is missing: iSCSI targets and LUNs");
    }

    Coverage coverage() const override { return coverage_; }

    PowerState read(Deadline deadline) override {
        std::size_t cut = 0;
        for (Disk& disk : disks_)
            guarded(disk, [&] {
                if (is_cut(disk, read_state(disk, deadline))) ++cut;
            });
        if (cut == disks_.size()) return PowerState::Off;
        if (cut == 0) return PowerState::On;
        throw ProtocolError("cut off from some of its disks only (" + std::to_string(cut) + " of " +
                            std::to_string(disks_.size()) + ")");
    }

    void command(PowerCommand command, Deadline deadline) override {
        switch (command) {
            case PowerCommand::Off: {
                bool settle = false;
                for (Disk& disk : disks_)
                    guarded(disk, [&] { settle = cut_off(disk, deadline) || settle; });
                if (settle)
                    std::this_thread::sleep_until(std::min(mono_now() + settling, deadline.at));
                return;
            }
            case PowerCommand::On:
                for (const Disk& disk : disks_) register_here(disk, deadline);
                return;
            case PowerCommand::Reset:
            case PowerCommand::Soft: break;
        }
        throw UsageError("a host's way to its disks can't be reset");
    }

  private:
    struct Disk {
        IscsiLogin login;
        int lun;
        std::unique_ptr<IscsiSession> session;
    };
    struct State {
        std::vector<std::uint64_t> keys;
        std::optional<ScsiReservation> reservation;
    };

    static std::string name_of(const Disk& disk) {
        return iscsi_place(disk.login) + ", LUN " + std::to_string(disk.lun);
    }

    /// A session that failed is not used again.
    template <typename Work>
    static void guarded(Disk& disk, Work work) {
        try {
            work();
        } catch (const TimedOut&) {
            disk.session.reset();
            throw;
        } catch (const ProtocolError&) {
            disk.session.reset();
            throw;
        }
    }

    static ScsiReply ask(Disk& disk, const ScsiCommand& command, Deadline deadline) {
        if (!disk.session) disk.session = std::make_unique<IscsiSession>(disk.login, deadline);
        return disk.session->command(disk.lun, command, deadline);
    }

    /// What the target refuses on principle is told apart from what it refuses now.
    [[noreturn]] static void refuse(const Disk& disk, const std::string& doing,
                                    const ScsiReply& reply) {
        const std::string text = name_of(disk) + ": " + doing + ": " + reply.text();
        if (reply.sense && reply.sense->key == scsi_illegal_request &&
            reply.sense->asc != scsi_no_such_lun)
            throw ProtocolError(text + ": it does not do persistent reservations");
        throw Denied(text);
    }

    static State read_state(Disk& disk, Deadline deadline) {
        State out;
        ScsiReply reply = ask(disk, scsi_read_keys(), deadline);
        if (!reply.good()) refuse(disk, "reading the keys", reply);
        const auto keys = decode_keys(reply.data);
        reply = ask(disk, scsi_read_reservation(), deadline);
        if (!reply.good()) refuse(disk, "reading the reservation", reply);
        const auto reservation = decode_reservation(reply.data);
        if (!keys || !reservation)
            throw ProtocolError(name_of(disk) + ": the list of reservations makes no sense");
        out.keys = *keys;
        out.reservation = *reservation;
        return out;
    }

    static ScsiReply reserve_out(Disk& disk, ReserveOut action, std::uint64_t key,
                                 std::uint64_t action_key, Deadline deadline) {
        return ask(disk, scsi_reserve_out(action, write_exclusive_all, key, action_key), deadline);
    }

    /// Throws ProtocolError when it can't be told.
    bool is_cut(const Disk& disk, const State& state) const {
        if (holds(state.keys, key_)) return false;
        if (!state.reservation)
            throw ProtocolError(name_of(disk) + ": nothing is reserved, and " + render_key(key_) +
                                " is not registered: run fence_iscsi -o on on that host");
        if (!for_registrants(state.reservation->type))
            throw ProtocolError(name_of(disk) + " is reserved in another way (" +
                                reservation_text(state.reservation->type) + ", by " +
                                render_key(state.reservation->key) + ")");
        // Registered by another key than it should be, the host could still write.
        for (const std::uint64_t key : state.keys)
            if (key != iscsi_fence_key && !holds(hosts_, key))
                throw ProtocolError(name_of(disk) + ": the key " + render_key(key) +
                                    " is registered and belongs to no host: it may be this one's");
        return true;
    }

    /// True when the target may still be busy with what the host had sent before.
    bool cut_off(Disk& disk, Deadline deadline) const {
        State state = read_state(disk, deadline);
        // With nobody registered a reservation would cut off every host at once.
        const bool used = std::any_of(hosts_.begin(), hosts_.end(),
                                      [&](std::uint64_t key) { return holds(state.keys, key); });
        if (!state.reservation && !used && !holds(state.keys, key_))
            throw Denied(name_of(disk) +
                         ": no host is registered on it, so that all of them would "
                         "be cut off: run fence_iscsi -o on on each host");
        ScsiReply reply =
            reserve_out(disk, ReserveOut::RegisterAndIgnore, 0, iscsi_fence_key, deadline);
        if (!reply.good()) refuse(disk, "registering", reply);
        if (!state.reservation) {
            reply = reserve_out(disk, ReserveOut::Reserve, iscsi_fence_key, 0, deadline);
            if (!reply.good()) refuse(disk, "reserving", reply);
        }
        bool settle = false;
        if (holds(state.keys, key_)) {
            reply = reserve_out(disk, ReserveOut::PreemptAndAbort, iscsi_fence_key, key_, deadline);
            // tgt knows only the form that does not abort.
            settle = !reply.good();
            if (settle)
                reply = reserve_out(disk, ReserveOut::Preempt, iscsi_fence_key, key_, deadline);
            if (!reply.good()) refuse(disk, "preempting " + render_key(key_), reply);
        } else {
            settle = !state.reservation;
        }
        state = read_state(disk, deadline);
        const bool others = std::any_of(state.keys.begin(), state.keys.end(),
                                        [](std::uint64_t key) { return key != iscsi_fence_key; });
        // The last registrant takes the reservation along, and the disk would be open to all. Of a
        // type that one registrant holds alone, the holder stays for the same reason.
        const bool shared = state.reservation && state.reservation->type >= 7;
        const bool holder = state.reservation && state.reservation->key == iscsi_fence_key;
        if (others && (shared || !holder)) {
            reply = reserve_out(disk, ReserveOut::Register, iscsi_fence_key, 0, deadline);
            if (!reply.good()) refuse(disk, "unregistering", reply);
        }
        return settle;
    }

    /// On the host itself: its key, on each of its own ways to the disk.
    void register_here(const Disk& disk, Deadline deadline) const {
        const std::string unit = disk.login.target + "/" + std::to_string(disk.lun);
        const std::vector<std::string> paths =
            find_scsi_disks([&](const std::string& path) { return unit_of_path(path) == unit; });
        if (paths.empty())
            throw UsageError("this machine has no session with " + printable(unit, 120) +
                             ": only the host itself can register its key, run it there");
        for (const std::string& path : paths) {
            const ScsiReply reply = sg_command(
                path, scsi_reserve_out(ReserveOut::RegisterAndIgnore, 0, 0, key_), deadline);
            if (!reply.good()) throw Denied(printable(path) + ": registering: " + reply.text());
        }
    }

    Coverage coverage_;
    std::uint64_t key_ = 0;
    std::vector<std::uint64_t> hosts_;
    std::vector<Disk> disks_;
};

}  // namespace

std::unique_ptr<PowerSwitch> open_iscsi_fence(const FenceDevice& device, std::string password) {
    return std::make_unique<IscsiFence>(device, std::move(password));
}

}  // namespace domkeeper
