// SPDX-License-Identifier: GPL-3.0-or-later
// How long planning takes: planning HOSTS DOMAINS. A cluster is made up (always the same), four
// fifths full, with all kinds of rules; measured are the best of five runs of placing the domains
// of a lost tenth of the hosts, of placing every domain anew, and of N+1 over all hosts, as
// check_cluster asks for it.
#include <array>
#include <chrono>
#include <cstdio>
#include <functional>
#include <random>

#include "lib/core/survival.hpp"
#include "lib/core/text.hpp"

namespace {

using namespace domkeeper;

struct Cluster {
    Inventory inventory;
    std::map<std::string, HostView> views;
    ClusterRecord record;
};

std::string name_of(const char* prefix, long i) {
    char text[24];
    std::snprintf(text, sizeof text, "%s%05ld", prefix, i);
    return text;
}

Cluster make_cluster(long hosts, long domains) {
    std::mt19937 random(1);
    const auto pick = [&](int low, int high) {
        return std::uniform_int_distribution<int>(low, high)(random);
    };
    Cluster cluster;
    std::vector<Bytes> used(static_cast<std::size_t>(hosts));
    std::vector<int> vcpus(static_cast<std::size_t>(hosts));
    for (long i = 0; i < domains; ++i) {
        const auto at = static_cast<std::size_t>(i % hosts);
        Domain domain;
        domain.name = name_of("vm", i);
        domain.priority = pick(0, 3) * 10;
        if (pick(0, 9) == 0) domain.apart = {name_of("group", i / 7)};
        if (pick(0, 19) == 0) domain.rather_apart = {name_of("wish", i / 50)};
        // Two that stand on one host already.
        if (i / hosts % 10 == 3 || i / hosts % 10 == 4)
            if (i % hosts % 4 == 0) domain.together = {name_of("pair", i % hosts)};
        if (pick(0, 49) == 0) domain.needs = {"gpu"};
        static constexpr std::array classes{DomainClass::BestEffort, DomainClass::Normal,
                                            DomainClass::Normal, DomainClass::MustRun};
        domain.domain_class = classes[static_cast<std::size_t>(pick(0, 3))];
        DomainView view;
        view.name = domain.name;
        view.state = DomainState::Running;
        view.memory = view.memory_max = gibibytes(pick(1, 8));
        view.vcpus = pick(1, 4);
        vcpus[at] += view.vcpus;
        used[at] += view.memory;
        cluster.views[name_of("host", static_cast<long>(at))].domains.push_back(view);
        cluster.inventory.domains.push_back(std::move(domain));
    }
    for (long i = 0; i < hosts; ++i) {
        Host host;
        host.name = name_of("host", i);
        host.vcpus = vcpus[static_cast<std::size_t>(i)] * 5 / 4 + 8;
        if (i % 2 == 0) host.offers = {"gpu"};
        host.memory = Bytes{used[static_cast<std::size_t>(i)].count * 5 / 4} + gibibytes(8);
        cluster.views[host.name].memory_total = *host.memory;
        cluster.inventory.hosts.push_back(std::move(host));
    }
    return cluster;
}

double best_of_five(const std::function<void()>& work) {
    double best = 1e9;
    for (int i = 0; i < 5; ++i) {
        const auto began = std::chrono::steady_clock::now();
        work();
        const std::chrono::duration<double, std::milli> took =
            std::chrono::steady_clock::now() - began;
        best = std::min(best, took.count());
    }
    return best;
}

}  // namespace

int main(int argc, char** argv) {
    const auto hosts = parse_integer(argc > 1 ? argv[1] : "500");
    const auto domains = parse_integer(argc > 2 ? argv[2] : "10000");
    if (!hosts || !domains || *hosts < 10 || *domains < *hosts) {
        std::fputs("usage: planning HOSTS DOMAINS\n", stderr);
        return 3;
    }
    const Cluster cluster = make_cluster(static_cast<long>(*hosts), static_cast<long>(*domains));
    std::vector<HostLoad> loads;
    const double load =
        best_of_five([&] { loads = loads_of(cluster.inventory, cluster.views, cluster.record); });

    std::vector<std::string> lost;
    for (std::size_t i = 0; i < loads.size(); i += 10) lost.push_back(loads[i].host);
    Loss tenth;
    const double tenth_took = best_of_five([&] { tenth = plan_loss(loads, lost); });

    std::vector<Room> rooms;
    std::vector<Want> wants;
    for (const HostLoad& host : loads) {
        Bytes free = host.free;
        Standing standing{{}, {}, {}, {}, host.standing.vcpus, host.standing.offers};
        for (const Want& want : host.domains) {
            free += want.memory;
            *standing.vcpus += want.vcpus;
            wants.push_back(want);
        }
        rooms.push_back({host.host, free, standing});
    }
    Plan all;
    const double all_took = best_of_five([&] { all = plan_placement(rooms, wants); });

    Survival survival;
    const double survival_took = best_of_five([&] { survival = survive_any(loads, 1); });

    std::printf("%lld hosts, %lld domains, four fifths full\n", static_cast<long long>(*hosts),
                static_cast<long long>(*domains));
    std::printf("  %8.1f ms  what stands where\n", load);
    std::printf("  %8.1f ms  a tenth of the hosts lost: %zu placed, %zu refused\n", tenth_took,
                tenth.plan.placements.size(), tenth.plan.refusals.size());
    std::printf("  %8.1f ms  every domain anew: %zu placed, %zu refused\n", all_took,
                all.placements.size(), all.refusals.size());
    std::printf("  %8.1f ms  N+1: %zu cases, %zu failing\n", survival_took, survival.cases,
                survival.failing);
    return 0;
}
