// SPDX-License-Identifier: GPL-3.0-or-later
// What is wrong with the domains of an inventory.
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "lib/core/inventory_check.hpp"
#include "lib/core/inventory_hints.hpp"
#include "lib/core/offers.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

using namespace std::chrono_literals;

constexpr int max_priority = 1'000'000;
constexpr Duration max_start_delay = 1h;

constexpr std::string_view some_hosts = "a list of hosts such as [\"xen1\", \"xen2\"]";
constexpr std::string_view some_groups = "a list of groups such as [\"db\"]";

constexpr std::array<DomainList, 8> lists{{
    {"hosts", &Domain::hosts, some_hosts},
    {"prefer", &Domain::prefer, some_hosts},
    {"apart", &Domain::apart, some_groups},
    {"rather_apart", &Domain::rather_apart, some_groups},
    {"together", &Domain::together, some_groups},
    {"rather_together", &Domain::rather_together, some_groups},
    {"needs", &Domain::needs, "a list of labels such as [\"gpu\", \"bridge:br0\"]"},
    {"after", &Domain::after, "a list of domains such as [\"db1\"]"},
}};

using Groups = std::vector<std::string> Domain::*;

class DomainChecker : private ProblemCollector {
  public:
    explicit DomainChecker(const Inventory& inventory) : inventory_(inventory) {
        for (const DomainList& list : lists)
            for (const Domain& domain : inventory.domains)
                for (const std::string& word : domain.*list.member) ++members_[list.key][word];
        for (const Domain& domain : inventory.domains) by_name_.emplace(domain.name, &domain);
    }

    std::vector<InventoryProblem> run() {
        for (std::size_t i = 0; i < inventory_.domains.size(); ++i)
            check(inventory_.domains[i], element_of("domain", i));
        check_circles();
        return std::move(problems_);
    }

  private:
    void check(const Domain& domain, const std::string& path) {
        check_host_list(path + ".hosts", domain.hosts);
        check_host_list(path + ".prefer", domain.prefer);
        for (std::size_t k = 0; k < domain.prefer.size(); ++k)
            if (inventory_.find_host(domain.prefer[k]) != nullptr &&
                !inventory_.may_run(domain, domain.prefer[k]))
                error(element_of(path + ".prefer", k),
                      "host " + quoted_name(domain.prefer[k]) + " is not among its hosts");
        check_groups(path, domain, "apart", &Domain::apart);
        check_groups(path, domain, "rather_apart", &Domain::rather_apart);
        check_groups(path, domain, "together", &Domain::together);
        check_groups(path, domain, "rather_together", &Domain::rather_together);
        check_contradictions(path, domain);
        check_needs(path + ".needs", domain);
        check_after(path + ".after", domain);
        if (domain.start_delay < Duration{0} || domain.start_delay > max_start_delay)
            error(path + ".start_delay",
                  render_duration(domain.start_delay) + " is out of range; 0 to 1h would be right");
        if (domain.hosts.size() == 1 && domain.restart == RestartPolicy::Always &&
            inventory_.hosts.size() > 1)
            warn(path + ".hosts", "domain " + quoted_name(domain.name) +
                                      " may run on one host "
                                      "only: it can't be started elsewhere");
        if (domain.priority < -max_priority || domain.priority > max_priority)
            error(path + ".priority", std::to_string(domain.priority) +
                                          " is out of range; -1000000 to 1000000 would be "
                                          "right");
    }

    void check_host_list(const std::string& path, const std::vector<std::string>& names) {
        std::set<std::string> seen;
        for (std::size_t k = 0; k < names.size(); ++k) {
            if (!inventory_.find_host(names[k]))
                error(element_of(path, k), "there is no host " + quoted_name(names[k]) +
                                               name_hint(names[k], names_of(inventory_.hosts)));
            else if (!seen.insert(names[k]).second)
                error(element_of(path, k), "host " + quoted_name(names[k]) + " stands twice");
        }
    }

    /// A group that no second domain is in, or more domains apart than there are hosts.
    void check_groups(const std::string& path, const Domain& domain, std::string_view key,
                      Groups groups) {
        for (std::size_t k = 0; k < (domain.*groups).size(); ++k) {
            const std::string& group = (domain.*groups)[k];
            const std::string place = element_of(path + "." + std::string(key), k);
            if (!valid_name(group)) {
                error(place, quoted_name(group) +
                                 " is no name of a group; letters, digits, "
                                 "'.', '_' and '-' would be right");
                continue;
            }
            const std::size_t members = members_[key][group];
            if (members < 2)
                warn(place, "no other domain is in group " + quoted_name(group));
            else if (groups == &Domain::apart && members > inventory_.hosts.size())
                warn(place, "group " + quoted_name(group) + " has " + counted(members, "domain") +
                                ", more than there are "
                                "hosts: they can't all run");
        }
    }

    /// Two domains that must share a host and must not, or have no host in common.
    void check_contradictions(const std::string& path, const Domain& domain) {
        for (std::size_t k = 0; k < domain.together.size(); ++k)
            for (const Domain& other : inventory_.domains) {
                if (&other == &domain || !contains(other.together, domain.together[k])) continue;
                const std::string place = element_of(path + ".together", k);
                const bool must_part =
                    std::any_of(domain.apart.begin(), domain.apart.end(),
                                [&](const auto& group) { return contains(other.apart, group); });
                if (must_part)
                    error(place, "it must be on one host with " + quoted_name(other.name) +
                                     ", and apart from it");
                const bool share =
                    domain.hosts.empty() || other.hosts.empty() ||
                    std::any_of(domain.hosts.begin(), domain.hosts.end(),
                                [&](const auto& host) { return contains(other.hosts, host); });
                if (!share)
                    error(place, "it must be on one host with " + quoted_name(other.name) +
                                     ", and there is none on which both may run");
            }
    }

    void check_needs(const std::string& path, const Domain& domain) {
        for (std::size_t k = 0; k < domain.needs.size(); ++k) {
            const std::string& need = domain.needs[k];
            if (!valid_label(need)) {
                error(element_of(path, k),
                      quoted_name(need) +
                          " is no label; such as \"gpu\" or \"bridge:br0\" would be right");
                continue;
            }
            // A label with a kind may be read from the hosts themselves.
            const bool offered =
                need.find(':') != std::string::npos ||
                std::any_of(inventory_.hosts.begin(), inventory_.hosts.end(),
                            [&](const Host& host) { return contains(host.offers, need); });
            if (offered) continue;
            std::vector<std::string> known;
            for (const Host& host : inventory_.hosts)
                known.insert(known.end(), host.offers.begin(), host.offers.end());
            error(element_of(path, k),
                  "no host offers " + quoted_name(need) + name_hint(need, known));
        }
    }

    void check_after(const std::string& path, const Domain& domain) {
        for (std::size_t k = 0; k < domain.after.size(); ++k) {
            const std::string& name = domain.after[k];
            if (name == domain.name)
                error(element_of(path, k), "it can't wait for itself");
            else if (by_name_.count(name) == 0)
                error(element_of(path, k), "there is no domain " + quoted_name(name) +
                                               name_hint(name, names_of(inventory_.domains)));
        }
    }

    /// Domains that wait for each other in a circle would never start.
    void check_circles() {
        enum class Mark { Fresh, Open, Done };
        std::map<std::string_view, Mark> marks;
        // A walk without recursion: a long chain must not use up the stack.
        struct Step {
            const Domain* domain;
            std::size_t next;
        };
        for (std::size_t i = 0; i < inventory_.domains.size(); ++i) {
            std::vector<Step> way{{&inventory_.domains[i], 0}};
            if (marks[inventory_.domains[i].name] != Mark::Fresh) continue;
            marks[inventory_.domains[i].name] = Mark::Open;
            while (!way.empty()) {
                Step& step = way.back();
                if (step.next == step.domain->after.size()) {
                    marks[step.domain->name] = Mark::Done;
                    way.pop_back();
                    continue;
                }
                const auto found = by_name_.find(step.domain->after[step.next++]);
                if (found == by_name_.end() || found->second == step.domain) continue;
                Mark& mark = marks[found->second->name];
                if (mark == Mark::Open) return report_circle(found->second, step.domain);
                if (mark == Mark::Done) continue;
                mark = Mark::Open;
                way.push_back({found->second, 0});
            }
        }
    }

    void report_circle(const Domain* first, const Domain* last) {
        const auto index = static_cast<std::size_t>(last - inventory_.domains.data());
        error(element_of("domain", index) + ".after",
              "it waits for " + quoted_name(first->name) +
                  ", which waits for it in the end; without this circle would be right");
    }

    const Inventory& inventory_;
    std::map<std::string_view, std::map<std::string, std::size_t>> members_;  ///< by key, group
    std::map<std::string_view, const Domain*> by_name_;
};

}  // namespace

std::vector<InventoryProblem> check_domains(const Inventory& inventory) {
    return DomainChecker(inventory).run();
}

std::span<const DomainList> domain_lists() {
    return lists;
}

std::string quoted_name(std::string_view text) {
    return "\"" + printable(text, 80) + "\"";
}

std::string element_of(std::string_view list, std::size_t index) {
    return std::string(list) + "[" + std::to_string(index) + "]";
}

std::string name_hint(const std::string& name, const std::vector<std::string>& known) {
    if (const auto near = closest(name, known)) return "; did you mean " + quoted_name(*near) + "?";
    if (known.empty()) return "; there are none";
    std::vector<std::string> few(known.begin(),
                                 known.begin() + std::min<std::ptrdiff_t>(6, std::ssize(known)));
    if (few.size() < known.size()) few.push_back("...");
    return "; there are " + printable(join(few, ", "));
}

}  // namespace domkeeper
