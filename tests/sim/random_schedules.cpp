// SPDX-License-Identifier: GPL-3.0-or-later
// Random clusters and fault schedules against the real engine:
//     random_schedules FIRST_SEED COUNT [FOLDER]
// Every promise must hold in each. A seed that breaks one is shrunk to a small scenario file in
// FOLDER, which `domkeeper simulate` plays again.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <random>
#include <sstream>

#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "lib/sim/fiber.hpp"
#include "lib/sim/scenario.hpp"
#include "lib/sim/shrink.hpp"

namespace {

using namespace domkeeper;

constexpr const char* ending = "until 1800s\n";

class Generator {
  public:
    explicit Generator(std::uint64_t seed) : random_(seed), is_big_(seed % 10 == 0) {}

    std::string scenario() {
        const int hosts = is_big_ ? pick(5, 10) : pick(2, 5);
        const int domains = is_big_ ? pick(8, 30) : pick(1, 8);
        out_ << "policy witnesses=w1,w2 settle_time=2s answer_time=4s fence_time=8s start_time=5s "
                "move_time=60s record_max_age=5min "
                "max_hosts_lost="
             << pick(1, 2) << " starts_per_host=" << pick(1, 4)
             << (chance(20) ? " unseen_peers=trust-record" : "")
             << (chance(20) ? " storage_lost=fence" : "")
             << (chance(50) ? " make_room=stop-best-effort" : "") << " hang_time=" << pick(3, 20)
             << "s restart_pause=" << pick(1, 3) << "s restart_limit=" << pick(0, 3)
             << " restarts_elsewhere=" << pick(0, 2) << (chance(50) ? " on_hang=restart" : "");
        guards();
        storage_ = chance(40);
        if (storage_)
            out_ << "storage san kind=aoe interface=eth1 paths=/images disks=\""
                 << cut_disks(domains) << "\"\n";
        for (int i = 0; i < hosts; ++i) {
            const bool two_levels = chance(30);
            const bool no_fence = chance(5);
            const bool storage = chance(30);
            out_ << "host " << host(i) << " memory=" << pick(3, 12) << "GiB reserve=1GiB";
            if (chance(25)) out_ << " vcpus=" << pick(2, 12);
            if (i == 0 || chance(50)) out_ << " offers=gpu";
            if (!no_fence) out_ << " fence=bmc-" << host(i);
            if (!no_fence && storage) out_ << "/aoe-" << host(i);
            if (!no_fence && two_levels) out_ << "/pdu-" << host(i);
            out_ << "\n";
            if (!no_fence && storage) device("aoe-" + host(i), cut_disks(domains));
            if (!no_fence) device("bmc-" + host(i));
            if (!no_fence && two_levels) device("pdu-" + host(i));
        }
        for (int i = 0; i < domains; ++i) {
            out_ << "domain d" << i << " priority=" << pick(0, 3) * 10;
            if (chance(10)) out_ << " restart=never";
            if (chance(25)) out_ << " answers=\"ping guest-" << i << "\"";
            if (chance(30)) out_ << (chance(50) ? " move=paused" : " move=restart");
            rules(i);
            if (chance(5)) out_ << (chance(50) ? " on_crash=report" : " on_shutdown=report");
            out_ << "\n";
        }
        for (int i = 0; i < domains; ++i) {
            if (chance(30)) continue;
            out_ << "disks d" << i << " e7." << i;
            if (chance(20)) out_ << " /images/d" << i;
            out_ << "\n";
        }
        for (int i = 0; i < domains; ++i)
            out_ << "runs " << host(pick(0, hosts - 1)) << " d" << i << "=" << pick(1, 3) << "GiB/"
                 << pick(1, 3) << "\n";
        if (chance(5)) out_ << "disarmed works\n";
        for (int i = 0; i < hosts; ++i)
            if (chance(5)) out_ << "record-age " << host(i) << " " << pick(1, 30) << "min\n";
        const int faults = is_big_ ? pick(4, 20) : pick(1, 8);
        for (int i = 0; i < faults; ++i) fault(hosts, domains);
        returns(hosts, domains);
        for (int i = chance(60) ? pick(1, 4) : 0; i > 0; --i) failure(hosts, domains);
        // The monitor speaks up for each host that could be in trouble, and somebody looks after
        // killed workers in the end.
        for (int i = 0; i < hosts; ++i)
            if (chance(70)) line(pick(1, 40), "report " + host(i) + " DOWN HARD");
        if (storage_ && chance(50))
            line(pick(1, 40), "report " + host(pick(0, hosts - 1)) + " STORAGE-LOST HARD");
        for (int i = storage_ ? pick(0, 3) : 0; i > 0; --i)
            line(pick(0, 60), std::string("storage san ") + storage_word());
        if (storage_) out_ << "at 119s storage san up\n";
        out_ << "at 120s disk-ok\nat 121s worker\n";
        if (chance(50)) crash_points();
        out_ << ending;
        return out_.str();
    }

  private:
    /// Policies about hosts that come back and about fencing too often.
    void guards() {
        static const char* failbacks[] = {"never", "auto", "auto", "manual"};
        out_ << " failback=" << failbacks[pick(0, 3)];
        out_ << " cool_down=" << (chance(70) ? "0s" : "30s");
        if (chance(30)) out_ << " fences_per_hour=" << pick(0, 2);
        if (chance(10)) out_ << " quiet_time=" << pick(1, 20) << "s";
        if (chance(10)) out_ << " peers_needed=1";
        if (chance(10)) out_ << " max_percent_lost=50";
        if (chance(20)) out_ << " starts_at_once=" << pick(1, 3);
        out_ << "\n";
    }

    /// Hosts that come back, with what they still have.
    void returns(int hosts, int domains) {
        for (int i = 0; i < hosts; ++i) {
            const int at = pick(15, 70);
            if (chance(20))
                line(pick(0, 30),
                     "autostart-on d" + std::to_string(pick(0, domains - 1)) + " " + host(i));
            if (chance(5)) line(pick(0, 30), "snapshots " + host(i));
            if (chance(40)) line(at, (chance(60) ? "power-on " : "join ") + host(i));
            if (chance(40)) line(at + pick(0, 10), "report " + host(i) + " UP HARD");
            if (chance(15))
                line(at + pick(0, 30), "return " + host(i) + (chance(50) ? " stay" : ""));
        }
        if (chance(20))
            line(pick(0, 60), "start-by-hand d" + std::to_string(pick(0, domains - 1)) + " " +
                                  host(pick(0, hosts - 1)));
        if (chance(20)) line(pick(0, 70), "balance");
        if (chance(5)) line(pick(0, 30), "monitor-starts");
        if (chance(5)) {
            line(pick(0, 30), "seat gone");
            out_ << "at 100s seat here\n";
        }
    }

    int pick(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
    void crash_points() {
        out_ << "crash-at";
        for (int i = chance(70) ? 1 : pick(2, 4); i > 0; --i) out_ << " " << pick(1, 120);
        out_ << "\n";
    }
    bool chance(int percent) { return pick(1, 100) <= percent; }
    const char* storage_word() {
        static const char* words[] = {"down", "down", "up", "unasked"};
        return words[pick(0, 3)];
    }
    static std::string host(int i) { return std::string(1, static_cast<char>('a' + i)); }

    /// What may stand beside what, where, and in which order.
    void rules(int domain) {
        static const char* groups[] = {"",
                                       "",
                                       "",
                                       " apart=g1",
                                       " apart=g1",
                                       " apart=g2",
                                       " together=t1",
                                       " together=t1",
                                       " together=t2"};
        out_ << groups[pick(0, 8)];
        if (chance(15)) out_ << " rather_apart=r";
        if (chance(15)) out_ << " rather_together=r";
        if (chance(15)) out_ << " needs=gpu";
        if (chance(20)) out_ << " prefer=" << host(pick(0, 1));
        static const char* classes[] = {"", "", " class=must-run", " class=best-effort"};
        out_ << classes[pick(0, 3)];
        // After one before it: so there is no circle.
        if (domain > 0 && chance(25)) out_ << " after=d" << pick(0, domain - 1);
        if (chance(10)) out_ << " start_delay=" << pick(1, 5) * pick(1, 6) << "s";
    }

    /// Most of the domains' disks; a storage fence need not know all.
    std::string cut_disks(int domains) {
        std::string units = "e7.0";
        for (int i = 1; i < domains; ++i)
            if (chance(80)) units += " e7." + std::to_string(i);
        return units;
    }
    void device(const std::string& name, const std::string& disks = {}) {
        out_ << "device " << name << " agent=" << (disks.empty() ? "fence_ipmi" : "fence_aoe");
        if (!disks.empty()) out_ << " disks=\"" << disks << "\"";
        out_ << "\n";
        devices_.push_back(name);
    }
    void line(int second, const std::string& text) {
        out_ << "at " << second * 1000 + pick(0, 999) << "ms " << text << "\n";
    }
    void fault(int hosts, int domains) {
        const std::string h = host(pick(0, hosts - 1));
        const std::string d = "d" + std::to_string(pick(0, domains - 1));
        const int at = pick(0, 45);
        switch (pick(0, 25)) {
            case 0:
            case 1: return line(at, "power-cut " + h);
            case 2:
            case 3: return line(at, "cut " + h);
            case 4: return line(at, "join " + h);
            case 5: return line(at, "power-on " + h);
            case 6: return line(at, "hang " + h);
            case 7: return line(at, "unhang " + h);
            case 8: return line(at, chance(50) ? "monitor-cut" : "monitor-join");
            case 9: return line(at, std::string("witness w1 ") + (chance(50) ? "down" : "up"));
            case 10: {
                static const char* modes[] = {"good", "silent",  "stuck", "garbage", "denied",
                                              "dies", "says-on", "1s",    "5s"};
                if (devices_.empty()) return;
                const int which = pick(0, static_cast<int>(devices_.size()) - 1);
                return line(at, "device " + devices_[static_cast<std::size_t>(which)] + " " +
                                    modes[pick(0, 8)]);
            }
            case 11: return line(at, "start-fails " + h + (chance(50) ? " " + d : ""));
            case 12: return line(at, "start-takes " + h + " " + std::to_string(pick(1, 9)) + "s");
            case 13: return line(at, (chance(50) ? "unstable " : "pauses ") + d);
            case 14: return line(at, "kill-worker");
            case 15: return line(at, chance(50) ? "disarm 20s" : "arm");
            case 16: return line(at, "disk-full");
            case 17: return line(at, "worker");
            case 18: return line(at, "mute " + d + (chance(70) ? " " + h : ""));
            case 19: return line(at, "unmute " + d);
            default: return maintenance(at, h, d);
        }
    }

    /// A domain fails while its host lives, or somebody ends it, and the monitor says so.
    void failure(int hosts, int domains) {
        const std::string d = "d" + std::to_string(pick(0, domains - 1));
        const int at = pick(0, 50);
        static const char* words[] = {"crash", "crash",    "panic",   "io-error", "guest-hangs",
                                      "crash", "shutdown", "destroy", "suspend",  "io-error"};
        if (chance(20)) line(at, "autostart " + d);
        if (chance(30)) line(at, "crashes " + d + " " + std::to_string(pick(1, 6)));
        if (chance(10)) line(at, (chance(60) ? "hold " : "unhold ") + d);
        if (chance(30)) line(at, "check");
        line(at + 1, words[pick(0, 9)] + (" " + d));
        if (chance(30)) line(at + pick(1, 6), "check");
        for (int i = pick(1, 2); i > 0; --i)
            if (chance(20))
                line(at + pick(2, 20), "report-domains " + host(pick(0, hosts - 1)) + " HARD");
            else
                line(at + pick(2, 20), "report-domain " + d + " HARD");
    }

    /// Orders and what can go wrong with them.
    void maintenance(int at, const std::string& h, const std::string& d) {
        switch (pick(0, 7)) {
            case 0:
            case 1: return line(at, "evacuate " + h + " partial");
            case 2: return line(at, "evacuate " + h);
            case 3: return line(at, "return " + h + (chance(30) ? " stay" : ""));
            case 4: return line(at, "stop " + h);
            case 5: return line(at, "move-takes " + std::to_string(pick(1, 9)) + "s");
            case 6: return line(at, "move-fails " + h + (chance(50) ? " " + d : ""));
            default: return line(at, (chance(50) ? "unseen-disk " + h + " " : "not-live ") + d);
        }
    }

    std::mt19937_64 random_;
    std::ostringstream out_;
    bool is_big_;  ///< every tenth seed: a site of many hosts, with many faults
    bool storage_ = false;
    std::vector<std::string> devices_;
};

/// Empty when all is as it should be.
std::string trouble_of(const std::string& text, Stacks& stacks) {
    const ScenarioOutcome outcome = run_scenario(parse_scenario(text), {}, &stacks);
    if (!outcome.broken.empty()) return outcome.broken.front();
    for (const std::string& line : outcome.final_state)
        if (line.find(" open: ") != std::string::npos) return "never finished: " + line;
    return {};
}

/// Of what kind a trouble is: that a small scenario fails as the big one did.
std::string kind_of(const std::string& trouble) {
    static const char* kinds[] = {"brought back",   "times, the limit", "while it runs",
                                  "never finished", "disarmed",         "switched off",
                                  "half copy",      "ends on",          "long back",
                                  "answered all",   "stay apart",       "while it is on",
                                  "be together",    "does not offer",   "virtual CPUs",
                                  "is to come",     "may not run",      "lands on",
                                  "without a copy", "the last host",    "gets its disks back",
                                  "in a circle"};
    for (const char* kind : kinds)
        if (trouble.find(kind) != std::string::npos) return kind;
    return trouble.empty() ? "" : "other";
}

std::string shrink(const std::string& text, const std::string& kind, Stacks& stacks) {
    return shrink_scenario(text, [&](const std::string& tried) {
        // With less time, what is under way would look like what never ends.
        if (tried.find(ending) == std::string::npos) return false;
        try {
            return kind_of(trouble_of(tried, stacks)) == kind;
        } catch (const Error&) {
            return false;
        }
    });
}

void keep(const std::string& folder, std::int64_t seed, const std::string& text,
          const std::string& trouble, Stacks& stacks) {
    const std::string small = shrink(text, kind_of(trouble), stacks);
    const std::string path = folder + "/seed-" + std::to_string(seed) + ".txt";
    std::filesystem::create_directories(folder);
    std::ofstream(path) << "# seed " << seed << ": " << trouble << "\n" << small;
    std::cout << "kept as " << path << ":\n" << small;
}

}  // namespace

int main(int argc, char** argv) {
    const auto first = parse_integer(argc > 1 ? argv[1] : "1");
    const auto count = parse_integer(argc > 2 ? argv[2] : "1000");
    const std::string folder = argc > 3 ? argv[3] : "build/schedules";
    if (!first || !count || *count < 1) {
        std::cerr << "usage: random_schedules FIRST_SEED COUNT [FOLDER]\n";
        return 3;
    }
    Stacks stacks;
    long failed = 0;
    for (std::int64_t seed = *first; seed < *first + *count; ++seed) {
        const std::string text = Generator(static_cast<std::uint64_t>(seed)).scenario();
        const std::string trouble = trouble_of(text, stacks);
        if (trouble.empty()) continue;
        std::cout << "seed " << seed << ": " << trouble << "\n";
        if (++failed <= 3) keep(folder, seed, text, trouble, stacks);
    }
    std::cout << "seeds " << *first << " to " << *first + *count - 1 << "\n"
              << *count - failed << " passed, " << failed << " failed, 0 skipped\n";
    return failed == 0 ? 0 : 1;
}
