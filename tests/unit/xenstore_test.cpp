// SPDX-License-Identifier: GPL-3.0-or-later
#include "plugins/xenstore.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "plugins/xenstore_reader.hpp"
#include "plugins/xenstore_round.hpp"

using namespace domkeeper;

namespace {

/// A tree in memory that answers as the C xenstored does.
class FakeStore : public Xenstore {
  public:
    std::map<std::string, std::string> values;
    std::map<std::string, std::string> quotas;  // by domain; "" is the table of limits
    bool silent = false;
    bool parts = true;
    std::size_t asked = 0;
    std::size_t batches = 0;
    std::size_t list_max = 4096;

    std::vector<XsAnswer> ask(const std::vector<XsRequest>& requests, Deadline) override {
        if (silent) throw TimedOut("xenstored at x: no answer within 1s");
        ++batches;
        asked += requests.size();
        std::vector<XsAnswer> answers;
        for (const XsRequest& request : requests) answers.push_back(answer(request));
        return answers;
    }
    Latency measure(Deadline) override {
        if (silent) throw TimedOut("xenstored at x: no answer within 1s");
        return {0.001, 0.002, 0.003};
    }

    void guest(int id, const std::string& name) {
        const std::string number = std::to_string(id);
        const std::string home = "/local/domain/" + number;
        values[home + "/name"] = name;
        values["/libxl/" + number + "/type"] = "pvh";
        introduced.push_back(number);
        for (const std::string type : {"vbd/", "vif/"})
            values["/local/domain/0/backend/" + type + number + "/0/state"] = "4";
    }
    std::vector<std::string> introduced{"0"};

  private:
    std::string list(const std::string& folder) const {
        std::string names;
        std::string last;
        const std::string prefix = folder + "/";
        for (const auto& [path, value] : values) {
            if (path.compare(0, prefix.size(), prefix) != 0) continue;
            const std::string name =
                path.substr(prefix.size(), path.find('/', prefix.size()) - prefix.size());
            if (name == last) continue;
            names += name + '\0';
            last = name;
        }
        return names;
    }

    XsAnswer answer(const XsRequest& request) const {
        const auto words = parse_xs_names(request.payload, 9);
        const std::string& first = words.at(0);
        const XsAnswer missing{"", "ENOENT"};
        switch (request.type) {
            case XsType::Read: {
                const auto found = values.find(first);
                return found == values.end() ? missing : XsAnswer{found->second, ""};
            }
            case XsType::Directory: {
                const std::string names = list(first);
                if (names.empty()) return missing;
                return names.size() > list_max ? XsAnswer{"", "E2BIG"} : XsAnswer{names, ""};
            }
            case XsType::DirectoryPart: {
                if (!parts) return {"", "ENOSYS"};
                const std::string names = list(first);
                const auto offset = static_cast<std::size_t>(std::stoul(words.at(1)));
                std::string piece = names.substr(offset, 100);
                if (offset + 100 < names.size())
                    piece.resize(piece.find_last_of('\0') + 1);
                else
                    piece += '\0';
                return {std::string("5\0", 2) + piece, ""};
            }
            case XsType::IsIntroduced: {
                const bool known =
                    std::find(introduced.begin(), introduced.end(), first) != introduced.end();
                return {known ? "T" : "F", ""};
            }
            case XsType::Control: {
                const auto found = quotas.find(words.size() > 1 ? words[1] : "");
                return found == quotas.end() ? XsAnswer{"OK", ""} : XsAnswer{found->second, ""};
            }
            case XsType::TransactionStart:
            case XsType::TransactionEnd:
            case XsType::Write:
            case XsType::Remove:
            case XsType::WatchEvent:
            case XsType::Error: break;
        }
        return missing;
    }
};

class FakeXen : public Xen {
  public:
    std::vector<std::vector<XenDomain>> lists;  // one a call; the last one stays
    std::vector<XenDomain> domains(Deadline) override {
        if (lists.empty()) throw Unreachable("Xen: no hypervisor");
        std::vector<XenDomain> now = lists.front();
        if (lists.size() > 1) lists.erase(lists.begin());
        return now;
    }
    XenView read(Deadline) override { return {}; }
    std::string messages(Deadline) override { return {}; }
};

XenDomain live(int id) {
    XenDomain out;
    out.id = id;
    return out;
}

CheckResult judged(FakeStore& store, FakeXen& xen, const XenstoreLimits& limits = {},
                   const Recall& recall = {}) {
    XenstoreQuestions questions;
    questions.heartbeat = "data/beat";
    return judge_xenstore(read_xenstore_facts(store, xen, questions, true, {}), limits, recall);
}

FakeXen running(std::vector<int> ids) {
    FakeXen xen;
    xen.lists.emplace_back();
    for (const int id : ids) xen.lists[0].push_back(live(id));
    return xen;
}

}  // namespace

TEST_CASE("a sound tree", "[xenstore]") {
    FakeStore store;
    store.guest(1, "web1");
    store.guest(2, "db1");
    FakeXen xen = running({0, 1, 2});
    const CheckResult result = judged(store, xen);
    CHECK(overall(result) == Status::Ok);
    CHECK(result.summary ==
          "oxenstored answers: read in 1 ms, 4 of 4 backends connected, 2 domains, highest id 2");
}

TEST_CASE("the questions do not wait for each other", "[xenstore]") {
    FakeStore store;
    FakeXen xen = running({0});
    for (int id = 1; id <= 100; ++id) {
        store.guest(id, "g" + std::to_string(id));
        xen.lists[0].push_back(live(id));
    }
    CHECK(overall(judged(store, xen)) == Status::Ok);
    CHECK(store.batches < 16);
    CHECK(store.asked <= 100 * 7 + 12);
}

TEST_CASE("of a domain that is gone little is asked", "[xenstore]") {
    FakeStore store;
    for (int id = 1; id <= 100; ++id) store.guest(id, "g" + std::to_string(id));
    FakeXen xen = running({0});
    CHECK(overall(judged(store, xen)) == Status::Warning);
    CHECK(store.asked <= 100 * 3 + 14);
}

TEST_CASE("a device that no driver serves", "[xenstore]") {
    FakeStore store;
    store.guest(1, "web1");
    store.values["/local/domain/0/backend/vbd/1/0/dev"] = "xvda";
    FakeXen xen = running({0, 1});
    XenstoreQuestions questions;
    questions.has_driver = [](const XsBackend& one) { return one.type != "vbd"; };
    const CheckResult result =
        judge_xenstore(read_xenstore_facts(store, xen, questions, true, {}), {}, {});
    CHECK(overall(result) == Status::Critical);
    CHECK(result.summary == "web1 (1): vbd xvda is Connected, and no driver of dom0 serves it");
}

TEST_CASE("who lives and who has entries", "[xenstore]") {
    FakeStore store;
    store.guest(1, "web1");
    SECTION("gone") {
        store.guest(2, "db1");
        FakeXen xen = running({0, 1});
        CHECK(judged(store, xen).summary ==
              "db1 (2): it is gone and its entries are still there: /local/domain/2, /libxl/2, "
              "2 backends");
    }
    SECTION("no entries") {
        FakeXen xen = running({0, 1, 3});
        const CheckResult result = judged(store, xen);
        CHECK(overall(result) == Status::Critical);
        CHECK(result.summary == "domain 3: it lives and has no entries");
    }
    SECTION("coming and going while the tree is read") {
        FakeXen xen = running({0, 1, 3});
        xen.lists.push_back({live(0), live(1), live(4)});
        store.guest(3, "gone in between");
        CHECK(overall(judged(store, xen)) == Status::Ok);
    }
    SECTION("not served") {
        store.introduced.clear();
        store.values["/local/domain/0/backend/vbd/1/0/state"] = "2";
        store.values["/local/domain/0/backend/vif/1/0/state"] = "4";
        FakeXen xen = running({0, 1});
        CHECK(starts_with(judged(store, xen).summary, "web1 (1): xenstored does not serve it; "));
    }
    SECTION("without a hypervisor the tree alone speaks") {
        store.values["/local/domain/8/name"] = "old";
        FakeXen xen;
        const CheckResult result = judged(store, xen);
        CHECK(result.summary ==
              "old (8): it is gone and its entries are still there: /local/domain/8");
    }
}

TEST_CASE("what a hundred seconds change", "[xenstore]") {
    FakeStore store;
    store.guest(1, "web1");
    store.values["/local/domain/0/backend/vbd/1/0/state"] = "2";
    store.values["/local/domain/1/control/shutdown"] = "reboot";
    store.values["/local/domain/1/data/beat"] = "1";
    FakeXen xen = running({0, 1});
    const TimePoint start{std::chrono::seconds(1'000'000)};
    Memory before;
    std::vector<Status> seen;
    for (const int second : {0, 59, 61, 200, 301}) {
        Memory after;
        const CheckResult result =
            judged(store, xen, {}, {&before, &after, start + std::chrono::seconds(second)});
        seen.push_back(overall(result));
        before = after;
    }
    CHECK(seen == std::vector<Status>{Status::Ok, Status::Ok, Status::Warning, Status::Critical,
                                      Status::Critical});
}

TEST_CASE("counts against quotas", "[xenstore]") {
    FakeStore store;
    store.guest(1, "web1");
    store.quotas[""] = "Quota settings:\nnodes : 1000 words\nwatches : 100 words\nmemory : 0 x\n";
    FakeXen xen = running({0, 1});
    XenstoreLimits limits;
    limits.quota = {parse_range("80"), parse_range("95")};
    struct Row {
        const char* use;
        Status status;
        const char* text;
    };
    const Row row = GENERATE(values<Row>({
        {"nodes : 10\nwatches : 3\nmemory : 7", Status::Ok, "fullest quota: domain 1 has 3 of 100"},
        {"nodes : 850\nwatches : 3\n", Status::Warning, "web1 (1) has 850 of 1000 nodes"},
        {"nodes : 850\nwatches : 99\n", Status::Critical, "web1 (1) has 99 of 100 watches"},
    }));
    store.quotas["1"] = std::string("Domain 1:\n") + row.use;
    const CheckResult result = judged(store, xen, limits);
    CHECK(overall(result) == row.status);
    CHECK(std::any_of(result.parts.begin(), result.parts.end(), [&](const CheckResult& one) {
        return one.summary.find(row.text) != std::string::npos;
    }));
}

TEST_CASE("long lists are read in pieces, and within bounds", "[xenstore]") {
    FakeStore store;
    store.guest(1, "web1");
    for (int i = 0; i < 500; ++i)
        store.values["/local/domain/0/backend/vif/1/" + std::to_string(i) + "/state"] = "4";
    store.list_max = 200;
    XenstoreQuestions questions;
    XenstoreView view = read_xenstore(store, questions, {});
    CHECK(view.backends.size() == 501);
    CHECK(view.cut.empty());
    questions.most_names = 100;
    view = read_xenstore(store, questions, {});
    CHECK(view.backends.size() == 101);
    CHECK(view.cut == std::vector<std::string>{"/local/domain/0/backend/vif/1"});
    store.parts = false;
    view = read_xenstore(store, {}, {});
    CHECK(view.backends.size() == 1);
    CHECK_FALSE(view.cut.empty());
    questions = {};
    questions.most_questions = 30;
    store.parts = true;
    store.asked = 0;
    view = read_xenstore(store, questions, {});
    CHECK_FALSE(view.cut.empty());
    CHECK(store.asked <= 30);
}

TEST_CASE("silence", "[xenstore]") {
    FakeStore store;
    store.silent = true;
    FakeXen xen = running({0});
    const CheckResult result = judged(store, xen);
    CHECK(overall(result) == Status::Critical);
    CHECK(result.summary == "xenstored at x: no answer within 1s");
}

TEST_CASE("names of states", "[xenstore]") {
    CHECK(xenbus_state_name(4) == "Connected");
    CHECK(xenbus_state_name(8) == "Reconfigured");
    CHECK(xenbus_state_name(9) == "state 9");
    CHECK(xenbus_state_name(-1) == "state -1");
    CHECK(xenbus_state_name(std::nullopt) == "no state");
}
