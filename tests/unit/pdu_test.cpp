// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/pdu.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <map>

#include "lib/core/error.hpp"
#include "lib/io/pdu_families.hpp"
#include "lib/io/pdu_switch.hpp"

using namespace domkeeper;

namespace {

const char* const simple =
    "description = \"x\"\nsys_object_ids = [\"1.3.6.1.4.1.9999.1\"]\n"
    "status = \"1.3.6.1.4.1.9999.2.{n}\"\non = [1]\noff = [2]\n"
    "control = \"1.3.6.1.4.1.9999.3.{n}\"\ncommand_on = 1\ncommand_off = 2\n"
    "label = \"1.3.6.1.4.1.9999.4.{n}\"\n";
const char* const metered =
    "[[off_needs]]\ncolumn = \"1.3.6.1.4.1.9999.5.{n}\"\nat_most = 0\noptional = true\n"
    "what = \"it still measures current\"\n"
    "[[off_needs]]\ncolumn = \"1.3.6.1.4.1.9999.6.{n}\"\nany_of = [2, 6]\nwhat = \"it is in "
    "use\"\n";

SnmpValue number(std::int64_t value) {
    return {SnmpValue::Kind::Integer, value, {}, {}};
}
SnmpValue text(const std::string& value) {
    return {SnmpValue::Kind::Text, 0, value, {}};
}

/// A strip of invented content.
class FakeStrip final : public Snmp {
  public:
    explicit FakeStrip(std::map<Oid, SnmpValue>& objects) : objects_(objects) {}
    std::vector<SnmpValue> get(const std::vector<Oid>& oids, Deadline) override {
        std::vector<SnmpValue> values;
        for (const Oid& oid : oids) {
            const auto found = objects_.find(oid);
            values.push_back(found == objects_.end() ? SnmpValue{} : found->second);
        }
        return values;
    }
    SnmpVariable next(const Oid& after, Deadline) override {
        const auto found = objects_.upper_bound(after);
        if (found == objects_.end()) return {};
        return {found->first, found->second};
    }
    void set(const Oid& oid, std::int64_t value, Deadline) override {
        Oid status = oid;
        status[7] = 2;
        if (objects_.count(status) == 0) throw ProtocolError("no such object");
        objects_[status] = number(value);
    }

  private:
    std::map<Oid, SnmpValue>& objects_;
};

Oid at(std::uint32_t column, std::uint32_t outlet) {
    return {1, 3, 6, 1, 4, 1, 9999, column, outlet};
}

std::string family_error(const std::string& toml) {
    try {
        parse_pdu_family(toml, "x");
    } catch (const UsageError& error) {
        return error.what();
    }
    return "";
}

std::string replaced(std::string where, const std::string& what, const std::string& by) {
    const auto found = where.find(what);
    REQUIRE(found != std::string::npos);
    return where.replace(found, what.size(), by);
}

}  // namespace

TEST_CASE("pdu: object identifiers") {
    CHECK(parse_oid("1.3.6.1") == Oid{1, 3, 6, 1});
    CHECK(parse_oid(".1.3.4294967295") == Oid{1, 3, 4294967295});
    for (const char* bad :
         {"", ".", "1", "1.", "1..3", "1.3.x", "1.-3", "1.3.4294967296", "1. 3"}) {
        INFO(bad);
        CHECK_FALSE(parse_oid(bad));
    }
    CHECK(render_oid({1, 3, 6}) == "1.3.6");
}

TEST_CASE("pdu: columns and outlet numbers") {
    const auto flat = PduColumn::parse("1.3.6.1.4.{n}");
    const auto chain = PduColumn::parse("1.3.6.1.4.{unit}.{n}");
    REQUIRE((flat && chain));
    CHECK(flat->at({7, 3}) == Oid{1, 3, 6, 1, 4, 3});
    CHECK(chain->at({7, 3}) == Oid{1, 3, 6, 1, 4, 7, 3});
    CHECK(chain->number_of({1, 3, 6, 1, 4, 7, 3}, 0) == OutletNumber{7, 3});
    CHECK(flat->number_of({1, 3, 6, 1, 4, 3}, 9) == OutletNumber{9, 3});
    CHECK_FALSE(flat->number_of({1, 3, 6, 1, 4, 3, 1}, 9));
    CHECK_FALSE(flat->number_of({1, 3, 6, 1, 5, 3}, 9));
    for (const char* bad :
         {"", "{n}", ".{n}", "1.{n}", "1.3.6", "1.3.{n}.4", "1.3.{n}.{unit}", "1.3{n}"}) {
        INFO(bad);
        CHECK_FALSE(PduColumn::parse(bad));
    }
    CHECK(parse_outlet_number("3", 1) == OutletNumber{1, 3});
    CHECK(parse_outlet_number("2.3", 1) == OutletNumber{2, 3});
    CHECK(parse_outlet_number("2:3", 1) == OutletNumber{2, 3});
    for (const char* name : {"web", "", "3a", "-1", "1.2.3", ".3", "3.", "70000", "1.x", " 3"}) {
        INFO(name);
        CHECK_FALSE(parse_outlet_number(name, 1));
    }
}

TEST_CASE("pdu: what an answer means") {
    using Kind = OutletReading::Kind;
    const PduFamily plain = parse_pdu_family(simple, "plain");
    const PduFamily needing = parse_pdu_family(std::string(simple) + metered, "needing");
    const SnmpValue missing;
    const struct {
        const char* what;
        const PduFamily& family;
        std::vector<SnmpValue> values;
        Kind kind;
        const char* why;
    } rows[] = {
        {"on", plain, {number(1)}, Kind::On, ""},
        {"off", plain, {number(2)}, Kind::Off, ""},
        {"none there", plain, {missing}, Kind::NoSuchOutlet, "no such outlet"},
        {"zero", plain, {number(0)}, Kind::Doubtful, "status 0 means neither"},
        {"negative", plain, {number(-1)}, Kind::Doubtful, "status -1 means neither"},
        {"as a text", plain, {text("off")}, Kind::Doubtful, "no number"},
        {"as a text of the number", plain, {text("2")}, Kind::Doubtful, "no number"},
        {"nothing", plain, {}, Kind::Doubtful, "missing"},
        {"too much", plain, {number(2), number(2)}, Kind::Doubtful, "missing"},
        {"off, all needs met", needing, {number(2), number(0), number(6)}, Kind::Off, ""},
        {"off, no meter", needing, {number(2), missing, number(2)}, Kind::Off, ""},
        {"off, current",
         needing,
         {number(2), number(1), number(2)},
         Kind::Doubtful,
         "it reads off, but it still measures current (1)"},
        {"off, in use",
         needing,
         {number(2), number(0), number(1)},
         Kind::Doubtful,
         "it reads off, but it is in use (1)"},
        {"off, need not told",
         needing,
         {number(2), number(0), missing},
         Kind::Doubtful,
         "does not say whether it is in use"},
        {"off, meter of another type",
         needing,
         {number(2), text("0"), number(2)},
         Kind::Doubtful,
         "is no number"},
        {"on needs nothing", needing, {number(1), number(9), number(1)}, Kind::On, ""},
    };
    for (const auto& row : rows) {
        INFO(row.what);
        const OutletReading reading = judge_outlet(row.family, row.values);
        CHECK((reading.kind == row.kind));
        CHECK(reading.why.find(row.why) != std::string::npos);
    }
}

TEST_CASE("pdu: families that are wrong are refused with their line") {
    CHECK(family_error(std::string(simple) + "[[off_needs]]\nany_of = [1]\nwhat = \"x\"\n")
              .find("column is missing") != std::string::npos);
    CHECK(family_error(simple).empty());
    const struct {
        const char* what;
        const char* by;
        const char* error;
    } rows[] = {
        {"off = [2]", "off = [1]", "1 means on as well"},
        {"off = [2]", "off = []", "no value means off"},
        {"on = [1]", "", "no value means on"},
        {"off = [2]", "off = [\"2\"]", "whole numbers"},
        {"command_off = 2", "command_off = 1", "the same as command_on"},
        {"command_off = 2", "", "command_off is missing"},
        {"command_off = 2", "command_off = 99999999999", "too large"},
        {"status =", "statsu =", "did you mean status?"},
        {"9999.2.{n}", "9999.2", "is no column"},
        {"1.3.6.1.4.1.9999.1\"", "1.3.6\"", "sys_object_ids"},
        {"description = \"x\"", "kind = \"water\"", "line 1: kind"},
        {"description = \"x\"", "unit = -1", "unit"},
        {"description = \"x\"", "[a", "no valid TOML"},
    };
    for (const auto& row : rows) {
        INFO(row.by);
        const std::string error = family_error(replaced(simple, row.what, row.by));
        CHECK(error.find("x.toml: ") == 0);
        CHECK(error.find(row.error) != std::string::npos);
    }
    CHECK(
        family_error(std::string(simple) + "[[off_needs]]\ncolumn = \"1.3.6.{n}\"\nwhat = \"x\"\n")
            .find("either any_of or at_most") != std::string::npos);
}

TEST_CASE("pdu: the shipped families are in order, and each model has one") {
    std::vector<PduFamily> families;
    for (const auto& entry : std::filesystem::directory_iterator("share/domkeeper/pdu"))
        families.push_back(load_pdu_family(entry.path().stem().string(), {"share/domkeeper/pdu"}));
    CHECK(families.size() >= 6);
    const struct {
        const char* sys_object_id;
        const char* family;
    } rows[] = {{"1.3.6.1.4.1.318.1.3.4.5", "apc_rpdu"},
                {"1.3.6.1.4.1.318.1.3.4.6", "apc_rpdu2"},
                {"1.3.6.1.4.1.318.1.3.4.2", "apc_spdu"},
                {"1.3.6.1.4.1.13742.6", "raritan_px"},
                {"1.3.6.1.4.1.13742.1.1.1", "raritan_px1"},
                {"1.3.6.1.4.1.534.6.6.7", "eaton_epdu"},
                {"1.3.6.1.4.1.318.1.3.4.55", ""},
                {"1.3.6.1.4.1.318", ""},
                {"1.3.6.1.4.1.8072.3.2.10", ""}};
    for (const auto& row : rows) {
        INFO(row.sys_object_id);
        const PduFamily* found = find_family(families, *parse_oid(row.sys_object_id));
        CHECK((found == nullptr ? "" : found->name) == row.family);
    }
    families.push_back(families.front());
    families.front().sys_object_ids = families.back().sys_object_ids = {{1, 3, 6, 1, 4, 1, 77}};
    bool ambiguous = false;
    CHECK(find_family(families, {1, 3, 6, 1, 4, 1, 77, 1}, &ambiguous) == nullptr);
    CHECK(ambiguous);
}

TEST_CASE("pdu: several outlets of a strip") {
    std::map<Oid, SnmpValue> objects{{at(2, 1), number(1)},    {at(2, 2), number(1)},
                                     {at(2, 3), number(2)},    {at(4, 1), text("web")},
                                     {at(4, 2), text("twin")}, {at(4, 3), text("twin")}};
    const auto open = [&](std::vector<std::string> plugs) {
        return make_pdu_switch(std::make_unique<FakeStrip>(objects), std::move(plugs),
                               {parse_pdu_family(simple, "x")}, false, {});
    };
    const Deadline soon{};
    CHECK(open({"1"})->read(soon) == PowerState::On);
    CHECK(open({"web"})->read(soon) == PowerState::On);
    CHECK(open({"3"})->read(soon) == PowerState::Off);
    CHECK(open({"1", "3"})->read(soon) == PowerState::Mixed);
    CHECK_THROWS_AS(open({"1", "4"})->read(soon), NoSuchPlug);
    CHECK_THROWS_AS(open({"twin"})->read(soon), NoSuchPlug);
    CHECK_THROWS_AS(open({"nobody"})->read(soon), NoSuchPlug);
    CHECK_THROWS_AS(open({})->read(soon), UsageError);
    CHECK(open({"1"})->coverage().is_everything());
    const auto both = open({"1", "2"});
    both->command(PowerCommand::Off, soon);
    CHECK(both->read(soon) == PowerState::Off);
    both->command(PowerCommand::On, soon);
    CHECK(both->read(soon) == PowerState::On);
    CHECK_THROWS_AS(both->command(PowerCommand::Reset, soon), UsageError);
    // Gone after it was there: the strip restarts, which is no reason to give up.
    objects.erase(at(2, 2));
    CHECK_THROWS_AS(both->read(soon), ProtocolError);
    CHECK_THROWS_AS(open({"2"})->read(soon), NoSuchPlug);
    objects[at(2, 1)] = number(4);
    CHECK_THROWS_AS(open({"1"})->read(soon), Unverified);
    const auto plugs = open({})->list(soon);
    REQUIRE(plugs.size() == 3);
    CHECK(plugs[0].plug == "1");
    CHECK(plugs[0].name == "web");
    CHECK(plugs[0].state == PowerState::Unknown);
    CHECK(plugs[2].state == PowerState::Off);
}

TEST_CASE("pdu: options") {
    const auto parse = [](std::map<std::string, std::string> options, const std::string& password) {
        return parse_pdu_options({"strip", "fence_pdu", std::move(options), {}}, password);
    };
    const auto error = [&](std::map<std::string, std::string> options,
                           const std::string& password) {
        try {
            parse(std::move(options), password);
        } catch (const UsageError& caught) {
            return std::string(caught.what());
        }
        return std::string();
    };
    const PduOptions plain = parse({{"ip", "a"}, {"plug", "1, 2,1"}}, "");
    CHECK((plain.login.version == SnmpVersion::V1));
    CHECK(plain.login.community == "private");
    CHECK(plain.plugs == std::vector<std::string>{"1", "2"});
    CHECK((parse({{"ip", "a"}, {"community", "x"}}, "").login.version == SnmpVersion::V2c));
    const PduOptions v3 = parse({{"ipaddr", "a"},
                                 {"login", "u"},
                                 {"snmp-version", "3"},
                                 {"snmp_priv_passwd", "87654321"},
                                 {"port", "web"}},
                                "12345678");
    CHECK((v3.login.security == SnmpSecurity::AuthPriv));
    CHECK(v3.plugs == std::vector<std::string>{"web"});
    CHECK(error({}, "").find("ip is missing") != std::string::npos);
    CHECK(error({{"ip", "a"}, {"snmp_version", "3"}}, "").find("username") != std::string::npos);
    const std::string brief =
        error({{"ip", "a"}, {"username", "u"}, {"snmp_version", "3"}}, "hunter");
    CHECK(brief.find("8 bytes") != std::string::npos);
    CHECK(brief.find("hunter") == std::string::npos);
    CHECK(error({{"ip", "a"}, {"plug", "1,,2"}}, "").find("plug") != std::string::npos);
    CHECK(error({{"ip", "a"}, {"ipport", "0"}}, "").find("ipport") != std::string::npos);
    CHECK(error({{"ip", "a"}, {"username", "u"}, {"snmp_version", "3"}, {"snmp_auth_prot", "DES"}},
                "12345678")
              .find("snmp_auth_prot") != std::string::npos);
}
