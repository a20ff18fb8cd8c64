// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/domain_xml.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "lib/core/error.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

constexpr std::size_t longest = 4U << 20U;

std::string decoded(std::string_view text) {
    static constexpr std::array<std::pair<std::string_view, char>, 5> entities{
        {{"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}, {"&quot;", '"'}, {"&apos;", '\''}}};
    std::string out;
    while (!text.empty()) {
        const auto entity = std::find_if(entities.begin(), entities.end(),
                                         [&](const auto& e) { return starts_with(text, e.first); });
        out += entity == entities.end() ? text.front() : entity->second;
        text.remove_prefix(entity == entities.end() ? 1 : entity->first.size());
    }
    return out;
}

/// One tag at a time; comments, instructions and CDATA are stepped over.
class Scanner {
  public:
    struct Tag {
        std::string name;
        std::map<std::string, std::string> attributes;
        bool opens = true;    ///< <name ...>
        bool closes = false;  ///< </name> or <name/>
        std::string text;     ///< what follows up to the next tag
    };

    explicit Scanner(std::string_view xml) : rest_(xml) {}

    std::optional<Tag> next() {
        for (;;) {
            const std::size_t open = rest_.find('<');
            if (open == std::string_view::npos) return std::nullopt;
            rest_.remove_prefix(open);
            if (starts_with(rest_, "<!--")) {
                skip("-->");
            } else if (starts_with(rest_, "<![CDATA[")) {
                skip("]]>");
            } else if (starts_with(rest_, "<?") || starts_with(rest_, "<!")) {
                skip(">");
            } else {
                return tag();
            }
        }
    }

  private:
    [[noreturn]] static void fail() { throw ProtocolError("the definition is no XML"); }

    void skip(std::string_view end) {
        const std::size_t at = rest_.find(end);
        if (at == std::string_view::npos) fail();
        rest_.remove_prefix(at + end.size());
    }

    /// The end of the tag: '>' inside quotes is part of a value.
    std::size_t tag_end() const {
        char quote = 0;
        for (std::size_t i = 1; i < rest_.size(); ++i) {
            const char c = rest_[i];
            if (quote != 0) {
                if (c == quote) quote = 0;
            } else if (c == '"' || c == '\'') {
                quote = c;
            } else if (c == '>') {
                return i;
            }
        }
        fail();
    }

    Tag tag() {
        const std::size_t end = tag_end();
        std::string_view inside = rest_.substr(1, end - 1);
        rest_.remove_prefix(end + 1);
        Tag tag;
        if (starts_with(inside, "/")) {
            tag.opens = false;
            tag.closes = true;
            inside.remove_prefix(1);
        } else if (!inside.empty() && inside.back() == '/') {
            tag.closes = true;
            inside.remove_suffix(1);
        }
        const std::size_t name_end = std::min(inside.find_first_of(" \t\r\n"), inside.size());
        tag.name = std::string(inside.substr(0, name_end));
        inside.remove_prefix(name_end);
        attributes(inside, tag);
        tag.text = decoded(trim(rest_.substr(0, std::min(rest_.find('<'), rest_.size()))));
        return tag;
    }

    static void attributes(std::string_view inside, Tag& tag) {
        for (;;) {
            inside = trim(inside);
            const std::size_t equals = inside.find('=');
            if (equals == std::string_view::npos) return;
            const std::string name(trim(inside.substr(0, equals)));
            inside = trim(inside.substr(equals + 1));
            if (inside.size() < 2 || (inside[0] != '"' && inside[0] != '\'')) fail();
            const std::size_t close = inside.find(inside[0], 1);
            if (close == std::string_view::npos) fail();
            tag.attributes[name] = decoded(inside.substr(1, close - 1));
            inside.remove_prefix(close + 1);
        }
    }

    std::string_view rest_;
};

std::string value_of(const Scanner::Tag& tag, const std::string& name) {
    const auto found = tag.attributes.find(name);
    return found == tag.attributes.end() ? std::string() : found->second;
}

/// What one tag at its place in the definition says.
void take(DomainShape& shape, const std::string& path, const Scanner::Tag& tag) {
    if (path == "domain") shape.driver = value_of(tag, "type");
    if (path == "domain/os/type") shape.os_type = tag.text;
    if (path == "domain/vcpu")
        shape.vcpus = static_cast<int>(
            std::clamp<std::int64_t>(parse_integer(tag.text).value_or(1), 1, 4096));
    if (path == "domain/devices/hostdev") ++shape.passed_through;
    // Only the disk's own source: one of a mirror or a backing chain lies deeper.
    if (path != "domain/devices/disk/source") return;
    if (const std::string dev = value_of(tag, "dev"); !dev.empty()) shape.devices.push_back(dev);
    if (const std::string file = value_of(tag, "file"); !file.empty()) shape.files.push_back(file);
}

}  // namespace

DomainShape parse_domain_shape(std::string_view xml) {
    if (xml.size() > longest) throw ProtocolError("the definition is larger than 4 MiB");
    DomainShape shape;
    std::vector<std::string> open;
    Scanner scanner(xml);
    bool seen = false;
    while (const auto tag = scanner.next()) {
        if (tag->opens) {
            open.push_back(tag->name);
            if (open.size() > 64) throw ProtocolError("the definition is nested too deeply");
            const std::string path = join(open, "/");
            seen = seen || path == "domain";
            take(shape, path, *tag);
        }
        if (!tag->closes) continue;
        if (open.empty() || open.back() != tag->name)
            throw ProtocolError("the definition is no XML");
        open.pop_back();
    }
    if (!seen || !open.empty()) throw ProtocolError("the definition is that of no domain");
    return shape;
}

bool is_stable_device(std::string_view path) {
    static constexpr std::array<std::string_view, 9> numbered{"/dev/sd",   "/dev/hd",   "/dev/vd",
                                                              "/dev/xvd",  "/dev/nvme", "/dev/nbd",
                                                              "/dev/loop", "/dev/md",   "/dev/dm-"};
    return std::none_of(numbered.begin(), numbered.end(), [&](std::string_view prefix) {
        // A volume group may have any name: /dev/sdata/web1 is none of these.
        return starts_with(path, prefix) && path.find('/', 5) == std::string_view::npos;
    });
}

}  // namespace domkeeper
