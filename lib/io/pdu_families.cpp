// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/pdu_families.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>

#include "lib/core/error.hpp"
#include "lib/core/inventory_check.hpp"
#include "lib/core/text.hpp"
#include "lib/core/toml_header.hpp"
#include "lib/io/trusted_file.hpp"

namespace domkeeper {
namespace {

constexpr std::size_t longest_file = 64 * 1024;
constexpr std::size_t most_families = 500;
constexpr std::string_view extension = ".toml";

/// Turns the parsed file into a family; stops at the first mistake.
class FamilyReader {
  public:
    FamilyReader(const toml::table& root, std::string name) : root_(root), name_(std::move(name)) {}

    PduFamily run() {
        static const std::vector<std::string> known{"description", "sys_object_ids", "unit",
                                                    "kind",        "status",         "on",
                                                    "off",         "control",        "control_on",
                                                    "control_off", "command_on",     "command_off",
                                                    "label",       "off_needs"};
        check_keys(root_, known);
        PduFamily family;
        family.name = name_;
        family.description = text(root_, "description").value_or("");
        for (const toml::node* node : list(root_, "sys_object_ids")) {
            const auto written = node->value_exact<std::string>();
            const auto oid = written ? parse_oid(*written) : std::nullopt;
            // A shorter one would claim devices of other makers.
            if (!oid || oid->size() < 7)
                fail(*node, "sys_object_ids: numbers such as \"1.3.6.1.4.1.318.1\" would be right");
            family.sys_object_ids.push_back(*oid);
        }
        const std::int64_t unit = whole(root_, "unit").value_or(0);
        if (unit < 0 || unit > 65'535) fail(*root_.get("unit"), "unit: 0 to 65535 would be right");
        family.unit = static_cast<std::uint32_t>(unit);
        family.storage = kind() == "storage";
        family.status = column(root_, "status");
        family.on = numbers(root_, "on");
        family.off = numbers(root_, "off");
        if (root_.contains("control")) {
            family.control_on = family.control_off = column(root_, "control");
        } else {
            family.control_on = column(root_, "control_on");
            family.control_off = column(root_, "control_off");
        }
        family.command_on = command("command_on");
        family.command_off = command("command_off");
        if (root_.contains("label")) family.label = column(root_, "label");
        for (const toml::node* node : list(root_, "off_needs")) {
            if (!node->is_table()) fail(*node, "off_needs: sections [[off_needs]] would be right");
            family.off_needs.push_back(need(*node->as_table()));
        }
        const auto mistakes = family_mistakes(family);
        if (!mistakes.empty()) fail(root_, mistakes.front());
        return family;
    }

  private:
    [[noreturn]] void fail(const toml::node& node, const std::string& what) const {
        const auto line = node.source().begin.line;
        throw UsageError(name_ + ".toml: " +
                         (line == 0 ? std::string() : "line " + std::to_string(line) + ": ") +
                         printable(what));
    }

    void check_keys(const toml::table& table, const std::vector<std::string>& known) const {
        for (const auto& [key, node] : table) {
            const std::string word(key.str());
            if (std::find(known.begin(), known.end(), word) != known.end()) continue;
            const auto near = closest(word, known);
            fail(node,
                 "unknown key " + word +
                     (near ? "; did you mean " + *near + "?" : "; known are " + join(known, ", ")));
        }
    }

    std::optional<std::string> text(const toml::table& table, const char* key) const {
        const toml::node* node = table.get(key);
        if (node == nullptr) return std::nullopt;
        const auto value = node->value_exact<std::string>();
        if (!value || value->size() > 512)
            fail(*node, std::string(key) + ": a text would be right");
        return value;
    }

    std::optional<std::int64_t> whole(const toml::table& table, const char* key) const {
        const toml::node* node = table.get(key);
        if (node == nullptr) return std::nullopt;
        const auto value = node->value_exact<std::int64_t>();
        if (!value) fail(*node, std::string(key) + ": a whole number would be right");
        return value;
    }

    std::vector<const toml::node*> list(const toml::table& table, const char* key) const {
        std::vector<const toml::node*> nodes;
        const toml::node* node = table.get(key);
        if (node == nullptr) return nodes;
        const toml::array* array = node->as_array();
        if (array == nullptr || array->size() > 64)
            fail(*node, std::string(key) + ": a list would be right");
        for (const toml::node& each : *array) nodes.push_back(&each);
        return nodes;
    }

    std::vector<std::int64_t> numbers(const toml::table& table, const char* key) const {
        std::vector<std::int64_t> values;
        for (const toml::node* node : list(table, key)) {
            const auto value = node->value_exact<std::int64_t>();
            if (!value) fail(*node, std::string(key) + ": whole numbers would be right");
            values.push_back(*value);
        }
        return values;
    }

    std::int64_t command(const char* key) const {
        const auto value = whole(root_, key);
        if (!value) fail(root_, std::string(key) + " is missing");
        // INTEGER has 32 bits (RFC 2578, 7.1.1).
        if (*value < -2'147'483'648 || *value > 2'147'483'647)
            fail(*root_.get(key), std::string(key) + ": the number is too large");
        return *value;
    }

    std::string kind() const {
        const std::string kind = text(root_, "kind").value_or("power");
        if (kind != "power" && kind != "storage")
            fail(*root_.get("kind"), "kind: \"power\" or \"storage\" would be right");
        return kind;
    }

    PduColumn column(const toml::table& table, const char* key) const {
        const auto written = text(table, key);
        if (!written) fail(table, std::string(key) + " is missing");
        const auto parsed = PduColumn::parse(*written);
        if (!parsed)
            fail(*table.get(key),
                 std::string(key) + ": \"" + *written +
                     "\" is no column; such as \"1.3.6.1.4.1.318.1.1.4.{n}\" would "
                     "be right");
        return *parsed;
    }

    OffNeed need(const toml::table& table) const {
        check_keys(table, {"column", "any_of", "at_most", "optional", "what"});
        OffNeed need;
        need.column = column(table, "column");
        need.any_of = numbers(table, "any_of");
        need.at_most = whole(table, "at_most");
        need.what = text(table, "what").value_or("");
        if (need.what.empty()) fail(table, "what is missing: the meaning if it does not hold");
        if (const toml::node* node = table.get("optional")) {
            const auto yes = node->value_exact<bool>();
            if (!yes) fail(*node, "optional: true or false would be right");
            need.optional = *yes;
        }
        return need;
    }

    const toml::table& root_;
    std::string name_;
};

/// The content of a family's file; empty where there is none. Who may write there may call a living
/// host dead, so that not everybody may.
std::optional<std::string> read_file(const std::string& path) {
    try {
        return read_trusted_file(path, longest_file, "family of power strips");
    } catch (const SystemError& error) {
        throw SystemError(printable(path) + " " + error.what());
    }
}

/// Names of all families, sorted.
std::set<std::string> family_names(const std::vector<std::string>& folders) {
    std::set<std::string> names;
    for (const std::string& folder : folders) {
        std::error_code ignored;
        for (std::filesystem::directory_iterator entry(folder, ignored), end;
             entry != end && names.size() < most_families; entry.increment(ignored)) {
            std::string name = entry->path().filename().string();
            if (!name.ends_with(extension)) continue;
            name.resize(name.size() - extension.size());
            if (valid_name(name)) names.insert(name);
        }
    }
    return names;
}

}  // namespace

PduFamily parse_pdu_family(const std::string& text, const std::string& name) {
    const std::string file = printable(name, 64);
    // toml++ reaches undefined behaviour on some letters beyond ASCII in a key.
    const auto odd = std::find_if(text.begin(), text.end(),
                                  [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
    if (odd != text.end())
        throw UsageError(file + ".toml: line " +
                         std::to_string(1 + std::count(text.begin(), odd, '\n')) +
                         ": only ASCII letters may stand here");
    if (const auto place = find_bad_table_header(text))
        throw UsageError(file + ".toml: line " + std::to_string(place->line) + ": no valid TOML");
    try {
        const toml::table root = toml::parse(text);
        return FamilyReader(root, file).run();
    } catch (const toml::parse_error& error) {
        throw UsageError(file + ".toml: line " + std::to_string(error.source().begin.line) +
                         ": no valid TOML: " + printable(error.description()));
    }
}

std::vector<std::string> pdu_family_folders() {
    std::vector<std::string> folders{"/etc/domkeeper/pdu"};
    std::error_code failed;
    std::filesystem::path folder = std::filesystem::read_symlink("/proc/self/exe", failed);
    // /usr/sbin/fence_pdu, /usr/lib/nagios/plugins/check_fence: share is two to four levels up.
    for (int i = 0; i < 5 && !failed && folder.has_relative_path(); ++i) {
        folder = folder.parent_path();
        folders.push_back((folder / "share/domkeeper/pdu").string());
    }
    return folders;
}

PduFamily load_pdu_family(const std::string& name, const std::vector<std::string>& folders) {
    if (valid_name(name))
        for (const std::string& folder : folders)
            if (const auto content = read_file(folder + "/" + name + std::string(extension)))
                return parse_pdu_family(*content, name);
    const auto names = family_names(folders);
    const std::vector<std::string> known(names.begin(), names.end());
    const auto near = closest(name, known);
    throw UsageError("there is no family \"" + printable(name, 60) + "\" of power strips" +
                     (near            ? "; did you mean " + *near + "?"
                      : known.empty() ? "; none is installed"
                                      : "; there are " + join(known, ", ")));
}

std::vector<PduFamily> load_pdu_families(const std::vector<std::string>& folders) {
    std::vector<PduFamily> families;
    for (const std::string& name : family_names(folders))
        families.push_back(load_pdu_family(name, folders));
    return families;
}

}  // namespace domkeeper
