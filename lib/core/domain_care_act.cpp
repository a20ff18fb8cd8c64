// SPDX-License-Identifier: GPL-3.0-or-later
// The care of domains: what is done about a domain that failed.
#include <algorithm>

#include "lib/core/domain_care_stepper.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

constexpr Duration look_again{1'000};
constexpr Duration stand_pause{2'000};
constexpr Duration turn_pause{500};
constexpr Duration peer_patience{60'000};
constexpr Duration word_patience{30'000};

/// "2nd", "11th"
std::string nth(int n) {
    const bool teen = n % 100 >= 11 && n % 100 <= 13;
    const char* ending = teen || n % 10 > 3 || n % 10 == 0 ? "th"
                         : n % 10 == 1                     ? "st"
                         : n % 10 == 2                     ? "nd"
                                                           : "rd";
    return std::to_string(n) + ending;
}

}  // namespace

// ---- what stands in the way ---------------------------------------------------------------------

/// A silent host on which it may run, moved or started there by somebody since it was recorded.
std::optional<std::string> CareStepper::unseen_peer(const CareCase& care) const {
    if (policy().unseen_peers == UnseenPeers::TrustRecord) return std::nullopt;
    for (const Host& host : context_.inventory.hosts) {
        const auto reading = care.look.hosts.find(host.name);
        const bool seen = reading != care.look.hosts.end() && reading->second.view;
        if (host.name == care.host || seen || care.look.off.count(host.name) != 0 ||
            !context_.inventory.may_run(*entry(care), host.name))
            continue;
        return host.name;
    }
    return std::nullopt;
}

/// True: something does, and it was said what becomes of it.
bool CareStepper::in_the_way(CareCase& care) {
    if (const auto peer = unseen_peer(care)) {
        const std::string why = *peer + " does not answer, and it may run there";
        if (!wait_for(care, why, stand_pause, peer_patience)) refuse(care, why);
        return true;
    }
    if (const auto down = stranded(context_.inventory, care.look.storages, care.record.xml)) {
        const bool news = care.waits_for != *down;
        wait_for(care, *down, stand_pause, std::nullopt);
        if (news)
            act(Alarm{"incident " + std::to_string(care.id) + ", domain " + care.domain +
                      ", waits: " + *down + ". It goes on by itself when the storage answers"});
        return true;
    }
    return false;
}

int CareStepper::tries(const CareCase& care, StepKind step, bool elsewhere) const {
    return static_cast<int>(std::count_if(
        care.look.history.begin(), care.look.history.end(), [&](const JournalEntry& entry) {
            return entry.kind == EntryKind::Intent && entry.step == step &&
                   (entry.host != entry.target) == elsewhere;
        }));
}

/// True: the last try was so short ago that the next one has to wait.
bool CareStepper::backs_off(CareCase& care, StepKind step, int tries) {
    std::optional<TimePoint> last;
    for (const JournalEntry& entry : care.look.history)
        if (entry.kind == EntryKind::Intent && entry.step == step) last = entry.at;
    if (!last) return false;
    const Duration pause = back_off(policy().restart_pause, tries);
    // A clock that was set back must not make it wait for ever.
    const auto passed =
        std::max(Duration{0}, std::chrono::duration_cast<Duration>(context_.now.wall - *last));
    if (passed >= pause) return false;
    const std::string what =
        (step == StepKind::Start ? "the " + nth(tries + 1) + " start"
                                 : "the " + nth(tries + 1) + " time to go on") +
        " within " + render_duration(policy().restart_window) + ", " + render_duration(pause) +
        " after the last one";
    wait_for(care, what, pause - passed, std::nullopt);
    return true;
}

int CareStepper::starts_on(const std::string& host) const {
    return static_cast<int>(
        std::count_if(situation_.cases.begin(), situation_.cases.end(), [&](const auto& item) {
            return item.second.phase == CarePhase::Acting && item.second.target == host;
        }));
}

void CareStepper::begin(CareCase& care, CareAct what, const std::string& target, StepKind step,
                        const std::string& text) {
    note(care, EntryKind::Intent, step, text, target);
    care.phase = CarePhase::Acting;
    care.touched = true;
    care.act = what;
    care.target = target;
    care.waits_for.clear();
    DomainRecord record = care.record;
    record.host = care.host;
    act(ActOn{care.id, what, std::move(record), target});
}

// ---- bring it back ------------------------------------------------------------------------------

void CareStepper::revive(CareCase& care, const std::string& why, bool must_stop) {
    if (const auto objects = objection(care.domain, care.host)) return refuse(care, *objects);
    care.willed = true;
    if (in_the_way(care)) return;
    const int here = tries(care, StepKind::Start, false);
    const int elsewhere = tries(care, StepKind::Start, true);
    std::optional<std::string> rule;
    if (care.pinned.empty()) rule = rule_against_its_host(care);
    const bool in_place = here < policy().restart_limit && care.pinned.empty() && !rule;
    const int allowed = policy().restarts_elsewhere + (care.pinned.empty() ? 0 : 1);
    const auto count = [&] {
        return "started " + counted(static_cast<std::size_t>(here + elsewhere), "time") +
               " within " + render_duration(policy().restart_window);
    };
    if (!in_place && elsewhere >= allowed)
        return give_up(care, why + (rule ? "; " + *rule : std::string{}) + "; " + count() +
                                 ", which is the limit");
    if (care.record.xml.empty() && (!in_place || !care.record.persistent))
        return give_up(care, why + "; its definition was never recorded");
    // What it is to come after is brought back first, if that is due.
    for (const std::string& name : entry(care)->after)
        if (const CareCase* before = situation_.find(name); before != nullptr && !before->acted) {
            wait_for(care, "it is to start after " + name, turn_pause, std::nullopt);
            return;
        }
    // A host on which it did not fail yet needs no pause.
    if ((in_place || elsewhere > 0) && backs_off(care, StepKind::Start, here + elsewhere)) return;
    if (starts_on(care.host) >= policy().starts_per_host) return wait(care, turn_pause);
    if (must_stop)
        return begin(care, CareAct::Stop, care.host, StepKind::Stop,
                     "end it, to start it again: " + why);
    if (in_place)
        return begin(care, CareAct::StartAgain, care.host, StepKind::Start,
                     "start it again: " + why +
                         (here == 0 ? std::string{}
                                    : " (" + std::to_string(here + 1) + " of " +
                                          std::to_string(policy().restart_limit) + " times)"));
    std::string all = why;
    if (rule || here >= policy().restart_limit)
        all += "; " + rule.value_or("the limit of restarts on " + care.host + " is reached");
    start_elsewhere(care, all);
}

/// Who else comes to a host, or came to it since it was looked: by domain.
std::map<std::string, std::string> CareStepper::bound_since(const CareCase& care) const {
    std::map<std::string, std::string> all = context_.placed;
    const TimePoint looked = context_.now.wall - (mono() - care.look_began);
    for (const DomainRecord& one : context_.record.domains)
        if (is_active(one.state) && one.seen >= looked) all.emplace(one.name, one.host);
    for (const auto& [name, moving] : context_.moving) all.emplace(name, moving.to);
    for (const auto& [id, other] : situation_.cases)
        if (is_bound(other)) all[other.domain] = goal_of(other);
    all.erase(care.domain);
    return all;
}

/// Another of its apart group took its place meanwhile, or its together group is elsewhere now.
std::optional<std::string> CareStepper::rule_against_its_host(const CareCase& care) const {
    const auto group = host_of_group(care);
    if (group && *group != care.host)
        return "the group that it must be together with is on " + *group;
    const auto excludes = [&](const std::string& name) {
        const Domain* const other = context_.inventory.find_domain(name);
        return other != nullptr && name != care.domain &&
               share_group(entry(care)->apart, other->apart);
    };
    std::string taken;
    if (const auto& view = care.look.hosts.at(care.host).view)
        for (const DomainView& there : view->domains)
            if (is_active(there.state) && excludes(there.name)) taken = there.name;
    for (const auto& [name, host] : bound_since(care))
        if (host == care.host && excludes(name)) taken = name;
    if (taken.empty()) return std::nullopt;
    return taken + ", from which it must be apart, is on " + care.host + " now";
}

std::vector<Room> CareStepper::rooms(const CareCase& care) const {
    std::vector<Room> all;
    for (const Host& host : context_.inventory.hosts) {
        const auto reading = care.look.hosts.find(host.name);
        if (host.name == care.host || reading == care.look.hosts.end() || !reading->second.view ||
            find_mark(context_.marks, host.name) != nullptr)
            continue;
        RoomLeft left(context_.inventory, context_.record, host, *reading->second.view);
        for (const auto& [name, moving] : context_.moving)
            if (moving.to == host.name) left.take(name, moving.memory);
        // What failed there and is cared for comes back into its old room; see the recovery's
        // rooms.
        for (const auto& [id, other] : situation_.cases)
            if (id != care.id && goal_of(other) == host.name)
                left.take(other.domain, other.record.memory, other.record.vcpus, other.willed);
        left.take_since(context_.now.wall - (mono() - care.look_began), care.domain);
        all.push_back(std::move(left).room());
    }
    return all;
}

/// Where others of a group run that must not be on two hosts, or are being brought back; empty:
/// nowhere.
std::optional<std::string> CareStepper::host_of_group(const CareCase& care) const {
    const std::vector<std::string>& groups = entry(care)->together;
    const auto belongs = [&](const std::string& name) {
        const Domain* const other = context_.inventory.find_domain(name);
        return other != nullptr && name != care.domain && share_group(groups, other->together);
    };
    for (const auto& [host, reading] : care.look.hosts) {
        if (!reading.view) continue;
        for (const DomainView& view : reading.view->domains)
            if (is_active(view.state) && belongs(view.name)) return host;
    }
    for (const auto& [name, host] : bound_since(care))
        if (belongs(name)) return host;
    return std::nullopt;
}

Want CareStepper::want_elsewhere(const CareCase& care) const {
    Want want = want_of(*entry(care), care.record.memory, care.record.vcpus);
    add_defined_needs(want, care.record.xml);
    return want;
}

/// While its host was asked for its word, another one may have been started where it was to go, or
/// its group elsewhere.
bool CareStepper::target_still_suits(const CareCase& care) const {
    const auto host = host_of_group(care);
    if (host && *host != care.target) return false;
    Want want = want_elsewhere(care);
    want.hosts = {care.target};
    return plan_placement(rooms(care), {want}).refusals.empty();
}

void CareStepper::start_elsewhere(CareCase& care, const std::string& why) {
    if (!context_.recovering.empty()) {
        wait_for(care, "recoveries of hosts go first", look_again, std::nullopt);
        return;
    }
    Want want = want_elsewhere(care);
    want.avoid = care.failed_on;
    if (const auto host = host_of_group(care)) {
        if (*host == care.host)
            return give_up(care, why + ", and the group it must be together with is there");
        want.hosts = {*host};
    }
    if (!care.pinned.empty()) {
        want.hosts = {care.pinned};
        want.avoid.clear();
    }
    const Plan plan = plan_placement(rooms(care), {want}, context_.packing);
    if (plan.placements.empty())
        return give_up(care,
                       why + ", and there is no other host for it: " + plan.refusals.front().text);
    const Placement& placement = plan.placements.front();
    note(care, EntryKind::Decision, StepKind::Plan, why + "; " + placement.reason, placement.host);
    begin(care, CareAct::KeepOff, care.host, StepKind::Observe,
          "have " + care.host + " say that it is off there, and stays so");
    care.target = placement.host;
}

/// Its host gave its word, or not.
void CareStepper::kept_off(CareCase& care, const Acted& acted) {
    const bool ok = acted.result == StartResult::Ok;
    note(care, EntryKind::Outcome, StepKind::Observe, acted.text, acted.target, ok);
    if (!ok) {
        if (!wait_for(care, care.host + " does not say that it stays off there", look_again,
                      word_patience))
            give_up(care, "it can't be started elsewhere: " + acted.text);
        return;
    }
    // What was seen of the others must be as fresh as that word.
    if (mono() - care.look_began > look_max_age) return look(care);
    if (busy_elsewhere(care.domain, care.host) || !context_.recovering.empty() ||
        find_mark(context_.marks, care.target) != nullptr || !target_still_suits(care))
        return look(care);
    if (const auto why = objection(care.domain, care.host)) return refuse(care, *why);
    const std::string target = care.target;
    begin(care, CareAct::StartOver, target, StepKind::Start, "start it there: " + acted.text);
    care.pinned = target;
    care.pinned_since = mono();
}

void CareStepper::let_go_on(CareCase& care, const std::string& why) {
    if (const auto objects = objection(care.domain, care.host)) return refuse(care, *objects);
    care.willed = true;
    if (in_the_way(care)) return;
    const int done = tries(care, StepKind::Resume, false);
    if (done >= policy().restart_limit)
        return give_up(care, why + "; let go on " +
                                 counted(static_cast<std::size_t>(done), "time") + " within " +
                                 render_duration(policy().restart_window) +
                                 ", which is the limit; what it holds in memory is kept: look at "
                                 "its disks, then `virsh resume` or `virsh destroy` it");
    if (backs_off(care, StepKind::Resume, done)) return;
    begin(care, CareAct::Resume, care.host, StepKind::Resume, "let it go on: " + why);
}

// ---- what came of it ----------------------------------------------------------------------------

void CareStepper::on(const Acted& acted) {
    const auto found = situation_.cases.find(acted.incident);
    if (found == situation_.cases.end() || found->second.phase != CarePhase::Acting ||
        found->second.act != acted.act)
        return;
    CareCase& care = found->second;
    switch (acted.act) {
        case CareAct::KeepOff: return kept_off(care, acted);
        case CareAct::StartAgain:
        case CareAct::StartOver: return started(care, acted);
        case CareAct::Stop:
            note(care, EntryKind::Outcome, StepKind::Stop, acted.text, acted.target,
                 acted.result == StartResult::Ok);
            if (acted.left_alone) return look(care);
            if (acted.result != StartResult::Ok)
                return give_up(care, "it could not be ended: " + acted.text);
            care.stopped_here = true;
            care.silent_since.reset();
            return look(care);
        case CareAct::Resume:
            note(care, EntryKind::Outcome, StepKind::Resume, acted.text, acted.target,
                 acted.result == StartResult::Ok);
            if (acted.result != StartResult::Ok) return look(care);
            care.acted = true;
            care.acted_at = mono();
            care.resumed = true;
            // While it stood still it could not answer.
            care.silent_since.reset();
            care.deed = "it was let go on";
            return wait(care, policy().settle_time);
    }
}

void CareStepper::started(CareCase& care, const Acted& acted) {
    switch (acted.result) {
        case StartResult::Ok:
            note(care, EntryKind::Outcome, StepKind::Start, acted.text, acted.target);
            care.deed = (acted.act == CareAct::StartAgain ? "started again on " : "started on ") +
                        acted.target;
            care.host = care.record.host = acted.target;
            care.pinned.clear();
            care.acted = true;
            care.acted_at = mono();
            care.resumed = false;
            care.stopped_here = false;
            care.silent_since.reset();
            act(RecordPlace{care.domain, acted.target});
            return wait(care, policy().settle_time);
        case StartResult::Failed:
            note(care, EntryKind::Outcome, StepKind::Start, acted.text, acted.target, false);
            if (acted.act == CareAct::StartOver) care.failed_on.insert(acted.target);
            care.pinned.clear();
            return look(care);
        case StartResult::Unknown:
            // No outcome is journaled: the intent stays open and pins the domain.
            note(care, EntryKind::Event, StepKind::Start, acted.text, acted.target, false);
            care.pinned = acted.target;
            care.pinned_since = mono();
            return wait(care, turn_pause);
    }
}

}  // namespace domkeeper
